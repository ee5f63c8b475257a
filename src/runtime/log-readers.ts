import { forgetReader } from './drop-generation.js';
import { allTasks, lastStage } from './generation-tasks.js';
import { firstParked, givenUp } from './given-up.js';
import type { Limits } from './limits.js';
import type { Logger } from './logger.js';
import type { Generation } from './ports/registry.js';
import type { SourceLog } from './ports/source-log.js';
import type { TaskStatus, TaskStore } from './ports/task-store.js';
import type { ViewStore } from './ports/view-store.js';
import { BEGINNING, comparePositions, earlierOf, END, type Position } from './position.js';
import { progressOf } from './progress.js';
import type { RegistryWatch } from './registry-watch.js';
import { taskName } from './task-id.js';

/** A partition of a log, as tasks know it. */
export interface LogOf {
  readonly redisKey: string;
  readonly partition: number;
  readonly input: string;
}

/** Up to where a log is kept, for whom, and since when that one is parked. */
export interface LowestReader {
  readonly position: Position;
  readonly by: string;
  readonly since: number | null;
}

/** Who reads logs, and so keeps them from being trimmed. */
export class LogReaders {
  /** Generations of which tasks were parked for too long, as of the last look, and of which of them it was said. */
  #givenUp: ReturnType<typeof givenUp> = new Map();
  readonly #told = new Set<string>();

  constructor(
    readonly options: {
      registry: RegistryWatch;
      tasks: TaskStore;
      views: ViewStore;
      log: SourceLog;
      limits: Limits;
      logger: Logger;
    },
    /** Generations that do not count. */
    readonly isForgotten: (generation: Generation) => boolean,
  ) {}

  /** Another process looks now. */
  forget(): void {
    this.#told.clear();
  }

  /**
   * Finds generations that were parked for too long, and what waits for them. To be asked before a round of trimming; where no log is
   * trimmed those that read views, for they hold back what these keep of their changes.
   */
  async look(now: number, areLogsTrimmed: boolean): Promise<void> {
    const { registry, tasks, limits, views, logger } = this.options;
    const { generations } = registry.snapshot;
    const counted = generations.filter(
      ({ state, upstreams }) => state !== 'dropping' && (areLogsTrimmed || Object.keys(upstreams).length > 0),
    );
    const statuses = await tasks.status(counted.flatMap(allTasks));
    const isOver = (since: number): boolean => now - since >= limits.parkedHoldsBackMs;
    this.#givenUp = givenUp(counted, new Map(statuses.map((of) => [taskName(of.task), of])), isOver);
    const names = new Set([...this.#givenUp.keys()].map(nameOf));
    for (const name of this.#told) if (!names.has(name)) this.#told.delete(name);
    for (const [generation, parked] of this.#givenUp) {
      await forgetReader(generation, { views, registry }, (name) => parked.has(name));
      if (this.#told.has(nameOf(generation))) continue;
      this.#told.add(nameOf(generation));
      if (parked.size === 0) continue;
      logger.warn(
        `Generation ${generation.number} of "${generation.view}" holds back no trimming any more, nor do views for what they wait for of it: ` +
          `${[...parked].join(', ')} was parked for ${limits.parkedHoldsBackMs} ms (parkedHoldsBackMs).\n` +
          `Its rows are served as they are. If what it has not read is trimmed it cannot go on; then, as now, rebuild it: \`stillwater rebuild ${generation.view}\`.`,
      );
    }
  }

  /** Whoever has read least of a log. */
  async lowest(of: LogOf): Promise<LowestReader> {
    const { registry, tasks, log } = this.options;
    const { redisKey } = of;
    let lowest: LowestReader | null = null;
    let isGivenUp = false;
    const add = (reader: LowestReader): void => {
      if (lowest === null || comparePositions(reader.position, lowest.position) < 0) lowest = reader;
    };
    for (const generation of registry.snapshot.generations) {
      if (
        generation.state === 'dropping' ||
        this.isForgotten(generation) ||
        !generation.sources.includes(redisKey)
      )
        continue;
      const { frontier, statuses } = await progressOf(generation, tasks, log);
      const by = generation.view;
      const parked = this.#parkedIn(generation);
      if (parked !== null) {
        isGivenUp = true;
        for (const position of stillReadBy(generation, statuses, parked, of))
          add({ position, by, since: null });
        continue;
      }
      let position = frontier[redisKey]!;
      // Those that read the log may be behind those that show what becomes of it: their slot alone went back. It is read by the
      // task of its number, which has read none of it where it says nothing of it, or lost all: then it begins anew.
      for (const { task, record } of statuses) {
        if (task.stage > 0) continue;
        const unread = task.partition === of.partition ? BEGINNING : position;
        position = earlierOf(position, record?.frontier[redisKey] ?? unread);
      }
      add({ position, by, since: firstParked(statuses) });
    }
    for (const { group, position } of await log.foreignReaders(redisKey))
      add({ position, by: `group ${group}`, since: null });
    // A stream that nobody reads yet is kept: a view declared tomorrow wants it.
    return lowest ?? { position: isGivenUp ? END : BEGINNING, by: 'nobody', since: null };
  }

  /** Of a generation that was given up, its tasks that are parked so. */
  #parkedIn({ view, number }: Generation): ReadonlySet<string> | null {
    for (const [generation, parked] of this.#givenUp)
      if (generation.view === view && generation.number === number) return parked;
    return null;
  }
}

/**
 * Where those tasks of a generation that was given up are in a log which read it themselves and go on: before all of it, where one
 * has read nothing yet or lost all. Where rows move between partitions all of them come to stand still for the one that is parked.
 */
function stillReadBy(
  generation: Generation,
  statuses: readonly TaskStatus[],
  parked: ReadonlySet<string>,
  { partition, input }: LogOf,
): Position[] {
  const readsItself = statuses.some(({ record }) => record?.positions[input] !== undefined);
  if (lastStage(generation) > 0 || !readsItself) return [];
  return statuses
    .filter(({ task }) => task.partition === partition && !parked.has(taskName(task)))
    .map(({ record }) => record?.positions[input]?.position ?? BEGINNING);
}

/** A generation in a word. */
export const nameOf = ({ view, number }: Generation): string => `${view}#${number}`;
