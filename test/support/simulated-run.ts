import { defaultLimits, type Limits } from '../../src/runtime/limits.js';
import type { Generation } from '../../src/runtime/ports/registry.js';
import type { CommitRequest, ParkReason } from '../../src/runtime/ports/task-store.js';
import { partitionKeys, partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import { progressOf } from '../../src/runtime/progress.js';
import { declarationOf } from '../../src/view/declaration-of.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';
import { MemoryRedis, type MemoryTask } from '../../src/testing/memory/memory-redis.js';
import { Random } from '../../src/testing/random.js';
import { FaultSource } from '../../src/testing/simulation/faulty-ports.js';
import { SimulatedProcess } from '../../src/testing/simulation/simulated-process.js';
import { SimulatedWorker } from '../../src/testing/simulation/simulated-worker.js';
import { VirtualTime } from '../../src/testing/simulation/virtual-time.js';

/** Views kept by workers over one Redis in memory, in time of its own, where nothing goes wrong by itself. */
export class SimulatedRun {
  readonly time = new VirtualTime(Date.UTC(2030, 0, 1));
  readonly redis = new MemoryRedis({ clock: this.time });
  readonly ports = memoryPorts(this.redis);
  readonly views: readonly ViewDeclaration[];
  readonly limits: Limits;
  readonly workers: SimulatedWorker[] = [];
  /** Told of each commit that was stored. */
  onCommit: (request: CommitRequest) => void = () => {};
  /** What its workers have warned of. */
  readonly warned: string[] = [];
  #nonces = 0;

  constructor(views: readonly object[], limits: Partial<Limits> = {}) {
    this.views = declarationsOf(views);
    this.limits = { ...defaultLimits, ...limits };
  }

  /** A process, by default with the views of the run. */
  start(views: readonly object[] = []): SimulatedWorker {
    const process = new SimulatedProcess(`w${this.workers.length}`, this.time, 0);
    const faults = new FaultSource(new Random(1));
    const nonce = (): string => `n${++this.#nonces}`;
    const ports = memoryPorts(this.redis);
    const commit = ports.tasks.commit.bind(ports.tasks);
    ports.tasks.commit = async (request) => {
      const outcome = await commit(request);
      if (outcome.status === 'committed') this.onCommit(request);
      return outcome;
    };
    const worker = new SimulatedWorker({
      process,
      ports,
      faults,
      views: views.length === 0 ? this.views : declarationsOf(views),
      limits: this.limits,
      nonce,
      logger: { info() {}, warn: (message) => void this.warned.push(message), error() {} },
    });
    this.workers.push(worker);
    void worker.start();
    return worker;
  }

  append(source: object, ...rows: readonly object[]): void {
    const declared = declarationOf(source as never) as RecordSource;
    for (const row of rows) {
      const stream = this.redis.stream(partitionKeys(declared)[partitionOf(declared)?.(row as never) ?? 0]!);
      stream.add(stream.nextId(this.time.now()), ['data', JSON.stringify(row)]);
    }
    this.redis.wake();
  }

  async pass(ms: number): Promise<void> {
    await this.time.pass(ms);
  }

  generation(view: string): Generation {
    return [...this.redis.registry.generations.values()].find(
      (one) => one.view === view && one.state === 'serving',
    )!;
  }

  /** Waits until a view contains all that its logs hold. */
  async settled(view: string): Promise<void> {
    for (let waited = 0; waited < 200; waited++) {
      await this.time.pass(100);
      const serving = this.generation(view);
      if (serving && (await progressOf(serving, this.ports.tasks, this.ports.log)).atEnd) return;
    }
    throw new Error(`"${view}" does not come to rest: ${JSON.stringify(this.parked(view))}`);
  }

  /** What is stored of a task: `0.1` is partition 1 of the first stage. */
  task(view: string, place: string): MemoryTask {
    return this.redis.tasks.get(this.nameOf(view, place))!;
  }

  nameOf(view: string, place: string): string {
    return `${view}#${this.generation(view).number}/${place}`;
  }

  /** The rows of each task that keeps any, by its place. */
  shown(view: string): Map<string, Record<string, unknown>[]> {
    const shown = new Map<string, Record<string, unknown>[]>();
    const begins = this.nameOf(view, '');
    for (const [name, task] of this.redis.tasks) {
      if (!name.startsWith(begins)) continue;
      const texts = [...(task.keyed.get('rows')?.values() ?? [])].map((text) => text.split('\n')[0]!);
      const rows = texts.filter((text) => text !== '').map((text) => JSON.parse(text));
      if (rows.length > 0) shown.set(name.slice(begins.length), rows);
    }
    return shown;
  }

  rows(view: string): Record<string, unknown>[] {
    return [...this.shown(view).values()].flat();
  }

  parked(view: string): ParkReason[] {
    const begins = this.nameOf(view, '');
    return [...this.redis.tasks].flatMap(([name, { parked }]) =>
      name.startsWith(begins) && parked ? [parked] : [],
    );
  }

  end(): void {
    for (const { process } of this.workers) process.kill();
  }
}

/** Limits that cut batches and commits small and forget all that is cached, or none of it. */
export const cuttingLimits = (random: Random): Partial<Limits> => ({
  readEntriesMax: random.of([2, 8_000]),
  commitWritesMax: random.of([4, 4_000]),
  cacheEntriesMax: random.of([1, 10_000]),
  cacheObjectsMax: 4,
});

/** The rows of a view behind a history, as sorted texts: of one worker, or more that `play` starts, where nothing goes wrong. */
export async function rowsBehind(
  shown: { readonly declaration: ViewDeclaration },
  limits: Partial<Limits>,
  play: (run: SimulatedRun) => Promise<void>,
): Promise<string[]> {
  const { name } = shown.declaration;
  const run = new SimulatedRun([shown], limits);
  run.start();
  await play(run);
  await run.settled(name);
  expect(run.parked(name)).toEqual([]);
  run.end();
  return run
    .rows(name)
    .map((row) => JSON.stringify(row))
    .sort();
}

const declarationsOf = (views: readonly object[]): ViewDeclaration[] =>
  views.map((view) => declarationOf(view as never) as ViewDeclaration);
