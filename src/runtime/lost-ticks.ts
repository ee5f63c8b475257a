import { raised } from './clocks.js';
import { type Heard, reaches } from './followed.js';
import { type InputBatch, LogLost, type TaskInput } from './input.js';
import type { TaskRecord } from './ports/task-store.js';
import { BEGINNING, comparePositions, type Position } from './position.js';
import { nextRegained, placeOf, receiversAhead, regained, withRegaining } from './regaining.js';
import { type TaskId, taskName } from './task-id.js';
import type { TaskOptions } from './task-options.js';
import type { Ticks } from './ticks.js';

/** The ticks that a task has lost and its receivers have: made again, cut where each of these is (`regaining.ts`). */
export class LostTicks {
  /** The store was found to be behind what was stored. */
  #wentBack = false;

  private constructor(
    readonly options: Pick<TaskOptions, 'id' | 'inputs' | 'store'>,
    readonly receivers: readonly TaskId[],
    readonly ticks: Ticks,
  ) {}

  /** Null of a task that cannot make again what it lost: it sends nothing, or a place in the logs and in time is not enough to cut at. */
  static of(options: TaskOptions, ticks: Ticks): LostTicks | null {
    const { id, sending, inputs } = options;
    if (sending === null || id.stage > 0 || sending.options.rounds !== null) return null;
    if (inputs.some(({ redisKey }) => redisKey === undefined)) return null;
    return new LostTicks(options, sending.options.receivers.tasks, ticks);
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

  /** Makes them again, and is cut where each receiver is. */
  async makeAgain(signal: AbortSignal): Promise<void> {
    const { ticks } = this;
    for (let next; (next = nextRegained(ticks.record)) !== null && !signal.aborted;) {
      const { receiver, heard } = next;
      for (const input of this.options.inputs) await this.#takeUpTo(heard, input, signal);
      await ticks.passTime(timeOf(heard, ticks.record));
      if (signal.aborted) return;
      this.#expectAt(heard);
      ticks.keep(regained(ticks.record, receiver).extra);
      do await ticks.ofTime();
      while (ticks.record.tick < heard.upTo && !signal.aborted);
    }
  }

  /** Takes of an input what the receiver has of it, and no more. */
  async #takeUpTo(heard: Heard, input: TaskInput, signal: AbortSignal): Promise<void> {
    const { ticks } = this;
    const end = heard.frontier[input.redisKey!] ?? BEGINNING;
    const position = (): Position => ticks.positionOf(input).position;
    while (comparePositions(position(), end) < 0 && !signal.aborted) {
      const { extra, clocks } = ticks.record;
      const batch = await input.next(ticks.positionOf(input), extra[input.name], clocks[input.name]);
      const size = batch === null ? 0 : sizeUpTo(batch, end);
      if (size === 0) break;
      await ticks.take(input, batch!, size, heard.clocks);
    }
    if (position() !== end && !signal.aborted)
      throw new LogLost(
        'ahead-of-its-log',
        `The stream "${input.redisKey}" does not hold the entry ${end} any more, of which ${taskName(this.options.id)} had sent what came of it.\n` +
          `Both went back, and the tasks that received it did not: the view contains entries that no log holds. Rebuild it (\`stillwater rebuild <view>\`).`,
      );
  }

  /** What is made again must end where the receiver is, in logs and in time: else what is sent next does not follow what it has. */
  #expectAt(heard: Heard): void {
    const { record } = this.ticks;
    const place = placeOf(record);
    if (record.applied === null && reaches(place, heard) && reaches(heard, place)) return;
    throw new LogLost(
      'exchange-lost',
      `${taskName(this.options.id)} lost ticks that others have received, and cannot make them again: it does not come to where these are.\n` +
        `  received  ${JSON.stringify([heard.frontier, heard.clocks])}\n` +
        `  reached   ${JSON.stringify([place.frontier, place.clocks])}\n` +
        `Nothing was sent that does not follow. Rebuild the view.`,
    );
  }
}

function sizeUpTo(batch: InputBatch, end: Position): number {
  let size = 0;
  while (size < batch.size && comparePositions(batch.positionAfter(size + 1).position, end) <= 0) size++;
  return size;
}

/** The clocks of a record, raised to those of which the receiver was told. */
function timeOf({ clocks: told }: Heard, { clocks }: TaskRecord): TaskRecord['clocks'] {
  for (const input of Object.keys(clocks)) clocks = raised(clocks, input, told);
  return clocks;
}
