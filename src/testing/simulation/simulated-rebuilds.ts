import { allTasks } from '../../runtime/generation-tasks.js';
import type { ParkReason } from '../../runtime/ports/task-store.js';
import { taskName } from '../../runtime/task-id.js';
import type { MemoryRedis } from '../memory/memory-redis.js';
import type { Random } from '../random.js';
import type { SimulatedWorker } from './simulated-worker.js';
import type { SimulatedWorkers } from './simulated-workers.js';
import { described } from './standing.js';
import type { Subject } from './subject.js';
import type { VirtualTime } from './virtual-time.js';

/** So long a rebuild takes at the most where nothing goes wrong. */
const ENDS_WITHIN_MS = 150_000;
/** How often whoever drives one asks how far it is. */
const ASKED_MS = 200;
/** What a task waits for, and goes on with by itself. */
const WAITING: ReadonlySet<string> = new Set(['archive-unreachable', 'archive-damaged']);

/** A rebuild under way, and whoever drives it. */
interface RebuildMeanwhile {
  readonly id: string;
  readonly views: readonly string[];
  driver: SimulatedWorker;
}

export interface SimulatedRebuildsOptions {
  readonly random: Random;
  readonly time: VirtualTime;
  readonly redis: MemoryRedis;
  readonly workers: SimulatedWorkers;
  readonly subject: Subject;
}

/** The rebuilds of a run: while there is trouble one at a time, driven by a worker as a job is; and such as nothing disturbs. */
export class SimulatedRebuilds {
  /** How many were begun. */
  begun = 0;
  #meanwhile: RebuildMeanwhile | null = null;

  constructor(readonly options: SimulatedRebuildsOptions) {}

  /** Whether one that began while there was trouble has not ended. */
  get isUnderWay(): boolean {
    return this.#meanwhile !== null;
  }

  /** The views that are rebuilt with some: those that read them, too. */
  affected(views: readonly string[]): string[] {
    return this.options.workers.last.parts.rebuilder.affected(views);
  }

  /**
   * Now and then views are rebuilt while all else goes on. Who drives that may die: then another one does, as it is with
   * jobs. One that was paused goes on beside it.
   */
  meanwhile(rate: number): void {
    const { random, workers, subject } = this.options;
    const { awake } = workers;
    if (awake.length === 0 || subject.losesForGood) return;
    if (this.#meanwhile === null && random.chance(rate)) {
      const driver = random.of(awake);
      const views = driver.parts.rebuilder.affected([random.of(subject.views).name]);
      // Processes take up jobs once their views are there.
      if (!views.every((view) => this.#isServed(view))) return;
      this.#meanwhile = { id: this.#nextId(), views, driver };
    } else if (this.#meanwhile?.driver.process.dead) this.#meanwhile.driver = awake.at(-1)!;
    else return;
    void this.#drive(this.#meanwhile);
  }

  /**
   * Rebuilds views, and returns when that is done.
   *
   * @throws Error where it does not end, and whatever it fails with.
   */
  async now(views: readonly string[]): Promise<void> {
    const { redis, time, workers } = this.options;
    const driver = workers.last;
    const { rebuilder } = driver.parts;
    let names = rebuilder.affected(views);
    // What it would read is to be replaced, perhaps.
    const meanwhile = this.#meanwhile;
    this.#meanwhile = null;
    const drive = async (): Promise<void> => {
      if (meanwhile !== null) await rebuilder.cancel(meanwhile.id);
      for (;;) {
        const id = this.#nextId();
        await rebuilder.begin(id, names, 'building', false);
        let parked: string[] = [];
        for (let state = ''; state !== 'failed' && parked.length === 0;) {
          ({ state } = await rebuilder.advance(id));
          if (state === 'promoted' || state === 'cancelled') return;
          await driver.process.clock.sleep(ASKED_MS);
          // What it reads may park meanwhile: it is rebuilt with it.
          parked = this.#parkedViews().filter((name) => !names.includes(name));
        }
        // Failed: its number had been given before the registry went back, and what lies under it is parked. The next one takes another.
        await rebuilder.cancel(id);
        names = rebuilder.affected([...names, ...parked]);
      }
    };
    let ended = false;
    let failure: unknown = null;
    void drive()
      .catch((thrown: unknown) => (failure = thrown))
      .finally(() => (ended = true));
    if (!(await time.pass(ENDS_WITHIN_MS, () => ended)))
      throw new Error(`A rebuild of ${names.join(', ')} does not end.\n${await described(redis)}`);
    if (failure !== null) throw failure;
  }

  #isServed(view: string): boolean {
    const { generations } = this.options.redis.registry;
    return [...generations.values()].some((one) => one.view === view && one.state === 'serving');
  }

  async #drive(rebuild: RebuildMeanwhile): Promise<void> {
    const { id, views, driver } = rebuild;
    const { rebuilder } = driver.parts;
    for (let begun = false; this.#meanwhile === rebuild; await driver.process.clock.sleep(ASKED_MS)) {
      try {
        if (!begun) await rebuilder.begin(id, views, 'building', false);
        begun = true;
        const { state } = await rebuilder.advance(id);
        if (state === 'failed') await rebuilder.cancel(id);
        else if (state !== 'promoted' && state !== 'cancelled') continue;
        if (this.#meanwhile === rebuild) this.#meanwhile = null;
      } catch {
        // It is tried again, as a job is.
      }
    }
  }

  #nextId(): string {
    return `rebuild-${++this.begun}`;
  }

  /** The views that are served of which a task is parked for good. */
  #parkedViews(): string[] {
    const { registry, tasks } = this.options.redis;
    return [...registry.generations.values()]
      .filter(({ state }) => state === 'serving')
      .filter((generation) =>
        allTasks(generation).some((task) => isParkedForGood(tasks.get(taskName(task))?.parked ?? null)),
      )
      .map(({ view }) => view);
  }
}

/** Whether a task that is parked, if it is, does not go on before its view is rebuilt. */
export const isParkedForGood = (parked: ParkReason | null): boolean =>
  parked !== null && !WAITING.has(parked.code);
