import { decodeEntry, type ExchangeEntry } from './exchange-entry.js';
import { commitsRead, factsOf, type Heard, type Place, reaches } from './followed.js';
import { LogLost } from './input.js';
import { type MakingAgain, receiversOfFirst } from './lost-ticks.js';
import { madeAgain, withMadeAgain } from './made-again.js';
import type { TaskRecord } from './ports/task-store.js';
import { reachPlace } from './reach-place.js';
import { NOTHING_HEARD } from './received.js';
import { placeOf, regained, regainingIn, storedByReceivers, withRegaining } from './regaining.js';
import { decodeRound, type Round, ROUNDS } from './rounds.js';
import { type TaskId, taskName } from './task-id.js';
import type { TaskOptions } from './task-options.js';
import type { Ticks } from './ticks.js';

/** Of the receivers of the first stage the one that gives the rounds. */
const GIVER = 0;
/** Rounds one read asks for. */
const LOST_ROUNDS_READ_MAX = 500;

/** The tick of the last commit of a sender of which a receiver has heard. */
const numberIn = ({ tick, upTo }: Heard): number => Math.max(tick, upTo);

/**
 * The ticks that a task of the first stage has lost, where rows move more than once. Who follows rounds stands at one, and 1.0 where it
 * is: made again they are cut at each round that there is, and where 1.0 is, and say to which round they belong (`made-again.ts`).
 */
export class LostInRounds {
  /** The store was found to be behind what was stored. */
  #wentBack = false;
  /** The rounds at which it was once and is not now, the first first. */
  #rounds: readonly Round[] = [];

  private constructor(
    readonly options: MakingAgain,
    readonly receivers: readonly TaskId[],
    readonly ticks: Ticks,
  ) {}

  /** Null of a task that cannot make again what it lost, or where there are no rounds. */
  static of(options: TaskOptions, ticks: Ticks): LostInRounds | null {
    const receivers = receiversOfFirst(options, 'with rounds');
    return receivers && new LostInRounds(options, receivers, ticks);
  }

  /** The store is behind what was stored. */
  wentBack(): void {
    this.#wentBack = true;
  }

  /**
   * Looks whether others have what the task has lost, and at which rounds it was in that.
   * @throws LogLost where it cannot make that again
   */
  async find(): Promise<void> {
    const { ticks, receivers } = this;
    const { id: task, store } = this.options;
    const { record } = ticks;
    const isAhead = (heard: Heard): boolean => numberIn(heard) > record.tick;
    const asking = { task, receivers, store, wentBack: this.#wentBack };
    const stored = await storedByReceivers(asking, (heard) => isAhead(heard[task.partition]!));
    const heard = stored?.map((one) => one?.[task.partition] ?? NOTHING_HEARD);
    const known = regainingIn(record)[GIVER];
    if (known !== undefined || heard?.some(isAhead)) {
      const giver = heard?.[GIVER] ?? known!;
      // Others have more than 1.0: that went back too. In the middle of what came at once there is no place to cut at.
      if ((known === undefined && !isAhead(giver)) || giver.more || !reaches(giver, wholeAt(record)))
        throw this.#lost(giver);
      await this.#begin(giver, Math.max(madeAgain(record)?.upTo ?? 0, ...(heard ?? []).map(numberIn)));
    }
    this.#wentBack = false;
  }

  async #begin(giver: Heard, upTo: number): Promise<void> {
    const { ticks } = this;
    const { partition } = this.options.id;
    const all = await this.#allRounds();
    this.#rounds = all.filter(({ cut }) => !hasBeenAt(ticks.record, cut[partition]!));
    const first = all[0]?.tick ?? 0;
    const { tick, commit } = all.at(-1) ?? NOTHING_HEARD;
    const made = { round: this.#rounds[0]?.tick ?? tick + 1, first, last: { tick, commit }, upTo };
    ticks.keep(withMadeAgain(withRegaining(ticks.record, { [GIVER]: giver }), made).extra);
  }

  /** Those that somebody may not have followed yet. */
  async #allRounds(): Promise<Round[]> {
    const entries: ExchangeEntry[] = [];
    for (;;) {
      const after = entries.at(-1)?.tick ?? 0;
      const asked = {
        sender: this.receivers[GIVER]!,
        receiver: ROUNDS,
        after,
        countMax: LOST_ROUNDS_READ_MAX,
      };
      const [answer] = await this.options.store.receive([asked]);
      entries.push(...answer!.entries.map(decodeEntry));
      if (answer!.entries.length < LOST_ROUNDS_READ_MAX) return entries.map(decodeRound);
    }
  }

  /** Makes them again, cut where it was at each round and where 1.0 is. Null where there is nothing to be made, or it did not come to its end. */
  async makeAgain(signal: AbortSignal): Promise<'sentRounds' | null> {
    const { options, ticks } = this;
    const giver = regainingIn(ticks.record)[GIVER];
    if (giver === undefined) return null;
    const made = madeAgain(ticks.record)!;
    const { last, upTo } = made;
    const making = (round: number | null): void =>
      ticks.keep(withMadeAgain(ticks.record, { ...made, round }).extra);
    // Rounds to come name commits that others have not heard of.
    if (ticks.record.tick < upTo) await ticks.passOver(upTo);
    for (const { tick, cut } of this.#rounds) {
      if (signal.aborted) return null;
      making(tick);
      await reachPlace(options, ticks, cut[options.id.partition]!, signal);
    }
    if (signal.aborted) return null;
    making(last.tick + 1);
    await reachPlace(options, ticks, giver, signal);
    if (signal.aborted) return null;
    ticks.keep(regained(ticks.record, GIVER).extra);
    making(null);
    await ticks.say();
    return signal.aborted ? null : 'sentRounds';
  }

  #lost(giver: Heard): LogLost {
    const { record } = this.ticks;
    return new LogLost(
      'exchange-lost',
      `${taskName(this.options.id)} lost ticks that others have received, and cannot make them again: where these are is no place that it can come to.\n` +
        `  received  tick ${numberIn(giver)}${giver.more ? ', the half of what came at once' : ''}, ${JSON.stringify([giver.frontier, giver.clocks])}\n` +
        `  stored    tick ${record.tick}, ${JSON.stringify([record.frontier, factsOf(record).clocks])}\n` +
        `Nothing was sent that does not follow. Rebuild the view.`,
    );
  }
}

/** Where a task is whole: at what it contains all effects of, but of views what it took in last. */
const wholeAt = (record: TaskRecord): Place => ({ ...factsOf(record), ...commitsRead(record) });

/**
 * Whether a task has been at a place and is past it, or there with nothing left to be done. What it is in the middle of leads to a place
 * where it has not been: that may say no more of logs and time than the one before.
 */
const hasBeenAt = (record: TaskRecord, place: Place): boolean =>
  reaches(wholeAt(record), place) && (record.applied === null || !reaches(place, placeOf(record)));
