import { Decimal, decimal } from 'stillwater';
import { z } from 'zod';
import { columnAt, nullable, renamed, type ColumnType } from '../../src/view/column.js';
import { wholeNumber } from '../../src/view/order-nodes.js';
import type { OverFunction, PlanNode } from '../../src/view/plan.js';
import { streamOf, tableOf } from '../support/declared.js';
import {
  aggregate,
  compared,
  dedupe,
  distinct,
  evolve,
  flatMap,
  join,
  over,
  rolling,
  select,
  semiJoin,
  source,
  top,
  union,
  unnest,
  viewOf,
  where,
  type Written,
  type WrittenAggregate,
} from '../support/plans.js';
import type { Random } from '../support/random.js';

/** A plan and the SQL that means the same. `log`: the SQL has a column `__o`, the place of each row in the log. */
export interface Twin {
  node: PlanNode;
  sql: string;
  log: boolean;
}

/** A place in the log is an event's time, and then its position. */
const INSTANT_LENGTH = 24;

/** Digits behind the point of the decimals in rows. */
const SCALE = 2;

export const recordSchema = z.object({
  id: z.string(),
  k: z.string().nullable(),
  g: z.int().nullable(),
  x: z.number(),
  m: decimal(SCALE).nullable(),
  tags: z.array(z.string()),
  o: z.object({ a: z.string(), n: z.int().nullable() }).nullable(),
});

export const events = streamOf('events', recordSchema);
export const things = tableOf('things', recordSchema, ['id']);
export const upstream = viewOf('upstream', source(tableOf('below', recordSchema, ['id'])), ['id']);

const COLUMNS = '"id", "k", "g", "x", "m", "tags", "o"';
export const tableSql = (name: string): string =>
  `CREATE TABLE ${name} ("id" VARCHAR, "k" VARCHAR, "g" DOUBLE, "x" DOUBLE, "m" DECIMAL(30, ${SCALE}), "tags" VARCHAR[], "o" STRUCT("a" VARCHAR, "n" DOUBLE), "__o" VARCHAR)`;

const sources: readonly Twin[] = [
  { node: source(events), sql: `SELECT ${COLUMNS}, "__o" FROM events`, log: true },
  { node: source(things), sql: `SELECT ${COLUMNS} FROM things`, log: false },
  { node: source(upstream), sql: `SELECT ${COLUMNS} FROM upstream`, log: false },
];

/** A scalar somewhere in a row. */
interface Scalar {
  path: string;
  sql: string;
  kind: 'text' | 'number' | 'boolean' | 'decimal';
  /** Of decimals: how many digits they have behind the point. */
  scale?: number;
}

const quoted = (name: string): string => `"${name}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const names = (twin: Twin): string[] => twin.node.relation.columns.map(({ name }) => name);
const hidden = (twin: Twin): string => (twin.log ? ', "__o"' : '');

function scalarsOf({ node }: Twin): Scalar[] {
  const found: Scalar[] = [];
  const visit = (path: string, sql: string, type: ColumnType): void => {
    if (type.kind === 'string' && type.format === 'decimal')
      found.push({ path, sql, kind: 'decimal', scale: type.scale });
    else if (type.kind === 'string') found.push({ path, sql, kind: 'text' });
    else if (type.kind === 'number') found.push({ path, sql, kind: 'number' });
    else if (type.kind === 'boolean') found.push({ path, sql, kind: 'boolean' });
    else if (type.kind === 'object')
      for (const column of type.columns)
        visit(`${path}.${column.name}`, `struct_extract(${sql}, ${literal(column.name)})`, column.type);
  };
  for (const { name, type } of node.relation.columns) visit(name, quoted(name), type);
  return found;
}

const read = (path: string) => {
  const steps = path.split('.');
  return (row: any): any => steps.reduce((value, step) => value?.[step] ?? null, row);
};

export const TEXTS = ['a', 'b', 'ab', '', 'é', '😀', '\ufffd', 'Z'];
export const NUMBERS = [0, 1, 2, 3, -1, 0.125, -2.5, 1000.375];
/** One of them has more digits than a double, and tenths are exact in none. */
export const DECIMALS = [
  '0.00',
  '0.10',
  '0.20',
  '0.30',
  '-0.10',
  '3.00',
  '-12.50',
  '99999999999999.99',
] as const;

let fresh = 0;
const freshName = (): string => `c${fresh++}`;

export function randomPlan(random: Random, depth: number): Twin {
  fresh = 0;
  return twinOf(random, depth);
}

function twinOf(random: Random, depth: number): Twin {
  if (depth === 0) return random.of(sources);
  const input = twinOf(random, depth - 1);
  // A row of nothing but lists can hardly be asked anything.
  if (scalarsOf(input).length === 0) return distinctTwin(random, input);
  const make = random.of([
    whereTwin,
    selectTwin,
    flatMapTwin,
    unnestTwin,
    unionTwin,
    distinctTwin,
    comparedTwin,
    topTwin,
    overTwin,
    dedupeTwin,
    aggregateTwin,
    aggregateTwin,
    evolveTwin,
    joinTwin,
    joinTwin,
    semiJoinTwin,
  ]);
  return make(random, input, () => twinOf(random, random.below(depth)));
}

/** A condition as a function and as SQL; a null is neither. */
function condition(random: Random, twin: Twin): { call: (row: any) => boolean; sql: string } {
  const { path, sql, kind } = random.of(scalarsOf(twin));
  const get = read(path);
  if (kind === 'decimal') {
    const bound = random.of(DECIMALS);
    return {
      call: (row) => get(row) !== null && Decimal.compare(get(row), bound) <= 0,
      sql: `(${sql} IS NOT NULL AND ${sql} <= ${bound})`,
    };
  }
  if (kind === 'boolean') return { call: (row) => get(row) === true, sql: `(${sql} IS TRUE)` };
  if (kind === 'number') {
    const bound = random.of(NUMBERS);
    return {
      call: (row) => get(row) !== null && get(row) <= bound,
      sql: `(${sql} IS NOT NULL AND ${sql} <= ${bound})`,
    };
  }
  const text = random.of(TEXTS);
  return random.chance(0.5)
    ? { call: (row) => get(row) !== text, sql: `(${sql} IS DISTINCT FROM ${literal(text)})` }
    : { call: (row) => get(row) === null || get(row).length > 0, sql: `(${sql} IS NULL OR ${sql} <> '')` };
}

function whereTwin(random: Random, input: Twin): Twin {
  const { call, sql } = condition(random, input);
  const { path, sql: thrown } = random.of(scalarsOf(input));
  const get = read(path);
  if (random.chance(0.7))
    return { ...input, node: where(input.node, call), sql: `SELECT * FROM (${input.sql}) WHERE ${sql}` };
  const throwing = (row: any): boolean => {
    if (get(row) === null) throw new Error('null');
    return call(row);
  };
  return {
    ...input,
    node: where(input.node, throwing),
    sql: `SELECT * FROM (${input.sql}) WHERE ${thrown} IS NOT NULL AND ${sql}`,
  };
}

function selectTwin(random: Random, input: Twin): Twin {
  const columns: Record<string, Written> = {};
  const parts: string[] = [];
  const add = (name: string, value: Written, sql: string): void => {
    columns[name] = value;
    parts.push(`${sql} AS ${quoted(name)}`);
  };
  for (const name of random.some(names(input), 1))
    add(random.chance(0.6) ? name : freshName(), name, quoted(name));
  for (const { path, sql } of random.some(scalarsOf(input), 0, 2)) add(freshName(), path, sql);
  if (random.chance(0.4)) {
    const { path, sql, kind, scale = 0 } = random.of(scalarsOf(input));
    const get = read(path);
    if (kind === 'decimal')
      add(
        freshName(),
        {
          schema: decimal(scale + 1).nullable(),
          call: (row) => (get(row) === null ? null : Decimal.add(Decimal.mul(get(row), '1.5'), '0.1')),
        },
        `(${sql}::DECIMAL(30, ${scale}) * 1.5 + 0.1)::DECIMAL(36, ${scale + 1})`,
      );
    else if (kind === 'number')
      add(
        freshName(),
        { schema: z.number(), call: (row) => (get(row) ?? 0) * 2 + 0.5 },
        `coalesce(${sql}, 0) * 2 + 0.5`,
      );
    else if (kind === 'text')
      add(
        freshName(),
        { schema: z.string().nullable(), call: (row) => (get(row) === null ? null : get(row) + '_') },
        `${sql} || '_'`,
      );
    else add(freshName(), { schema: z.boolean(), call: (row) => get(row) === true }, `(${sql} IS TRUE)`);
  }
  return {
    node: select(input.node, columns),
    sql: `SELECT ${parts.join(', ')}${hidden(input)} FROM (${input.sql})`,
    log: input.log,
  };
}

function flatMapTwin(random: Random, input: Twin): Twin {
  const numbers = scalarsOf(input).filter(({ kind }) => kind === 'number');
  const texts = scalarsOf(input).filter(({ kind }) => kind === 'text');
  if (numbers.length === 0 || texts.length === 0) return unionTwin(random, input);
  const count = random.of(numbers);
  const text = random.of(texts);
  const [n, t] = [freshName(), freshName()];
  const getCount = read(count.path);
  const getText = read(text.path);
  const row = z.object({ [n]: z.int(), [t]: z.string().nullable() });
  const call = (from: any) =>
    Array.from({ length: Math.max(0, Math.min(3, Math.floor(getCount(from) ?? 0))) }, (_, index) => ({
      [t]: getText(from),
      [n]: index,
    }));
  return {
    node: flatMap(input.node, row, call),
    sql:
      `SELECT CAST(u.i AS DOUBLE) AS ${quoted(n)}, t.text AS ${quoted(t)} FROM ` +
      `(SELECT ${text.sql} AS text, greatest(0, least(3, floor(coalesce(${count.sql}, 0))))::BIGINT AS size FROM (${input.sql})) t, unnest(range(t.size)) u(i)`,
    log: false,
  };
}

function unnestTwin(random: Random, input: Twin): Twin {
  const lists = input.node.relation.columns.filter(
    ({ type }) => type.kind === 'array' && type.element.kind === 'string',
  );
  if (lists.length === 0) return whereTwin(random, input);
  const { name } = random.of(lists);
  const as = freshName();
  const columns = names(input).map((column) => `t.${quoted(column)}`);
  return {
    node: unnest(input.node, name, as),
    sql: `SELECT ${columns.join(', ')}, u.e AS ${quoted(as)} FROM (${input.sql}) t, unnest(t.${quoted(name)}) u(e)`,
    log: false,
  };
}

function unionTwin(random: Random, input: Twin): Twin {
  const columns = names(input).map(quoted).join(', ');
  const parts = [input, whereTwin(random, input)];
  if (random.chance(0.3)) parts.push(whereTwin(random, input));
  return {
    node: union(...(parts.map(({ node }) => node) as [PlanNode])),
    sql: parts.map(({ sql }) => `SELECT ${columns} FROM (${sql})`).join(' UNION ALL '),
    log: false,
  };
}

function distinctTwin(_random: Random, input: Twin): Twin {
  return {
    node: distinct(input.node),
    sql: `SELECT DISTINCT ${names(input).map(quoted).join(', ')} FROM (${input.sql})`,
    log: false,
  };
}

function comparedTwin(random: Random, input: Twin): Twin {
  const columns = names(input).map(quoted).join(', ');
  const other = whereTwin(random, input);
  const [left, right] = random.chance(0.5) ? [input, other] : [other, input];
  const op = random.of(['except', 'intersect'] as const);
  const all = random.chance(0.4);
  return {
    node: compared(op, left.node, right.node, all),
    sql: `SELECT ${columns} FROM (${left.sql}) ${op.toUpperCase()} ${all ? 'ALL' : ''} SELECT ${columns} FROM (${right.sql})`,
    log: false,
  };
}

/** The scalars of a collection alone, as columns. */
function scalarTwin(random: Random, input: Twin): Twin {
  const scalars = random.some(scalarsOf(input), 1, 4).map((scalar) => ({ ...scalar, name: freshName() }));
  return {
    node: select(input.node, Object.fromEntries(scalars.map(({ name, path }) => [name, path]))),
    sql: `SELECT ${scalars.map(({ name, sql }) => `${sql} AS ${quoted(name)}`).join(', ')} FROM (${input.sql})`,
    log: false,
  };
}

/** Words of an order over all columns, so that rows that tie are equal, and the same in SQL. */
function totalOrder(random: Random, twin: Twin): { order: string; sql: string } {
  const terms = random
    .some(names(twin), names(twin).length)
    .map((name) => ({ name, descending: random.chance(0.5) }));
  return {
    order: terms.map(({ name, descending }) => (descending ? `${name}.desc` : name)).join(','),
    sql: terms
      .map(({ name, descending }) => `${quoted(name)} ${descending ? 'DESC NULLS FIRST' : 'ASC NULLS LAST'}`)
      .join(', '),
  };
}

function topTwin(random: Random, from: Twin): Twin {
  const input = scalarTwin(random, from);
  const { order, sql } = totalOrder(random, input);
  const per = random.some(names(input), 0, 2);
  const [count, offset] = [1 + random.below(3), random.of([0, 0, 1, 2])];
  const rank = random.chance(0.5) ? freshName() : null;
  const columns = names(input).map(quoted);
  if (rank !== null) columns.push(`"__n"::DOUBLE AS ${quoted(rank)}`);
  const group = per.length > 0 ? `PARTITION BY ${per.map(quoted).join(', ')}` : '';
  return {
    node: top(input.node, count, { per, order, offset, ...(rank !== null && { rank }) }),
    sql:
      `SELECT ${columns.join(', ')} FROM (SELECT *, row_number() OVER (${group} ORDER BY ${sql}) AS "__n" FROM (${input.sql})) ` +
      `WHERE "__n" > ${offset} AND "__n" <= ${offset + count}`,
    log: false,
  };
}

/** Columns of a row's place: in an order of all columns; or in that of one, where only what equal rows share is asked. */
function overTwin(random: Random, from: Twin): Twin {
  const input = scalarTwin(random, from);
  const scalar = random.of(scalarsOf(input));
  const isTotal = random.chance(0.5);
  const descending = random.chance(0.5);
  const { order, sql } = isTotal
    ? totalOrder(random, input)
    : {
        order: descending ? `${scalar.path}.desc` : scalar.path,
        sql: `${scalar.sql} ${descending ? 'DESC NULLS FIRST' : 'ASC NULLS LAST'}`,
      };
  const per = random.some(names(input), 0, 2);
  const group = per.length > 0 ? `PARTITION BY ${per.map(quoted).join(', ')} ` : '';
  const numbers = scalarsOf(input).filter(({ kind }) => kind === 'number' || kind === 'decimal');
  const made: { of: OverFunction; sql: string }[] = [];
  const make = (of: (name: string) => OverFunction, call: string, frame = ''): void => {
    const name = freshName();
    const cast = call.startsWith('count') ? '::DOUBLE' : '';
    made.push({
      of: of(name),
      sql: `(${call} OVER (${group}ORDER BY ${sql} ${frame}))${cast} AS ${quoted(name)}`,
    });
  };
  for (const kind of ['rank', 'denseRank', 'rowNumber'] as const) {
    if (random.chance(0.5) || (kind === 'rowNumber' && !isTotal)) continue;
    const call = { rank: 'rank()', denseRank: 'dense_rank()', rowNumber: 'row_number()' }[kind];
    const name = freshName();
    made.push({
      of: { kind, column: wholeNumber(name) },
      sql: `(${call} OVER (${group}ORDER BY ${sql}))::DOUBLE AS ${quoted(name)}`,
    });
  }
  const summary = (): {
    kind: 'count' | 'sum' | 'avg' | 'min' | 'max' | 'countIf' | 'every' | 'some';
    value: string | null;
    test?: (row: any) => boolean;
    call: string;
  } => {
    if (random.chance(0.3)) {
      const test = condition(random, input);
      const [kind, call] = random.of([
        ['countIf', `count(*) FILTER (WHERE ${test.sql})`],
        ['every', `bool_and(${test.sql})`],
        ['some', `bool_or(${test.sql})`],
      ] as const);
      return { kind, value: null, test: test.call, call };
    }
    const number = numbers.length > 0 ? random.of(numbers) : null;
    // Averages of decimals are doubles in DuckDB.
    const averaged = random.of(['count', 'sum', 'avg', 'min', 'max'] as const);
    const kind =
      number === null ? 'count' : number.kind === 'decimal' && averaged === 'avg' ? 'sum' : averaged;
    if (number === null || kind === 'count') return { kind: 'count', value: null, call: 'count(*)' };
    return { kind, value: number.path, call: `${kind}(${number.sql})` };
  };
  if (isTotal) {
    const [kind, offset, rows] = [random.of(['lag', 'lead'] as const), random.below(3), 1 + random.below(3)];
    const { path, sql: value } = random.of(scalarsOf(input));
    const column = nullable(columnAt(input.node.relation.columns, path)!);
    make(
      (name) => ({
        kind,
        value: { kind: 'path', path, column },
        offset,
        otherwise: null,
        column: renamed(column, name),
      }),
      `${kind}(${value}, ${offset})`,
    );
    const { call, ...of } = summary();
    const [before, after] = [random.of([null, rows - 1]), random.of([0, 0, 1, 2])];
    make(
      (name) => rolling(input.node, name, of, { unit: 'rows', before, after }),
      call,
      `ROWS BETWEEN ${before ?? 'UNBOUNDED'} PRECEDING AND ${after} FOLLOWING`,
    );
    const edge = random.of(['firstValue', 'lastValue'] as const);
    const reach = random.of([null, { unit: 'rows', before: 1, after: 1 } as const]);
    make(
      (name) => ({ kind: edge, value: { kind: 'path', path, column }, reach, column: renamed(column, name) }),
      `${edge === 'firstValue' ? 'first_value' : 'last_value'}(${value})`,
      `ROWS BETWEEN ${reach === null ? 'UNBOUNDED PRECEDING AND UNBOUNDED' : '1 PRECEDING AND 1'} FOLLOWING`,
    );
  } else if (scalar.kind === 'number') {
    const span = random.of([0, 1, 2.5]);
    const { call, ...of } = summary();
    const [before, after] = [random.of([null, span]), random.of([0, 0, 1])];
    make(
      (name) => rolling(input.node, name, of, { unit: 'span', before, after }),
      call,
      `RANGE BETWEEN ${before ?? 'UNBOUNDED'} PRECEDING AND ${after} FOLLOWING`,
    );
  }
  // Alone it says by itself which rows are looked at.
  if (made.length === 0 || random.chance(0.4)) {
    const { call, ...of } = summary();
    const before = random.of([null, 0] as const);
    make(
      (name) => rolling(input.node, name, of, { unit: 'peers', before, after: 0 }),
      call,
      `RANGE BETWEEN ${before === null ? 'UNBOUNDED PRECEDING' : 'CURRENT ROW'} AND CURRENT ROW`,
    );
  }
  return {
    node: over(
      input.node,
      { per, order },
      made.map(({ of }) => of),
    ),
    sql: `SELECT ${[...names(input).map(quoted), ...made.map((one) => one.sql)].join(', ')} FROM (${input.sql})`,
    log: false,
  };
}

/** The first row of each key by the place in the log, where rows have one. */
function dedupeTwin(random: Random, input: Twin): Twin {
  if (!input.log) return topTwin(random, input);
  const by = random.some(scalarsOf(input), 1, 2);
  const columns = names(input).map(quoted).join(', ');
  return {
    node: dedupe(
      input.node,
      by.map(({ path }) => path),
      null,
    ),
    sql:
      `SELECT ${columns} FROM (SELECT *, row_number() OVER (PARTITION BY ${by.map(({ sql }) => sql).join(', ')} ORDER BY "__o") AS "__n" ` +
      `FROM (${input.sql})) WHERE "__n" = 1`,
    log: false,
  };
}

function aggregateTwin(random: Random, input: Twin): Twin {
  const scalars = scalarsOf(input);
  const by: Record<string, Written> = {};
  const parts: string[] = [];
  const groups: string[] = [];
  for (const { path, sql } of random.some(scalars, 0, 2)) {
    const name = freshName();
    by[name] = path;
    parts.push(`${sql} AS ${quoted(name)}`);
    groups.push(sql);
  }
  const aggregates: Record<string, WrittenAggregate> = {};
  for (let index = 1 + random.below(4); index > 0; index--) {
    const name = freshName();
    const [written, sql] = randomAggregate(random, input, scalars);
    aggregates[name] = written;
    parts.push(`${sql} AS ${quoted(name)}`);
  }
  const grouping = groups.length > 0 ? `GROUP BY ${groups.join(', ')}` : '';
  return {
    node: aggregate(input.node, by, aggregates),
    sql: `SELECT ${parts.join(', ')} FROM (${input.sql}) ${grouping} HAVING count(*) > 0`,
    log: false,
  };
}

/** Rows of a log folded in its order, each group from the last row on that ended it. Others are not folded but aggregated. */
function evolveTwin(random: Random, input: Twin): Twin {
  const { log, appendOnly, ownPlace } = input.node.relation;
  if (!input.log || log === null || !appendOnly) return aggregateTwin(random, input);
  const scalars = scalarsOf(input);
  const groups = random.some(scalars, 0, 2).map((scalar) => ({ ...scalar, name: freshName() }));
  const [n, trail] = [freshName(), freshName()];
  const text = scalars.find(({ kind }) => kind === 'text');
  // Of rows that share a place SQL does not know which comes first.
  const inOrder = ownPlace === true;
  const get = inOrder && text ? read(text.path) : () => '';
  const ends = inOrder && random.chance(0.5) ? condition(random, input) : { call: () => false, sql: 'FALSE' };
  const place = `substr("__o", ${INSTANT_LENGTH + 1})`;
  const per = groups.map(({ sql }) => sql).join(', ');
  const rows =
    `SELECT * FROM (SELECT *, max(CASE WHEN ${ends.sql} THEN ${place} END) OVER (${per && `PARTITION BY ${per}`}) AS "__ended" FROM (${input.sql})) ` +
    `WHERE "__ended" IS NULL OR ${place} > "__ended"`;
  const parts = [
    ...groups.map(({ sql, name }) => `${sql} AS ${quoted(name)}`),
    `count(*)::DOUBLE AS ${quoted(n)}`,
    `${inOrder && text ? `string_agg(coalesce(${text.sql}, '-'), '' ORDER BY ${place})` : `''`} AS ${quoted(trail)}`,
  ];
  const node = evolve(
    input.node,
    Object.fromEntries(groups.map(({ name, path }) => [name, path])),
    z.object({ [n]: z.int(), [trail]: z.string() }),
    { [n]: 0, [trail]: '' },
    (state, event) =>
      ends.call(event) ? null : { [n]: state[n] + 1, [trail]: state[trail] + (get(event) ?? '-') },
  );
  return {
    node,
    sql: `SELECT ${parts.join(', ')} FROM (${rows}) ${per && `GROUP BY ${per}`} HAVING count(*) > 0`,
    log: false,
  };
}

function randomAggregate(random: Random, input: Twin, scalars: Scalar[]): [WrittenAggregate, string] {
  const any = random.of(scalars);
  const numbers = scalars.filter(({ kind }) => kind === 'number');
  const texts = scalars.filter(({ kind }) => kind === 'text');
  const choices: (() => [WrittenAggregate, string])[] = [
    () => [{ kind: 'count' }, 'count(*)::DOUBLE'],
    () => [{ kind: 'count', value: any.path }, `count(${any.sql})::DOUBLE`],
    () => [{ kind: 'countDistinct', value: any.path }, `count(DISTINCT ${any.sql})::DOUBLE`],
    () => [{ kind: 'min', value: any.path }, `min(${any.sql})`],
    () => [{ kind: 'max', value: any.path }, `max(${any.sql})`],
    () => {
      const test = condition(random, input);
      return [{ kind: 'countIf', test: test.call }, `(count(*) FILTER (WHERE ${test.sql}))::DOUBLE`];
    },
    () => {
      const descending = random.chance(0.5);
      const order = descending ? 'DESC' : 'ASC';
      return [
        { kind: 'collect', value: any.path, options: descending ? { order: 'desc' } : {} },
        `coalesce(list(${any.sql} ORDER BY ${any.sql} ${order}) FILTER (WHERE ${any.sql} IS NOT NULL), [])`,
      ];
    },
    () => [
      { kind: 'collectDistinct', value: any.path },
      `coalesce(list(DISTINCT ${any.sql} ORDER BY ${any.sql}) FILTER (WHERE ${any.sql} IS NOT NULL), [])`,
    ],
    () => [
      { kind: 'topK', value: any.path, options: { k: 2, order: 'desc' } },
      `coalesce(list(${any.sql} ORDER BY ${any.sql} DESC) FILTER (WHERE ${any.sql} IS NOT NULL), [])[1:2]`,
    ],
    () => [
      { kind: 'percentile', value: any.path, options: { p: 0.5, discrete: true } },
      `quantile_disc(${any.sql}, 0.5)`,
    ],
    () => {
      const test = condition(random, input);
      return random.chance(0.5)
        ? [{ kind: 'every', test: test.call }, `bool_and(${test.sql})`]
        : [{ kind: 'some', test: test.call }, `bool_or(${test.sql})`];
    },
  ];
  const truths = scalars.filter(({ kind }) => kind === 'boolean');
  if (truths.length > 0) {
    const truth = random.of(truths);
    choices.push(
      () => [{ kind: 'every', value: truth.path }, `bool_and(${truth.sql})`],
      () => [{ kind: 'some', value: truth.path }, `bool_or(${truth.sql})`],
    );
  }
  const decimals = scalars.filter(({ kind, scale }) => kind === 'decimal' && scale! <= SCALE + 2);
  if (decimals.length > 0) {
    const { path, sql, scale } = random.of(decimals);
    const test = condition(random, input);
    choices.push(
      () => [{ kind: 'sum', value: path }, `sum(${sql})`],
      () => [{ kind: 'sumIf', value: path, test: test.call }, `(sum(${sql}) FILTER (WHERE ${test.sql}))`],
      () => [{ kind: 'avg', value: path }, decimalAverage(sql, scale!)],
    );
  }
  // DuckDB rounds after every addition: its sums are exact for eighths, not for averages and variances.
  if (numbers.length > 0 && !/avg\(|variance/.test(input.sql)) {
    const number = random.of(numbers);
    const test = condition(random, input);
    choices.push(
      () => [{ kind: 'sum', value: number.path }, `sum(${number.sql})`],
      () => [{ kind: 'avg', value: number.path }, `avg(${number.sql})`],
      () => [{ kind: 'median', value: number.path }, `quantile_cont(${number.sql}, 0.5)`],
      () => [
        { kind: 'percentile', value: number.path, options: { p: 0.25 } },
        `quantile_cont(${number.sql}, 0.25)`,
      ],
      () => {
        const [n, total] = [`count(${number.sql})`, `sum(${number.sql})`];
        const spread = `(${n} * sum(${number.sql} * ${number.sql}) - ${total} * ${total})`;
        return random.chance(0.5)
          ? [
              { kind: 'variance', value: number.path },
              `(/* variance */ ${spread} / nullif(${n} * (${n} - 1), 0))`,
            ]
          : [
              { kind: 'variance', value: number.path, options: { population: true } },
              `(/* variance */ ${spread} / nullif(${n} * ${n}, 0))`,
            ];
      },
      () => {
        const buckets = [null, 0, 2, null];
        const parts = buckets.slice(1).map((to, index) => {
          const from = buckets[index]!;
          const within = `${from === null ? 'true' : `${number.sql} >= ${from}`} AND ${to === null ? 'true' : `${number.sql} < ${to}`}`;
          const end = (bound: number | null): string =>
            bound === null ? 'NULL::DOUBLE' : `${bound}::DOUBLE`;
          return `{'from': ${end(from)}, 'to': ${end(to)}, 'count': (count(${number.sql}) FILTER (WHERE ${within}))::DOUBLE}`;
        });
        return [
          { kind: 'histogram', value: number.path, options: { bounds: [0, 2] } },
          `[${parts.join(', ')}]`,
        ];
      },
      () => [
        { kind: 'sumIf', value: number.path, test: test.call },
        `(sum(${number.sql}) FILTER (WHERE ${test.sql}))`,
      ],
    );
  }
  if (texts.length > 0) {
    const text = random.of(texts);
    const chosen = (order: string): string =>
      `(list(${text.sql} ORDER BY ${any.sql} ${order} NULLS LAST, ${text.sql} ASC NULLS LAST) FILTER (WHERE ${any.sql} IS NOT NULL))[1]`;
    choices.push(
      () => [
        { kind: 'joinText', value: text.path, options: { separator: '; ' } },
        `string_agg(${text.sql}, '; ' ORDER BY ${text.sql})`,
      ],
      () => [
        { kind: 'collect', value: text.path, by: any.path },
        `coalesce(list(${text.sql} ORDER BY ${any.sql} NULLS LAST, ${text.sql}) FILTER (WHERE ${text.sql} IS NOT NULL), [])`,
      ],
      () => [{ kind: 'minBy', by: any.path, value: text.path }, chosen('ASC')],
      () => [{ kind: 'maxBy', by: any.path, value: text.path }, chosen('DESC')],
    );
    // Ordered by the place in the log where they are equal, which only the stream's own SQL knows.
    if (input.node.relation.log === null)
      choices.push(
        () => [{ kind: 'first', by: any.path, value: text.path }, chosen('ASC')],
        () => [{ kind: 'last', by: any.path, value: text.path }, chosen('DESC')],
      );
  }
  // Sketches of few values, of rows that are never taken back, are exact.
  if (input.log) {
    choices.push(() => [
      { kind: 'approxCountDistinct', value: any.path, options: { error: 0.02 } },
      `count(DISTINCT ${any.sql})::DOUBLE`,
    ]);
    if (numbers.length > 0) {
      const { path, sql } = random.of(numbers);
      choices.push(() => [
        { kind: 'approxPercentile', value: path, options: { p: 0.5, error: 0.01 } },
        `quantile_disc(${sql}, 0.5)`,
      ]);
    }
  }
  if (input.log)
    choices.push(
      () => [{ kind: 'first', value: any.path }, `(list(${any.sql} ORDER BY "__o"))[1]`],
      () => [{ kind: 'last', value: any.path }, `(list(${any.sql} ORDER BY "__o" DESC))[1]`],
    );
  return random.of(choices)();
}

/** An average of decimals to six digits more, halves away from zero, in whole numbers. */
function decimalAverage(sql: string, scale: number): string {
  const [digits, count] = [scale + 6, `count(${sql})`];
  const total = `(replace(sum(${sql})::VARCHAR, '.', '')::HUGEINT * 1000000)`;
  const quotient = `(sign(${total}) * ((abs(${total}) * 2 + ${count}) // nullif(2 * ${count}, 0)))`;
  const unit = `0.${'0'.repeat(digits - 1)}1::DECIMAL(${digits + 1}, ${digits})`;
  return `(${quotient}::DECIMAL(${37 - digits}, 0) * ${unit})`;
}

/** The columns of two sides that are equated: often a key, so that rows have partners, and a side has one row for each key. */
function equated(random: Random, left: Twin, right: Twin): { one: Scalar; other: Scalar }[] {
  const pairs = scalarsOf(left).flatMap((one) =>
    scalarsOf(right)
      .filter(({ kind, scale }) => kind === one.kind && scale === one.scale)
      .map((other) => ({ one, other })),
  );
  const keyed = pairs.filter(
    ({ other }) =>
      right.node.relation.uniqueKey?.length === 1 && right.node.relation.uniqueKey[0] === other.path,
  );
  const chosen = keyed.length > 0 && random.chance(0.5) ? [random.of(keyed)] : random.some(pairs, 1, 2);
  return [...new Map(chosen.map((pair) => [pair.one.path, pair])).values()];
}

const onOf = (pairs: readonly { one: Scalar; other: Scalar }[]): Record<string, string> =>
  Object.fromEntries(pairs.map(({ one, other }) => [one.path, other.path]));

/** The rows of a side with the equated columns as `__k0`, …, and what a condition asks of them as `__w`. */
const sideSql = (
  twin: Twin,
  pairs: readonly { one: Scalar; other: Scalar }[],
  side: 'one' | 'other',
  asked: Scalar | null,
): string =>
  `SELECT *, ${pairs.map((pair, index) => `${pair[side].sql} AS "__k${index}"`).join(', ')}, ${asked?.sql ?? 'NULL'} AS "__w", 1 AS "__there" FROM (${twin.sql})`;

/** A condition on both rows beside the equal columns: one scalar of each compared. */
function residual(
  random: Random,
  left: Twin,
  right: Twin,
): { one: Scalar; other: Scalar; call: (l: any, r: any) => boolean; sql: string } | null {
  const numbers = (twin: Twin): Scalar[] => scalarsOf(twin).filter(({ kind }) => kind === 'number');
  if (random.chance(0.5) || numbers(left).length === 0 || numbers(right).length === 0) return null;
  const [one, other] = [random.of(numbers(left)), random.of(numbers(right))];
  const [getOne, getOther] = [read(one.path), read(other.path)];
  return {
    one,
    other,
    call: (l, r) => getOne(l) !== null && getOther(r) !== null && getOne(l) <= getOther(r),
    sql: ' AND l."__w" <= r."__w"',
  };
}

function semiJoinTwin(random: Random, left: Twin, another: () => Twin): Twin {
  const right = another();
  const pairs = equated(random, left, right);
  if (pairs.length === 0) return distinctTwin(random, left);
  const kind = random.of(['semi', 'anti'] as const);
  const where = residual(random, left, right);
  const equal = pairs.map((_, index) => `l."__k${index}" = r."__k${index}"`).join(' AND ');
  const columns = names(left).map((name) => `l.${quoted(name)}`);
  return {
    node: semiJoin(left.node, right.node, onOf(pairs), kind, where?.call ?? null),
    sql:
      `SELECT ${columns.join(', ')} FROM (${sideSql(left, pairs, 'one', where?.one ?? null)}) l WHERE ${kind === 'semi' ? '' : 'NOT '}EXISTS ` +
      `(SELECT 1 FROM (${sideSql(right, pairs, 'other', where?.other ?? null)}) r WHERE ${equal}${where?.sql ?? ''})`,
    log: false,
  };
}

function joinTwin(random: Random, left: Twin, another: () => Twin): Twin {
  const right = another();
  const kind = random.of(['inner', 'left', 'right', 'full'] as const);
  const as = freshName();
  const pairs = equated(random, left, right);
  if (pairs.length === 0) return distinctTwin(random, left);
  const where = residual(random, left, right);
  const struct = names(right)
    .map((name) => `${literal(name)}: r.${quoted(name)}`)
    .join(', ');
  const columns = names(left).map((name) => `l.${quoted(name)}`);
  const equal = pairs.map((_, index) => `l."__k${index}" = r."__k${index}"`).join(' AND ');
  return {
    node: join(
      left.node,
      right.node,
      as,
      onOf(pairs),
      kind,
      where && (({ [as]: side, ...row }) => where.call(row, side)),
    ),
    sql:
      `SELECT ${columns.join(', ')}, CASE WHEN r."__there" IS NULL THEN NULL ELSE {${struct}} END AS ${quoted(as)} ` +
      `FROM (${sideSql(left, pairs, 'one', where?.one ?? null)}) l ${kind.toUpperCase()} JOIN (${sideSql(right, pairs, 'other', where?.other ?? null)}) r ON ${equal}${where?.sql ?? ''}`,
    log: false,
  };
}
