import type { ColumnTime } from '../circuit/time.js';
import type { Build } from './build.js';
import { durationMs } from './duration.js';
import type { DuringEnd, DuringNode, PlanNode } from './plan.js';
import { namedTime, ownTime, recordSourcesBelow, timeOf } from './time-column.js';
import { duringRelation } from './time-relation.js';
import { noteDuration } from './window.js';

/** Rows that are shown until they are so old; `asked` is who asks for it. */
export function lastOf(
  plan: PlanNode,
  { age, by }: { readonly age: unknown; readonly by: unknown },
  asked: string,
  build: Build,
): DuringNode {
  const ageMs = durationMs(age);
  if (ageMs === null) noteDuration(age, `the age of ${asked}`, build);
  const column = by === undefined ? ownTime(plan, asked, build) : namedTime(plan, by, 'keep by', build);
  const until = { column: column ?? '', afterMs: ageMs ?? 0, nullIs: 'reached' } as const;
  return duringNode(plan, { from: null, until }, asked, build);
}

/** Rows that are shown from one instant of theirs until another. */
export function duringOf(
  plan: PlanNode,
  { from, until }: { readonly from?: unknown; readonly until?: unknown },
  build: Build,
): DuringNode {
  const endOf = (path: unknown, purpose: string): DuringEnd | null =>
    path === undefined
      ? null
      : {
          column: namedTime(plan, path, purpose, build),
          afterMs: 0,
          nullIs: purpose === 'begin by' ? 'reached' : 'unreached',
        };
  const ends = { from: endOf(from, 'begin by'), until: endOf(until, 'end by') };
  if (ends.from === null && ends.until === null)
    build.note({
      code: 'no-time-column',
      what: 'during() names neither where rows begin nor where they end.',
      remedy: `Name a column of instants: during({ from: '…', until: '…' }).`,
      place: build.place,
    });
  return duringNode(plan, ends, 'during()', build);
}

function duringNode(
  input: PlanNode,
  { from, until }: Pick<DuringNode, 'from' | 'until'>,
  asked: string,
  build: Build,
): DuringNode {
  const columns = [from, until].flatMap((end) => (end === null ? [] : [end.column]));
  const time: ColumnTime = columns.flatMap((column) => timeOf(input, column));
  if (columns.length > 0 && time.length === 0)
    build.note({
      code: 'needs-clock',
      what: `${asked} asks what time it is, which events and records with an event time tell, and these rows come from none that have one.`,
      evidence: {
        columns: columns.join(', '),
        from: recordSourcesBelow(input)
          .map(({ kind, name }) => `${kind} "${name}"`)
          .join(', '),
      },
      remedy: `Declare which column holds it, { eventTime: '…' }, or join a stream that has one.`,
      place: build.place,
    });
  return {
    op: 'during',
    input,
    from,
    until,
    time,
    relation: duringRelation(input.relation),
    place: build.place,
  };
}
