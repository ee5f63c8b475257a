import { json } from '../../../src/circuit/operator.js';
import { Distinct, KeptWeights } from '../../../src/circuit/operators/distinct.js';
import { Upsert } from '../../../src/circuit/operators/upsert.js';
import { Delta } from '../../../src/zset/delta.js';
import { Random } from '../../support/random.js';
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

describe('upsert by event time', () => {
  const table = (entriesMax?: number): Stepped =>
    new Stepped((builder) => new Upsert(builder.keyed('table', json), (row: any) => row.id, 'at'), {
      entriesMax,
    });
  const row = (id: string, at: number, v = at) => ({ id, v, at: new Date(at).toISOString() });

  it('keeps the record of the latest time, and of equal times the last', () => {
    const rows = table();
    expect(rows.step([[row('a', 5), 1]])).toEqual([[row('a', 5), 1]]);
    expect(rows.step([[row('a', 4), 1]])).toEqual([]);
    expect(rows.writes).toBe(0);
    expect(
      rows.step([
        [row('a', 5, 50), 1],
        [row('a', 3), 1],
      ]),
    ).toEqual([
      [row('a', 5), -1],
      [row('a', 5, 50), 1],
    ]);
  });

  it('remembers since when a key is gone', () => {
    const rows = table();
    rows.step([[row('a', 5), 1]]);
    expect(rows.step([[row('a', 4), -1]])).toEqual([]);
    expect(rows.step([[row('a', 7), -1]])).toEqual([[row('a', 5), -1]]);
    expect(rows.step([[row('a', 6), 1]])).toEqual([]);
    expect(rows.step([[row('a', 7, 70), 1]])).toEqual([[row('a', 7, 70), 1]]);
  });

  it('comes to the same rows and state in any order, in any cuts, with cold caches and ticks given up', () => {
    const random = new Random(11);
    for (let round = 0; round < 40; round++) {
      // Of one key no two records have one time: their order would decide.
      const records = Array.from({ length: 40 }, (_, at): [any, number] => [
        row(random.of(['a', 'b', 'c']), at),
        random.chance(0.3) ? -1 : 1,
      ]);
      const states = [0, 1].map((turn) => {
        const rows = table(random.of([0, 100]));
        const left = turn === 0 ? [...records] : random.some(records, records.length);
        const sum = new Map<string, number>();
        while (left.length > 0) {
          const taken = left.splice(0, 1 + random.below(9));
          if (random.chance(0.2)) {
            rows.store.step(rows.circuit, new Map([['in0', Delta.of(...taken)]]));
            rows.circuit.discard();
          }
          for (const [each, weight] of rows.step(taken))
            sum.set(JSON.stringify(each), (sum.get(JSON.stringify(each)) ?? 0) + weight);
        }
        const shown = [...sum].filter(([, weight]) => weight !== 0).sort();
        return [shown, rows.store.toString()];
      });
      expect(states[1]).toEqual(states[0]);
    }
  });
});
