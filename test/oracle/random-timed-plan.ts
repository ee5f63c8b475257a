import {
  approxCountDistinct,
  computed,
  count,
  countIf,
  cumulating,
  firstValue,
  hopping,
  instant,
  lag,
  lastValue,
  lead,
  max,
  min,
  rank,
  rolling,
  rowNumber,
  session,
  sliding,
  stream,
  sum,
  table,
  tumbling,
} from 'stillwater';
import { z } from 'zod';
import type { Random } from '../support/random.js';

export const MINUTE = 60_000;
const options = {
  schema: z.object({ id: z.int(), at: instant(), k: z.string().nullable(), v: z.int() }),
  eventTime: 'at',
  lateness: '20m',
} as const;
export const LATENESS_MS = 20 * MINUTE;

export const one = stream('one', options);
export const two = stream('two', options);
/** What holds since when. */
export const facts = table('facts', {
  schema: z.object({ k: z.string(), since: instant(), f: z.int() }),
  key: 'k',
  eventTime: 'since',
  lateness: '20m',
});
/** What holds now. */
export const places = table('places', { schema: z.object({ k: z.string(), p: z.int() }), key: 'k' });

/** In DuckDB times are milliseconds, and each row has the watermark it came under. */
export const TABLES = [
  'CREATE TABLE one (id INT, "at" BIGINT, k VARCHAR, v INT, late BIGINT)',
  'CREATE TABLE two (id INT, "at" BIGINT, k VARCHAR, v INT, late BIGINT)',
  'CREATE TABLE facts (k VARCHAR, since BIGINT, f INT)',
  'CREATE TABLE places (k VARCHAR, p INT)',
  'CREATE TABLE times (source VARCHAR, clock BIGINT)',
] as const;
export const NEVER = -1_000_000_000_000_000;

/**
 * Rows of the product and the SQL that means the same, at any moment: it asks the clocks where what is shown depends on them.
 * All columns are texts, numbers or times; none is called alike.
 */
export interface TimedTwin {
  readonly rows: any;
  readonly sql: string;
  readonly columns: readonly TimedColumn[];
  /** SQL says the same only if no event of these is late. */
  readonly onTime: ReadonlySet<string>;
}
export interface TimedColumn {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'time';
}

const clockOf = (source: string): string => `(SELECT clock FROM times WHERE source = '${source}')`;
const watermarkOf = (source: string): string => `(${clockOf(source)} - ${LATENESS_MS})`;
const number = (name: string): TimedColumn => ({ name, kind: 'number' });
const text = (name: string): TimedColumn => ({ name, kind: 'text' });
const time = (name: string): TimedColumn => ({ name, kind: 'time' });
const NOTHING: ReadonlySet<string> = new Set();
const both = (...sets: ReadonlySet<string>[]): ReadonlySet<string> =>
  new Set(sets.flatMap((set) => [...set]));
const list = (columns: readonly TimedColumn[], of = ''): string =>
  columns.map(({ name }) => `${of}"${name}"`).join(', ');

let fresh = 0;
const freshName = (): string => `c${++fresh}`;

/** Queries that DuckDB cannot take as parts of others: tables that are made first. */
const tables = new Map<string, string>();
function madeFirst(sql: string): string {
  const name = freshName();
  tables.set(name, sql);
  return name;
}

export function randomTimedPlan(
  random: Random,
  depth: number,
): TimedTwin & { readonly tables: ReadonlyMap<string, string> } {
  fresh = 0;
  tables.clear();
  return { ...deeper(random, timed(random), depth), tables: new Map(tables) };
}

function deeper(random: Random, from: TimedTwin, depth: number): TimedTwin {
  let twin = from;
  for (let left = depth; left > 0; left--)
    twin = random.of([narrowed, grouped, topped, ranked, distinct, placed, joined, matched])(random, twin);
  return twin;
}

/** What acts on time. */
function timed(random: Random): TimedTwin {
  return random.of([
    windows,
    windows,
    sessions,
    ofWindows,
    near,
    nearInWindows,
    then,
    thenInWindows,
    thenLately,
    nearPairs,
    matchedNear,
    matchedNearInWindows,
    deduped,
    lately,
    throughTable,
    untilFinal,
    slides,
    folds,
    folds,
    foldsInWindows,
    rolledInTime,
    comparedInWindows,
    joinedInWindows,
    joinedInWindows,
    whileValid,
  ])(random);
}

interface Shape {
  readonly shape: any;
  /** SQL of a row's windows: a query of `ws` and `we`. */
  readonly of: (at: string) => string;
}

/** Windows as SQL makes them of a time: the starts of a series that the time lies behind. */
function shapeOf(random: Random): Shape {
  const floor = (at: string, ms: number): string => `(${at} // ${ms} * ${ms})`;
  switch (random.of(['tumbling', 'hopping', 'cumulating'] as const)) {
    case 'tumbling': {
      const ms = random.of([10, 30]) * MINUTE;
      return {
        shape: tumbling(`${ms}ms`),
        of: (at) => `SELECT ${floor(at, ms)} AS ws, ${floor(at, ms)} + ${ms} AS we`,
      };
    }
    case 'hopping': {
      const [size, every] = random.of([
        [20, 10],
        [25, 10],
        [20, 5],
        [22, 4],
      ]) as [number, number];
      const [sizeMs, everyMs] = [size * MINUTE, every * MINUTE];
      return {
        shape: hopping(`${sizeMs}ms`, { every: `${everyMs}ms` }),
        of: (at) =>
          `SELECT s.i AS ws, s.i + ${sizeMs} AS we FROM unnest(range(${floor(at, everyMs)} - ${sizeMs - (sizeMs % everyMs)}, ${at} + 1, ${everyMs})) s(i) WHERE s.i + ${sizeMs} > ${at}`,
      };
    }
    case 'cumulating': {
      const [sizeMs, everyMs] = [60 * MINUTE, random.of([20, 10]) * MINUTE];
      return {
        shape: cumulating(`${sizeMs}ms`, { every: `${everyMs}ms` }),
        of: (at) =>
          `SELECT ${floor(at, sizeMs)} AS ws, e.i AS we FROM unnest(range(${floor(at, everyMs)} + ${everyMs}, ${floor(at, sizeMs)} + ${sizeMs} + 1, ${everyMs})) e(i)`,
      };
    }
  }
}

const RESULTS = {
  n: count(),
  total: sum('v' as never),
  least: min('v' as never),
  newest: max('id' as never),
};
const RESULTS_SQL = 'count(*) AS n, sum(v) AS total, min(v) AS least, max(id) AS newest';
const windowColumns = ['n', 'total', 'least', 'newest'].map(number);

interface Source {
  readonly name: 'one' | 'two';
  readonly rows: any;
  readonly sql: string;
}

function sourceOf(random: Random): Source {
  const [name, of] = random.of([
    ['one', one],
    ['two', two],
  ] as const);
  const rows: any = of;
  if (random.chance(0.6)) return { name, rows, sql: `SELECT * FROM ${name}` };
  const least = random.below(3);
  return {
    name,
    rows: rows.where((row: any) => row.v >= least),
    sql: `SELECT * FROM ${name} WHERE v >= ${least}`,
  };
}

/** Windows as they go, or when they are over. */
function windows(random: Random): TimedTwin {
  const { name, rows, sql } = sourceOf(random);
  return windowed(random, { rows, sql, at: 'at', watermark: watermarkOf(name), late: 'late' });
}

interface Windowable {
  readonly rows: any;
  readonly sql: string;
  readonly at: string;
  readonly watermark: string;
  /** The column of the watermark that a row came under; null where all rows count. */
  readonly late: string | null;
  readonly onTime?: ReadonlySet<string>;
}

function windowed(random: Random, { rows, sql, at, watermark, late, onTime }: Windowable): TimedTwin {
  const { shape, of } = shapeOf(random);
  // Rows that never go can be put into a sketch, which is exact of so few values.
  const isSketched = late !== null && random.chance(0.4);
  const groups = rows
    .window(shape, { on: at })
    .groupBy('k')
    .aggregate(isSketched ? { ...RESULTS, kinds: approxCountDistinct('v' as never) } : RESULTS);
  const isFinal = random.chance(0.5);
  const counted = late === null ? '' : `WHERE w.we > t."${late}"`;
  const all =
    `SELECT t.k AS k, w.ws AS "windowStart", w.we AS "windowEnd", ${RESULTS_SQL}${isSketched ? ', count(DISTINCT v) AS kinds' : ''} ` +
    `FROM (${sql}) t, LATERAL (${of(`t."${at}"`)}) w ${counted} GROUP BY t.k, w.ws, w.we`;
  return {
    rows: isFinal ? groups.final() : groups,
    sql: isFinal ? `SELECT * FROM (${all}) WHERE "windowEnd" <= ${watermark}` : all,
    columns: [
      text('k'),
      time('windowStart'),
      time('windowEnd'),
      ...windowColumns,
      ...(isSketched ? [number('kinds')] : []),
    ],
    onTime: onTime ?? NOTHING,
  };
}

/**
 * Events with the session they are in, as they came: each joins those near it that were not over by the watermark it came under,
 * or begins one. One that was late for a session of itself alone is in none.
 */
function inSessions(events: string, gapMs: number): string {
  const isNear = (session: string): string =>
    `${session}.s <= e."at" + ${gapMs} AND ${session}.l + ${gapMs} >= greatest(e."at", e.late)`;
  const joins = `list_filter(p.sessions, x -> ${isNear('x')})`;
  const stay = `list_filter(p.sessions, x -> NOT (${isNear('x')}))`;
  const own = `{'s': e."at", 'l': e."at", 'ids': [e.id]}`;
  const made = `list_append(${joins}, ${own})`;
  const joined =
    `{'s': list_min(list_transform(${made}, x -> x.s)), 'l': list_max(list_transform(${made}, x -> x.l)), ` +
    `'ids': flatten(list_transform(${made}, x -> x.ids))}`;
  return (
    `WITH RECURSIVE came AS (SELECT *, row_number() OVER (PARTITION BY k ORDER BY id) AS n FROM (${events}) WHERE "at" + ${gapMs} >= late), ` +
    `past(k, n, sessions) AS (` +
    `SELECT DISTINCT k, 0::BIGINT, []::STRUCT(s BIGINT, l BIGINT, ids INT[])[] FROM came ` +
    `UNION ALL SELECT p.k, e.n, list_append(${stay}, ${joined}) FROM past p JOIN came e ON e.k IS NOT DISTINCT FROM p.k AND e.n = p.n + 1), ` +
    `made AS (SELECT k, unnest(sessions) AS session FROM (SELECT k, arg_max(sessions, n) AS sessions FROM past GROUP BY k)) ` +
    `SELECT e.*, m.session.s AS ws, m.session.l + ${gapMs} AS we FROM made m JOIN came e ON list_contains(m.session.ids, e.id)`
  );
}

function sessions(random: Random): TimedTwin {
  const { name, rows, sql } = sourceOf(random);
  const gapMs = random.of([4, 9]) * MINUTE;
  const groups = rows
    .window(session(`${gapMs}ms`))
    .groupBy('k')
    .aggregate(RESULTS);
  const isFinal = random.chance(0.5);
  const all =
    `SELECT k, any_value(ws) AS "windowStart", any_value(we) AS "windowEnd", ${RESULTS_SQL} ` +
    `FROM ${madeFirst(inSessions(sql, gapMs))} GROUP BY k, ws`;
  return {
    rows: isFinal ? groups.final() : groups,
    sql: isFinal ? `SELECT * FROM (${all}) WHERE "windowEnd" < ${watermarkOf(name)}` : all,
    columns: [text('k'), time('windowStart'), time('windowEnd'), ...windowColumns],
    onTime: NOTHING,
  };
}

/** The first rows of windows, or what rows have of their place in them. */
function ofWindows(random: Random): TimedTwin {
  const { rows, sql } = sourceOf(random);
  const { shape, of } = shapeOf(random);
  const columns = [number('id'), time('at'), text('k'), number('v'), time('windowStart'), time('windowEnd')];
  const inWindow = rows.window(shape).rows();
  const all =
    `SELECT t.id, t."at", t.k, t.v, w.ws AS "windowStart", w.we AS "windowEnd" ` +
    `FROM (${sql}) t, LATERAL (${of('t."at"')}) w WHERE w.we > t.late`;
  const per = ['windowStart', 'windowEnd', ...(random.chance(0.5) ? ['k'] : [])];
  const partition = `PARTITION BY ${per.map((name) => `"${name}"`).join(', ')} ORDER BY v DESC, id`;
  if (random.chance(0.5)) {
    const size = 1 + random.below(2);
    return {
      rows: inWindow.top(size, { per, order: ['v.desc', 'id'] }),
      sql: `SELECT ${list(columns)} FROM (SELECT *, row_number() OVER (${partition}) AS place FROM (${all})) WHERE place <= ${size}`,
      columns,
      onTime: NOTHING,
    };
  }
  return {
    rows: inWindow.over(
      { per, order: ['v.desc', 'id'] },
      { place: rowNumber(), lately: rolling(sum('v' as never), { rows: 2 }) },
    ),
    sql: `SELECT *, row_number() OVER (${partition}) AS place, sum(v) OVER (${partition} ROWS 1 PRECEDING) AS lately FROM (${all})`,
    columns: [...columns, number('place'), number('lately')],
    onTime: NOTHING,
  };
}

const BEFORE = 6 * MINUTE;
const AFTER = 3 * MINUTE;

/** Events of both streams that lie near each other, and those that are alone for certain. */
function pairs(random: Random): { rows: any; sql: string } {
  const kind = random.of(['inner', 'left', 'right', 'full'] as const);
  const method = { inner: 'join', left: 'leftJoin', right: 'rightJoin', full: 'fullJoin' }[kind];
  const conditioned = random.chance(0.3);
  const rows = (one as any)
    [method](
      { r: two },
      {
        on: { k: 'k' },
        within: { before: `${BEFORE}ms`, after: `${AFTER}ms` },
        ...(conditioned && { where: (row: any) => row.v <= row.r.v }),
      },
    )
    .select({ id: 'id', at: 'at', k: 'k', v: 'v', other: 'r.id', rat: 'r.at' });
  const side = (name: string): string => `(SELECT * FROM ${name} WHERE "at" >= late)`;
  const on = `l.k = r.k AND r."at" BETWEEN l."at" - ${BEFORE} AND l."at" + ${AFTER}${conditioned ? ' AND l.v <= r.v' : ''}`;
  const sql =
    `SELECT l.id AS id, l."at" AS "at", l.k AS k, l.v AS v, r.id AS other, r."at" AS rat FROM ${side('one')} l ${kind.toUpperCase()} JOIN ${side('two')} r ON ${on} ` +
    `WHERE (r.id IS NOT NULL OR l.k IS NULL OR l."at" + ${AFTER} < ${watermarkOf('two')}) ` +
    `AND (l.id IS NOT NULL OR r.k IS NULL OR r."at" + ${BEFORE} < ${watermarkOf('one')})`;
  return { rows, sql };
}

function near(random: Random): TimedTwin {
  const columns = [number('id'), time('at'), text('k'), number('v'), number('other'), time('rat')];
  return { ...pairs(random), columns, onTime: NOTHING };
}

function nearInWindows(random: Random): TimedTwin {
  const { rows, sql } = pairs(random);
  // Of full joins those without a left event have no time to be in a window by.
  const timedRows = rows.where((row: any) => row.at !== null);
  return windowed(random, {
    rows: timedRows,
    sql: `SELECT * FROM (${sql}) WHERE "at" IS NOT NULL`,
    at: 'at',
    watermark: `least(${watermarkOf('one')}, ${watermarkOf('two')} - ${AFTER})`,
    late: null,
  });
}

/** Pairs, whose left may be missing, with what is near the left. */
function nearPairs(random: Random): TimedTwin {
  const { rows, sql } = pairs(random);
  return {
    rows: rows
      .join(
        { q: two },
        { on: { k: 'k' }, within: { before: `${AFTER}ms`, after: `${BEFORE}ms`, left: 'at' } },
      )
      .select({ id: 'id', at: 'at', k: 'k', v: 'v', other: 'other', near: 'q.id' }),
    sql:
      `SELECT l.id, l."at", l.k, l.v, l.other, q.id AS near FROM (${sql}) l JOIN (SELECT * FROM two WHERE "at" >= late) q ` +
      `ON l.k = q.k AND q."at" BETWEEN l."at" - ${AFTER} AND l."at" + ${BEFORE}`,
    columns: [number('id'), time('at'), text('k'), number('v'), number('other'), number('near')],
    onTime: NOTHING,
  };
}

/** Events that have one of the other stream near them, or for certain none. */
function matching(random: Random): { rows: any; sql: string; watermark: string } {
  const anti = random.chance(0.5);
  const { name, rows, sql } = sourceOf(random);
  const [other, otherName] = name === 'one' ? [two, 'two'] : [one, 'one'];
  const conditioned = random.chance(0.3);
  const exists =
    `EXISTS (SELECT 1 FROM (SELECT * FROM ${otherName} WHERE "at" >= late) r WHERE l.k = r.k ` +
    `AND r."at" BETWEEN l."at" - ${BEFORE} AND l."at" + ${AFTER}${conditioned ? ' AND l.v <= r.v' : ''})`;
  const isOver = `(l.k IS NULL OR l."at" + ${AFTER} < ${watermarkOf(otherName)})`;
  return {
    rows: rows[anti ? 'antiJoin' : 'semiJoin'](other, {
      on: { k: 'k' },
      within: { before: `${BEFORE}ms`, after: `${AFTER}ms` },
      ...(conditioned && { where: (l: any, r: any) => l.v <= r.v }),
    }),
    sql:
      `SELECT l.id, l."at", l.k, l.v FROM (SELECT * FROM (${sql}) WHERE "at" >= late) l ` +
      `WHERE ${anti ? `NOT ${exists} AND ${isOver}` : exists}`,
    watermark: `least(${watermarkOf(name)}, ${watermarkOf(otherName)} - ${AFTER})`,
  };
}

function matchedNear(random: Random): TimedTwin {
  const columns = [number('id'), time('at'), text('k'), number('v')];
  const { rows, sql } = matching(random);
  return { rows, sql, columns, onTime: NOTHING };
}

function matchedNearInWindows(random: Random): TimedTwin {
  return windowed(random, { ...matching(random), at: 'at', late: null });
}

/** Events with what held when they happened. */
function versions(random: Random): { rows: any; sql: string; name: string } {
  const { name, rows, sql } = sourceOf(random);
  const outer = random.chance(0.6);
  const joinedRows = rows[outer ? 'leftJoinAsOf' : 'joinAsOf']({ r: facts }, { on: { k: 'k' } });
  return {
    name,
    rows: joinedRows.select({ id: 'id', at: 'at', k: 'k', v: 'v', f: 'r.f' }),
    sql:
      `SELECT l.id, l."at", l.k, l.v, r.f FROM (SELECT * FROM (${sql}) WHERE "at" >= late) l ASOF LEFT JOIN facts r ` +
      `ON l.k = r.k AND l."at" >= r.since${outer ? '' : ' WHERE r.f IS NOT NULL'}`,
  };
}

function then(random: Random): TimedTwin {
  const { rows, sql } = versions(random);
  const columns = [number('id'), time('at'), text('k'), number('v'), number('f')];
  return { rows, sql, columns, onTime: new Set(['facts']) };
}

function thenInWindows(random: Random): TimedTwin {
  const { rows, sql, name } = versions(random);
  return windowed(random, {
    rows,
    sql,
    at: 'at',
    watermark: `least(${watermarkOf(name)}, ${watermarkOf('facts')})`,
    late: null,
    onTime: new Set(['facts']),
  });
}

/** The events alone say how late it is: the table may lie still for long. */
function thenLately(random: Random): TimedTwin {
  const { rows, sql, name } = versions(random);
  const ageMs = random.of([15, 60]) * MINUTE;
  return {
    rows: rows.last(`${ageMs}ms`).groupBy('k').aggregate(RESULTS),
    sql: `SELECT k, ${RESULTS_SQL} FROM (${sql}) WHERE "at" + ${ageMs} > ${clockOf(name)} GROUP BY k`,
    columns: [text('k'), ...windowColumns],
    onTime: new Set(['facts']),
  };
}

function deduped(random: Random): TimedTwin {
  const { rows, sql } = sourceOf(random);
  const withinMs = random.of([5, 15]) * MINUTE;
  const columns = [number('id'), time('at'), text('k'), number('v')];
  return {
    rows: rows.dedupe({ by: 'k', within: `${withinMs}ms`, on: 'at' }),
    sql:
      `SELECT ${list(columns)} FROM (SELECT *, "at" - lag("at") OVER (PARTITION BY k ORDER BY "at", id::VARCHAR) AS gap ` +
      `FROM (${sql}) WHERE "at" >= late) WHERE gap IS NULL OR gap > ${withinMs}`,
    columns,
    onTime: NOTHING,
  };
}

function lately(random: Random): TimedTwin {
  const { name, rows, sql } = sourceOf(random);
  const ageMs = random.of([15, 60]) * MINUTE;
  return {
    rows: rows.last(`${ageMs}ms`).groupBy('k').aggregate(RESULTS),
    sql: `SELECT k, ${RESULTS_SQL} FROM (${sql}) WHERE "at" + ${ageMs} > ${clockOf(name)} GROUP BY k`,
    columns: [text('k'), ...windowColumns],
    onTime: NOTHING,
  };
}

/** Nothing is late behind a table, and nothing is ever over. */
function throughTable(random: Random): TimedTwin {
  const { rows, sql } = sourceOf(random);
  const { shape, of } = shapeOf(random);
  const named = rows
    .leftJoin({ place: places }, { on: { k: 'k' } })
    .select({ id: 'id', at: 'at', v: 'v', p: 'place.p' });
  return {
    rows: named.window(shape, { on: 'at' }).groupBy('p').aggregate(RESULTS),
    sql:
      `SELECT p, w.ws AS "windowStart", w.we AS "windowEnd", ${RESULTS_SQL} FROM (SELECT e.id, e."at", e.v, s.p FROM (${sql}) e LEFT JOIN places s ON e.k = s.k) t, ` +
      `LATERAL (${of('t."at"')}) w GROUP BY p, w.ws, w.we`,
    columns: [number('p'), time('windowStart'), time('windowEnd'), ...windowColumns],
    onTime: NOTHING,
  };
}

/** A window that ends with each event, and one just behind each that others follow. */
function slides(random: Random): TimedTwin {
  const { name, rows, sql } = sourceOf(random);
  const sizeMs = random.of([4, 10]) * MINUTE;
  const groups = rows
    .window(sliding(`${sizeMs}ms`))
    .groupBy('k')
    .aggregate(RESULTS);
  const isFinal = random.chance(0.5);
  const counted = `SELECT * FROM (${sql}) WHERE "at" + ${sizeMs} >= late`;
  const starts =
    `SELECT DISTINCT k, "at" - ${sizeMs} AS ws FROM (${counted}) WHERE "at" >= late ` +
    `UNION SELECT DISTINCT e.k, e."at" + 1 AS ws FROM (${counted}) e WHERE EXISTS (SELECT 1 FROM (${counted}) f ` +
    `WHERE f.k IS NOT DISTINCT FROM e.k AND f."at" > e."at" AND greatest(f."at", f.late) <= e."at" + 1 + ${sizeMs})`;
  const all =
    `SELECT w.k AS k, w.ws AS "windowStart", w.ws + ${sizeMs} AS "windowEnd", ${RESULTS_SQL} FROM (${starts}) w ` +
    `JOIN (${counted}) t ON t.k IS NOT DISTINCT FROM w.k AND t."at" BETWEEN w.ws AND w.ws + ${sizeMs} AND t.late <= w.ws + ${sizeMs} GROUP BY w.k, w.ws`;
  return {
    rows: isFinal ? groups.final() : groups,
    sql: isFinal ? `SELECT * FROM (${all}) WHERE "windowEnd" < ${watermarkOf(name)}` : all,
    columns: [text('k'), time('windowStart'), time('windowEnd'), ...windowColumns],
    onTime: NOTHING,
  };
}

/**
 * Events folded in the order of the log, which is that of their ids: those of a window, of a moment, or all, for which none is
 * late. An event may end what came before it.
 */
function folded(random: Random): TimedTwin & { readonly name: string; readonly open: string | null } {
  const { name, rows, sql } = sourceOf(random);
  const ends = random.chance(0.4);
  const evolved = (groups: any): any =>
    groups
      .evolve(z.object({ n: z.int(), newest: z.int(), trail: z.string() }), { n: 0, newest: 0, trail: '' })
      .with((state: any, { id, v }: any) =>
        ends && v === 0 ? null : { n: state.n + 1, newest: id, trail: `${state.trail}${v}` },
      );
  const foldedSql = (by: readonly TimedColumn[], events: string): string =>
    `SELECT ${list(by)}, count(*) AS n, max(id) AS newest, string_agg(v::VARCHAR, '' ORDER BY id) AS trail ` +
    `FROM (SELECT *, max(CASE WHEN ${ends} AND v = 0 THEN id END) OVER (PARTITION BY ${list(by)}) AS ended FROM (${events})) ` +
    `WHERE ended IS NULL OR id > ended GROUP BY ${list(by)}`;
  const results = [number('n'), number('newest'), text('trail')];
  const twin = (groups: any, by: readonly TimedColumn[], events: string, open: string | null) => ({
    rows: evolved(groups),
    sql: foldedSql(by, events),
    columns: [...by, ...results],
    onTime: NOTHING,
    name,
    open,
  });
  if (random.chance(0.15)) return twin(rows.groupBy('k'), [text('k')], sql, null);
  if (random.chance(0.2))
    return twin(
      rows.groupBy('k', 'at'),
      [text('k'), time('at')],
      `SELECT * FROM (${sql}) WHERE "at" >= late`,
      'at',
    );
  const { shape, of } = shapeOf(random);
  return twin(
    rows.window(shape).groupBy('k'),
    [text('k'), time('windowStart'), time('windowEnd')],
    `SELECT t.*, w.ws AS "windowStart", w.we AS "windowEnd" FROM (${sql}) t, LATERAL (${of('t."at"')}) w WHERE w.we > t.late`,
    'windowEnd',
  );
}

/** As they go, or when they are over. */
function folds(random: Random): TimedTwin {
  const { name, open, ...twin } = folded(random);
  if (open === null || random.chance(0.6)) return twin;
  const over = open === 'at' ? `"at" < ${watermarkOf(name)}` : `"windowEnd" <= ${watermarkOf(name)}`;
  return { ...twin, rows: twin.rows.final(), sql: `SELECT * FROM (${twin.sql}) WHERE ${over}` };
}

/** In windows of what they were folded by. */
function foldsInWindows(random: Random): TimedTwin {
  const { name, open, ...twin } = folded(random);
  if (open === null) return twin;
  const { rows, sql } = twin;
  return windowed(random, {
    rows: rows.select({ id: 'newest', v: 'n', k: 'k', t: open }),
    sql: `SELECT newest AS id, n AS v, k, "${open}" AS t FROM (${sql})`,
    at: 't',
    // No window ends at the watermark any more, but an event may still be there.
    watermark: open === 'at' ? watermarkOf(name) : `(${watermarkOf(name)} + 1)`,
    late: null,
  });
}

/** Events with what happened around them: those that the watermark has passed are forgotten, and stay as they were shown. */
function rolledInTime(random: Random): TimedTwin {
  const { rows, sql } = sourceOf(random);
  const [beforeMs, afterMs] = [random.of([3, 12, 30]) * MINUTE, random.of([0, 0, 5]) * MINUTE];
  const [before, after, ahead] = [random.below(3), random.of([0, 1]), random.of([1, 1, 2])];
  const columns = [number('id'), time('at'), text('k'), number('v')];
  const inTime = 'PARTITION BY k ORDER BY "at"';
  // Events of the same moment follow one another as their texts do.
  const oneByOne = `${inTime}, id::VARCHAR`;
  const made = [
    {
      name: freshName(),
      of: rolling(sum('v' as never), { range: { before: `${beforeMs}ms`, after: `${afterMs}ms` } }),
      sql: `sum(v) OVER (${inTime} RANGE BETWEEN ${beforeMs} PRECEDING AND ${afterMs} FOLLOWING)`,
    },
    {
      name: freshName(),
      of: rolling(max('v' as never), { rows: { before, after } }),
      sql: `max(v) OVER (${oneByOne} ROWS BETWEEN ${before} PRECEDING AND ${after} FOLLOWING)`,
    },
    {
      name: freshName(),
      of: rolling(sum('v' as never), { rows: 'all' }),
      sql: `sum(v) OVER (${oneByOne} ROWS UNBOUNDED PRECEDING)`,
    },
    {
      name: freshName(),
      of: rolling(
        countIf((row: any) => row.v >= 2),
        { range: { before: 'all' } },
      ),
      sql: `count(*) FILTER (WHERE v >= 2) OVER (${inTime} RANGE UNBOUNDED PRECEDING)`,
    },
    { name: freshName(), of: lag('id' as never), sql: `lag(id) OVER (${oneByOne})` },
    {
      name: freshName(),
      of: lead('id' as never, { offset: ahead }),
      sql: `lead(id, ${ahead}) OVER (${oneByOne})`,
    },
    {
      name: freshName(),
      of: firstValue('id' as never, { range: `${beforeMs}ms` }),
      sql: `arg_min(id, lpad("at"::VARCHAR, 20, '0') || id::VARCHAR) OVER (${inTime} RANGE BETWEEN ${beforeMs} PRECEDING AND CURRENT ROW)`,
    },
    {
      name: freshName(),
      of: lastValue('v' as never, { rows: { after: ahead } }),
      sql: `last_value(v) OVER (${oneByOne} ROWS BETWEEN CURRENT ROW AND ${ahead} FOLLOWING)`,
    },
    { name: freshName(), of: rank(), sql: `rank() OVER (${inTime})` },
  ];
  const some = random.some(made, 1, 4);
  return {
    rows: rows.over({ per: 'k', order: 'at' }, Object.fromEntries(some.map(({ name, of }) => [name, of]))),
    sql: `SELECT ${list(columns)}, ${some.map((one) => `${one.sql} AS ${one.name}`).join(', ')} FROM (${sql}) WHERE "at" >= late`,
    columns: [...columns, ...some.map(({ name }) => number(name))],
    onTime: NOTHING,
  };
}

/** Windows in which one stream has something that the other has not, or has too. */
function comparedInWindows(random: Random): TimedTwin {
  const sizeMs = 10 * MINUTE;
  const all = random.chance(0.5);
  const op = random.of(['except', 'intersect'] as const);
  const side = (of: any): any =>
    of
      .window(tumbling(`${sizeMs}ms`))
      .rows()
      .select({ k: 'k', v: 'v', windowEnd: 'windowEnd' });
  const sideSql = (name: string): string =>
    `SELECT k, v, "windowEnd" FROM (SELECT *, "at" // ${sizeMs} * ${sizeMs} + ${sizeMs} AS "windowEnd" FROM ${name}) WHERE "windowEnd" > late`;
  return {
    rows: side(one)[op](side(two), { all }),
    sql: `${sideSql('one')} ${op.toUpperCase()} ${all ? 'ALL' : ''} ${sideSql('two')}`,
    columns: [text('k'), number('v'), time('windowEnd')],
    onTime: NOTHING,
  };
}

/** Rows of windows of both streams, or what is made of each window, joined by window. */
function joinedInWindows(random: Random): TimedTwin {
  const sizeMs = 10 * MINUTE;
  const side = (of: any, name: string): { rows: any; sql: string } => {
    const windows = of.window(tumbling(`${sizeMs}ms`));
    const sql = `SELECT id, k, v, "windowEnd" FROM (SELECT *, "at" // ${sizeMs} * ${sizeMs} + ${sizeMs} AS "windowEnd" FROM ${name}) WHERE "windowEnd" > late`;
    if (random.chance(0.5)) return { rows: windows.rows(), sql };
    return {
      rows: windows.groupBy('k').aggregate({ id: max('id' as never), v: count() }),
      sql: `SELECT max(id) AS id, k, count(*) AS v, "windowEnd" FROM (${sql}) GROUP BY k, "windowEnd"`,
    };
  };
  const [left, right] = [side(one, 'one'), side(two, 'two')];
  const byKey = random.chance(0.7);
  const conditioned = random.chance(0.4);
  const on = { windowEnd: 'windowEnd', ...(byKey && { k: 'k' }) };
  const onSql = `l."windowEnd" = r."windowEnd"${byKey ? ' AND l.k = r.k' : ''}${conditioned ? ' AND l.v <= r.v' : ''}`;
  const kind = random.of(['inner', 'left', 'right', 'full', 'semi', 'anti'] as const);
  const over = (column: string): string =>
    `"${column}" <= least(${watermarkOf('one')}, ${watermarkOf('two')})`;
  const isFinal = kind !== 'full' && random.chance(0.5);
  if (kind === 'semi' || kind === 'anti') {
    const columns = [number('id'), text('k'), number('v'), time('we')];
    const rows = left.rows[`${kind}Join`](right.rows, {
      on,
      ...(conditioned && { where: (l: any, r: any) => l.v <= r.v }),
    }).select({ id: 'id', k: 'k', v: 'v', we: 'windowEnd' });
    const sql = `SELECT id, k, v, "windowEnd" AS we FROM (${left.sql}) l WHERE ${kind === 'anti' ? 'NOT ' : ''}EXISTS (SELECT 1 FROM (${right.sql}) r WHERE ${onSql})`;
    return {
      rows: isFinal ? rows.final() : rows,
      sql: isFinal ? `SELECT * FROM (${sql}) WHERE ${over('we')}` : sql,
      columns,
      onTime: NOTHING,
    };
  }
  const method = { inner: 'join', left: 'leftJoin', right: 'rightJoin', full: 'fullJoin' }[kind];
  const rows = left.rows[method](
    { r: right.rows },
    { on, ...(conditioned && { where: (row: any) => row.v <= row.r.v }) },
  ).select({ id: 'id', k: 'k', v: 'v', we: 'windowEnd', other: 'r.id', rend: 'r.windowEnd' });
  const sql =
    `SELECT l.id AS id, l.k AS k, l.v AS v, l."windowEnd" AS we, r.id AS other, r."windowEnd" AS rend ` +
    `FROM (${left.sql}) l ${kind.toUpperCase()} JOIN (${right.sql}) r ON ${onSql}`;
  return {
    rows: isFinal ? rows.final() : rows,
    sql: isFinal ? `SELECT * FROM (${sql}) WHERE ${over(kind === 'right' ? 'rend' : 'we')}` : sql,
    columns: [number('id'), text('k'), number('v'), time('we'), number('other'), time('rend')],
    onTime: NOTHING,
  };
}

/** From one time of an event until another, which may be never. */
function whileValid(random: Random): TimedTwin {
  const { name, rows, sql } = sourceOf(random);
  const [fromMs, untilMs] = [random.below(3) * 10 * MINUTE, random.of([15, 40]) * MINUTE];
  const later = (ms: number, never: boolean): unknown =>
    computed(instant().nullable(), ((row: any) =>
      never && row.v === 4 ? null : new Date(Date.parse(row.at) + ms).toISOString()) as never);
  const columns = [number('id'), time('at'), text('k'), number('v')];
  const valid = rows
    .select({ id: 'id', at: 'at', k: 'k', v: 'v', since: later(fromMs, false), until: later(untilMs, true) })
    .during({ from: 'since', until: 'until' });
  return {
    rows: valid.select({ id: 'id', at: 'at', k: 'k', v: 'v' }),
    sql: `SELECT ${list(columns)} FROM (${sql}) WHERE ${clockOf(name)} >= "at" + ${fromMs} AND (v = 4 OR ${clockOf(name)} < "at" + ${untilMs})`,
    columns,
    onTime: NOTHING,
  };
}

/** Events as such, in the order of their watermark. */
function untilFinal(random: Random): TimedTwin {
  const { name, rows, sql } = sourceOf(random);
  const columns = [number('id'), time('at'), text('k'), number('v')];
  return {
    rows: rows.final().select({ id: 'id', at: 'at', k: 'k', v: 'v' }),
    sql: `SELECT ${list(columns)} FROM (${sql}) WHERE "at" >= late AND "at" < ${watermarkOf(name)}`,
    columns,
    onTime: NOTHING,
  };
}

// What does not act on time, behind it.

const numbersOf = ({ columns }: TimedTwin): TimedColumn[] => columns.filter(({ kind }) => kind === 'number');

function narrowed(random: Random, twin: TimedTwin): TimedTwin {
  const { name } = random.of(numbersOf(twin));
  const bound = random.below(6);
  return {
    ...twin,
    rows: twin.rows.where((row: any) => row[name] === null || row[name] <= bound),
    sql: `SELECT * FROM (${twin.sql}) WHERE "${name}" IS NULL OR "${name}" <= ${bound}`,
  };
}

function grouped(random: Random, twin: TimedTwin): TimedTwin {
  const by = random.some(twin.columns, 1, 2);
  const of = random.of(numbersOf(twin)).name;
  const made = [freshName(), freshName(), freshName(), freshName()] as const;
  return {
    ...twin,
    rows: twin.rows.groupBy(...by.map(({ name }) => name)).aggregate({
      [made[0]]: count(),
      [made[1]]: sum(of as never),
      [made[2]]: min(of as never),
      [made[3]]: max(of as never),
    }),
    sql: `SELECT ${list(by)}, count(*) AS ${made[0]}, sum("${of}") AS ${made[1]}, min("${of}") AS ${made[2]}, max("${of}") AS ${made[3]} FROM (${twin.sql}) GROUP BY ${list(by)}`,
    columns: [...by, ...made.map(number)],
  };
}

/** An order of all columns: rows that tie are equal. */
function ordered(random: Random, columns: readonly TimedColumn[]): { order: string[]; sql: string } {
  const terms = random.some(columns, columns.length).map(({ name }) => ({ name, down: random.chance(0.5) }));
  return {
    order: terms.map(({ name, down }) => (down ? `${name}.desc` : name)),
    sql: terms
      .map(({ name, down }) => `"${name}" ${down ? 'DESC NULLS FIRST' : 'ASC NULLS LAST'}`)
      .join(', '),
  };
}

function topped(random: Random, twin: TimedTwin): TimedTwin {
  const per = random.some(twin.columns, 1, 2);
  const { order, sql } = ordered(random, twin.columns);
  const size = 1 + random.below(2);
  return {
    ...twin,
    rows: twin.rows.top(size, { per: per.map(({ name }) => name), order }),
    sql: `SELECT ${list(twin.columns)} FROM (SELECT *, row_number() OVER (PARTITION BY ${list(per)} ORDER BY ${sql}) AS "__n" FROM (${twin.sql})) WHERE "__n" <= ${size}`,
  };
}

function ranked(random: Random, twin: TimedTwin): TimedTwin {
  const per = random.some(twin.columns, 1, 1);
  const { order, sql } = ordered(random, random.some(twin.columns, 1, 2));
  const place = freshName();
  return {
    ...twin,
    rows: twin.rows.over({ per: per.map(({ name }) => name), order }, { [place]: rank() }),
    sql: `SELECT *, rank() OVER (PARTITION BY ${list(per)} ORDER BY ${sql}) AS ${place} FROM (${twin.sql})`,
    columns: [...twin.columns, number(place)],
  };
}

function distinct(random: Random, twin: TimedTwin): TimedTwin {
  const columns = random.some(twin.columns, 1);
  if (!columns.some(({ kind }) => kind === 'number')) columns.push(random.of(numbersOf(twin)));
  return {
    ...twin,
    rows: twin.rows.select(Object.fromEntries(columns.map(({ name }) => [name, name]))).distinct(),
    sql: `SELECT DISTINCT ${list(columns)} FROM (${twin.sql})`,
    columns,
  };
}

/** With what a table says now. */
function placed(_random: Random, twin: TimedTwin): TimedTwin {
  const on = twin.columns.find(({ kind }) => kind === 'text');
  if (on === undefined) return twin;
  const [side, name] = [freshName(), freshName()];
  return {
    ...twin,
    rows: twin.rows.leftJoin({ [side]: places }, { on: { [on.name]: 'k' } }).select({
      ...Object.fromEntries(twin.columns.map((column) => [column.name, column.name])),
      [name]: computed(z.int().nullable(), ((row: any) => row[side]?.p ?? null) as never),
    }),
    sql: `SELECT ${list(twin.columns, 'l.')}, s.p AS ${name} FROM (${twin.sql}) l LEFT JOIN places s ON l."${on.name}" = s.k`,
    columns: [...twin.columns, number(name)],
  };
}

/** The pairs with other rows that act on time. */
function joined(random: Random, twin: TimedTwin): TimedTwin {
  const other = timed(random);
  const pair = alike(random, twin, other);
  const taken = random.of(numbersOf(other)).name;
  const [side, name] = [freshName(), freshName()];
  const outer = random.chance(0.5);
  return {
    rows: twin.rows[outer ? 'leftJoin' : 'join'](
      { [side]: other.rows },
      { on: { [pair.own]: pair.other } },
    ).select({
      ...Object.fromEntries(twin.columns.map((column) => [column.name, column.name])),
      [name]: `${side}.${taken}`,
    }),
    sql: `SELECT ${list(twin.columns, 'l.')}, r."${taken}" AS ${name} FROM (${twin.sql}) l ${outer ? 'LEFT' : 'INNER'} JOIN (${other.sql}) r ON l."${pair.own}" = r."${pair.other}"`,
    columns: [...twin.columns, number(name)],
    onTime: both(twin.onTime, other.onTime),
  };
}

function matched(random: Random, twin: TimedTwin): TimedTwin {
  const other = timed(random);
  const pair = alike(random, twin, other);
  const anti = random.chance(0.5);
  return {
    ...twin,
    rows: twin.rows[anti ? 'antiJoin' : 'semiJoin'](other.rows, { on: { [pair.own]: pair.other } }),
    sql: `SELECT * FROM (${twin.sql}) l WHERE ${anti ? 'NOT ' : ''}EXISTS (SELECT 1 FROM (${other.sql}) r WHERE l."${pair.own}" = r."${pair.other}")`,
    onTime: both(twin.onTime, other.onTime),
  };
}

function alike(random: Random, left: TimedTwin, right: TimedTwin): { own: string; other: string } {
  const pairsOfColumns = left.columns.flatMap((own) =>
    right.columns
      .filter(({ kind }) => kind === own.kind)
      .map((other) => ({ own: own.name, other: other.name })),
  );
  return random.of(pairsOfColumns);
}
