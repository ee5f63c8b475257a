import type { TaskRecord } from '../../src/runtime/ports/task-store.js';
import {
  OTHER_TYPES,
  SKIPPED_TYPES_MAX,
  sumOfTallies,
  talliesOf,
  withTallies,
} from '../../src/runtime/tallies.js';

const record = (extra: TaskRecord['extra'] = {}): TaskRecord => ({
  ...{ tick: 1, positions: {}, frontier: {}, rows: 0, conflicts: 0, errors: 0 },
  ...{ checksum: '0'.repeat(16), commit: '', clocks: {}, applied: null, reaching: null, late: 0 },
  extra,
});
const input = 'stream:orders';

describe('what a task has counted', () => {
  it('is nothing at first, and leaves the record as it is where a tick counted nothing', () => {
    expect(talliesOf(null)).toEqual({ parked: { keys: 0, waiting: 0 }, skipped: {} });
    const extra = { 'stream:orders': { note: 1 } };
    expect(withTallies(record(extra), extra, null, { input, types: [] })).toBe(extra);
  });

  it('adds up from tick to tick, beside the notes of the inputs', () => {
    let extra = withTallies(
      record(),
      { 'stream:orders': 'note' },
      { keys: 1, waiting: 2 },
      { input, types: ['A'] },
    );
    extra = withTallies(record(extra), extra, { keys: 0, waiting: 3 }, { input, types: ['A', 'B'] });
    extra = withTallies(record(extra), extra, null, { input: 'stream:other', types: ['A'] });
    expect(extra['stream:orders']).toBe('note');
    expect(talliesOf(record(extra))).toEqual({
      parked: { keys: 1, waiting: 5 },
      skipped: { 'stream:orders': { A: 2, B: 1 }, 'stream:other': { A: 1 } },
    });
  });

  it('tells so many types apart, and counts the others together', () => {
    const types = Array.from({ length: SKIPPED_TYPES_MAX + 2 }, (_, index) => `T${index}`);
    const extra = withTallies(record(), {}, null, { input, types: [...types, 'T0', '__proto__'] });
    const counts = talliesOf(record(JSON.parse(JSON.stringify(extra)))).skipped[input]!;
    expect(Object.keys(counts)).toHaveLength(SKIPPED_TYPES_MAX + 1);
    expect([counts.T0, counts.T1, counts[OTHER_TYPES]]).toEqual([2, 1, 3]);
  });

  it('is the sum over the partitions of a view', () => {
    const one = { parked: { keys: 1, waiting: 0 }, skipped: { [input]: { A: 1 } } };
    const two = { parked: { keys: 0, waiting: 4 }, skipped: { [input]: { A: 1, B: 2 } } };
    expect(sumOfTallies([one, two])).toEqual({
      parked: { keys: 1, waiting: 4 },
      skipped: { [input]: { A: 2, B: 2 } },
    });
  });
});
