import { PGlite } from '@electric-sql/pglite';
import { stream, table, view } from 'stillwater';
import { z } from 'zod';
import { matches } from '../../src/runtime/reading/matches.js';
import { parseOrder } from '../../src/runtime/reading/order-words.js';
import { orderTextOf, orderValues } from '../../src/runtime/reading/row-order.js';
import type { Filter } from '../../src/runtime/reading/rows-query.js';
import { describeView } from '../../src/runtime/reading/view-description.js';
import { FilterParser } from '../../src/serving/parse-filters.js';
import { indexOrderText } from '../../src/view/index-order.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { compareText } from '../../src/zset/text-order.js';
import type { Row } from '../../src/zset/value.js';
import { Maintained } from '../support/maintained.js';
import { Random } from '../support/random.js';

// The same rows here and in PostgreSQL: where nulls match, in which order they come, and what is true of them.

const schema = z.object({
  id: z.string(),
  n: z.number().nullable(),
  s: z.string().nullable(),
  b: z.boolean().nullable(),
});
const facts = table('facts', { schema, key: 'id' });
const others = table('others', { schema, key: 'id' });
const log = stream('log', { schema });

const NUMBERS = [0, 1, -1, 2.5];
const TEXTS = ['', 'a', 'b', 'ab', 'null', 'é', '\ufffd', '😀'];

let database: PGlite;
beforeAll(async () => {
  database = await PGlite.create();
  for (const name of ['facts', 'others', 'log'])
    await database.exec(
      `CREATE TABLE ${name} (id text COLLATE "C", n float8, s text COLLATE "C", b boolean)`,
    );
});
afterAll(async () => database.close());

const query = async (sql: string): Promise<Row[]> => (await database.query(sql)).rows as Row[];
async function fill(name: string, rows: readonly Row[]): Promise<void> {
  await database.exec(`DELETE FROM ${name}`);
  for (const { id, n, s, b } of rows)
    await database.query(`INSERT INTO ${name} VALUES ($1, $2, $3, $4)`, [id, n, s, b]);
}

function rowsOf(random: Random, count: number): Row[] {
  const maybe = <V>(value: V): V | null => (random.chance(0.35) ? null : value);
  return Array.from({ length: count }, (_, index) => ({
    id: `r${index}`,
    n: maybe(random.of(NUMBERS)),
    s: maybe(random.of(TEXTS)),
    b: maybe(random.chance(0.5)),
  }));
}
const sorted = (rows: readonly object[]): string[] => rows.map((row) => JSON.stringify(row)).sort();
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

describe('a condition over REST is true of the rows of which it is true in PostgreSQL', () => {
  const description = describeView(
    (view('v', { from: facts }) as { declaration: ViewDeclaration }).declaration,
  );
  const parser = (): FilterParser => new FilterParser(description, { inValuesMax: 50, conditionsMax: 50 });

  /** A condition as REST writes it within a group, and as SQL. */
  function condition(random: Random): [text: string, sql: string] {
    const negated = random.chance(0.3);
    const [text, sql] = plain(random);
    const [path, ...rest] = text.split('.');
    return negated ? [`${path}.not.${rest.join('.')}`, `NOT (${sql})`] : [text, sql];
  }
  function plain(random: Random): [text: string, sql: string] {
    const compared = random.of([
      ['eq', '='],
      ['neq', '<>'],
      ['gt', '>'],
      ['gte', '>='],
      ['lt', '<'],
      ['lte', '<='],
      ['isdistinct', 'IS DISTINCT FROM'],
    ] as const);
    const number = random.of(NUMBERS);
    const text = random.of(TEXTS);
    const truth = random.chance(0.5);
    const numbers = random.some(NUMBERS, 1);
    const column = random.of(['n', 's', 'b']);
    return random.of<() => [string, string]>([
      () => [`n.${compared[0]}.${number}`, `n ${compared[1]} ${number}`],
      () => [`s.${compared[0]}."${text}"`, `s ${compared[1]} ${quoted(text)}`],
      () => [`b.${compared[0]}.${truth}`, `b ${compared[1]} ${truth}`],
      () => [`n.in.(${numbers.join(',')})`, `n IN (${numbers.join(', ')})`],
      () => [`s.in.("${text}","b")`, `s IN (${quoted(text)}, 'b')`],
      () => [`${column}.is.null`, `${column} IS NULL`],
      () => [`${column}.is.not_null`, `${column} IS NOT NULL`],
      () => [`b.is.${truth}`, `b IS ${truth}`],
      () => ['b.is.unknown', 'b IS UNKNOWN'],
      () => ['s.like.*b', `s LIKE '%b'`],
      () => ['s.ilike.A*', `s ILIKE 'A%'`],
    ])();
  }
  function group(random: Random, depth: number): [text: string, sql: string] {
    if (depth === 0) return condition(random);
    const parts = Array.from({ length: 1 + random.below(3) }, () => group(random, depth - 1));
    const kind = random.of(['and', 'or']);
    const negated = random.chance(0.3);
    const sql = parts.map(([, part]) => `(${part})`).join(` ${kind.toUpperCase()} `);
    const text = `${negated ? 'not.' : ''}${kind}(${parts.map(([part]) => part).join(',')})`;
    return [text, negated ? `NOT (${sql})` : sql];
  }

  it.each([1, 2, 3, 4])('(seed %i)', async (seed) => {
    const random = new Random(seed);
    const rows = rowsOf(random, 40);
    await fill('facts', rows);
    for (let round = 0; round < 60; round++) {
      const [text, sql] = group(random, random.below(3));
      const where: Filter = parser().group('and', `(${text})`);
      const found = rows.filter(matches(where)).map(({ id }) => id!);
      const expected = (await query(`SELECT id FROM facts WHERE ${sql}`)).map(({ id }) => id!);
      expect([text, [...found].sort()]).toEqual([text, expected.sort()]);
    }
  });
});

describe('rows are in the order of PostgreSQL, nulls last where ascending and first where descending', () => {
  it.each([1, 2, 3])('in indexes, and over REST (seed %i)', async (seed) => {
    const random = new Random(seed);
    const rows = rowsOf(random, 40);
    await fill('facts', rows);
    const declaration = (view('v', { from: facts }) as { declaration: ViewDeclaration }).declaration;
    const description = describeView(declaration);
    for (const columns of [['n'], ['s'], ['b'], ['n', 's'], ['b', 'n', 's']]) {
      const terms = columns.map((path) => ({
        path,
        descending: random.chance(0.5),
        nulls: random.of(['', 'first', 'last']),
      }));
      const natural = terms.map(({ path, descending }) => ({ path, descending }));
      const sqlOf = (withNulls: boolean): string =>
        terms
          .map(
            ({ path, descending, nulls }) =>
              `${path} ${descending ? 'DESC' : 'ASC'}${withNulls && nulls ? ` NULLS ${nulls}` : ''}`,
          )
          .join(', ');
      const select = async (order: string): Promise<Row[]> =>
        query(`SELECT ${columns.join(', ')} FROM facts ORDER BY ${order}`);
      const shown = (all: readonly Row[]): string[] =>
        all.map((row) => JSON.stringify(columns.map((path) => row[path])));
      const by = (textOf: (row: Row) => string): Row[] =>
        [...rows].sort((left, right) => compareText(textOf(left), textOf(right)));

      expect(shown(by(indexOrderText({ columns: natural })))).toEqual(shown(await select(sqlOf(false))));
      const words = terms.map(
        ({ path, descending, nulls }) => `${path}.${descending ? 'desc' : 'asc'}${nulls && `.nulls${nulls}`}`,
      );
      const order = parseOrder(words.join(','), description);
      const [valuesOf, textOf] = [orderValues(order), orderTextOf(order)];
      expect(shown(by((row) => textOf(valuesOf(row))))).toEqual(shown(await select(sqlOf(true))));
    }
  });

  it('but values of different kinds in one column, which PostgreSQL has not, come as booleans, numbers, texts, the rest', () => {
    const values = [null, [1], 'a', 2, false, { a: 1 }, true, '', -1];
    const textOf = indexOrderText({ columns: [{ path: 'v', descending: false }] });
    expect([...values].sort((left, right) => compareText(textOf({ v: left }), textOf({ v: right })))).toEqual(
      [false, true, -1, 2, '', 'a', [1], { a: 1 }, null],
    );
  });
});

describe('nulls match and are counted as in PostgreSQL', () => {
  const on = { n: 'n', s: 's' } as const;
  const side = '(CASE WHEN r.id IS NULL THEN NULL ELSE r.id END)';
  const left = '(CASE WHEN l.id IS NULL THEN NULL ELSE l.id END)';
  const join = (kind: string): string =>
    `SELECT ${left} AS one, ${side} AS other FROM facts l ${kind} JOIN others r ON l.n = r.n AND l.s = r.s`;
  const pairs = (row: Row): object => ({
    one: row.id ?? ((row.l as Row | null) ?? null)?.id ?? null,
    other: (row.r as Row | null)?.id ?? null,
  });
  const columns = { n: 'n', s: 's' } as const;
  const [some, more] = [facts.select(columns), others.select(columns)];
  const of = (from: any, key: readonly string[]): ViewDeclaration =>
    (view as any)('v', { from, key }).declaration;

  const cases: [name: string, view: ViewDeclaration, sql: string, shown?: (row: Row) => object][] = [
    ['inner join', of(facts.join({ r: others }, { on }), ['id', 'n']), join('INNER'), pairs],
    ['left join', of(facts.leftJoin({ r: others }, { on }), ['id', 'n']), join('LEFT'), pairs],
    [
      'semi join',
      of(facts.semiJoin(others, { on }), ['id']),
      'SELECT id FROM facts l WHERE EXISTS (SELECT 1 FROM others r WHERE l.n = r.n AND l.s = r.s)',
      ({ id }) => ({ id }),
    ],
    [
      'anti join',
      of(facts.antiJoin(others, { on }), ['id']),
      'SELECT id FROM facts l WHERE NOT EXISTS (SELECT 1 FROM others r WHERE l.n = r.n AND l.s = r.s)',
      ({ id }) => ({ id }),
    ],
    ['distinct', of(some.distinct(), ['n', 's']), 'SELECT DISTINCT n, s FROM facts'],
    [
      'union',
      of(some.union(more).distinct(), ['n', 's']),
      'SELECT n, s FROM facts UNION SELECT n, s FROM others',
    ],
    [
      'except',
      of((some as any).except(more), ['n', 's']),
      'SELECT n, s FROM facts EXCEPT SELECT n, s FROM others',
    ],
    [
      'intersect',
      of((some as any).intersect(more), ['n', 's']),
      'SELECT n, s FROM facts INTERSECT SELECT n, s FROM others',
    ],
  ];

  it.each(cases)('%s', async (_name, declaration, sql, shown = (row) => row) => {
    const random = new Random(5);
    const view = new Maintained({ ...declaration, fingerprint: '0'.repeat(16) }, 3);
    const tables: Record<string, Map<string, Row>> = { facts: new Map(), others: new Map() };
    for (let tick = 0; tick < 8; tick++) {
      for (const [name, rows] of Object.entries(tables)) {
        const changes: [Row, number][] = [];
        for (const row of rowsOf(random, 8))
          if (random.chance(0.3)) {
            rows.delete(row.id as string);
            changes.push([{ ...row, n: null, s: null, b: null }, -1]);
          } else if (random.chance(0.7)) {
            rows.set(row.id as string, row);
            changes.push([row, 1]);
          }
        view.tick({ [`table:${name}`]: changes });
        await fill(name, [...rows.values()]);
      }
      expect(sorted(allOf(view).map(shown))).toEqual(sorted(await query(sql)));
    }
  });

  it('a row of the stream with a null in its key columns is one of a group of nulls', async () => {
    const random = new Random(9);
    const rows = rowsOf(random, 30);
    await fill('log', rows);
    const grouped = new Maintained(of(log.groupBy('n', 'b').aggregate({}), ['n', 'b']));
    grouped.tick({ 'stream:log': rows.map((row) => [row, 1] as const) });
    expect(sorted(grouped.rows)).toEqual(sorted(await query('SELECT n, b FROM log GROUP BY n, b')));
  });
});

/** Also those that stand under one key with others. */
function allOf(view: Maintained): Row[] {
  return [...(view.store.keyed.get('rows')?.values() ?? [])].flatMap((stored) => {
    const [row, , others] = stored.split('\n') as [string, string?, string?];
    const texts = others
      ? (JSON.parse(others) as [string, number][])
      : row === ''
        ? []
        : ([[row, 1]] as [string, number][]);
    return texts.flatMap(([text, weight]) => Array<Row>(weight).fill(JSON.parse(text) as Row));
  });
}
