import { Evolve, evolvedCodec, type EvolveOptions } from '../../../src/circuit/operators/evolve.js';
import { ParkedKeys } from '../../../src/circuit/parked-keys.js';
import { RowCalls } from '../../../src/circuit/row-function.js';
import { Delta } from '../../../src/zset/delta.js';
import type { Row } from '../../../src/zset/value.js';
import { PositionOrders } from '../../../src/runtime/position.js';
import { Random } from '../../support/random.js';
import { Errors, Stepped } from '../../support/stepped.js';

interface Event extends Row {
  readonly k: string;
  readonly do: string;
  readonly n: number;
}

/** `add` adds, `note` is not handled, `end` removes, `fail` throws, `grow` makes the state large. */
const fold = (state: any, event: any): Row | null => {
  switch (event.do) {
    case 'end':
      return null;
    case 'fail':
      throw new RangeError(`no ${event.n}`);
    case 'grow':
      return { ...state, log: 'é'.repeat(event.n) };
    default:
      return { sum: state.sum + event.n, log: state.log + event.n };
  }
};

/** Without state, ticks or codecs: what each key comes to, event by event. */
function recomputed(events: readonly Event[]) {
  const keys = new Map<string, { state: any; parked: boolean; waiting: number }>();
  for (const event of events) {
    const key = keys.get(event.k) ?? { state: null, parked: false, waiting: 0 };
    keys.set(event.k, key);
    if (key.parked) key.waiting++;
    else if (event.do === 'note') continue;
    else
      try {
        key.state = fold(key.state ?? { sum: 0, log: '' }, event);
      } catch {
        key.parked = true;
      }
  }
  const rows = [...keys].flatMap(([k, { state }]) =>
    state === null ? [] : [JSON.stringify({ k, ...state })],
  );
  const all = [...keys.values()];
  return {
    rows: rows.sort(),
    parked: all.filter(({ parked }) => parked).length,
    waiting: all.reduce((sum, { waiting }) => sum + waiting, 0),
  };
}

class Folding {
  readonly errors = new Errors();
  readonly parking = new ParkedKeys();
  readonly weights = new Map<string, number>();
  #position = 0;
  readonly stepped: Stepped;
  parked = 0;
  waiting = 0;

  constructor(options: Partial<EvolveOptions> = {}, entriesMax = 100) {
    const calls = new RowCalls<Row | null>({
      call: ({ state, event }) => fold(state, event),
      check: (given) => given as Row | null,
    });
    this.stepped = new Stepped(
      (builder) =>
        new Evolve(
          builder.keyed('groups', evolvedCodec),
          {
            groupKeyOf: (row) => row.k as string,
            groupOf: ({ k }) => ({ k: k! }),
            eventOf: (row) => row,
            handlerOf: (event) => (event.do === 'note' ? null : calls),
            rowOf: ({ k }, state) => ({ k: k!, ...state }),
            initial: Object.freeze({ sum: 0, log: '' }),
            stateBytesMax: 1_000,
            ...options,
          },
          this.errors,
          this.parking,
        ),
      { entriesMax },
    );
  }

  /** One tick; the events take the next places in the log. Event times are turned round, for they must not matter. */
  tick(events: readonly Event[], shuffle: (delta: Delta) => Delta = (delta) => delta): [any, number][] {
    const delta = shuffle(this.delta(events));
    const output = this.stepped.step(delta);
    const result = this.parking.takeResult();
    this.parked += result?.keys ?? 0;
    this.waiting += result?.waiting ?? 0;
    for (const [row, weight] of output) {
      const text = JSON.stringify(row);
      this.weights.set(text, (this.weights.get(text) ?? 0) + weight);
    }
    return output;
  }

  delta(events: readonly Event[]): Delta {
    const orders = events.map(() => {
      const position = this.#position++;
      return new Date(4e12 - position * 1000).toISOString() + new PositionOrders().of(`1000-${position}`, 0);
    });
    return new Delta(
      [...events],
      events.map(() => 1),
      orders,
    );
  }

  get rows(): string[] {
    const rows = [...this.weights].filter(([, weight]) => weight !== 0);
    expect(rows.every(([, weight]) => weight === 1)).toBe(true);
    return rows.map(([text]) => text).sort();
  }
}

const ANYWHERE = new Date(0).toISOString() + new PositionOrders().of('5000-0', 0);
const add = (k: string, n = 1): Event => ({ k, do: 'add', n });
const event = (k: string, what: string, n = 0): Event => ({ k, do: what, n });

describe('evolve', () => {
  it('folds the events of a group into one row, in the order of the log and not of their times', () => {
    const folding = new Folding();
    expect(folding.tick([add('a', 1), add('a', 2), add('b', 5)])).toEqual([
      [{ k: 'a', sum: 3, log: '12' }, 1],
      [{ k: 'b', sum: 5, log: '5' }, 1],
    ]);
    expect(folding.tick([add('a', 3)])).toEqual([
      [{ k: 'a', sum: 3, log: '12' }, -1],
      [{ k: 'a', sum: 6, log: '123' }, 1],
    ]);
  });

  it('sorts a tick whose events do not come in the order of the log', () => {
    const folding = new Folding();
    folding.tick(
      [add('a', 1), add('a', 2), add('a', 3)],
      ({ rows, weights, orders }) => new Delta([...rows].reverse(), weights, [...orders!].reverse()),
    );
    expect(folding.rows).toEqual(['{"k":"a","sum":6,"log":"123"}']);
  });

  it('removes the row of a group for null, and begins anew with the next event', () => {
    const folding = new Folding();
    folding.tick([add('a', 7)]);
    expect(folding.tick([event('a', 'end')])).toEqual([[{ k: 'a', sum: 7, log: '7' }, -1]]);
    expect(folding.stepped.store.toString()).toBe(new Folding().stepped.store.toString());
    expect(folding.tick([event('a', 'end')])).toEqual([]);
    expect(folding.tick([add('a', 1)])).toEqual([[{ k: 'a', sum: 1, log: '1' }, 1]]);
  });

  it('writes nothing for events that change nothing', () => {
    const folding = new Folding();
    folding.tick([add('a', 1)]);
    expect(folding.tick([event('a', 'note'), event('b', 'note'), event('b', 'end')])).toEqual([]);
    expect(folding.stepped.writes).toBe(0);
    expect(folding.tick([event('a', 'grow', 0), add('a', 0)])).toEqual([
      [{ k: 'a', sum: 1, log: '1' }, -1],
      [{ k: 'a', sum: 1, log: '0' }, 1],
    ]);
  });

  it('counts an event of weight 2 twice, and stops at one that is retracted', () => {
    const folding = new Folding();
    folding.stepped.step(new Delta([add('a', 2)], [2], folding.delta([add('a', 2)]).orders));
    expect(folding.stepped.store.keyed.get('groups')!.get('a')).toBe('{"sum":4,"log":"22"}');
    expect(() => folding.stepped.step(new Delta([add('a', 2)], [-1], [ANYWHERE]))).toThrow('retracted');
  });

  it('parks a group at an event that cannot be folded, keeps its row, and lets others go on', () => {
    const folding = new Folding();
    folding.tick([add('a', 1), event('a', 'fail', 9), add('a', 2), add('b', 3)]);
    folding.tick([add('a', 3), event('a', 'end'), add('b', 4)]);
    expect(folding.rows).toEqual(['{"k":"a","sum":1,"log":"1"}', '{"k":"b","sum":7,"log":"34"}']);
    expect([folding.parked, folding.waiting]).toEqual([1, 3]);
    expect(folding.errors.added).toEqual([
      [
        { key: { k: 'a' }, entry: '1000-1', event: { k: 'a', do: 'fail', n: 9 } },
        1,
        expect.stringMatching(/^RangeError: no 9 The key is parked/),
      ],
    ]);
  });

  it('parks a group whose first event cannot be folded, and shows no row of it', () => {
    const folding = new Folding();
    expect(folding.tick([event('a', 'fail'), add('a')])).toEqual([]);
    expect(folding.stepped.store.keyed.get('groups')!.get('a')).toBe('[null,"1000-0",1]');
  });

  it('parks a group whose state would be larger than its limit, in bytes', () => {
    const folding = new Folding({ stateBytesMax: 100 });
    folding.tick([event('a', 'grow', 20), event('a', 'grow', 50), add('a')]);
    expect(folding.rows).toEqual([`{"k":"a","sum":0,"log":"${'é'.repeat(20)}"}`]);
    expect(folding.errors.added[0]![2]).toContain(
      'The state has 118 bytes of JSON, more than stateBytesMax (100).',
    );
  });

  it('hands out events and states that cannot be changed', () => {
    const changing = new RowCalls<Row | null>({
      call: ({ state }) => {
        state.sum++;
        return state;
      },
      check: (given) => given as Row,
    });
    const folding = new Folding({ handlerOf: () => changing });
    folding.tick([add('a')]);
    expect(folding.errors.added[0]![2]).toMatch(/^TypeError: Cannot assign to read only/);
  });

  it('leaves nothing of a tick that was given up', () => {
    const folding = new Folding();
    folding.tick([add('a', 1)]);
    const stored = folding.stepped.store.toString();
    const { circuit, store } = folding.stepped;
    store.step(circuit, new Map([['in0', folding.delta([add('a', 5), event('b', 'fail'), add('b')])]]));
    circuit.discard();
    expect(folding.parking.takeResult()).toBeNull();
    expect(store.toString()).toBe(stored);
    folding.tick([add('a', 2)]);
    expect(folding.rows).toEqual(['{"k":"a","sum":3,"log":"12"}']);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'is what a fold from the beginning gives, however it is cut (seed %i)',
    (seed) => {
      const random = new Random(seed);
      const keys = ['a', 'b', 'c', '', 'ü'];
      const events = Array.from({ length: 300 }, (): Event => {
        const what = random.of([
          'add',
          'add',
          'add',
          'add',
          'note',
          'end',
          random.chance(0.1) ? 'fail' : 'add',
        ]);
        return event(random.of(keys), what, random.below(5));
      });
      const whole = new Folding();
      whole.tick(events);
      const cut = new Folding({}, random.of([0, 1, 100]));
      for (let at = 0; at < events.length;) {
        const size = 1 + random.below(random.of([2, 40]));
        const tick = events.slice(at, at + size);
        if (random.chance(0.2)) {
          const { circuit, store } = cut.stepped;
          store.step(
            circuit,
            new Map([
              [
                'in0',
                new Delta(
                  tick,
                  tick.map(() => 1),
                  tick.map(() => ANYWHERE),
                ),
              ],
            ]),
          );
          circuit.discard();
          cut.errors.added.length = whole.errors.added.length;
        }
        if (random.chance(0.2)) cut.stepped.states.forEach((state) => state.drop());
        cut.tick(tick);
        at += size;
        expect(cut.rows).toEqual(recomputed(events.slice(0, at)).rows);
      }
      const expected = recomputed(events);
      expect(whole.rows).toEqual(expected.rows);
      expect([cut.parked, cut.waiting]).toEqual([expected.parked, expected.waiting]);
      expect([whole.parked, whole.waiting]).toEqual([expected.parked, expected.waiting]);
      expect(cut.stepped.store.toString()).toBe(whole.stepped.store.toString());
    },
  );
});
