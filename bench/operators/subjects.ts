import {
  approxContains,
  approxCountDistinct,
  approxPercentile,
  approxTopK,
  avg,
  collect,
  collectDistinct,
  computed,
  count,
  countDistinct,
  countIf,
  every,
  first,
  histogram,
  instant,
  joinText,
  lag,
  last,
  max,
  maxBy,
  median,
  min,
  minBy,
  percentile,
  rolling,
  session,
  sliding,
  some,
  stddev,
  stream,
  sum,
  sumIf,
  table,
  topK,
  tumbling,
  variance,
  view,
  type Aggregate,
  type View,
} from 'stillwater';
import { z } from 'zod';
import type { ViewSpec } from '../declared-views.js';
import { AGAIN, type MadeRow } from './made-rows.js';

const schema = z.object({
  id: z.int(),
  group: z.string(),
  key: z.string(),
  other: z.int(),
  again: z.int(),
  value: z.number(),
  flag: z.boolean(),
  tags: z.array(z.string()),
  at: instant(),
});

/** The relation whose rows change. */
const changing = (stream: string) => table(stream, { schema, key: 'id' });
type Rows = ReturnType<typeof changing>;
/** As many rows, which stay as they are: what the others are joined with. */
const still = (stream: string) => table(`${stream}-other`, { schema, key: 'id' });

/** The same, of which the latest before a time is asked for. */
const stillAsOf = (stream: string) => table(`${stream}-other`, { schema, key: 'id', eventTime: 'at' });

/** Rows that only come, and as many that stay as they are. */
const coming = (name: string) => stream(name, { schema, eventTime: 'at', lateness: '1m' });

/** The same by their type, of which there is one. */
const told = (name: string) =>
  stream(name, { schema: z.discriminatedUnion('kind', [schema.extend({ kind: z.literal('Changed') })]) });

/** What is measured: one operator or aggregate over relations of different sizes. */
export interface Subject {
  readonly name: string;
  readonly family: 'table' | 'shape' | 'sets' | 'join' | 'order' | 'window' | 'time' | 'aggregate';
  /** Reads the relation that stays as it is, too. */
  readonly joins: boolean;
  /** Its rows only come: nothing is retracted. */
  readonly appends?: boolean;
  readonly view: (spec: ViewSpec) => View<any, any>;
  /** The largest relation it is measured on; and why a change may cost more in a larger one. */
  readonly sizeMax?: number;
  readonly grows?: string;
  /** How many rows change at a time at most: where more of a small relation would share what they read or write. */
  readonly changesMax?: number;
}

type Named = Omit<Subject, 'family' | 'joins' | 'appends' | 'view'>;

const shaped = (
  family: Subject['family'],
  name: string,
  of: (rows: Rows) => any,
  more: Partial<Named> & { key?: string | readonly string[] } = {},
): Subject => ({
  name,
  family,
  joins: false,
  view: (spec) =>
    view(spec.name, { from: of(changing(spec.stream)), ...(more.key && { key: more.key }) } as any),
  ...more,
});

const paired = (
  family: Subject['family'],
  name: string,
  of: (rows: Rows, others: Rows) => any,
  more: Partial<Named> & { key?: string | readonly string[] } = {},
): Subject => ({
  name,
  family,
  joins: true,
  view: (spec) =>
    view(spec.name, {
      from: of(changing(spec.stream), still(spec.stream)),
      ...(more.key && { key: more.key }),
    } as any),
  ...more,
});

const appended = (
  family: Subject['family'],
  name: string,
  of: (spec: ViewSpec) => any,
  more: Partial<Named> & { joins?: boolean; key?: string | readonly string[]; retain?: string } = {},
): Subject => ({
  joins: false,
  name,
  family,
  appends: true,
  view: (spec) =>
    view(spec.name, {
      from: of(spec),
      ...(more.key && { key: more.key }),
      ...(more.retain && { retain: more.retain }),
    } as any),
  ...more,
});

/** Of a sketch that takes no row back. */
const sketch = (name: string, of: Aggregate<MadeRow, unknown>): Subject =>
  appended('aggregate', name, ({ stream }) =>
    coming(stream)
      .groupBy('group')
      .aggregate({ result: of as any }),
  );

/** All rows are of one group: its size is the relation's. */
const aggregate = (name: string, of: Aggregate<MadeRow, unknown>, more: Partial<Named> = {}): Subject => ({
  name,
  family: 'aggregate',
  joins: false,
  view: (spec) =>
    view(spec.name, {
      from: changing(spec.stream)
        .groupBy('group')
        .aggregate({ result: of as any }),
    }),
  ...more,
});

const WHOLE = { sizeMax: 1_000, grows: 'its result is as large as its group, and written whole' };

export const subjects: readonly Subject[] = [
  shaped('table', 'table', (rows) => rows),
  shaped('shape', 'where', (rows) => rows.where(({ value }) => value >= 0)),
  shaped('shape', 'select', (rows) =>
    rows.select({ id: 'id', twice: computed(z.number(), ({ value }) => value * 2) }),
  ),
  shaped(
    'shape',
    'flatMap',
    (rows) =>
      rows.flatMap(z.object({ id: z.int(), value: z.number() }), (row) => [{ id: row.id, value: row.value }]),
    { key: 'id' },
  ),
  shaped(
    'shape',
    'unnest',
    (rows) =>
      rows
        .unnest('tags', { as: 'tag' })
        .select({ id: 'id', tag: 'tag' })
        .where(({ tag }) => tag.startsWith('a')),
    { key: 'id' },
  ),
  shaped('shape', 'union', (rows) => rows.where(({ flag }) => flag).union(rows.where(({ flag }) => !flag)), {
    key: 'id',
  }),
  shaped('sets', 'distinct', (rows) => rows.select({ key: 'key', value: 'value' }).distinct()),
  paired('sets', 'except', (rows, others) =>
    rows
      .select({ key: 'key', flag: 'flag' })
      .except(others.where(({ flag }) => flag).select({ key: 'key', flag: 'flag' })),
  ),
  paired('sets', 'intersect', (rows, others) =>
    rows.select({ key: 'key', flag: 'flag' }).intersect(others.select({ key: 'key', flag: 'flag' })),
  ),
  paired('join', 'join', (rows, others) => rows.join({ one: others }, { on: { again: 'id' } })),
  paired('join', 'leftJoin', (rows, others) => rows.leftJoin({ one: others }, { on: { again: 'id' } })),
  paired(
    'join',
    'rightJoin',
    (rows, others) =>
      rows.rightJoin({ one: others }, { on: { again: 'id' } }).select({ key: 'one.key', id: 'id' }),
    { key: ['key', 'id'] },
  ),
  paired(
    'join',
    'fullJoin',
    (rows, others) =>
      rows.fullJoin({ one: others }, { on: { again: 'id' } }).select({ id: 'id', key: 'one.key' }),
    { key: ['key', 'id'] },
  ),
  paired('join', 'semiJoin', (rows, others) => rows.semiJoin(others, { on: { again: 'id' } })),
  paired('join', 'antiJoin', (rows, others) => rows.antiJoin(others, { on: { again: 'id' } })),
  paired('join', 'join on one hot key', (rows, others) =>
    rows.join({ one: others.where(({ id }) => id === 0) }, { on: { group: 'group' } }),
  ),
  appended(
    'join',
    'join within a time',
    ({ stream }) =>
      coming(stream).join(
        { one: coming(`${stream}-other`) },
        { on: { again: 'id' }, within: { before: '5000d', after: '5000d' } },
      ),
    { joins: true, key: 'id' },
  ),
  appended(
    'join',
    'semiJoin within a time',
    ({ stream }) =>
      coming(stream).semiJoin(coming(`${stream}-other`), {
        on: { again: 'id' },
        within: { before: '5000d', after: '5000d' },
      }),
    { joins: true, key: 'id' },
  ),
  {
    name: 'joinAsOf',
    family: 'join',
    joins: true,
    view: (spec) =>
      view(spec.name, {
        from: changing(spec.stream).joinAsOf(
          { one: stillAsOf(spec.stream) },
          { on: { again: 'id' }, at: 'at' },
        ),
      }),
  },
  shaped('order', 'top 10', (rows) => rows.top(10, { order: 'value.desc' })),
  shaped('order', 'top 10 with rank', (rows) => rows.top(10, { order: 'value.desc', rank: 'rank' })),
  shaped('order', 'top 10 after 100', (rows) => rows.top(10, { order: 'value.desc', offset: 100 })),
  shaped(
    'order',
    'over a few rows',
    (rows) => rows.over({ order: 'value' }, { before: lag('key'), sum: rolling(sum('value'), { rows: 3 }) }),
    // Those that change see what is near them: of a thousand rows each is to have its own.
    { changesMax: 100 },
  ),
  shaped(
    'order',
    'over all rows',
    (rows) => rows.over({ order: 'value' }, { sum: rolling(sum('value'), { rows: 'all' }) }),
    {
      sizeMax: 1_000,
      grows: 'a row changes the total of all that are behind it',
    },
  ),
  shaped('order', 'dedupe', (rows) => rows.dedupe({ by: 'other' })),
  appended(
    'order',
    'dedupe within a time',
    // Messages have names of their own, and few come again.
    ({ stream }) => coming(stream).dedupe({ by: 'key', within: '10m' }),
    { key: 'id' },
  ),
  appended(
    'shape',
    'evolve',
    ({ stream }) =>
      told(stream)
        .groupBy('again')
        .evolve(z.object({ times: z.int(), latest: z.string() }), { times: 0, latest: '' })
        .on({ Changed: ({ times }, { key }) => ({ times: times + 1, latest: key }) }),
    { changesMax: AGAIN },
  ),
  shaped('window', 'tumbling', (rows) =>
    rows.window(tumbling('1d'), { on: 'at' }).groupBy().aggregate({ count: count() }),
  ),
  shaped('window', 'sliding', (rows) =>
    rows.window(sliding('10s'), { on: 'at' }).groupBy().aggregate({ count: count() }),
  ),
  shaped('window', 'session', (rows) =>
    rows
      .where(({ id }) => id % 10 > 1)
      .window(session('2s'), { on: 'at' })
      .groupBy()
      .aggregate({ count: count() }),
  ),
  appended('window', 'final', ({ stream }) =>
    coming(stream).window(tumbling('1m')).groupBy('flag').aggregate({ count: count() }).final(),
  ),
  appended('time', 'filter last', ({ stream }) => coming(stream).last('15m'), { key: 'id' }),
  appended('time', 'filter during', ({ stream }) => coming(stream).during({ from: 'at' }), { key: 'id' }),
  appended('time', 'retain', ({ stream }) => coming(stream), { key: 'id', retain: '15m' }),
  aggregate('count', count()),
  aggregate(
    'countIf',
    countIf(({ flag }) => flag),
  ),
  aggregate('sum', sum('value')),
  aggregate(
    'sumIf',
    sumIf('value', ({ flag }) => flag),
  ),
  aggregate('avg', avg('value')),
  aggregate('min', min('value')),
  aggregate('max', max('value')),
  aggregate('first', first('key', { by: 'value' })),
  aggregate('last', last('key', { by: 'value' })),
  aggregate('minBy', minBy('value')),
  aggregate('maxBy', maxBy('value', { value: 'key' })),
  aggregate('countDistinct', countDistinct('key')),
  aggregate('variance', variance('value')),
  aggregate('stddev', stddev('value')),
  aggregate('every', every('flag')),
  aggregate('some', some('flag')),
  aggregate('histogram', histogram('value', { bounds: [0, 250_000_000, 500_000_000, 750_000_000] })),
  aggregate('median', median('value')),
  aggregate('percentile', percentile('value', 0.99)),
  aggregate('approxPercentile', approxPercentile('value', 0.99)),
  sketch('approxCountDistinct', approxCountDistinct('key')),
  sketch('approxTopK', approxTopK('other', 10)),
  sketch('approxContains', approxContains('key', { expected: 100_000 })),
  aggregate('topK', topK('value', 10)),
  aggregate('collect', collect('value'), WHOLE),
  aggregate('collectDistinct', collectDistinct('value'), WHOLE),
  aggregate('joinText', joinText('key', { separator: ',' }), WHOLE),
];

export function operatorView(spec: ViewSpec): View<any, any> {
  const found = subjects.find(({ name }) => viewNameOf(name) === spec.name);
  if (found === undefined) throw new Error(`Nothing is measured under the name ${spec.name}.`);
  return found.view(spec);
}

/** Names of views hold no spaces. */
export const viewNameOf = (name: string): string => name.replaceAll(' ', '-').toLowerCase();
