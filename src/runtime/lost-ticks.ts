import { nextRegained, receiversAhead, regained, withRegaining } from './regaining.js';
import { reachPlace } from './reach-place.js';
import type { TaskId } from './task-id.js';
import type { TaskOptions } from './task-options.js';
import type { Ticks } from './ticks.js';

/** What a task needs to make again what it has lost. */
export type MakingAgain = Pick<TaskOptions, 'id' | 'inputs' | 'store'>;

/** To whom a task of the first stage sends, where there are rounds or where there are none. Null of any other. */
export function receiversOfFirst(
  { id, sending }: TaskOptions,
  rounds: 'with rounds' | 'without',
): readonly TaskId[] | null {
  if (sending === null || id.stage > 0) return null;
  if ((sending.options.rounds !== null) !== (rounds === 'with rounds')) return null;
  return sending.options.receivers.tasks;
}

/** The ticks that a task has lost and its receivers have: made again, cut where each of these is (`regaining.ts`). */
export class LostTicks {
  /** The store was found to be behind what was stored. */
  #wentBack = false;

  private constructor(
    readonly options: MakingAgain,
    readonly receivers: readonly TaskId[],
    readonly ticks: Ticks,
  ) {}

  /** Null of a task that cannot make again what it lost, or where there are rounds (`lost-in-rounds.ts`). */
  static of(options: TaskOptions, ticks: Ticks): LostTicks | null {
    const receivers = receiversOfFirst(options, 'without');
    return receivers && new LostTicks(options, receivers, ticks);
  }

  /** The store is behind what was stored. */
  wentBack(): void {
    this.#wentBack = true;
  }

  /** Looks whether receivers have what the task has lost. */
  async find(): Promise<void> {
    const { ticks, receivers } = this;
    const { id: task, store } = this.options;
    const ahead = await receiversAhead({ task, receivers, store, wentBack: this.#wentBack }, ticks.record);
    this.#wentBack = false;
    ticks.keep(withRegaining(ticks.record, ahead).extra);
  }

  /** Makes them again, and is cut where each receiver is. Null where there is nothing to be made, or it did not come to its end. */
  async makeAgain(signal: AbortSignal): Promise<'sentTicks' | null> {
    const { ticks } = this;
    if (nextRegained(ticks.record) === null) return null;
    for (let next; (next = nextRegained(ticks.record)) !== null && !signal.aborted;) {
      const { receiver, heard } = next;
      await reachPlace(this.options, ticks, heard, signal);
      if (signal.aborted) return null;
      ticks.keep(regained(ticks.record, receiver).extra);
      await ticks.passOver(heard.upTo);
    }
    return signal.aborted ? null : 'sentTicks';
  }
}
