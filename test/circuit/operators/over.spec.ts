import type { Aggregator } from '../../../src/circuit/aggregator.js';
import { aggregatorsByKind } from '../../../src/circuit/aggregators/aggregator-of.js';
import type { CircuitBuilder } from '../../../src/circuit/circuit-builder.js';
import { Over } from '../../../src/circuit/operators/over.js';
import { memberOfRow, membersOfOrder } from '../../../src/circuit/ordered-rows.js';
import type { OverColumn, RollingColumn } from '../../../src/circuit/over-columns.js';
import { edgeFrame, extremeFrame, foldedFrame } from '../../../src/circuit/rolling.js';
import { columnOrderText } from '../../../src/view/index-order.js';
import { compareText } from '../../../src/zset/text-order.js';
import { compareValues, type Row, type Value } from '../../../src/zset/value.js';
import { checkHistory } from '../../support/recomputed.js';
import { fill, membersRead, Stepped } from '../../support/stepped.js';

const row = (g: string, v: number | null, id = '') => ({ g, v, id });
const value = (one: Row): Value => one['v']!;
type Columns = Record<string, OverColumn>;

type Kind = 'count' | 'sum' | 'avg' | 'min' | 'max';
const aggregator = (kind: Kind, appendOnly: boolean): Aggregator => {
  const input = { value, present: false, by: null, test: null, options: {}, inLogOrder: false };
  return aggregatorsByKind[kind]({ ...input, appendOnly, members: () => null as never });
};
const folded = (kind: Kind): (() => ReturnType<typeof foldedFrame>) => {
  const of = aggregator(kind, false);
  return () => foldedFrame(of);
};
/** In the order of the columns that run. */
const RUNNING: readonly Kind[] = ['sum', 'min', 'count', 'avg'];
const running = (kind: Kind, unit: 'rows' | 'span' | 'peers' = 'rows', after = 0): OverColumn => ({
  kind: 'running',
  slot: RUNNING.indexOf(kind),
  reach: { unit, before: null, after },
});
const runningOf = (columns: Columns): Aggregator[] =>
  Object.values(columns).some(({ kind }) => kind === 'running')
    ? RUNNING.map((kind) => aggregator(kind, true))
    : [];
const rolling = (frame: RollingColumn['frame'], reach: RollingColumn['reach']): OverColumn => ({
  kind: 'rolling',
  frame,
  reach,
});
const least = () => extremeFrame(value, { end: 'least' });
const greatest = () => extremeFrame(value, { end: 'greatest' });

const make =
  (columns: Columns, descending = false) =>
  (builder: CircuitBuilder): Over => {
    const orderOf = (v: Value): string => columnOrderText(v, descending);
    const names = Object.keys(columns);
    return new Over(builder.ordered('rows'), (kind) => builder.ordered(`marks.${kind}`), {
      groupKeyOf: (one) => JSON.stringify(one['g']),
      orderOf: (one) => orderOf(value(one)),
      textOf: JSON.stringify,
      columns: Object.values(columns),
      extended: (one, values) => ({
        ...one,
        ...Object.fromEntries(names.map((name, at) => [name, values[at]!])),
      }),
      running: runningOf(columns),
      near: {
        of: (one) => value(one) as number | null,
        descending,
        around(one, span) {
          const v = value(one) as number | null;
          const ends = v === null ? [v, v] : descending ? [v + span, v - span] : [v - span, v + span];
          return {
            from: membersOfOrder(orderOf(ends[0]!))[0],
            to: membersOfOrder(orderOf(ends[1]!))[1],
          };
        },
      },
    });
  };

/** Each group sorted, each column told row by row. */
const naive =
  (told: Record<string, (rows: Row[], at: number) => Value>, descending = false) =>
  (rows: Row[]): Row[] =>
    [...new Set(rows.map((one) => one['g']))].flatMap((g) => {
      const group = rows
        .filter((one) => one['g'] === g)
        .sort(
          (left, right) =>
            compareValues(value(left), value(right)) * (descending ? -1 : 1) ||
            compareText(JSON.stringify(left), JSON.stringify(right)),
        );
      return group.map((one, at) => ({
        ...one,
        ...Object.fromEntries(Object.entries(told).map(([name, tell]) => [name, tell(group, at)])),
      }));
    });

const held = (rows: Row[]): number[] => rows.map(value).filter((v) => v !== null) as number[];
const total = (rows: Row[]): number | null =>
  held(rows).length === 0 ? null : held(rows).reduce((sum, v) => sum + v, 0);
const lowest = (rows: Row[]): number | null => (held(rows).length === 0 ? null : Math.min(...held(rows)));
const highest = (rows: Row[]): number | null => (held(rows).length === 0 ? null : Math.max(...held(rows)));
const lastRows = (rows: Row[], at: number, count: number): Row[] =>
  rows.slice(Math.max(0, at - count + 1), at + 1);
const inSpan = (rows: Row[], at: number, span: number, descending: boolean, after = 0): Row[] => {
  const here = value(rows[at]!) as number | null;
  return rows.filter((other) => {
    const v = value(other) as number | null;
    if (v === null || here === null) return v === here;
    const distance = descending ? v - here : here - v;
    return distance >= -after && distance <= span;
  });
};
/** From the first row to the last that the row still sees. */
const upTo = (rows: Row[], at: number, after: number, descending: boolean): Row[] =>
  rows.slice(0, rows.lastIndexOf(inSpan(rows, at, 0, descending, after).at(-1)!) + 1);

const numbers = {
  n: (_rows: Row[], at: number) => at + 1,
  r: (rows: Row[], at: number) => 1 + rows.findIndex((other) => value(other) === value(rows[at]!)),
  d: (rows: Row[], at: number) => new Set(rows.slice(0, at + 1).map(value)).size,
};

interface Case {
  columns: Columns;
  told: Record<string, (rows: Row[], at: number) => Value>;
  descending?: boolean;
}

const lag: OverColumn = { kind: 'lag', value, offset: 1, otherwise: null };
const cases: Record<string, Case> = {
  'row numbers': { columns: { n: { kind: 'rowNumber' } }, told: { n: numbers.n } },
  ranks: { columns: { r: { kind: 'rank' } }, told: { r: numbers.r } },
  'dense ranks': { columns: { d: { kind: 'denseRank' } }, told: { d: numbers.d }, descending: true },
  neighbours: {
    columns: { p: lag, q: { kind: 'lead', value, offset: 2, otherwise: -1 } },
    told: {
      p: (rows, at) => (at > 0 ? value(rows[at - 1]!) : null),
      q: (rows, at) => (at + 2 < rows.length ? value(rows[at + 2]!) : -1),
    },
  },
  'the row itself as its neighbour': {
    columns: { p: { ...lag, offset: 0 } },
    told: { p: (rows, at) => value(rows[at]!) },
  },
  'the last rows': {
    columns: {
      c: rolling(folded('count'), { unit: 'rows', before: 1, after: 0 }),
      s: rolling(folded('sum'), { unit: 'rows', before: 2, after: 0 }),
      a: rolling(folded('avg'), { unit: 'rows', before: 1, after: 0 }),
      l: rolling(least, { unit: 'rows', before: 2, after: 0 }),
      h: rolling(greatest, { unit: 'rows', before: 0, after: 0 }),
    },
    told: {
      c: (rows, at) => held(lastRows(rows, at, 2)).length,
      s: (rows, at) => total(lastRows(rows, at, 3)),
      a: (rows, at) => {
        const frame = held(lastRows(rows, at, 2));
        return frame.length === 0 ? null : frame.reduce((sum, v) => sum + v, 0) / frame.length;
      },
      l: (rows, at) => lowest(lastRows(rows, at, 3)),
      h: (rows, at) => highest(lastRows(rows, at, 1)),
    },
  },
};
for (const descending of [false, true])
  cases[`a span${descending ? ' downwards' : ''}`] = {
    descending,
    columns: {
      s: rolling(folded('sum'), { unit: 'span', before: 2, after: 0 }),
      l: rolling(least, { unit: 'span', before: 1, after: 0 }),
      h: rolling(greatest, { unit: 'span', before: 2.5, after: 0 }),
      z: rolling(folded('count'), { unit: 'span', before: 0, after: 0 }),
    },
    told: {
      s: (rows, at) => total(inSpan(rows, at, 2, descending)),
      l: (rows, at) => lowest(inSpan(rows, at, 1, descending)),
      h: (rows, at) => highest(inSpan(rows, at, 2.5, descending)),
      z: (rows, at) => held(inSpan(rows, at, 0, descending)).length,
    },
  };
cases['rows before and behind'] = {
  columns: {
    s: rolling(folded('sum'), { unit: 'rows', before: 1, after: 2 }),
    l: rolling(least, { unit: 'rows', before: 0, after: 1 }),
    f: rolling(() => edgeFrame(value, 'first'), { unit: 'rows', before: 2, after: 0 }),
    e: rolling(() => edgeFrame(value, 'last'), { unit: 'rows', before: 0, after: 2 }),
  },
  told: {
    s: (rows, at) => total(rows.slice(Math.max(0, at - 1), at + 3)),
    l: (rows, at) => lowest(rows.slice(at, at + 2)),
    f: (rows, at) => value(rows[Math.max(0, at - 2)]!),
    e: (rows, at) => value(rows[Math.min(rows.length - 1, at + 2)]!),
  },
};
for (const descending of [false, true])
  cases[`a span before and behind${descending ? ' downwards' : ''}`] = {
    descending,
    columns: {
      s: rolling(folded('sum'), { unit: 'span', before: 1, after: 2 }),
      h: rolling(greatest, { unit: 'span', before: 0, after: 1.5 }),
    },
    told: {
      s: (rows, at) => total(inSpan(rows, at, 1, descending, 2)),
      h: (rows, at) => highest(inSpan(rows, at, 0, descending, 1.5)),
    },
  };
cases['all rows up to it'] = {
  columns: { s: running('sum'), l: running('min'), c: running('count', 'rows', 2), a: running('avg') },
  told: {
    s: (rows, at) => total(rows.slice(0, at + 1)),
    l: (rows, at) => lowest(rows.slice(0, at + 1)),
    c: (rows, at) => held(rows.slice(0, at + 3)).length,
    a: (rows, at) => {
      const frame = held(rows.slice(0, at + 1));
      return frame.length === 0 ? null : frame.reduce((sum, v) => sum + v, 0) / frame.length;
    },
  },
};
for (const descending of [false, true])
  cases[`all rows up to a span behind it${descending ? ' downwards' : ''}`] = {
    descending,
    columns: { s: running('sum', 'span', 1), c: running('count', 'span') },
    told: {
      s: (rows, at) => total(upTo(rows, at, 1, descending)),
      c: (rows, at) => held(upTo(rows, at, 0, descending)).length,
    },
  };
cases['those of equal order'] = {
  columns: {
    s: rolling(folded('sum'), { unit: 'peers', before: 0, after: 0 }),
    e: rolling(() => edgeFrame((one) => one['id']!, 'last'), { unit: 'peers', before: 0, after: 0 }),
  },
  told: {
    s: (rows, at) => total(inSpan(rows, at, 0, false)),
    e: (rows, at) => inSpan(rows, at, 0, false).at(-1)!['id']!,
  },
};
cases['all rows up to those of equal order'] = {
  columns: { c: running('count', 'peers'), s: running('sum', 'peers') },
  told: {
    c: (rows, at) => held(upTo(rows, at, 0, false)).length,
    s: (rows, at) => total(upTo(rows, at, 0, false)),
  },
};
cases['the edges of the group'] = {
  columns: { f: { kind: 'first', value }, e: { kind: 'last', value } },
  told: { f: (rows) => value(rows[0]!), e: (rows) => value(rows.at(-1)!) },
};
cases['everything at once'] = {
  columns: Object.assign(
    {},
    ...Object.values(cases)
      .filter(({ descending }) => !descending)
      .map(({ columns }) => columns),
    {
      d: { kind: 'denseRank' },
    },
  ),
  told: Object.assign(
    {},
    ...Object.values(cases)
      .filter(({ descending }) => !descending)
      .map(({ told }) => told),
    {
      d: numbers.d,
    },
  ),
};

describe('what a row has of its place among others', () => {
  for (const [name, { columns, told, descending = false }] of Object.entries(cases))
    it(`${name}: equals what the rows that are there give`, () => {
      for (let seed = 1; seed <= 15; seed++)
        checkHistory(seed, {
          make: make(columns, descending),
          rowOf: (random) =>
            row(
              random.of(['a', 'a', 'b']),
              random.of([null, 0, 1, 2, -1.5, random.below(40)]),
              random.of(['', 'x', 'y']),
            ),
          expected: naive(told, descending),
          ticks: 25,
        });
    });

  it('numbers and running totals of many rows equal what the rows that are there give', () => {
    const columns: Columns = {
      n: { kind: 'rowNumber' },
      r: { kind: 'rank' },
      d: { kind: 'denseRank' },
      s: running('sum'),
      l: running('min', 'span', 1),
    };
    const told = {
      ...numbers,
      s: (rows: Row[], at: number) => total(rows.slice(0, at + 1)),
      l: (rows: Row[], at: number) => lowest(upTo(rows, at, 1, false)),
    };
    for (let seed = 1; seed <= 2; seed++)
      checkHistory(seed, {
        make: make(columns),
        rowOf: (random) => row('a', random.below(400), String(random.below(1_000))),
        expected: naive(told),
        ticks: 120,
      });
  });

  it('a row takes another place: only the numbers between move', () => {
    const over = new Stepped(make({ n: { kind: 'rowNumber' }, r: { kind: 'rank' } }));
    over.step(Array.from({ length: 300 }, (_, v) => [row('a', v), 1] as const));
    const moved = over.step([
      [row('a', 97), -1],
      [row('a', 94.5), 1],
    ]);
    expect(moved.map(([one, weight]) => [one.v, one.n, weight]).sort()).toEqual(
      [
        [94.5, 96, 1],
        [95, 96, -1],
        [95, 97, 1],
        [96, 97, -1],
        [96, 98, 1],
        [97, 98, -1],
      ].sort(),
    );
  });

  it('a change reads and gives a few rows where nothing is numbered, however many there are', () => {
    const over = new Stepped(
      make({ p: lag, s: rolling(folded('sum'), { unit: 'rows', before: 2, after: 0 }) }),
    );
    const stored = Array.from({ length: 20_000 }, (_, v) => row('a', v));
    fill(
      over,
      'rows',
      '"a"',
      stored.map((one) => memberOfRow(columnOrderText(one.v, false), JSON.stringify(one))),
    );
    const members = membersRead(over, () => {
      expect(over.step([[row('a', 7_000.5), 1]])).toHaveLength(1 + 2 * 2);
    });
    expect(members).toBeLessThanOrEqual(30);
    expect(over.writes).toBe(1);
  });

  it('the numbers and totals of the last rows are told without reading those before them', () => {
    const columns: Columns = { n: { kind: 'rowNumber' }, d: { kind: 'denseRank' }, s: running('sum') };
    const over = new Stepped(make(columns));
    over.step(Array.from({ length: 5_000 }, (_, v) => [row('a', v), 1] as const));
    const members = membersRead(over, () => {
      expect(over.step([[row('a', 4_998.5), 1]])).toHaveLength(3);
    });
    expect(members).toBeLessThan(1_000);
  });

  it('many rows come and go in one tick, with nothing in the caches', () => {
    const { columns } = cases['everything at once']!;
    const over = new Stepped(make(columns), { entriesMax: 1 });
    const rows = Array.from({ length: 1_500 }, (_, v) => row('a', v));
    expect(over.step(rows.map((one) => [one, 1] as const))).toHaveLength(1_500);
    const gone = rows.slice(0, 1_200).filter(({ v }) => Number(v) % 10 !== 0);
    for (const state of over.states) state.drop();
    expect(over.step(gone.map((one) => [one, -1] as const)).length).toBeGreaterThan(gone.length);
    expect(over.store.ordered.get('rows')!.get('"a"')!.size).toBe(420);
  });
});
