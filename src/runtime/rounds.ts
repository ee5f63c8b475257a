import type { Begun } from './begun.js';
import type { PartitionClocks } from './clocks.js';
import { type CommitFacts, type Heard, heardIn, type Place } from './followed.js';
import { type ExchangeEntry, lastSent } from './exchange-entry.js';
import { type CutAt, nextGiven, type RoundAt } from './given-again.js';
import { madeAgain } from './made-again.js';
import type { CommitId, TaskRecord } from './ports/task-store.js';
import type { TaskId } from './task-id.js';

/**
 * Where the rows of a view move more than once, what one event changes comes to a task by several others, and each of those
 * goes at its own pace. So that no row shows half of an event, all tasks that receive stop at the same places:
 *
 *     sent by 0.0   ──1────2─────3──▶
 *     sent by 0.1   ───1─────2──3───▶
 *                        ▲      ▲
 *                    round 5  round 8      task 1.0 takes what has come, and says with its commit up to where that was
 *
 * A round is a commit of the task 1.0. The others of its stage take from the stage before what belongs to a round, and then that
 * it is over; tasks further behind take a round when all that send to them have come to its end. So after each round what any of
 * them keeps is a function of the logs up to one frontier, the round's, and they have acted on one time, the round's.
 *
 * An entry belongs to the first round that is not before it. Rounds have the tick numbers of 1.0, in which there are gaps; those that it
 * gives again have the ones that they had (`given-again.ts`).
 */
export interface Round extends CommitFacts, CommitId {
  /** Of each task of the first stage the last commit that belongs to it. */
  readonly cut: readonly Cut[];
  /** Where those began who have given rounds up to it. */
  readonly begun: Begun;
}

/** A commit of a task of the first stage, and where that was: what is made again has other numbers there. */
export type Cut = Readonly<CommitId> & Place;

/**
 * Where 1.0 says its rounds: as entries to a receiver that is nobody, for all to read. What is kept of them is found in the same
 * place, counted from the end: behind what is kept of senders.
 */
export const ROUNDS = -1;

/**
 * No more ticks of one task of the first stage belong to a round: what others have of a round is of no frontier before its end, so that
 * what all of it brings is waited for by whoever brings the least.
 */
export const TICKS_OF_ROUND_MAX = 4;

/** 1.0 waits for whoever is so many rounds behind: what comes now belongs to none of these, and is shown after them. */
export const ROUNDS_AHEAD_MAX = 2;

/**
 * The first of the two rows of such an entry (the second is who began where): where the round was cut, and how far each task of the first stage was
 * there. Of clocks those that are not the round's, which are the least of all.
 */
export const encodeCut = (heard: readonly Heard[], least: PartitionClocks): string =>
  JSON.stringify(
    heard.map(({ tick, commit, frontier, clocks, read }) => {
      const others = Object.entries(clocks).filter(([redisKey, clock]) => clock !== least[redisKey]);
      return [tick, commit, frontier, Object.fromEntries(others), ...(read ? [read] : [])];
    }),
  );

export function decodeRound({ round: tick, commit, frontier, clocks, more, rows }: ExchangeEntry): Round {
  type Said = [number, string, CommitFacts['frontier'], PartitionClocks, Place['read']?];
  const cut = (JSON.parse(rows[0]!) as Said[]).map(([tick, commit, frontier, others, read]) => ({
    ...{ tick, commit, frontier },
    clocks: { ...clocks, ...others },
    ...(read && { read }),
  }));
  const begun = JSON.parse(rows[1] ?? '[]') as Begun;
  return { tick, commit, frontier, clocks, more, cut, begun };
}

export const givesRounds = ({ stage, partition }: Pick<TaskId, 'stage' | 'partition'>): boolean =>
  stage === 1 && partition === 0;

/** Whether a task stops at the rounds that 1.0 gives. */
export const followsRounds = (task: Pick<TaskId, 'stage' | 'partition'>): boolean =>
  task.stage > 0 && !givesRounds(task);

/** What is kept of the rounds that are followed: the last that is over. */
export interface HeardOfRounds extends Heard {
  /** Where that was cut, and where those began who had given rounds; absent where there is none. */
  readonly cut?: CutAt;
  readonly begun?: Begun;
  /** The one of which some was taken, while it is not over. */
  readonly next?: RoundAt;
  /** Of whom the last of that was, and whether it was all of that sender: senders are taken in their order, one after the other. */
  readonly taken?: readonly [sender: number, isAll: boolean];
}

/** The round up to which a task has all of a sender, and nothing behind it; null where it has some of the next one, and not all. */
export function hadOf({ tick, more, next, taken }: HeardOfRounds, sender: number): number | null {
  if (!more) return tick;
  if (next === undefined || taken === undefined) return null;
  const [last, isAll] = taken;
  if (sender === last && !isAll) return null;
  return sender <= last ? next.tick : tick;
}

/** What a task keeps of the rounds that it follows: behind what it keeps of its senders. */
export const followedRounds = (record: Pick<TaskRecord, 'extra'>): HeardOfRounds | undefined =>
  heardIn(record)?.at(ROUNDS);

const NOTHING_FOLLOWED = { tick: 0, more: false };

export const roundAt = ({ tick, commit, cut, begun }: Round): RoundAt => ({
  ...{ tick, commit, begun },
  cut: cut.map(({ tick, commit }) => [tick, commit]),
});

/** The round to which belongs what a commit sends. Of the first stage rounds name the commit, and this is 0, but where something is made again. */
export function roundOf(task: TaskId, record: Pick<TaskRecord, 'tick' | 'extra'>): number {
  if (task.stage === 0) return madeAgain(record)?.round ?? 0;
  if (givesRounds(task)) return nextGiven(record)?.tick ?? record.tick;
  const { tick, more } = followedRounds(record) ?? NOTHING_FOLLOWED;
  return more ? tick + 1 : tick;
}

/** Whether rounds name an entry by its number, and it does not say itself to which it belongs. */
export const isNamed = (sender: TaskId, { round }: Pick<ExchangeEntry, 'round'>): boolean =>
  sender.stage === 0 && round === 0;

/** All that belongs to this round, and to those before it, has been sent by a task that is so far. */
export function roundsDone(task: TaskId, record: Pick<TaskRecord, 'applied' | 'extra'>): number {
  if (givesRounds(task)) return lastSent(record, ROUNDS).tick;
  const { tick, more } = followedRounds(record) ?? NOTHING_FOLLOWED;
  return more || record.applied === null ? tick : tick - 1;
}
