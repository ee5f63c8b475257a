import { defaultLimits, type Limits } from '../../runtime/limits.js';
import type { Generation } from '../../runtime/ports/registry.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import type { TaskStatus } from '../../runtime/ports/task-store.js';
import { progressOf } from '../../runtime/progress.js';
import { memoryPorts } from '../memory/memory-ports.js';
import { MemoryRedis } from '../memory/memory-redis.js';
import { Random } from '../random.js';
import { CommitWatch } from './commit-watch.js';
import { FaultSource, NO_FAULTS } from './faulty-ports.js';
import { checkpoint, type Checkpoint, rollBack, rollBackStream, rollBackTask } from './rollback.js';
import { SimulatedProcess } from './simulated-process.js';
import type { Ports } from '../../runtime/ports/ports.js';
import { SimulatedWorker } from './simulated-worker.js';
import { redisKeyOf, type Shown, type Subject, subjects } from './subjects.js';
import { VirtualTime } from './virtual-time.js';

/** What one run did and found. */
export interface Outcome {
  readonly seed: number;
  readonly subject: string;
  /** Null: everything held. */
  readonly failure: string | null;
  readonly entries: number;
  readonly commits: number;
  readonly kills: number;
  readonly pauses: number;
  readonly rollbacks: number;
  /** Views that were parked as ahead of their log, or before a gap, and rebuilt. */
  readonly rebuilt: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly virtualMs: number;
}

export interface SimulationOptions {
  /** The ports of a process; by default right ones. */
  readonly ports?: (redis: MemoryRedis) => Ports;
  /** What is kept; by default one of all subjects. */
  readonly subject?: (random: Random) => Subject;
  /** Slots of tasks go back often, and nothing else does. */
  readonly slotsGoBack?: boolean;
}

/** The time at which every run begins: what the clocks say must not matter. */
const START = Date.UTC(2030, 0, 1);
const ROUNDS = 14;
const ROUND_MS = 3_000;
const SETTLE_MS = 600_000;
const CHECKS_MAX = 50;
const CHECK_MS = 300;
/** Within this time it is noticed that what was read, or stored, is not there any more: every task reads, and looks at its store. */
const NOTICED_MS = 10_000;
const PARKED_BY_ROLLBACK: ReadonlySet<string> = new Set([
  'ahead-of-its-log',
  'entry-deleted',
  'log-trimmed',
  'changelog-lost',
  'exchange-lost',
  'upstream-went-back',
]);

/**
 * One run: views kept by several processes over one Redis in memory, while calls get lost, late or answered in vain,
 * processes are killed, paused and started, and the Redis, or one slot of it, goes back to what it was a while ago. Then
 * the trouble ends, and everything must be as if it had not been.
 */
export class Simulation {
  readonly #random: Random;
  readonly #time = new VirtualTime(START);
  readonly #redis: MemoryRedis;
  readonly #faults: FaultSource;
  readonly #subject: Subject;
  readonly #watch: CommitWatch;
  readonly #limits: Limits;
  readonly #workers: SimulatedWorker[] = [];
  readonly #checkpoints: Checkpoint[] = [];
  #names = 0;
  #nonces = 0;
  #entries = 0;
  #kills = 0;
  #pauses = 0;
  #rollbacks = 0;
  #rebuilt = 0;

  constructor(
    readonly seed: number,
    readonly options: SimulationOptions = {},
  ) {
    this.#random = new Random(seed);
    this.#redis = new MemoryRedis({ clock: this.#time });
    this.#faults = new FaultSource(this.#random);
    this.#subject = (options.subject ?? subjects)(this.#random);
    this.#watch = new CommitWatch(this.#subject.always);
    this.#limits = {
      ...defaultLimits,
      commitWritesMax: this.#random.of([4, 30, 4_000]),
      readEntriesMax: this.#random.of([3, 50, 8_000]),
      cacheEntriesMax: this.#random.of([1, 10, 10_000]),
      leaseMs: 1_500,
      regainMs: 7_500,
      registryRefreshMs: 300,
      waitMs: 500,
      readerReportMs: 300,
      parkedRetryMs: 500,
      heartbeatIdleMs: 600,
      clocksMs: 200,
      changelogEntriesMin: this.#random.of([1, 20]),
    };
  }

  async run(): Promise<Outcome> {
    let failure: string | null = null;
    try {
      await this.#run();
    } catch (thrown) {
      failure = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    }
    return {
      seed: this.seed,
      subject: this.#subject.name,
      failure,
      entries: this.#entries,
      commits: this.#watch.commits,
      kills: this.#kills,
      pauses: this.#pauses,
      rollbacks: this.#rollbacks,
      rebuilt: this.#rebuilt,
      faults: Object.fromEntries(this.#faults.counts),
      virtualMs: this.#time.now() - START,
    };
  }

  async #run(): Promise<void> {
    const random = this.#random;
    for (let count = 1 + random.below(3); count > 0; count--) this.#startWorker();
    for (let round = 0; round < ROUNDS; round++) {
      const rate = random.of([0, 0.01, 0.04]);
      this.#faults.faults = { lostRequest: rate, lostReply: rate, late: rate, slow: random.of([0, 0.05]) };
      this.#append(random.below(40));
      this.#trouble();
      await this.#time.pass(random.below(ROUND_MS), () => this.#watch.violation !== null);
      if (this.#watch.violation) throw new Error(this.#watch.violation);
      if (random.chance(0.3)) this.#checkpoints.push(checkpoint(this.#redis));
    }
    await this.#settle();
    await this.#check();
    // And they go on as if nothing had been.
    this.#append(20);
    await this.#settle();
    await this.#check();
    for (const worker of this.#workers) worker.process.kill();
  }

  #startWorker(): void {
    const process = new SimulatedProcess(
      `w${++this.#names}`,
      this.#time,
      this.#random.of([0, 0, 3_600_000, -40_000]),
    );
    const ports = (this.options.ports ?? memoryPorts)(this.#redis);
    this.#watch.over(ports.tasks);
    const worker = new SimulatedWorker(
      process,
      ports,
      this.#faults,
      this.#subject.views,
      this.#limits,
      () => `n${++this.#nonces}`,
    );
    this.#workers.push(worker);
    void worker.start();
  }

  #append(count: number): void {
    for (; count > 0; count--) {
      const of = this.#random.of(this.#subject.sources);
      const { partition, fields } = of.entry(this.#random, this.#time.now());
      const stream = this.#redis.stream(redisKeyOf(of.source, partition));
      stream.add(stream.nextId(this.#time.now()), fields);
      this.#entries++;
    }
    this.#redis.wake();
  }

  #trouble(): void {
    const random = this.#random;
    const alive = this.#workers.filter(({ process }) => !process.dead);
    if (alive.length > 0 && random.chance(0.3)) {
      this.#kills++;
      random.of(alive).process.kill();
    }
    const awake = this.#workers.filter(({ process }) => !process.dead && !process.paused);
    if (awake.length > 0 && random.chance(0.3)) {
      const { process } = random.of(awake);
      this.#pauses++;
      process.pause();
      // Often longer than a lease.
      this.#time.after(random.below(6_000), () => process.resume());
    }
    if (random.chance(0.1) && alive.length > 1) void random.of(alive).stop();
    if (this.#workers.filter(({ process }) => !process.dead).length < 4 && random.chance(0.5))
      this.#startWorker();
    const goesBack = this.options.slotsGoBack ? 0.5 : 0.12;
    if (this.#checkpoints.length > 0 && random.chance(goesBack)) this.#goBack(random.of(this.#checkpoints));
  }

  #goBack(to: Checkpoint): void {
    const random = this.#random;
    this.#rollbacks++;
    if (!this.options.slotsGoBack && random.chance(0.5)) {
      rollBack(this.#redis, to);
      // What came after it is not to be gone back to: it never was.
      this.#checkpoints.splice(this.#checkpoints.indexOf(to) + 1);
    } else if (!this.options.slotsGoBack && random.chance(0.3))
      rollBackStream(this.#redis, to, random.of(this.#streams()));
    else {
      for (const name of this.#slotsThatGoBack()) rollBackTask(this.#redis, to, name);
    }
    this.#watch.wentBack();
  }

  /** Those of one task, or of several: a master holds many. */
  #slotsThatGoBack(): string[] {
    const random = this.#random;
    const tasks = [...this.#redis.tasks.keys()];
    if (tasks.length === 0) return [];
    if (!this.options.slotsGoBack || random.chance(0.7)) return [random.of(tasks)];
    return tasks.filter(() => random.chance(0.5));
  }

  #streams(): string[] {
    return this.#subject.sources.flatMap(({ source }) =>
      Array.from({ length: source.partitions }, (_, partition) => redisKeyOf(source, partition)),
    );
  }

  /** The trouble ends. Waits until all views contain all that the logs hold; parked ones are rebuilt. */
  async #settle(): Promise<void> {
    this.#faults.faults = NO_FAULTS;
    for (const { process } of this.#workers) process.resume();
    if (this.#workers.every(({ process }) => process.dead)) this.#startWorker();
    // One that has not been through anything is there at the end, as an operator would see to.
    this.#startWorker();
    const driver = this.#workers.at(-1)!;
    const ports = memoryPorts(this.#redis);
    await this.#time.pass(NOTICED_MS, () => this.#watch.violation !== null);
    for (let asked = 0; asked < 400; asked++) {
      await this.#time.pass(SETTLE_MS / 400, () => this.#watch.violation !== null);
      if (this.#watch.violation) throw new Error(this.#watch.violation);
      const snapshot = await ports.registry.read();
      const serving = snapshot.generations.filter(({ state }) => state === 'serving');
      if (serving.length < this.#subject.views.length) continue;
      const standing = await Promise.all(serving.map((each) => progressOf(each, ports.tasks, ports.log)));
      const parked = standing.flatMap(({ statuses }) => statuses.filter((status) => status.parked !== null));
      if (parked.length > 0) await this.#rebuild(driver, serving, parked);
      else if (standing.every(({ atEnd }) => atEnd)) return;
    }
    throw new Error(`It does not come to rest.\n${await this.#standing()}`);
  }

  async #rebuild(
    driver: SimulatedWorker,
    serving: readonly Generation[],
    parked: readonly TaskStatus[],
  ): Promise<void> {
    const unexpected = parked.find(
      ({ parked: reason }) => this.#rollbacks === 0 || !PARKED_BY_ROLLBACK.has(reason!.code),
    );
    if (unexpected) throw new Error(`Parked: ${JSON.stringify(unexpected.parked)}`);
    const names = driver.parts.rebuilder.affected(
      serving.flatMap(({ view }) => (parked.some(({ task }) => task.view === view) ? [view] : [])),
    );
    const id = `rebuild-${++this.#nonces}`;
    this.#rebuilt++;
    let done: 'promoted' | 'cancelled' | null = null;
    const drive = async (): Promise<void> => {
      await driver.parts.rebuilder.begin(id, names, 'building', true);
      for (;;) {
        const { state } = await driver.parts.rebuilder.advance(id);
        if (state === 'promoted' || state === 'cancelled') return void (done = state);
        await driver.process.clock.sleep(200);
      }
    };
    void drive();
    if (!(await this.#time.pass(SETTLE_MS, () => done !== null)))
      throw new Error(`A rebuild of ${names.join(', ')} does not end.\n${await this.#standing()}`);
  }

  async #standing(): Promise<string> {
    const ports = memoryPorts(this.#redis);
    const { generations } = await ports.registry.read();
    const statuses = await Promise.all(
      generations.map(async (each) => (await progressOf(each, ports.tasks, ports.log)).statuses),
    );
    return JSON.stringify({ generations, statuses, live: await ports.workers.live() }, null, 1);
  }

  /** Time goes on in silence: views come to show what it brings a moment later. */
  async #check(): Promise<void> {
    for (let asked = 1; ; asked++) {
      const wrong = this.#wrong();
      if (wrong === null) return;
      if (asked === CHECKS_MAX) throw new Error(wrong);
      await this.#time.pass(CHECK_MS, () => this.#watch.violation !== null);
      if (this.#watch.violation) throw new Error(this.#watch.violation);
    }
  }

  #wrong(): string | null {
    const log = new Map<string, readonly RawEntry[]>(
      this.#streams().map((key) => [key, this.#redis.streams.get(key)?.entries ?? []]),
    );
    const heartbeats = new Map(
      this.#streams().map((key) => [key, this.#redis.streams.get(key)?.heartbeats ?? new Map()]),
    );
    for (const [view, expected] of this.#subject.expected(log, heartbeats)) {
      const shown = this.#shown(view);
      if (this.#subject.final?.includes(view))
        for (const key of expected.keys()) if (!shown.has(key)) expected.delete(key);
      const difference = differenceOf(expected, shown);
      if (difference !== null) return `The view "${view}" is wrong: ${difference}`;
    }
    return null;
  }

  #shown(view: string): Shown {
    const serving = [...this.#redis.registry.generations.values()].find(
      (generation) => generation.view === view && generation.state === 'serving',
    )!;
    const key = this.#subject.views.find(({ name }) => name === view)!.key;
    const shown: Shown = new Map();
    for (const [name, task] of this.#redis.tasks) {
      if (!name.startsWith(`${view}#${serving.number}/`)) continue;
      for (const stored of task.keyed.get('rows')?.values() ?? []) {
        const text = stored.split('\n')[0]!;
        if (text === '') continue;
        const row = JSON.parse(text) as Record<string, unknown>;
        shown.set(key.map((column) => row[column]).join(' '), row);
      }
    }
    return shown;
  }
}

function differenceOf(expected: Shown, shown: Shown): string | null {
  for (const key of new Set([...expected.keys(), ...shown.keys()])) {
    const [wanted, found] = [expected.get(key), shown.get(key)];
    const same =
      wanted !== undefined &&
      found !== undefined &&
      Object.keys({ ...wanted, ...found }).every((column) => wanted[column] === found[column]);
    if (!same) return `${JSON.stringify(found)} is shown where ${JSON.stringify(wanted)} is right.`;
  }
  return null;
}
