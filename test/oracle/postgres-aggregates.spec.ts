import { PGlite } from '@electric-sql/pglite';
import { z } from 'zod';
import type { Row } from '../../src/zset/value.js';
import { Maintained } from '../support/maintained.js';
import { streamOf } from '../support/declared.js';
import { aggregate, source, viewOf, type WrittenAggregate } from '../support/plans.js';
import { Random } from '../support/random.js';

/** Each aggregate, and what PostgreSQL calls it. */
const TWINS: Record<string, readonly [written: WrittenAggregate, sql: string]> = {
  rows: [{ kind: 'count' }, 'count(*)'],
  values: [{ kind: 'count', value: 'x' }, 'count(x)'],
  different: [{ kind: 'countDistinct', value: 'x' }, 'count(DISTINCT x)'],
  total: [{ kind: 'sum', value: 'x' }, 'sum(x)'],
  mean: [{ kind: 'avg', value: 'x' }, 'avg(x)'],
  some: [{ kind: 'countIf', test: (row) => row.t === true }, 'count(*) FILTER (WHERE t)'],
  part: [{ kind: 'sumIf', value: 'x', test: (row) => row.t === true }, 'sum(x) FILTER (WHERE t)'],
  sample: [{ kind: 'variance', value: 'x' }, 'var_samp(x)'],
  whole: [{ kind: 'variance', value: 'x', options: { population: true } }, 'var_pop(x)'],
  deviation: [{ kind: 'stddev', value: 'x' }, 'stddev_samp(x)'],
  deviationOfAll: [{ kind: 'stddev', value: 'x', options: { population: true } }, 'stddev_pop(x)'],
  every: [{ kind: 'every', value: 't' }, 'bool_and(t)'],
  any: [{ kind: 'some', value: 't' }, 'bool_or(t)'],
  least: [{ kind: 'min', value: 's' }, 'min(s COLLATE "C")'],
  greatest: [{ kind: 'max', value: 'x' }, 'max(x)'],
  median: [{ kind: 'median', value: 'x' }, 'percentile_cont(0.5) WITHIN GROUP (ORDER BY x)'],
  upper: [
    { kind: 'percentile', value: 'x', options: { p: 0.9 } },
    'percentile_cont(0.9) WITHIN GROUP (ORDER BY x)',
  ],
  first: [
    { kind: 'percentile', value: 's', options: { p: 0, discrete: true } },
    'percentile_disc(0) WITHIN GROUP (ORDER BY s COLLATE "C")',
  ],
  third: [
    { kind: 'percentile', value: 'x', options: { p: 0.3, discrete: true } },
    'percentile_disc(0.3) WITHIN GROUP (ORDER BY x)',
  ],
  texts: [
    { kind: 'joinText', value: 's', options: { separator: '; ' } },
    `string_agg(s, '; ' ORDER BY s COLLATE "C")`,
  ],
  byNumber: [
    { kind: 'joinText', value: 's', by: 'x', options: { separator: ',', order: 'desc' } },
    `string_agg(s, ',' ORDER BY x DESC, s COLLATE "C" DESC)`,
  ],
  list: [
    { kind: 'collect', value: 's', by: 'x' },
    `coalesce(array_agg(s ORDER BY x, s COLLATE "C") FILTER (WHERE s IS NOT NULL), '{}')`,
  ],
  once: [
    { kind: 'collectDistinct', value: 'x', options: { order: 'desc' } },
    `coalesce(array_agg(DISTINCT x ORDER BY x DESC) FILTER (WHERE x IS NOT NULL), '{}')`,
  ],
  top: [
    { kind: 'topK', value: 'x', options: { k: 2, order: 'desc' } },
    `coalesce((array_agg(x ORDER BY x DESC) FILTER (WHERE x IS NOT NULL))[1:2], '{}')`,
  ],
};

/** PostgreSQL adds variances up step by step; ours are the nearest doubles. */
const ROUNDED = ['sample', 'whole', 'deviation', 'deviationOfAll', 'mean'];

const facts = streamOf(
  'facts',
  z.object({
    g: z.string().nullable(),
    x: z.number().nullable(),
    t: z.boolean().nullable(),
    s: z.string().nullable(),
  }),
);
const written = Object.fromEntries(Object.entries(TWINS).map(([name, [aggregated]]) => [name, aggregated]));
const columns = Object.entries(TWINS).map(([name, [, sql]]) => `${sql} AS "${name}"`);

let database: PGlite;
beforeAll(async () => {
  database = await PGlite.create();
  await database.exec('CREATE TABLE facts (g text, x double precision, t boolean, s text)');
});
afterAll(async () => database.close());

async function expectedOf(rows: readonly Row[], grouping: string): Promise<Record<string, unknown>[]> {
  await database.exec('DELETE FROM facts');
  for (const { g, x, t, s } of rows)
    await database.query('INSERT INTO facts VALUES ($1, $2, $3, $4)', [g, x, t, s]);
  const { rows: found } = await database.query(`SELECT ${columns.join(', ')} FROM facts ${grouping}`);
  return (found as Record<string, unknown>[]).map(rounded);
}

const rounded = (row: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(row)
      .filter(([name]) => name in TWINS)
      .map(([name, value]) => [
        name,
        ROUNDED.includes(name) && typeof value === 'number' ? Number(value.toPrecision(12)) : value,
      ]),
  );

function maintained(rows: readonly Row[], by: Record<string, string>): Record<string, unknown>[] {
  const view = new Maintained(viewOf('v', aggregate(source(facts), by, written), Object.keys(by)));
  view.tick({ 'stream:facts': rows.map((row) => [row, 1] as const) });
  return view.rows.map((row) => rounded(row as Record<string, unknown>));
}

const sorted = (rows: Record<string, unknown>[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

describe('aggregates have the null rules of PostgreSQL', () => {
  it.each([
    ['of nulls alone', [{ g: 'a', x: null, t: null, s: null }]],
    ['of one value', [{ g: 'a', x: 0, t: false, s: '' }]],
    [
      'of a value and a null',
      [
        { g: 'a', x: 2.5, t: true, s: 'b' },
        { g: 'a', x: null, t: null, s: null },
      ],
    ],
    [
      'of values that are nothing',
      [
        { g: 'a', x: 0, t: false, s: '' },
        { g: 'a', x: 0, t: null, s: 'null' },
      ],
    ],
  ] as [string, Row[]][])('%s', async (_, rows) => {
    expect(maintained(rows, { g: 'g' })).toEqual(await expectedOf(rows, 'GROUP BY g'));
  });

  it('in groups of random rows, null being a group of its own', async () => {
    const random = new Random(3);
    const maybe = <V>(value: V): V | null => (random.chance(0.3) ? null : value);
    for (let round = 0; round < 15; round++) {
      const rows = Array.from({ length: 1 + random.below(12) }, (): Row => ({
        g: maybe(random.of(['a', 'b'])),
        x: maybe(random.of([0, 1, 2.5, -3.25, 1e9, 0.125])),
        t: maybe(random.chance(0.5)),
        s: maybe(random.of(['', 'a', 'b', 'é', '😀', '\ufffd'])),
      }));
      expect(sorted(maintained(rows, { g: 'g' }))).toEqual(sorted(await expectedOf(rows, 'GROUP BY g')));
      expect(maintained(rows, {})).toEqual(await expectedOf(rows, ''));
    }
  });

  it('but a group exists while it has rows, also the one of all: without any there is no row', async () => {
    expect(maintained([], {})).toEqual([]);
    expect(await expectedOf([], 'HAVING count(*) > 0')).toEqual([]);
  });
});
