import type { CompiledStage } from '../view/compiled-stage.js';
import type { Clock } from './clock.js';
import { partitionKeys } from './placement.js';
import type { Generation } from './ports/registry.js';
import type { SourceLog } from './ports/source-log.js';
import type { TaskRecord, TaskStore } from './ports/task-store.js';
import { BEGINNING, END, type Position } from './position.js';
import { type TaskId, taskName } from './task-id.js';
import { ViewTime } from './view-time.js';

/** A partition of a log on whose time a view acts, and the task that reads it. */
export interface TimedLog {
  readonly task: TaskId;
  readonly input: string;
  readonly redisKey: string;
}

/** The partitions that a task of the first stage reads itself. */
export function partitionsReadBy(task: TaskId, compiled: CompiledStage): TimedLog[] {
  const time = new ViewTime(compiled, task.partition);
  return compiled.inputs.flatMap((input) => {
    const { name, source } = input;
    if (source.kind === 'view' || !time.isBroughtBy(input)) return [];
    const redisKey = partitionKeys(source)[task.partition];
    return redisKey === undefined ? [] : [{ task, input: name, redisKey }];
  });
}

/** How long an answer is believed: so often who waits asks again. */
export const ASKED_MS = 20;
/** Logs of which it is asked at once whether they hold more. */
const PROBED_AT_ONCE = 8;

interface Laggard extends TimedLog {
  readonly clock: number;
  readonly position: Position;
}

/**
 * Which of the tasks that replay logs together are behind: those that still have something to read. One that is parked does not go
 * on, and one that stands where it is to stop does not either. All tasks of a worker share one question.
 */
export class Laggards {
  #asked = -Infinity;
  #everyMs = ASKED_MS;
  #answer: Promise<readonly Laggard[]> = Promise.resolve([]);

  constructor(
    readonly of: Pick<Generation, 'view' | 'number'>,
    /** Of all tasks of the generation. */
    readonly partitions: readonly TimedLog[],
    readonly stopAt: () => Generation['stopAt'],
    readonly options: {
      tasks: TaskStore;
      log: SourceLog;
      clock: Clock;
      /** So seldom it is asked at the least, where nobody gets on. */
      everyMsMax: number;
    },
  ) {}

  /** The least clock of the other tasks as a task has last heard of it, of all that they read. Costs nothing. */
  heardOf({ partition }: TaskId, { clocks }: Pick<TaskRecord, 'clocks'>): number {
    let least = Infinity;
    for (const { task, input, redisKey } of this.partitions)
      if (task.partition !== partition) least = Math.min(least, clocks[input]?.[redisKey] ?? -Infinity);
    return least;
  }

  /** The least clock of what other tasks still have to read, -Infinity where time has not begun there; Infinity for none. */
  async leastBut({ partition }: TaskId): Promise<number> {
    const now = this.options.clock.monotonicMs();
    if (now - this.#asked >= this.#everyMs) {
      this.#asked = now;
      this.#answer = this.#askAfter(this.#answer);
      // Whoever asked hears of it; the next asks anew.
      this.#answer.catch(() => (this.#asked = -Infinity));
    }
    const laggard = (await this.#answer).find(({ task }) => task.partition !== partition);
    return laggard?.clock ?? Infinity;
  }

  /** Who does not get on may have nobody to maintain it: that is asked more and more seldom. */
  async #askAfter(before: Promise<readonly Laggard[]>): Promise<readonly Laggard[]> {
    const answer = await this.#ask();
    const isSame = placesOf(answer) === placesOf(await before.catch(() => []));
    this.#everyMs = isSame ? Math.min(this.#everyMs * 2, this.options.everyMsMax) : ASKED_MS;
    return answer;
  }

  /** The least of one task, and the least of another one: nobody waits for itself. */
  async #ask(): Promise<Laggard[]> {
    const { tasks } = this.options;
    const statuses = await tasks.status([
      ...new Map(this.partitions.map(({ task }) => [taskName(task), task])).values(),
    ]);
    const going = new Map(
      statuses.flatMap(({ task, record, parked }) =>
        parked === null ? [[task.partition, record] as const] : [],
      ),
    );
    const left = this.partitions
      .filter(({ task }) => going.has(task.partition))
      .map((log): Laggard => {
        const record = going.get(log.task.partition);
        const clock = record?.clocks[log.input]?.[log.redisKey] ?? -Infinity;
        return { ...log, clock, position: record?.positions[log.input]?.position ?? BEGINNING };
      })
      .sort((one, other) => (one.clock === other.clock ? 0 : one.clock - other.clock));
    const behind: Laggard[] = [];
    while (left.length > 0 && behind.length < 2) {
      const some = left.splice(0, PROBED_AT_ONCE);
      const more = await Promise.all(some.map((laggard) => this.#hasMore(laggard)));
      for (const [index, laggard] of some.entries())
        if (more[index] && behind.length < 2 && behind[0]?.task.partition !== laggard.task.partition)
          behind.push(laggard);
    }
    return behind;
  }

  /** The log itself is asked: its last id says nothing where entries were deleted. */
  async #hasMore({ redisKey, position }: Laggard): Promise<boolean> {
    const to = this.stopAt()?.[redisKey] ?? END;
    return (await this.options.log.range(redisKey, position, to, 1)).length > 0;
  }
}

const placesOf = (laggards: readonly Laggard[]): string =>
  JSON.stringify(laggards.map(({ redisKey, position }) => [redisKey, position]));
