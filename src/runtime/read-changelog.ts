import { type ChangelogEntry, decodeChangelog } from './changelog.js';
import type { CommitId } from './ports/task-store.js';
import type { ViewStore } from './ports/view-store.js';
import type { TaskId } from './task-id.js';

/**
 * What follows a commit in the changelog of its task.
 *
 *   read    the commits after it, each by the one before; none where it is the newest. And how many characters they are
 *   gone    the next one is not kept
 *   forked  the task has another history now: `found` is there in its place. Its slot alone lost its last writes
 */
export type Following =
  | { readonly status: 'read'; readonly entries: readonly ChangelogEntry[]; readonly characters: number }
  | { readonly status: 'gone' }
  | { readonly status: 'forked'; readonly found: CommitId };

/**
 * Reads on after a commit. A task whose slot went back makes its ticks again, under the same numbers and cut elsewhere: who
 * read the lost ones and took no notice would count some changes twice and others never. So every commit names the one it
 * follows, and a reader names the one it has read.
 */
export async function readChangelog(
  store: ViewStore,
  task: TaskId,
  after: CommitId,
  countMax: number,
): Promise<Following> {
  const changes = await store.changes(task, after.tick, countMax);
  if (changes === null) return { status: 'gone' };
  const { newest } = changes;
  if (newest.tick < after.tick || (newest.tick === after.tick && !isSameCommit(newest, after)))
    return { status: 'forked', found: newest };
  const entries = changes.entries.map(decodeChangelog);
  let last = after;
  for (const entry of entries) {
    const previous = { tick: entry.tick - 1, commit: entry.previous };
    if (!isSameCommit(previous, last)) return { status: 'forked', found: previous };
    last = entry;
  }
  const characters = changes.entries.reduce(
    (sum, [, fields]) => sum + fields.reduce((length, text) => length + text.length, 0),
    0,
  );
  return { status: 'read', entries, characters };
}

/** Whether two names may be of one commit. A name without nonce is a tick of whatever history. */
export const isSameCommit = (left: CommitId, right: CommitId): boolean =>
  left.tick === right.tick && (left.commit === right.commit || left.commit === '' || right.commit === '');
