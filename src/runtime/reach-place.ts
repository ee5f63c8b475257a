import { raised } from './clocks.js';
import { commitsRead, type Followed, newestRead, type Place, reaches } from './followed.js';
import { type InputBatch, LogLost, type TaskInput } from './input.js';
import type { TaskRecord } from './ports/task-store.js';
import { BEGINNING, comparePositions, type Position, positionOfTick } from './position.js';
import { placeOf } from './regaining.js';
import { taskName } from './task-id.js';
import type { TaskOptions } from './task-options.js';
import type { Ticks } from './ticks.js';

/**
 * Takes the inputs of a task of the first stage exactly up to a place where it once was, in as many ticks as it likes, and lets time
 * pass to there. In a log that is an entry. In the changelog of a view it is a commit, of which the nonce counts as well: if the slot of
 * that view went back, others have its number. Pages of its rows are taken as long as they are of no later one.
 *
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
    const end = endIn(input, place);
    const isThere = (): boolean => {
      const note = ticks.record.extra[input.name] as Followed | undefined;
      const commit = place.read?.[input.name]?.commit;
      return ticks.positionOf(input).position === end && !takesPages(note) && note?.commit === commit;
    };
    while (!isThere() && !signal.aborted) {
      const { extra, clocks } = ticks.record;
      const batch = await input.next(ticks.positionOf(input), extra[input.name], clocks[input.name]);
      const size = batch === null ? 0 : sizeUpTo(input, batch, end);
      if (size === 0) break;
      await ticks.take(input, batch!, [0, size], place.clocks);
    }
    if (!isThere() && !signal.aborted) throw lost(input, end);
  }

  function lost({ name, redisKey }: TaskInput, end: Position): LogLost {
    if (redisKey !== undefined)
      return new LogLost(
        'ahead-of-its-log',
        `The stream "${redisKey}" does not hold the entry ${end} any more, of which ${taskName(id)} had sent what came of it.\n` +
          `Both went back, and the tasks that received it did not: the view contains entries that no log holds. Rebuild it (\`stillwater rebuild <view>\`).`,
      );
    const note = ticks.record.extra[name] as Followed | undefined;
    const had = JSON.stringify(place.read?.[name] ?? null);
    return note === undefined || takesPages(note)
      ? new LogLost(
          'exchange-lost',
          `${taskName(id)} lost ticks that others have received, and all that it had read of ${name}: the rows that are there now are of a later commit than those were.\n` +
            `  received  up to the commit ${had}\n` +
            `Nothing was sent that does not follow. Rebuild the view.`,
        )
      : new LogLost(
          'upstream-went-back',
          `${taskName(id)} lost ticks that others have received, and ${name} lost those of which they were made: both of their hash slots lost their last writes, and others did not.\n` +
            `  received  up to the commit ${had}\n` +
            `  found     up to the commit ${JSON.stringify(commitsRead(ticks.record).read?.[name])}\n` +
            `Nothing was sent that does not follow. Rebuild the view: it starts from the rows as they are.`,
        );
  }

  /** What is made again must end where it was: else what is sent next does not follow what receivers have. */
  function expectThere(): void {
    const { record } = ticks;
    const here = placeOf(record);
    if (record.applied === null && reaches(here, place) && reaches(place, here)) return;
    const shown = ({ frontier, clocks, read = {} }: Place): string =>
      JSON.stringify([frontier, clocks, read]);
    throw new LogLost(
      'exchange-lost',
      `${taskName(id)} lost ticks that others have received, and cannot make them again: it does not come to where these are.\n` +
        `  received  ${shown(place)}\n` +
        `  reached   ${shown(here)}\n` +
        `Nothing was sent that does not follow. Rebuild the view.`,
    );
  }
}

/** The rows of a view were not all taken over yet, or are still of several commits. */
const takesPages = (note: Followed | undefined): boolean => (note?.snapshot ?? null) !== null;

/** Where a place lies in an input. */
const endIn = ({ name, redisKey }: TaskInput, { frontier, read }: Place): Position =>
  redisKey === undefined ? positionOfTick(read?.[name]?.tick ?? 0) : (frontier[redisKey] ?? BEGINNING);

function sizeUpTo({ redisKey }: TaskInput, batch: InputBatch, end: Position): number {
  const takenBy = (size: number): Position => {
    // Of an entry that is taken in parts each is behind the position before it.
    if (redisKey !== undefined) return batch.frontierAfter(size)[redisKey]!;
    const { position } = batch.positionAfter(size);
    return positionOfTick(newestRead(position, batch.noteAfter?.(size) as Followed).tick);
  };
  let size = 0;
  while (size < batch.size && comparePositions(takenBy(size + 1), end) <= 0) size++;
  return size;
}

/** The clocks of a record, raised to those of a place. */
function timeOf({ clocks: told }: Place, { clocks }: TaskRecord): TaskRecord['clocks'] {
  for (const input of Object.keys(clocks)) clocks = raised(clocks, input, told);
  return clocks;
}
