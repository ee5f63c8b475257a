import type { CircuitBuilder } from '../../../src/circuit/circuit-builder.js';
import { Top } from '../../../src/circuit/operators/top.js';
import { memberOfRow } from '../../../src/circuit/ordered-rows.js';
import { indexOrderText } from '../../../src/view/index-order.js';
import { compareText } from '../../../src/zset/text-order.js';
import { compareValues, type Row } from '../../../src/zset/value.js';
import { checkHistory } from '../../support/recomputed.js';
import { fill, membersRead, Stepped } from '../../support/stepped.js';

interface Options {
  count: number;
  offset?: number;
  rank?: boolean;
  appendOnly?: boolean;
  descending?: boolean;
  textOf?: (row: Row) => string;
}

const make =
  ({
    count,
    offset = 0,
    rank = false,
    appendOnly = false,
    descending = true,
    textOf = JSON.stringify,
  }: Options) =>
  (builder: CircuitBuilder): Top => {
    const orderOf = indexOrderText({ columns: [{ path: 'v', descending }] });
    return new Top(builder.ordered('rows'), {
      groupKeyOf: (row) => JSON.stringify(row['g']),
      orderOf,
      textOf,
      count,
      offset,
      ranked: rank ? (row, place) => ({ ...row, rank: place }) : null,
      appendOnly,
    });
  };
const row = (g: string, v: number | null, id = '') => ({ g, v, id });

/** The rows of each group, sorted, cut. */
const naive =
  ({ count, offset = 0, rank = false, descending = true }: Options) =>
  (rows: Row[]): Row[] => {
    const groups = new Map<unknown, Row[]>();
    for (const one of rows) groups.set(one['g'], [...(groups.get(one['g']) ?? []), one]);
    return [...groups.values()].flatMap((group) =>
      group
        .sort(
          (left, right) =>
            compareValues(left['v']!, right['v']!) * (descending ? -1 : 1) ||
            compareText(JSON.stringify(left), JSON.stringify(right)),
        )
        .slice(offset, offset + count)
        .map((one, at) => (rank ? { ...one, rank: offset + at + 1 } : one)),
    );
  };

describe('the first rows of a group', () => {
  it('a row that enters pushes the last one out, and its retraction brings that one back', () => {
    const top = new Stepped(make({ count: 2 }));
    expect(
      top.step([
        [row('a', 1), 1],
        [row('a', 3), 1],
        [row('a', 2), 1],
        [row('b', 9), 1],
      ]),
    ).toEqual([
      [row('a', 3), 1],
      [row('a', 2), 1],
      [row('b', 9), 1],
    ]);
    expect(top.step([[row('a', 4), 1]])).toEqual([
      [row('a', 2), -1],
      [row('a', 4), 1],
    ]);
    expect(top.step([[row('a', 3), -1]])).toEqual([
      [row('a', 3), -1],
      [row('a', 2), 1],
    ]);
  });

  it('a row of weight 2 takes two places', () => {
    const top = new Stepped(make({ count: 3, rank: true }));
    expect(
      top.step([
        [row('a', 5), 2],
        [row('a', 4), 2],
      ]),
    ).toEqual([
      [{ ...row('a', 5), rank: 1 }, 1],
      [{ ...row('a', 5), rank: 2 }, 1],
      [{ ...row('a', 4), rank: 3 }, 1],
    ]);
    expect(top.step([[row('a', 5), -1]])).toEqual([
      [{ ...row('a', 5), rank: 2 }, -1],
      [{ ...row('a', 4), rank: 2 }, 1],
    ]);
  });

  it('only rows whose place changes are given again', () => {
    const top = new Stepped(make({ count: 100, rank: true }));
    top.step(Array.from({ length: 100 }, (_, v) => [row('a', v), 1] as const));
    // From place 3 to place 5.
    const moved = top.step([
      [row('a', 97), -1],
      [row('a', 94.5), 1],
    ]);
    expect(moved).toHaveLength(6);
    expect(top.writes).toBe(2);
  });

  it('nulls come first where the order descends and last where it ascends', () => {
    const rows = [
      [row('a', null), 1],
      [row('a', 0), 1],
    ] as const;
    expect(new Stepped(make({ count: 1 })).step([...rows])).toEqual([[row('a', null), 1]]);
    expect(new Stepped(make({ count: 1, descending: false })).step([...rows])).toEqual([[row('a', 0), 1]]);
  });

  it('rows of equal order follow one another by the bytes of their texts', () => {
    const top = new Stepped(make({ count: 1 }));
    expect(
      top.step([
        [row('a', 1, '\u{1f600}'), 1],
        [row('a', 1, '\ufffd'), 1],
      ]),
    ).toEqual([[row('a', 1, '\ufffd'), 1]]);
  });

  it('what comes and goes within a tick reads and writes nothing', () => {
    const top = new Stepped(make({ count: 2 }));
    expect(
      top.step([
        [row('a', 1), -1],
        [row('a', 1), 1],
      ]),
    ).toEqual([]);
    expect([top.writes, top.store.fetched]).toEqual([0, 0]);
  });

  for (const size of [1_000, 100_000])
    it(`of ${size} rows a change reads a few members, also when nothing is cached`, () => {
      const top = new Stepped(make({ count: 10, offset: 5 }));
      const orderOf = indexOrderText({ columns: [{ path: 'v', descending: true }] });
      const stored = Array.from({ length: size }, (_, v) => row('a', v));
      fill(
        top,
        'rows',
        '"a"',
        stored.map((one) => memberOfRow(orderOf(one), JSON.stringify(one))),
      );
      const changed = (entries: [Row, number][]): number => {
        const members = membersRead(top, () => {
          expect(top.step(entries).length).toBeLessThanOrEqual(2 * 10);
        });
        expect(top.writes).toBe(entries.length);
        return members;
      };
      expect(changed([[row('a', size - 3), -1]])).toBeLessThanOrEqual(17);
      expect(changed([[row('a', size - 3), 1]])).toBeLessThanOrEqual(16);
      expect(changed([[row('a', 5), -1]])).toBeLessThanOrEqual(17);
      expect(changed([[row('a', 5.5), 1]])).toBeLessThanOrEqual(15);
    });

  it('of rows that are never retracted only those that are shown are kept', () => {
    const top = new Stepped(make({ count: 2, offset: 1, appendOnly: true }));
    for (let v = 0; v < 50; v++) top.step([[row('a', (v * 7) % 50), 1]]);
    expect([...top.store.ordered.get('rows')!.values()].map((members) => members.size)).toEqual([3]);
    expect(top.step([[row('a', 1), 1]])).toEqual([]);
    expect(top.writes).toBe(0);
    expect(() => top.step([[row('a', 49), -1]])).toThrow('append-only');
  });

  it('of rows that are never retracted those behind as many others that came with them are not written down', () => {
    const made: unknown[] = [];
    const textOf = (one: Row): string => {
      made.push(one['v']);
      return JSON.stringify(one);
    };
    const top = new Stepped(make({ count: 2, appendOnly: true, textOf }));
    const shown = top.step([5, 1, 9, 5, 7, 3].map((v, at) => [row('a', v, `${at}`), 1]));
    expect(shown).toEqual([
      [row('a', 9, '2'), 1],
      [row('a', 7, '4'), 1],
    ]);
    expect(made).toEqual([9, 7]);
  });

  const options: Options[] = [
    { count: 1 },
    { count: 3 },
    { count: 2, offset: 2 },
    { count: 3, rank: true },
    { count: 2, offset: 1, rank: true, descending: false },
  ];
  for (const appendOnly of [false, true])
    test.each(options)(
      `${appendOnly ? 'appended ' : ''}%j equals what the rows that are there give`,
      (option) => {
        for (let seed = 1; seed <= 15; seed++)
          checkHistory(seed, {
            make: make({ ...option, appendOnly }),
            rowOf: (random) =>
              row(random.of(['a', 'b', '']), random.of([null, 0, 1, 2, -1.5]), random.of(['', 'x'])),
            expected: naive(option),
            appendOnly,
          });
      },
    );
});
