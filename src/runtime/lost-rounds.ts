import { begunIn, isBefore, withBeginning } from './begun.js';
import { ExchangeInput } from './exchange-input.js';
import { lastSent } from './exchange-entry.js';
import { heardIn } from './followed.js';
import {
  type CutAt,
  type GivenAgain,
  givenAgain,
  nextGiven,
  type RoundAt,
  withGivenAgain,
} from './given-again.js';
import { LogLost } from './input.js';
import type { MakingAgain } from './lost-ticks.js';
import type { TaskRecord } from './ports/task-store.js';
import { NOTHING_HEARD } from './received.js';
import { storedByReceivers } from './regaining.js';
import { givesRounds, type HeardOfRounds, ROUNDS } from './rounds.js';
import { type TaskId, taskName } from './task-id.js';
import type { TaskOptions } from './task-options.js';
import type { Ticks } from './ticks.js';

/**
 * The rounds that 1.0 has lost. Those that follow rounds, of whatever stage, each keep the one at which they stand. So their owners are
 * fenced, and what they have stored is asked for: at these rounds 1.0 is cut again, in their order, and gives them as they were.
 */
export class LostRounds {
  /** The store was found to be behind what was stored. */
  #wentBack = false;

  private constructor(
    readonly options: MakingAgain & Pick<TaskOptions, 'nonce'>,
    readonly input: ExchangeInput,
    readonly followers: readonly TaskId[],
    readonly ticks: Ticks,
  ) {}

  /** Null of a task that gives no rounds. */
  static of(options: TaskOptions, ticks: Ticks): LostRounds | null {
    const followers = options.sending?.options.rounds?.followers;
    const input = options.inputs.find((one) => one instanceof ExchangeInput);
    return givesRounds(options.id) && followers && input
      ? new LostRounds(options, input, followers.tasks, ticks)
      : null;
  }

  /** The store is behind what was stored. */
  wentBack(): void {
    this.#wentBack = true;
  }

  /** Looks whether others stand at rounds that are lost. @throws LogLost where these cannot be given again */
  async find(): Promise<void> {
    const { record } = this.ticks;
    const lost = await this.#askForLost(record);
    this.#wentBack = false;
    if (lost !== null) this.#expectToFollow(record, lost.rounds);
    const begun = withBeginning(record, this.options.nonce());
    this.ticks.keep((lost === null ? begun : withGivenAgain(begun, lost)).extra);
  }

  /** Null where there are none but those that are known. */
  async #askForLost(record: TaskRecord): Promise<GivenAgain | null> {
    const { followers } = this;
    const { id: task, store } = this.options;
    const known = givenAgain(record);
    const last = lastSent(record, ROUNDS);
    const lost = new Map((known?.rounds ?? []).map((round) => [round.tick, round]));
    const isNew = (round: RoundAt): boolean =>
      round.tick > last.tick && lost.get(round.tick)?.commit !== round.commit;
    const asking = { task, receivers: followers, store, wentBack: this.#wentBack };
    const stored = await storedByReceivers(asking, (heard) => roundsOf(heard.at(ROUNDS)!).some(isNew));
    if (stored === null) return null;
    const here = { tick: record.tick, begun: begunIn(record) };
    let upTo = known?.upTo ?? 0;
    for (const [index, heard] of stored.entries()) {
      if (heard === null) continue;
      for (const round of roundsOf(heard.at(ROUNDS)!).filter(isNew)) {
        // Of two of one number one is of another history; and who followed one before these were kept does not know where it was cut.
        if (lost.has(round.tick) || round.cut.length === 0 || !isBefore(here, round.begun))
          throw this.#lost(round);
        lost.set(round.tick, round);
        upTo = Math.max(upTo, round.tick);
      }
      // Those of the next stage know our commits, too.
      if (followers[index]!.stage === task.stage + 1) upTo = Math.max(upTo, heard[task.partition]!.tick);
    }
    if (lost.size === 0) return null;
    const rounds = [...lost.values()].sort((left, right) => left.tick - right.tick);
    // What was sent since belongs to the first of these: there is no other before it any more.
    const next = known?.rounds[0] ?? rounds[0]!;
    if (rounds[0]!.tick < next.tick) throw this.#lost(rounds[0]!);
    return { rounds, upTo };
  }

  /** Each is cut where the one before it is, or behind that. */
  #expectToFollow(record: TaskRecord, rounds: readonly RoundAt[]): void {
    let at = cutIn(record, rounds[0]!.cut.length);
    for (const round of rounds) {
      if (!isBehind(round.cut, at)) throw this.#lost(round);
      at = round.cut;
    }
  }

  /** Gives them again, each cut where it was. Null where there are none, or it did not come to its end. */
  async makeAgain(signal: AbortSignal): Promise<'givenRounds' | null> {
    const { ticks } = this;
    const left = (): RoundAt | undefined => nextGiven(ticks.record);
    if (left() === undefined) return null;
    // Rounds to come have numbers that others have not heard of.
    const { upTo } = givenAgain(ticks.record)!;
    if (ticks.record.tick < upTo) await ticks.passOver(upTo);
    for (let round; (round = left()) !== undefined && !signal.aborted;) {
      await this.#takeUpTo(round.cut, signal);
      // What it had already it had not said.
      if (left()?.tick === round.tick) await ticks.ofTime();
      if (left()?.tick === round.tick && !signal.aborted) throw this.#lost(round);
    }
    return signal.aborted ? null : 'givenRounds';
  }

  /** Takes of each task of the first stage what belongs to a round, and no more. */
  async #takeUpTo(cut: CutAt, signal: AbortSignal): Promise<void> {
    const { input, ticks } = this;
    while (!signal.aborted) {
      input.forget();
      const { extra, clocks } = ticks.record;
      const batch = await input.next(ticks.positionOf(input), extra[input.name], clocks[input.name], cut);
      if (batch === null) return;
      await ticks.take(input, batch);
    }
  }

  #lost(round: RoundAt): LogLost {
    const { record } = this.ticks;
    return new LogLost(
      'exchange-lost',
      `${taskName(this.options.id)} lost rounds that others have followed, and cannot give them again: what they were made of is not what there is.\n` +
        `  followed  round ${round.tick}, cut at ${JSON.stringify(round.cut)}\n` +
        `  stored    round ${lastSent(record, ROUNDS).tick}, cut at ${JSON.stringify(cutIn(record, 0))}\n` +
        `Nothing was sent that does not follow. Rebuild the view.`,
    );
  }
}

/** The round at which one stands, and the one of which it has taken some. */
const roundsOf = ({ tick, commit, cut, begun, next }: HeardOfRounds): readonly RoundAt[] => [
  { tick, commit, cut: cut ?? [], begun: begun ?? [] },
  ...(next === undefined ? [] : [next]),
];

/** Up to where a record has taken each of so many senders. */
const cutIn = (record: TaskRecord, senders: number): CutAt =>
  (heardIn(record) ?? Array.from({ length: senders }, () => NOTHING_HEARD)).map(({ tick, commit }) => [
    tick,
    commit,
  ]);

/** Whether all of a cut is where another one is or behind that. */
const isBehind = (cut: CutAt, other: CutAt): boolean =>
  cut.every(([tick, commit], sender) => {
    const [before, of] = other[sender]!;
    return tick > before || (tick === before && commit === of);
  });
