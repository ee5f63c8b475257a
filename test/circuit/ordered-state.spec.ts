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
});
