import type { ViewChange } from '../circuit/view-output.js';
import type { Row } from '../zset/value.js';
import type { PartitionClocks } from './clocks.js';
import type { CommitFacts } from './followed.js';
import type { Frontier } from './frontier.js';
import type { RawEntry } from './ports/source-log.js';
import type { CommitId } from './ports/task-store.js';

/** One commit of one task, as its changelog entry says it. */
export interface ChangelogEntry extends CommitFacts, CommitId {
  /** The nonce of the commit it follows. */
  readonly previous: string;
  readonly changes: readonly ViewChange[];
}

/**
 * The text that a commit hands to the store, in lines, for JSON texts hold no line feed:
 *
 *     [[key, before | null, after | null], …]
 *     frontier
 *     clocks, or nothing
 *     `more`, or nothing
 *     the nonce of the commit it follows, and its own
 *
 * The entry it becomes has the id `<tick>-0` and the text in its field `c`.
 */
export function encodeChangelog(
  changes: readonly ViewChange[],
  { frontier, clocks, more, previous, commit }: Omit<ChangelogEntry, 'tick' | 'changes'>,
): string {
  return [
    JSON.stringify(changes.map(({ key, before, after }) => [key, before, after])),
    JSON.stringify(frontier),
    Object.keys(clocks).length > 0 ? JSON.stringify(clocks) : '',
    more ? MORE : '',
    `${previous} ${commit}`,
  ].join('\n');
}

/** The inverse, from the entry as it lies in the stream. */
export function decodeChangelog([id, fields]: RawEntry): ChangelogEntry {
  const [changes, frontier, clocks, more, commits] = fields[fields.indexOf('c') + 1]!.split('\n') as [
    string,
    string,
    ...string[],
  ];
  const [previous = '', commit = ''] = (commits ?? '').split(' ');
  return {
    tick: Number(id.slice(0, id.indexOf('-'))),
    changes: (JSON.parse(changes) as [string, Row | null, Row | null][]).map(([key, before, after]) => ({
      key,
      before,
      after,
    })),
    frontier: JSON.parse(frontier) as Frontier,
    clocks: JSON.parse(clocks || '{}') as PartitionClocks,
    more: more === MORE,
    previous,
    commit,
  };
}

const MORE = 'more';
