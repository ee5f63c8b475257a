import type { ViewChange } from '../circuit/view-output.js';
import type { Row } from '../zset/value.js';
import { leastClocks, type PartitionClocks } from './clocks.js';
import type { Position } from './position.js';
import type { RawEntry } from './ports/source-log.js';
import type { TaskRecord } from './ports/task-store.js';

/** One commit of one task, as its changelog entry says it. */
export interface ChangelogEntry {
  tick: number;
  changes: ViewChange[];
  /** Per source partition, the position whose effects the task contained after the commit. */
  frontier: Readonly<Record<string, Position>>;
  /** Of a view that acts on time: the clocks that its rows are of. */
  clocks: PartitionClocks;
}

/** What a dependent gets with the rows. While more is due than was done, the rows are of the time before. */
export const broughtBy = ({
  frontier,
  clocks,
  applied,
}: Pick<TaskRecord, 'frontier' | 'clocks' | 'applied'>): Pick<ChangelogEntry, 'frontier' | 'clocks'> => ({
  frontier,
  clocks: leastClocks(applied ?? clocks),
});

/**
 * The text that a commit hands to the store: `[[key, before | null, after | null], …] LF frontier`, and `LF clocks` where
 * there are any. JSON texts hold no line feed. The entry it becomes has the id `<tick>-0` and the text in its field `c`.
 */
export function encodeChangelog(
  changes: readonly ViewChange[],
  { frontier, clocks }: Pick<ChangelogEntry, 'frontier' | 'clocks'>,
): string {
  const texts = [
    JSON.stringify(changes.map(({ key, before, after }) => [key, before, after])),
    JSON.stringify(frontier),
  ];
  if (Object.keys(clocks).length > 0) texts.push(JSON.stringify(clocks));
  return texts.join('\n');
}

/** The inverse, from the entry as it lies in the stream. Takes the frontier from a field `f` of its own as well. */
export function decodeChangelog([id, fields]: RawEntry): ChangelogEntry {
  const texts = new Map<string, string>();
  for (let index = 0; index + 1 < fields.length; index += 2) texts.set(fields[index]!, fields[index + 1]!);
  const [changes, frontier, clocks] = (texts.get('c') ?? '[]').split('\n') as [string, string?, string?];
  return {
    tick: Number(id.slice(0, id.indexOf('-'))),
    changes: (JSON.parse(changes) as [string, Row | null, Row | null][]).map(([key, before, after]) => ({
      key,
      before,
      after,
    })),
    frontier: JSON.parse(frontier ?? texts.get('f') ?? '{}') as Record<string, Position>,
    clocks: JSON.parse(clocks ?? '{}') as PartitionClocks,
  };
}
