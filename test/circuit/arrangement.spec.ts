import { OrderedArrangement } from '../../src/circuit/ordered-arrangement.js';
import { OrderedState } from '../../src/circuit/ordered-state.js';

describe('the rows an arrangement remembers', () => {
  const PAGE = { from: '', to: null, count: 1 };
  const rowsOf = (entriesMax: number, keys: number) => {
    const state = new OrderedState('s', { entriesMax });
    const arrangement = new OrderedArrangement(state);
    return Array.from({ length: keys }, (_, key) => {
      const [group, member] = [`k${key}`, `{"key":${key}}`];
      const row = () => {
        arrangement.wantPage(group, PAGE, 0);
        for (const read of state.takeMissing()) state.load(read, [[member, 1]]);
        return arrangement.page(group, PAGE).rows[0]!.row;
      };
      return row;
    });
  };

  test('are met again as they are', () => {
    const [row] = rowsOf(100, 1);
    expect(row!()).toEqual({ key: 0 });
    expect(row!()).toBe(row!());
  });

  test('are part of what caches may hold', () => {
    const [first, ...others] = rowsOf(100, 500);
    const before = first!();
    for (const row of others) row();
    expect(first!()).toEqual(before);
    expect(first!()).not.toBe(before);
  });
});
