import type { CommitId, TaskRecord } from './ports/task-store.js';

/**
 * Where rows move more than once rounds name the commits of the first stage by their numbers. What a task of it makes again
 * has others, and says itself to which round it belongs:
 *
 *     rounds named      ───5────────8──────────9────▶      by the numbers of 0.1
 *     it has            ─1─5─6
 *     it makes again           [8]──┼─[9]─[9]──┼─[10]──┼─11──12─▶    cut where it was at 8, at 9 and where 1.0 is
 *
 * Kept in its record, also when that is done.
 */
export interface MadeAgain {
  /** The round to which belongs what is made now; null where nothing is made again. */
  readonly round: number | null;
  /** The first round that there was: what is made again up to there is also of those before, at which nobody stood for as long as is kept. */
  readonly first: number;
  /** The last round that there was: followers know by it whether they have the same rounds. */
  readonly last: Readonly<CommitId>;
  /** Commits up to this number may be of a history that is lost. */
  readonly upTo: number;
}

const MADE_AGAIN = 'madeAgain';

/** Null of a task that has lost nothing that others had. */
export const madeAgain = ({ extra }: Pick<TaskRecord, 'extra'>): MadeAgain | null =>
  (extra[MADE_AGAIN] as MadeAgain | undefined) ?? null;

/** Whether what a task made again is cut where somebody stands at a round. */
export function wasCutAt(record: Pick<TaskRecord, 'extra'>, round: number): boolean {
  const made = madeAgain(record);
  return made !== null && made.first <= round && round <= made.last.tick;
}

export const withMadeAgain = (record: TaskRecord, made: MadeAgain): TaskRecord => ({
  ...record,
  extra: { ...record.extra, [MADE_AGAIN]: made },
});
