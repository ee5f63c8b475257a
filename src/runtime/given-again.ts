import type { Begun } from './begun.js';
import { type Heard, heardIn, isBetween } from './followed.js';
import type { CommitId, TaskRecord } from './ports/task-store.js';

/**
 * Where a round was cut: of each task of the first stage the last commit that belongs to it, as `[tick, nonce]`. Whoever
 * follows rounds keeps it of the one at which it stands, and 1.0 cuts there again if it has lost that round.
 */
export type CutAt = readonly (readonly [tick: number, commit: string])[];

/** What is kept of a round, so that it can be given again. */
export interface RoundAt extends Readonly<CommitId> {
  readonly cut: CutAt;
  /** Where those began who have given rounds up to it. */
  readonly begun: Begun;
}

/**
 * Rounds that 1.0 has lost, and at which others stand. It gives them again, under the numbers and nonces that they had:
 *
 *     it had given     ──7──8──9──10──▶
 *     it has             7
 *     others stand at    7     9  10
 *     it gives again     7─────9──10──13──14──▶    by the round that each entry says; by commits, 7 11 12 13 14
 *
 * Nobody stands at 8 any more: what others sent as of it belongs to 9. Kept in its record, also when that is done.
 */
export interface GivenAgain {
  /** Those that are left, the first first. */
  readonly rounds: readonly RoundAt[];
  /** Commits up to this number may be of a history that is lost: no round is given by one of them. */
  readonly upTo: number;
}

const GIVEN_AGAIN = 'givenAgain';

/** Null of a task that has lost no round at which others stood. */
export const givenAgain = ({ extra }: Pick<TaskRecord, 'extra'>): GivenAgain | null =>
  (extra[GIVEN_AGAIN] as GivenAgain | undefined) ?? null;

/** The lost round that is given next; undefined where none is left. */
export const nextGiven = (record: Pick<TaskRecord, 'extra'>): RoundAt | undefined =>
  givenAgain(record)?.rounds[0];

export const withGivenAgain = (record: TaskRecord, given: GivenAgain): TaskRecord => ({
  ...record,
  extra: { ...record.extra, [GIVEN_AGAIN]: given },
});

/** The record of a commit that has given the next of the lost rounds, if any is left. */
export function withNextGiven(record: TaskRecord): TaskRecord {
  const given = givenAgain(record);
  return given === null ? record : withGivenAgain(record, { ...given, rounds: given.rounds.slice(1) });
}

/**
 * The round that a commit of 1.0 gives; null where it gives none. While lost rounds are left it gives one where that was cut,
 * and no other.
 */
export function roundGivenBy(record: TaskRecord): Readonly<CommitId> | null {
  if (isBetween(record)) return null;
  const next = nextGiven(record);
  if (next === undefined) return record;
  return record.tick > givenAgain(record)!.upTo && isAt(heardIn(record), next.cut) ? next : null;
}

/** Whether exactly what belongs to a round was taken of each sender. */
const isAt = (heard: readonly Heard[] | null, cut: CutAt): boolean =>
  heard !== null &&
  cut.every(([tick, commit], sender) => heard[sender]!.tick === tick && heard[sender]!.commit === commit);
