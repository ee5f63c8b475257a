import { json } from '../../../src/circuit/operator.js';
import {
  KeyedArrangement,
  keyedArrangementCodec,
  OrderedArrangement,
} from '../../../src/circuit/arrangement.js';
import type { CircuitBuilder } from '../../../src/circuit/circuit-builder.js';
import { Distinct, KeptWeights } from '../../../src/circuit/operators/distinct.js';
import { Join } from '../../../src/circuit/operators/join.js';
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

describe('join', () => {
  type Kind = 'keyed' | 'ordered';
  const arrangement = (builder: CircuitBuilder, kind: Kind, name: string) =>
    kind === 'keyed'
      ? new KeyedArrangement(builder.keyed(name, keyedArrangementCodec))
      : new OrderedArrangement(builder.ordered(name));
  const join = (outer: boolean, right: Kind = 'keyed', left: Kind = 'ordered'): Stepped =>
    new Stepped(
      (builder) =>
        new Join(
          { keyOf: (row: any) => row.k, rows: arrangement(builder, left, 'left') },
          { keyOf: (row: any) => row.id, rows: arrangement(builder, right, 'right') },
          { outer, pairOf: (l, r) => ({ ...l, r }) },
        ),
      { inputs: 2, entriesMax: 1 },
    );
  const l = (k: string | null, n = 0) => ({ k, n });
  const r = (id: string | null, v = 0) => ({ id, v });
  const pair = (left: ReturnType<typeof l>, right: ReturnType<typeof r> | null) => ({ ...left, r: right });

  for (const right of ['keyed', 'ordered'] as const)
    for (const left of ['keyed', 'ordered'] as const)
      describe(`over ${left} left and ${right} right rows`, () => {
        it('pairs rows of one tick, and of different ticks, once', () => {
          const pairs = join(false, right, left);
          expect(pairs.step([[l('a'), 1]], [[r('a'), 1]])).toEqual([[pair(l('a'), r('a')), 1]]);
          expect(pairs.step([[l('a', 1), 2]], [])).toEqual([[pair(l('a', 1), r('a')), 2]]);
          expect(
            pairs.step(
              [],
              [
                [r('a'), -1],
                [r('a', 9), 1],
              ],
            ),
          ).toEqual(
            expect.arrayContaining([
              [pair(l('a'), r('a')), -1],
              [pair(l('a', 1), r('a')), -2],
              [pair(l('a'), r('a', 9)), 1],
              [pair(l('a', 1), r('a', 9)), 2],
            ]),
          );
        });

        it('shows a left row alone while it has no partner', () => {
          const pairs = join(true, right, left);
          expect(pairs.step([[l('a'), 1]], [])).toEqual([[pair(l('a'), null), 1]]);
          expect(pairs.step([], [[r('a'), 1]])).toEqual(
            expect.arrayContaining([
              [pair(l('a'), null), -1],
              [pair(l('a'), r('a')), 1],
            ]),
          );
          expect(
            pairs.step(
              [],
              [
                [r('a', 1), 1],
                [r('a'), -1],
              ],
            ),
          ).toHaveLength(2);
          expect(pairs.step([[l('a'), -1]], [[r('a', 1), -1]])).toEqual([[pair(l('a'), r('a', 1)), -1]]);
          expect(pairs.store.toString()).toBe(join(true).store.toString());
        });

        it('lets weights pass below zero within a tick', () => {
          const pairs = join(true, right, left);
          expect(
            pairs.step(
              [
                [l('a'), -1],
                [l('a'), 1],
                [l('a'), 1],
              ],
              [
                [r('a'), -1],
                [r('a'), 2],
              ],
            ),
          ).toEqual([[pair(l('a'), r('a')), 1]]);
        });
      });

  it('finds null equal to nothing', () => {
    const pairs = join(true);
    expect(pairs.step([[l(null), 1]], [[r(null), 1]])).toEqual([[pair(l(null), null), 1]]);
    expect(pairs.writes).toBe(0);
    expect(pairs.step([[l(null), -1]], [[r(null), -1]])).toEqual([[pair(l(null), null), -1]]);
  });

  it('looks at one right row, not at all of them, to see whether a left row is alone', () => {
    const reads: object[] = [];
    const pairs = new Stepped(
      (builder) => {
        const right = builder.ordered('right');
        const load = right.load.bind(right);
        right.load = (read, found) => {
          reads.push({ read, found: found.length });
          load(read, found);
        };
        return new Join(
          { keyOf: (row: any) => row.k, rows: arrangement(builder, 'ordered', 'left') },
          { keyOf: (row: any) => row.id, rows: new OrderedArrangement(right) },
          { outer: true, pairOf: (left, one) => ({ ...left, r: one }) },
        );
      },
      { inputs: 2, entriesMax: 1 },
    );
    pairs.step(
      [],
      Array.from({ length: 500 }, (_, v) => [r('a', v), 1] as const),
    );
    pairs.states.forEach((state) => state.drop());
    reads.length = 0;
    pairs.step([], [[r('a', 7), -1]]);
    expect(Math.max(...reads.map(({ found }: any) => found))).toBeLessThanOrEqual(2);
    expect(pairs.step([[l('a'), 1]], [])).toHaveLength(499);
  });

  it('writes only the rows that changed', () => {
    const pairs = join(false, 'ordered');
    pairs.step(
      Array.from({ length: 50 }, (_, n) => [l('a', n), 1] as const),
      Array.from({ length: 50 }, (_, v) => [r('a', v), 1] as const),
    );
    pairs.step([[l('a', 99), 1]], []);
    expect(pairs.writes).toBe(1);
  });
});
