import { computed, instant, maxBy } from 'stillwater';
import { z } from 'zod';
import { unsupported } from '../unsupported.js';
import { EventTopic, instantOf, TableTopic, type Topic, VersionedTopic } from './topics.js';
import { type KafkaCase, recordsOf, type TopicRecord, type Topology, type TopicWindow } from './topology.js';

type Kind = 'stream' | 'table';
type Op = 'join' | 'leftJoin' | 'outerJoin';

/** Two topics joined: what is to be shown, and how what is emitted is to be read. */
export interface JoinedTopics {
  readonly topics: Readonly<Record<'left' | 'right', Topic>>;
  readonly sideOf: (record: TopicRecord) => 'left' | 'right';
  /** Rows of `key`, `value` and `ts`. */
  readonly rows: any;
  /** What is emitted: each row, for ever; each row as it appears with an event; what becomes of the rows. */
  readonly emits: 'rows' | 'appearing' | 'changes';
}

export function joinedTopics(one: KafkaCase): JoinedTopics {
  const { topology } = one;
  const kinds = kindsOf(one);
  const ops = (topology.joins?.map(({ op }) => op) ?? topology.operators ?? []) as Op[];
  const join = joinerOf(topology);
  const sideOf = sidesOf(one);
  if (kinds.left === 'stream' && kinds.right === 'stream') {
    const { left, right, within } = streamsOf(one, ops, sideOf);
    let rows = withValue(left.rows);
    for (const op of ops) rows = join(rows, METHOD[op], withValue(right.rows), { within });
    return { topics: { left, right }, sideOf, rows, emits: 'rows' };
  }
  if (kinds.left === 'table' && kinds.right === 'stream') return unsupported('a table joined with a stream');
  const versioned = topology.versioned ?? { left: false, right: false };
  if (kinds.left === 'stream') {
    if (/WithGrace/.test(one.id)) return unsupported('streams that wait for a table by a grace not told');
    const by = versioned.right ? 'at' : 'arrivedAt';
    const left = new EventTopic('left', null, by);
    const right = new VersionedTopic('right', by);
    let rows = withValue(left.rows);
    for (const op of ops) rows = lookedUp(rows, op, right, by, joinText(topology));
    return { topics: { left, right }, sideOf, rows, emits: 'appearing' };
  }
  const left = versioned.left ? new EventTopic('left', null) : new TableTopic('left');
  const right = versioned.right ? new EventTopic('right', null) : new TableTopic('right');
  const rightRows = versioned.right ? newest(right) : right.rows;
  let rows = versioned.left ? newest(left) : left.rows;
  for (const [place, op] of ops.entries()) {
    const self = (topology.joins?.[place]?.with ?? '').startsWith('left');
    rows = join(rows, METHOD[op], self ? (versioned.left ? newest(left) : left.rows) : rightRows, {});
  }
  return { topics: { left, right }, sideOf, rows, emits: 'changes' };
}

const METHOD: Readonly<Record<Op, string>> = { join: 'join', leftJoin: 'leftJoin', outerJoin: 'fullJoin' };

function kindsOf({ id, topology: { left, right, operators, windows } }: KafkaCase): {
  left: Kind;
  right: Kind;
} {
  for (const kind of [left, right])
    if (kind !== undefined && kind !== 'stream' && kind !== 'table') return unsupported(`a ${kind}`);
  if (left !== undefined && right !== undefined) return { left: left as Kind, right: right as Kind };
  if (operators!.length > 1) return unsupported(`the topology ${operators!.join(', ')}`);
  if (/Foreign|Global|KTableSource/.test(id))
    return unsupported('joins by foreign keys or with global tables');
  if (/KTableKTable/.test(id)) return { left: 'table', right: 'table' };
  if (/KStreamKTable/.test(id)) return { left: 'stream', right: 'table' };
  if (windows.length === 0) return unsupported('a join without a window whose sides are not told');
  return { left: 'stream', right: 'stream' };
}

function sidesOf({ steps }: KafkaCase): (record: TopicRecord) => 'left' | 'right' {
  const topics = [...new Set(steps.flatMap(recordsOf).map(({ topic }) => topic ?? ''))].sort();
  if (topics.length > 2) return unsupported('more than two topics');
  return ({ side, topic }) => side ?? (topic === topics[0] ? 'left' : 'right');
}

/** How the values of a pair become one: what the case says in words. */
function joinText({
  value_joiner: said = '',
}: Topology): (left: string | null, right: string | null) => string {
  const [, mark] = /left \+ "([^"]*)" \+ right/.exec(said) ?? [];
  if (mark === undefined) return unsupported(`values joined as ${said}`);
  return (left, right) => `${left}${mark}${right}`;
}

type Join = (left: any, method: string, right: any, how: object) => any;

function joinerOf(topology: Topology): Join {
  const text = joinText(topology);
  return (left, method, right, how) =>
    left[method]({ other: right }, { on: { key: 'key' }, ...how }).select({
      key: computed(z.string().nullable(), ((row: any) => row.key ?? row.other?.key ?? null) as never),
      value: computed(z.string(), ((row: any) => text(row.value, row.other?.value ?? null)) as never),
      ts: computed(z.int(), ((row: any) => later(row)) as never),
      at: computed(instant(), ((row: any) => instantOf(later(row))) as never),
    });
}

const later = (row: any): number => Math.max(row.ts ?? -Infinity, row.other?.ts ?? -Infinity);
const withValue = (rows: any): any => rows.where((row: any) => row.value !== null);

/**
 * The version of each key that holds at the end of all, by the records' own times; of equal times the last that came. A key
 * whose newest record has no value has no row.
 */
const newest = (topic: Topic): any =>
  withValue(
    topic.rows
      .where((row: any) => row.key !== null)
      .groupBy('key')
      .aggregate({ newest: maxBy('order' as never) })
      .select({ key: 'key', value: 'newest.value', ts: 'newest.ts' }),
  );

/** Each row with what the table's row was then. */
function lookedUp(
  rows: any,
  op: Op,
  table: VersionedTopic,
  at: 'at' | 'arrivedAt',
  text: (left: string | null, right: string | null) => string,
): any {
  if (op === 'outerJoin') return unsupported('a full join of a stream and a table');
  const found = rows.leftJoinAsOf({ other: table.rows }, { on: { key: 'key' }, at });
  const kept = op === 'join' ? found.where((row: any) => (row.other?.value ?? null) !== null) : found;
  return kept.select({
    key: 'key',
    value: computed(z.string(), ((row: any) => text(row.value, row.other?.value ?? null)) as never),
    ts: 'ts',
    at: 'at',
    arrivedAt: 'arrivedAt',
  });
}

function streamsOf(
  one: KafkaCase,
  ops: readonly Op[],
  sideOf: (record: TopicRecord) => 'left' | 'right',
): { left: Topic; right: Topic; within: object } {
  const [window, another] = one.topology.windows as [TopicWindow, TopicWindow?];
  if (window?.kind !== 'JoinWindows' || another !== undefined) return unsupported('windows of these kinds');
  const { before_ms: before = 0, after_ms: after = 0, grace_ms: grace = 0 } = window;
  if (before < 0 || after < 0) return unsupported('windows that do not hold their own time');
  const within = {
    before: `${before}ms`,
    after: `${after}ms`,
    ...(ops.length > 1 && { left: 'at', right: 'at' }),
  };
  // Kafka takes a record while its window is open. In an inner join that is a lateness, of either side its own.
  if (ops.every((op) => op === 'join'))
    return {
      left: new EventTopic('left', grace + after),
      right: new EventTopic('right', grace + before),
      within,
    };
  // In an outer one it shows rows as alone that it joins later on: nothing here takes back what it has finished.
  let newest = -Infinity;
  for (const record of one.steps.flatMap(recordsOf)) {
    newest = Math.max(newest, record.ts);
    const reach = sideOf(record) === 'left' ? after : before;
    if (record.ts < newest - grace && record.ts + reach + grace >= newest)
      return unsupported('rows alone that are joined after all, with late records');
  }
  return { left: new EventTopic('left', grace), right: new EventTopic('right', grace), within };
}
