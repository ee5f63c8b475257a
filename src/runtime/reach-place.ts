import { raised } from './clocks.js';
import { type CommitFacts, reaches } from './followed.js';
import { type InputBatch, LogLost, type TaskInput } from './input.js';
import type { TaskRecord } from './ports/task-store.js';
import { BEGINNING, comparePositions, type Position } from './position.js';
import { placeOf } from './regaining.js';
import { taskName } from './task-id.js';
import type { TaskOptions } from './task-options.js';
import type { Ticks } from './ticks.js';

/** Where a task of the first stage is or was, in logs and in time. */
export type Place = Pick<CommitFacts, 'frontier' | 'clocks'>;

/**
 * Takes the inputs of a task exactly up to a place where it once was, in as many ticks as it likes, and lets time pass to there.
 * @throws LogLost where it does not come there
 */
export async function reachPlace(
  { id, inputs }: Pick<TaskOptions, 'id' | 'inputs'>,
  ticks: Ticks,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  for (const input of inputs) await takeUpTo(input);
  await ticks.passTime(timeOf(place, ticks.record));
  if (!signal.aborted) expectThere();

  /** Takes of an input what was contained there, and no more. */
  async function takeUpTo(input: TaskInput): Promise<void> {
    const end = place.frontier[input.redisKey!] ?? BEGINNING;
    const position = (): Position => ticks.positionOf(input).position;
    while (comparePositions(position(), end) < 0 && !signal.aborted) {
      const { extra, clocks } = ticks.record;
      const batch = await input.next(ticks.positionOf(input), extra[input.name], clocks[input.name]);
      const size = batch === null ? 0 : sizeUpTo(batch, end);
      if (size === 0) break;
      await ticks.take(input, batch!, size, place.clocks);
    }
    if (position() !== end && !signal.aborted)
      throw new LogLost(
        'ahead-of-its-log',
        `The stream "${input.redisKey}" does not hold the entry ${end} any more, of which ${taskName(id)} had sent what came of it.\n` +
          `Both went back, and the tasks that received it did not: the view contains entries that no log holds. Rebuild it (\`stillwater rebuild <view>\`).`,
      );
  }

  /** What is made again must end where it was: else what is sent next does not follow what receivers have. */
  function expectThere(): void {
    const { record } = ticks;
    const here = placeOf(record);
    if (record.applied === null && reaches(here, place) && reaches(place, here)) return;
    throw new LogLost(
      'exchange-lost',
      `${taskName(id)} lost ticks that others have received, and cannot make them again: it does not come to where these are.\n` +
        `  received  ${JSON.stringify([place.frontier, place.clocks])}\n` +
        `  reached   ${JSON.stringify([here.frontier, here.clocks])}\n` +
        `Nothing was sent that does not follow. Rebuild the view.`,
    );
  }
}

function sizeUpTo(batch: InputBatch, end: Position): number {
  let size = 0;
  while (size < batch.size && comparePositions(batch.positionAfter(size + 1).position, end) <= 0) size++;
  return size;
}

/** The clocks of a record, raised to those of a place. */
function timeOf({ clocks: told }: Place, { clocks }: TaskRecord): TaskRecord['clocks'] {
  for (const input of Object.keys(clocks)) clocks = raised(clocks, input, told);
  return clocks;
}
