import type { CommitId, TaskRecord } from './ports/task-store.js';

/**
 * Behind which commits somebody began to maintain a task, the newest last, each under a name of its own. What tells two histories apart:
 *
 *     followed   ──7──8──9──▶       another owner began behind 7, and gave 8 and 9
 *     stored     ──7──8'            then the slot went back to 7, and its owner of that time came back
 *
 * Whoever is in force knows what it has lost, or begins anew and says so. Only one that comes back goes on without the beginning that
 * others have followed.
 */
export type Begun = readonly (readonly [tick: number, name: string])[];

const BEGUN = 'begun';
/** As many are kept: what is lost is of seconds, and nobody begins often. */
const BEGUN_MAX = 16;

export const begunIn = ({ extra }: Pick<TaskRecord, 'extra'>): Begun =>
  (extra[BEGUN] as Begun | undefined) ?? [];

/** The record of one who begins behind it. */
export const withBeginning = (record: TaskRecord, name: string): TaskRecord => ({
  ...record,
  extra: { ...record.extra, [BEGUN]: [...begunIn(record), [record.tick, name]].slice(-BEGUN_MAX) },
});

/** Whether a commit is of the history of a later one, as far as what is said of both tells. */
export function isBefore(
  { tick, begun }: Pick<CommitId, 'tick'> & { readonly begun: Begun },
  later: Begun,
): boolean {
  const upTo = (all: Begun): Begun => all.filter(([behind]) => behind < tick);
  const [here, there] = [upTo(begun), upTo(later)];
  const count = Math.min(here.length, there.length);
  if (count === 0) return here.length === there.length;
  return JSON.stringify(here.slice(-count)) === JSON.stringify(there.slice(-count));
}
