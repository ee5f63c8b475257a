import { allTasks } from '../../runtime/generation-tasks.js';
import { partitionKeys } from '../../runtime/placement.js';
import type { Generation } from '../../runtime/ports/registry.js';
import type { TaskStatus } from '../../runtime/ports/task-store.js';
import { progressOf } from '../../runtime/progress.js';
import { taskName } from '../../runtime/task-id.js';
import { memoryPorts } from '../memory/memory-ports.js';
import { type MemoryRedis, MemoryStream } from '../memory/memory-redis.js';
import { type Compared, earlyIn, wrongIn } from './comparison.js';
import type { SimulatedArchive, WholeLog } from './simulated-archive.js';
import { isParkedForGood, type SimulatedRebuilds } from './simulated-rebuilds.js';
import { described } from './standing.js';
import type { Subject } from './subject.js';
import type { WentBack } from './went-back.js';

/** So long it takes at the most. */
const SETTLES_WITHIN_MS = 150_000;
const LOOK_MS = 500;
/** Within this time it is noticed that what was read, or stored, is not there any more (every task reads, and looks at its store), and what time brings is shown. */
const NOTICED_MS = 20_000;

export interface RestOptions {
  readonly redis: MemoryRedis;
  readonly subject: Subject;
  /** Null where the logs keep everything. */
  readonly archive: SimulatedArchive | null;
  readonly rebuilds: SimulatedRebuilds;
  readonly wentBack: WentBack;
  /** @throws Error for what did not hold meanwhile. */
  readonly pass: (ms: number) => Promise<void>;
}

/** What all comes to where nothing goes wrong any more: every view contains all that the logs hold, and shows what they say. */
export class Rest {
  /** Views of which nothing is expected: they cannot be made again (they are parked, or read one that is), or leave out entries. */
  readonly #givenUp = new Set<string>();

  constructor(readonly options: RestOptions) {}

  /**
   * Lets time go on in silence until it is so; parked views are rebuilt. Views come to show what time brings a moment after they
   * contain it: what is wrong may be so for a while, and no longer. What is shown before it is time is wrong at once, for time would
   * make it right.
   *
   * @throws Error where it does not come to that.
   */
  async reach(): Promise<void> {
    const { redis, subject, rebuilds, wentBack, pass } = this.options;
    const ports = memoryPorts(redis);
    let wrongSince = Infinity;
    for (const end = redis.clock.now() + SETTLES_WITHIN_MS; redis.clock.now() < end;) {
      await pass(LOOK_MS);
      const snapshot = await ports.registry.read();
      const serving = snapshot.generations.filter(({ state }) => state === 'serving');
      if (serving.length < subject.views.length) continue;
      const expected = serving.filter(({ view }) => !this.#givenUp.has(view));
      const standing = await Promise.all(expected.map((each) => progressOf(each, ports.tasks, ports.log)));
      const all = standing.flatMap(({ statuses }) => statuses);
      const parked = all.filter((status) => isParkedForGood(status.parked));
      if (parked.length > 0) {
        await this.#rebuild(parked, all);
        wrongSince = Infinity;
      } else if (!rebuilds.isUnderWay && standing.every(({ atEnd }) => atEnd)) {
        this.#giveUpBlamed(serving);
        const compared = this.#compared();
        // Until it is noticed that something went back, what is shown may be of what is lost.
        const early = wentBack.anything ? null : earlyIn(compared);
        if (early !== null) throw new Error(early);
        const wrong = wrongIn(compared);
        if (wrong === null) return;
        wrongSince = Math.min(wrongSince, redis.clock.now());
        if (redis.clock.now() - wrongSince >= NOTICED_MS) throw new Error(wrong);
      }
    }
    throw new Error(`It does not come to rest.\n${await described(redis)}`);
  }

  /** @throws Error for a task that had no reason to park. */
  async #rebuild(parked: readonly TaskStatus[], all: readonly TaskStatus[]): Promise<void> {
    const { subject, wentBack, rebuilds } = this.options;
    const viewOf = ({ task }: TaskStatus) => subject.views.find(({ name }) => name === task.view)!;
    const views = (of: readonly TaskStatus[]): string[] => [...new Set(of.map(({ task }) => task.view))];
    const excused = parked.filter((status) => wentBack.excuses(status, viewOf(status), all));
    // What their logs lost cannot be read again. Who waits for one of their tasks parks in its turn.
    if (subject.losesForGood) for (const view of rebuilds.affected(views(excused))) this.#givenUp.add(view);
    const unexpected = parked.find(
      (status) => !excused.includes(status) && !this.#givenUp.has(status.task.view),
    );
    if (unexpected) throw new Error(`Parked: ${JSON.stringify(unexpected)}`);
    if (!subject.losesForGood) await rebuilds.now(views(parked));
  }

  /**
   * Entries that seem to have ended workers are left out, of these views and of what is made of them.
   * @throws Error where no task of the view has lost so many owners.
   */
  #giveUpBlamed(serving: readonly Generation[]): void {
    const { redis, wentBack, rebuilds } = this.options;
    for (const generation of serving) {
      const blamed = redis.blamed.get(generation.fingerprint);
      if (blamed === undefined) continue;
      if (!allTasks(generation).some((task) => wentBack.seemsToEndOwners(taskName(task))))
        throw new Error(`Blamed: ${JSON.stringify(blamed)}`);
      for (const view of rebuilds.affected([generation.view])) this.#givenUp.add(view);
    }
  }

  #compared(): Compared {
    const { redis, subject, archive } = this.options;
    const keys = subject.sources.flatMap(({ source }) => partitionKeys(source));
    const inRedis = (key: string): WholeLog => redis.streams.get(key) ?? new MemoryStream();
    const logs = new Map(keys.map((key) => [key, archive?.whole(key) ?? inRedis(key)]));
    return { redis, subject, logs, except: this.#givenUp };
  }
}
