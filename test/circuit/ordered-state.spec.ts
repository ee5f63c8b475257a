import { OrderedState } from '../../src/circuit/ordered-state.js';

const members = (count: number): [string, number][] =>
  Array.from({ length: count }, (_, index) => [String(index).padStart(4, '0'), 1]);

describe('the cache of ordered state', () => {
  const load = (state: OrderedState, group: string, count: number): void => {
    state.wantAll(group);
    for (const read of state.takeMissing()) state.load(read, members(count));
  };

  test('a group counts for as many entries as it has members', () => {
    const state = new OrderedState('s', { entriesMax: 1_000 });
    for (let group = 0; group < 100; group++) {
      load(state, `g${group}`, 100);
      state.settle();
    }
    expect(state.cached).toBeLessThan(1_200);
  });

  test('small groups are kept as many as fit', () => {
    const state = new OrderedState('s', { entriesMax: 1_000 });
    for (let group = 0; group < 100; group++) {
      load(state, `g${group}`, 2);
      state.settle();
    }
    expect(state.cached).toBe(300);
  });

  test('states that share a budget make room for each other, and what is forgotten counts no more', () => {
    const budget = { entriesMax: 1_000 };
    const [one, other] = [new OrderedState('one', budget), new OrderedState('other', budget)];
    load(one, 'great', 400);
    one.drop();
    load(other, 'g', 10);
    other.settle();
    load(other, 'h', 480);
    other.settle();
    for (const group of ['g', 'h']) other.wantAll(group);
    expect(other.takeMissing()).toEqual([]);
    load(other, 'i', 400);
    other.settle();
    load(other, 'j', 600);
    other.settle();
    for (const group of ['g', 'h']) other.wantAll(group);
    expect(other.takeMissing()).toHaveLength(2);
  });

  test('a member that was not read goes from what is known in order, and comes back with a tick that is given up', () => {
    const state = new OrderedState('s', { entriesMax: 1_000 });
    state.wantEnd('g', 'least', 2, 0);
    for (const read of state.takeMissing()) state.load(read, members(2));
    expect(state.end('g', 'least', 2)).toEqual(members(2));
    state.addTo(1, 'g', '0002', -1);
    expect(state.writes()).toEqual([{ group: 'g', member: '0002', before: 1, after: 0 }]);
    expect(state.end('g', 'least', 2)).toEqual(members(2));
    state.discard();
    expect([state.weight('g', '0002'), state.end('g', 'least', 2)]).toEqual([1, members(2)]);
    state.addTo(1, 'g', '0002', 1);
    expect(state.weight('g', '0002')).toBe(2);
  });

  test('what was taken away is not remembered where it is known that nothing else is there', () => {
    const state = new OrderedState('s', { entriesMax: 1_000 });
    load(state, 'g', 1);
    for (let tick = 0; tick < 50; tick++) {
      state.add('g', `m${tick}`, 1);
      if (tick > 0) state.add('g', `m${tick - 1}`, -1);
      state.seal();
      state.acknowledge();
    }
    expect(state.cached).toBeLessThanOrEqual(4);
    expect([...state.all('g')]).toEqual([
      ['0000', 1],
      ['m49', 1],
    ]);
  });

  test.each([10, 10_100])(
    'an answer that is older than a commit brings nothing back that this took away (%i members)',
    (size) => {
      const state = new OrderedState('s', { entriesMax: 100_000 });
      const stored = members(size);
      // As far as a read goes.
      const answer = (): void => {
        for (const read of asked) state.load(read, 'count' in read ? stored.slice(0, read.count) : []);
      };
      state.wantEnd('g', 'least', size - 5, 0);
      let asked = state.takeMissing();
      answer();
      state.add('g', stored[0]![0], -1);
      state.seal();
      // The next tick asks before the commit is answered, and is told what was there before it.
      state.wantEnd('g', 'least', size - 2, 0);
      asked = state.takeMissing();
      expect(asked).toHaveLength(1);
      state.acknowledge();
      answer();
      expect(state.end('g', 'least', 2).map(([member]) => member)).toEqual([stored[1]![0], stored[2]![0]]);
      expect(state.weight('g', stored[0]![0])).toBe(0);
    },
  );

  test('around many places of a group no more is read while a commit of it is not answered', () => {
    const state = new OrderedState('s', { entriesMax: 100_000 });
    const stored = members(2_000);
    /** How many members a tick is given that looks at every tenth of a thousand. */
    const found = (first: number): number => {
      for (let place = first; place < first + 1_000; place += 10)
        state.wantFrom('g', stored[place]![0], 'up', 3, 0);
      let given = 0;
      for (const read of state.takeMissing()) {
        if ('member' in read) continue;
        const some = stored.filter(([member]) => member >= read.from).slice(0, read.count);
        given += some.length;
        state.load(read, some);
      }
      return given;
    };
    expect(found(0)).toBe(300);
    for (let place = 0; place < 1_000; place += 10) state.add('g', stored[place]![0], -1);
    state.seal();
    expect(found(1_000)).toBe(300);
  });

  test.each([
    ['least', 0, 499],
    ['greatest', 499, 0],
  ] as const)(
    'of members taken away by a commit that is not answered ever more are read past, from the %s on',
    (end, first, last) => {
      const state = new OrderedState('s', { entriesMax: 100_000 });
      const stored = members(500);
      const answer = (): number => {
        let rounds = 0;
        for (let reads = state.takeMissing(); reads.length > 0; reads = state.takeMissing(), rounds++) {
          for (const read of reads) {
            if ('member' in read) {
              state.load(
                read,
                stored.filter(([member]) => member === read.member),
              );
              continue;
            }
            const { from, to, direction, count } = read;
            const within = stored.filter(([member]) => member >= from && (to === null || member < to));
            state.load(read, (direction === 'up' ? within : within.reverse()).slice(0, count));
          }
          state.wantEnd('g', end, 2, 0);
        }
        return rounds;
      };
      const gone = stored.filter(([member]) => member !== stored[last]![0]);
      for (const [member] of gone) state.wantMember('g', member);
      answer();
      for (const [member] of gone) state.add('g', member, -1);
      expect(state.weight('g', stored[first]![0])).toBe(0);
      state.seal();
      state.wantEnd('g', end, 2, 0);
      // Of 499 in growing reads, not one by one.
      expect(answer()).toBeLessThanOrEqual(6);
      expect(state.end('g', end, 2)).toEqual([stored[last]!]);
    },
  );

  test('what is not known to be committed is not forgotten, however much else is met; then it is', () => {
    const state = new OrderedState('s', { entriesMax: 10 });
    const meetOthers = (): void => {
      for (let other = 0; other < 20; other++) {
        load(state, `other ${other}`, 5);
        state.settle();
      }
    };
    const asked = (): number => {
      state.wantMember('g', '0000');
      return state.takeMissing().length;
    };
    load(state, 'g', 1);
    state.add('g', '0000', 1);
    state.seal();
    meetOthers();
    expect(asked()).toBe(0);
    expect(state.weight('g', '0000')).toBe(2);
    state.add('g', '0000', 1);
    state.acknowledge();
    meetOthers();
    expect(asked()).toBe(0);
    expect(state.weight('g', '0000')).toBe(3);
    state.seal();
    state.acknowledge();
    meetOthers();
    expect(asked()).toBe(1);
  });

  test('many places of one group are known at a time', () => {
    const state = new OrderedState('s', { entriesMax: 100_000 });
    const places = Array.from({ length: 500 }, (_, place) => String(place * 10).padStart(6, '0'));
    const want = (): void => places.forEach((place) => void state.wantFrom('g', place, 'up', 1, 0));
    want();
    for (const read of state.takeMissing()) if ('from' in read) state.load(read, [[`${read.from}x`, 1]]);
    want();
    expect(state.takeMissing()).toEqual([]);
    expect(state.from('g', '004990', 'up', 1)).toEqual([['004990x', 1]]);
  });
});
