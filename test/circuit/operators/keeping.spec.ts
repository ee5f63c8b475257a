import { json } from '../../../src/circuit/operator.js';
import { Distinct, KeptWeights } from '../../../src/circuit/operators/distinct.js';
import { Upsert } from '../../../src/circuit/operators/upsert.js';
import { Stepped } from '../../support/stepped.js';

describe('distinct', () => {
  const distinct = (): Stepped =>
    new Stepped((builder) => new Distinct(new KeptWeights(builder.keyed('weights', json))));
  const a = { k: 'a' };

  it('shows a row while its weight is positive', () => {
    const rows = distinct();
    expect(rows.step([[a, 2]])).toEqual([[a, 1]]);
    expect(rows.step([[{ k: 'a' }, -1]])).toEqual([]);
    expect(rows.step([[a, -1]])).toEqual([[a, -1]]);
    expect(rows.store.toString()).toBe(distinct().store.toString());
  });

  it('takes retractions before insertions within a tick, and writes nothing where they cancel', () => {
    const rows = distinct();
    expect(
      rows.step([
        [a, -1],
        [a, 2],
      ]),
    ).toEqual([[a, 1]]);
    expect(
      rows.step([
        [a, -1],
        [a, 1],
      ]),
    ).toEqual([]);
    expect(rows.writes).toBe(0);
  });

  it('stops at a row that would be there less than never', () => {
    expect(() => distinct().step([[a, -1]])).toThrow('weight -1');
  });
});

describe('upsert', () => {
  const table = (): Stepped =>
    new Stepped((builder) => new Upsert(builder.keyed('table', json), (row: any) => row.id));
  const row = (id: string, v: number) => ({ id, v });

  it('replaces the row of a key and retracts the old one', () => {
    const rows = table();
    expect(rows.step([[row('a', 1), 1]])).toEqual([[row('a', 1), 1]]);
    expect(rows.step([[row('a', 2), 1]])).toEqual([
      [row('a', 1), -1],
      [row('a', 2), 1],
    ]);
  });

  it('lets the last of several records decide', () => {
    const rows = table();
    expect(
      rows.step([
        [row('a', 1), 1],
        [row('a', 2), 1],
        [{ id: 'a' }, -1],
        [row('a', 3), 1],
      ]),
    ).toEqual([[row('a', 3), 1]]);
    expect(
      rows.step([
        [row('a', 4), 1],
        [{ id: 'a' }, -1],
      ]),
    ).toEqual([[row('a', 3), -1]]);
    expect(rows.store.toString()).toBe(table().store.toString());
  });

  it('takes no notice of what changes nothing', () => {
    const rows = table();
    expect(rows.step([[{ id: 'x' }, -1]])).toEqual([]);
    expect(rows.writes).toBe(0);
    rows.step([[row('a', 1), 1]]);
    expect(
      rows.step([
        [row('a', 2), 1],
        [row('a', 1), 1],
      ]),
    ).toEqual([]);
    expect(rows.writes).toBe(0);
  });
});
