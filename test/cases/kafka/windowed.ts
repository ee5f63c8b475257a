import * as product from 'stillwater';
import { computed, count, hopping, joinText, max, min, session, tumbling } from 'stillwater';
import { z } from 'zod';
import { unsupported } from '../unsupported.js';
import { EventTopic, TableTopic, type Topic } from './topics.js';
import { type KafkaCase, recordsOf, type Topology, type TopicWindow } from './topology.js';

/** Records of one topic grouped, mostly within windows. */
export interface GroupedTopic {
  readonly topic: Topic;
  /** Rows of `key`, `value` and `ts`, in windows of `start` and `end` too. */
  readonly rows: any;
  /** The same shown once, when a window is over. */
  readonly finished: any;
  readonly windowed: boolean;
}

export function groupedTopic({ topology, steps }: KafkaCase): GroupedTopic {
  const [grouping, ...rest] = topology.operators ?? [];
  if (grouping !== 'groupByKey' && grouping !== 'groupBy') return unsupported(`the operator ${grouping}`);
  const windowed = rest[0] === 'windowedBy';
  const [operator, ...after] = windowed ? rest.slice(1) : rest;
  if (after.some((name) => name !== 'suppress')) return unsupported(`the topology ${after.join(', ')}`);
  if (!['count', 'reduce', 'aggregate'].includes(operator ?? ''))
    return unsupported(`the operator ${operator}`);
  if (!windowed) return counted(operator!);
  const [window, another] = topology.windows;
  if (window === undefined || another !== undefined) return unsupported('windows of these kinds');
  const topic = new EventTopic('records', window.grace_ms ?? 0);
  const events = topic.rows.where((row: any) => row.value !== null && row.key !== null);
  const from = Math.min(...steps.flatMap(recordsOf).map(({ ts }) => ts));
  const sliding = window.kind === 'SlidingWindows' ? slidingOf(window.time_difference_ms!, from) : null;
  const groups = windowsOf(events, window, { operator: operator!, sliding });
  const shown = (rows: any): any =>
    shownRows(rows, window, { operator: operator!, topology, exact: sliding !== null });
  return { topic, rows: shown(groups), finished: shown(groups.final()), windowed };
}

/** How many rows of a table have each value: what SuppressScenarioTest and its like group by. */
function counted(operator: string): GroupedTopic {
  if (operator !== 'count') return unsupported(`${operator} without windows`);
  const topic = new TableTopic('records');
  const rows = topic.rows
    .groupBy('value')
    .aggregate({ count: count(), ts: max('ts') })
    .select({
      key: computed(z.string(), ((row: any) => JSON.stringify(row.value)) as never),
      value: computed(z.string(), ((row: any) => String(row.count)) as never),
      ts: 'ts',
    });
  return { topic, rows, finished: rows, windowed: false };
}

const PARTS = { parts: joinText('value' as never, { separator: '+', by: 'arrived' as never }) };

/**
 * The product's sliding windows, if it has them. They are Kafka's, but for those that would begin before the first of January
 * 1970: there it has others.
 */
const slidingOf = (sizeMs: number, fromMs: number): unknown =>
  fromMs < sizeMs ? null : ((product as any).sliding?.(`${sizeMs}ms`) ?? null);

function windowsOf(
  events: any,
  window: TopicWindow,
  { operator, sliding }: { readonly operator: string; readonly sliding: unknown },
): any {
  const aggregates = { ...PARTS, count: count(), ts: max('ts') };
  switch (window.kind) {
    case 'TimeWindows': {
      const { size_ms: size = 0, advance_ms: every = size } = window;
      const shape = every === size ? tumbling(`${size}ms`) : hopping(`${size}ms`, { every: `${every}ms` });
      return events.window(shape).groupBy('key').aggregate(aggregates);
    }
    case 'SessionWindows':
      if (operator === 'aggregate') unsupported('aggregates of sessions, whose merger is not told');
      return events
        .window(session(`${window.gap_ms!}ms`))
        .groupBy('key')
        .aggregate(aggregates);
    case 'SlidingWindows':
      return sliding === null
        ? slidingWindows(events, window.time_difference_ms!)
        : events.window(sliding).groupBy('key').aggregate(aggregates);
    default:
      return unsupported(`windows of the kind ${window.kind}`);
  }
}

/**
 * Kafka's sliding windows are those of `size` that end with a record, and those that begin right behind one. They are among
 * all that begin a millisecond after another; each is looked at with the millisecond before it, in which such a record lies.
 */
function slidingWindows(events: any, size: number): any {
  const within = (column: string, schema: z.ZodType) =>
    computed(
      schema.nullable() as never,
      ((row: any) => (row.at === row.windowStart ? null : row[column])) as never,
    );
  return events
    .window(hopping(`${size + 2}ms`, { every: '1ms' }))
    .rows()
    .select({
      key: 'key',
      windowStart: 'windowStart',
      windowEnd: 'windowEnd',
      arrived: 'arrived',
      at: 'at',
      value: within('value', z.string()),
      ts: within('ts', z.int()),
    })
    .groupBy('key', 'windowStart', 'windowEnd')
    .aggregate({ ...PARTS, count: count('ts' as never), ts: max('ts'), first: min('at') })
    .where((row: any) => {
      const start = Date.parse(row.windowStart) + 1;
      const end = Date.parse(row.windowEnd) - 1;
      if (row.count === 0 || start < 0) return false;
      // Windows that would begin before the first of January 1970 begin with it.
      return row.ts === end || row.first === row.windowStart || start === 0;
    });
}

function shownRows(
  groups: any,
  window: TopicWindow,
  {
    operator,
    topology,
    exact,
  }: { readonly operator: string; readonly topology: Topology; readonly exact: boolean },
): any {
  const value = valueOf(operator, topology);
  const spans: Readonly<Record<string, (start: number, end: number) => [number, number]>> = {
    TimeWindows: (start, end) => [start, end],
    SessionWindows: (start, end) => [start, end - window.gap_ms!],
    SlidingWindows: exact ? (start, end) => [start, end] : (start, end) => [start + 1, end - 1],
  };
  const span = (row: any): [number, number] =>
    spans[window.kind]!(Date.parse(row.windowStart), Date.parse(row.windowEnd));
  return groups
    .select({
      key: 'key',
      start: computed(z.int(), ((row: any) => span(row)[0]) as never),
      end: computed(z.int(), ((row: any) => span(row)[1]) as never),
      value: computed(z.string(), value as never),
      ts: 'ts',
    })
    .where((row: any) => row.start >= 0);
}

function valueOf(operator: string, { aggregator }: Topology): (row: any) => string {
  if (operator === 'count') return (row) => String(row.count);
  if (operator === 'reduce' && aggregator === undefined) return (row) => row.parts;
  const [, mark, before] =
    /^string concatenation: agg \+ "([^"]*)" \+ value, starting with "([^"]*)"$/.exec(aggregator ?? '') ?? [];
  if (mark !== '+' || before === undefined) return unsupported(`the aggregator ${aggregator}`);
  return (row) => `${before}+${row.parts}`;
}
