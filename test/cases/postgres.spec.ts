import { PGlite } from '@electric-sql/pglite';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../support/random.js';
import type { Cells, Change, Check, Step } from './case-file.js';
import { runSqlCase } from './sql-case.js';

// What the runner makes of SQL means what PostgreSQL means: the queries of a file over random histories, asked of both.

const queries = readFileSync(join('test', 'cases', 'queries.sql'), 'utf8')
  .replaceAll(/^--.*\n/gm, '')
  .split(/;\s*\n/)
  .map((query) => query.trim())
  .filter((query) => query !== '');

const TABLES = {
  t: { id: 'bigint', k: 'integer', g: 'text', v: 'integer', ts: 'bigint' },
  u: { id: 'bigint', k: 'integer', w: 'integer', ts: 'bigint' },
  x: {
    id: 'bigint',
    b: 'boolean',
    n: 'numeric(10,2)',
    f: 'double precision',
    s: 'text',
    at: 'timestamp',
    d: 'date',
    j: 'jsonb',
    a: 'integer[]',
    tm: 'time',
    tz: 'timestamptz',
  },
  p: { i: 'integer', j: 'integer' },
  q: { i: 'integer', s: 'text' },
} as const;
type Name = keyof typeof TABLES;
type Cell = string | number | boolean | null;

/** Tables without a key are bags. */
const BAGS: readonly string[] = ['p', 'q'];
const STEPS = 5;
const CHANGES = 12;
const between = (random: Random, least: number, most: number): number =>
  least + random.below(most - least + 1);
const TEXTS = ['Hello World', 'foo', 'bar,baz', '  pad ', 'Zz', '12', '2020-01-05', ''];
const JSONS = ['{"a": 1, "b": "x"}', '{"a": 2}', '{"b": [1, 2]}', '[1, 2, 3]'];

/** Rows as texts and numbers that a case's file has and that stand in a statement between quotes. */
function rowOf(name: Name, id: number, random: Random): Cell[] {
  const maybe = (value: Cell): Cell => (random.chance(0.2) ? null : value);
  const two = (from: number, to: number): string => String(between(random, from, to)).padStart(2, '0');
  if (name === 'u')
    return [id, maybe(between(random, 0, 4)), maybe(between(random, 0, 7) * 5), between(random, 0, 59)];
  if (name === 'p') return [maybe(between(random, 0, 3)), maybe(between(random, 0, 3))];
  if (name === 'q') return [maybe(between(random, 0, 3)), maybe(random.of(['x', 'y', 'Y', '']))];
  if (name === 't')
    return [
      id,
      maybe(between(random, 0, 4)),
      maybe(random.of(['a', 'b', 'ab', 'c', ''])),
      maybe(between(random, 0, 7) * 5),
      between(random, 0, 59),
    ];
  return [
    id,
    maybe(random.chance(0.5)),
    maybe(String(between(random, -1_000, 1_000) / 100)),
    maybe(between(random, -100, 100) / 8),
    maybe(random.of(TEXTS)),
    maybe(`2020-${two(1, 12)}-${two(1, 28)} ${two(0, 23)}:${two(0, 59)}:${two(0, 59)}`),
    maybe(`2021-${two(1, 12)}-${two(1, 28)}`),
    maybe(random.of(JSONS)),
    maybe(random.of(['{1,2,3}', '{}', '{5}', '{7,7}'])),
    maybe(`${two(0, 23)}:${two(0, 59)}:00`),
    maybe(`2020-${two(1, 12)}-${two(1, 28)} ${two(0, 23)}:${two(0, 59)}:00+00`),
  ];
}

/** Insertions, updates and deletions of rows that are there. */
function historyOf(random: Random): Change[][] {
  const rows = new Map<string, { table: Name; row: Cell[] }>();
  let ids = 0;
  return Array.from({ length: STEPS }, () =>
    Array.from({ length: CHANGES }, (): Change => {
      const what = between(random, 0, 9);
      const known = rows.size === 0 || what < 6 ? null : random.of([...rows.keys()]);
      if (known === null) {
        const table = random.of<Name>(['t', 't', 'u', 'x', 'p', 'q']);
        const row = rowOf(table, ++ids, random);
        rows.set(String(ids), { table, row });
        return { table, op: 'insert', row };
      }
      const { table, row } = rows.get(known)!;
      if (what < 8) {
        rows.delete(known);
        return { table, op: 'delete', row };
      }
      const later = rowOf(table, Number(known), random);
      rows.set(known, { table, row: later });
      return { table, op: 'update', old: row, new: later };
    }),
  );
}

/** Values as PostgreSQL writes them. */
const IDENTITY = (text: string): string => text;
const TYPES = [
  16, 20, 21, 23, 25, 114, 700, 701, 1000, 1005, 1007, 1009, 1016, 1022, 1042, 1043, 1082, 1083, 1114, 1115,
  1182, 1183, 1184, 1185, 1186, 1231, 1700, 3802, 3807,
];
const parsers = Object.fromEntries(TYPES.map((type) => [type, IDENTITY]));

describe('queries answered by views are answered as by PostgreSQL', () => {
  const history = historyOf(new Random(29));
  const expected = new Map<string, Check[]>();
  let database: PGlite;

  beforeAll(async () => {
    database = await PGlite.create();
    for (const [name, columns] of Object.entries(TABLES))
      await database.exec(
        `CREATE TABLE ${name} (${Object.entries(columns)
          .map(([column, type]) => `${column} ${type}${type === 'text' ? ' COLLATE "C"' : ''}`)
          .join(', ')}${BAGS.includes(name) ? '' : ', PRIMARY KEY (id)'})`,
      );
    for (const [place, changes] of history.entries()) {
      for (const change of changes) await apply(change);
      for (const query of queries) {
        const { rows } = await database.query<Cells>(query, [], { rowMode: 'array', parsers });
        const check = { after_step: place + 1, whole_view: true, rows };
        expected.set(query, [...(expected.get(query) ?? []), check]);
      }
    }
  }, 120_000);
  afterAll(async () => database.close());

  async function apply({ table, op, row, old, new: later }: Change): Promise<void> {
    const gone = op === 'insert' ? null : (row ?? old)!;
    const come = op === 'delete' ? null : (later ?? row)!;
    const columns = Object.entries(TABLES[table as Name]);
    const cells = (values: readonly unknown[]): string[] =>
      values.map((cell, place) =>
        cell === null ? 'NULL' : `'${String(cell).replaceAll("'", "''")}'::${columns[place]![1]}`,
      );
    if (gone !== null) {
      const told = cells(gone);
      const same = (BAGS.includes(table) ? columns : columns.slice(0, 1)).map(
        ([column], place) => `${column} IS NOT DISTINCT FROM ${told[place]}`,
      );
      const one = `SELECT ctid FROM ${table} WHERE ${same.join(' AND ')} LIMIT 1`;
      await database.exec(`DELETE FROM ${table} WHERE ctid = (${one})`);
    }
    if (come !== null) await database.exec(`INSERT INTO ${table} VALUES (${cells(come).join(', ')})`);
  }

  test.each(queries)('%s', (query) => {
    const steps: Step[] = [
      { op: 'create_view', view: 'v' },
      ...history.map((changes): Step => ({ op: 'dml', changes })),
    ];
    const verdict = runSqlCase(
      {
        id: query,
        kind: 'sql-view',
        dialect: 'postgres',
        tables: Object.entries(TABLES).map(([name, columns]) => ({
          name,
          columns: Object.entries(columns).map(([column, type]) => ({ name: column, type })),
          primary_key: BAGS.includes(name) ? [] : ['id'],
        })),
        views: [{ name: 'v', sql: query }],
        main_view: 'v',
        steps,
        checks: expected.get(query)!,
      },
      '',
    );
    expect(verdict).toEqual({ verdict: 'passed' });
  });
});
