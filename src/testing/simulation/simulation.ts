import type { Limits } from '../../runtime/limits.js';
import { DearWorkers } from './dear-workers.js';
import { partitionKeys } from '../../runtime/placement.js';
import type { TaskStatus } from '../../runtime/ports/task-store.js';
import { progressOf } from '../../runtime/progress.js';
import { memoryPorts } from '../memory/memory-ports.js';
import { MemoryRedis, MemoryStream } from '../memory/memory-redis.js';
import { Random } from '../random.js';
import { Checkpoints, type SlotsThatGoBack } from './checkpoints.js';
import { CommitWatch } from './commit-watch.js';
import { wrongIn } from './comparison.js';
import { FaultSource, LATE_MS_MAX, NO_FAULTS } from './faulty-ports.js';
import { randomLimits } from './random-limits.js';
import { bringsWhatIsLost } from './lost-commits.js';
import { SimulatedArchive, type WholeLog } from './simulated-archive.js';
import { SimulatedProcess } from './simulated-process.js';
import type { Ports } from '../../runtime/ports/ports.js';
import { SimulatedWorker } from './simulated-worker.js';
import type { Subject } from './subject.js';
import { described } from './standing.js';
import { subjects } from './subjects.js';
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
  /** Lost rounds that were given again. */
  readonly givenAgain: number;
  /** Entries that were archived and taken out of their logs. */
  readonly trimmed: number;
  /** Rebuilds: of views that were parked as ahead of their log, and of all where the log is archived. */
  readonly rebuilt: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly virtualMs: number;
}

export interface SimulationOptions {
  /** The ports of a process; by default right ones. */
  readonly ports?: (redis: MemoryRedis) => Ports;
  /** What is kept; by default one of all subjects. */
  readonly subject?: (random: Random) => Subject;
  /** How processes reach the archive, where the subject has one; by default right. */
  readonly archive?: (redis: MemoryRedis) => SimulatedArchive;
  /** Tasks move to other workers all the time, by what they seem to cost. */
  readonly tasksMove?: true;
  /** Slots of tasks go back often, and nothing else does. */
  readonly slotsGoBack?: SlotsThatGoBack;
}

/** The time at which every run begins: what the clocks say must not matter. */
const START = Date.UTC(2030, 0, 1);
/** Short runs find what goes wrong at the beginning, and cost little; long ones what takes several troubles. */
const ROUNDS = [5, 9, 14];
const ROUND_MS = 3_000;
const SETTLE_MS = 150_000;
const LOOK_MS = 500;
/** Within this time it is noticed that what was read, or stored, is not there any more (every task reads, and looks at its store), and what time brings is shown. */
const NOTICED_MS = 20_000;
/** What a task waits for, and goes on with by itself. */
const WAITING: ReadonlySet<string> = new Set(['archive-unreachable', 'archive-damaged']);

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
  /** Null where the logs keep everything. */
  readonly #archive: SimulatedArchive | null;
  readonly #watch: CommitWatch;
  readonly #limits: Limits;
  readonly #workers: SimulatedWorker[] = [];
  readonly #checkpoints: Checkpoints;
  /** Views that cannot be made again: they are parked, or read one that is. */
  readonly #givenUp = new Set<string>();
  #names = 0;
  #entries = 0;
  #kills = 0;
  #pauses = 0;
  #rebuilt = 0;

  constructor(
    readonly seed: number,
    readonly options: SimulationOptions = {},
  ) {
    this.#random = new Random(seed);
    this.#redis = new MemoryRedis({ clock: this.#time });
    this.#faults = new FaultSource(this.#random);
    this.#subject = (options.subject ?? subjects)(this.#random);
    const { sources, losesForGood: forGood = false } = this.#subject;
    const trimmed = sources.some(({ source }) => source.retain !== null);
    const archived = forGood ? null : undefined;
    this.#archive = trimmed
      ? (options.archive ?? ((redis) => new SimulatedArchive(redis, undefined, archived)))(this.#redis)
      : null;
    this.#limits = {
      ...randomLimits(this.#random),
      ...(options.tasksMove && { balanceMs: this.#random.of([500, 2_000]) }),
      ...(options.slotsGoBack && { exchangeKeptMs: this.#random.of([500, 10_000]) }),
    };
    this.#checkpoints = new Checkpoints(this.#redis, this.#random, {
      logs: this.#logKeys,
      // Younger entries are not archived: so far back, and not further, may a Redis with an archive go.
      ageMsMax: trimmed && !forGood ? this.#limits.archiveAgeMs : null,
      // What else goes back takes with it what is known here of what was trimmed.
      slots: options.slotsGoBack ?? (forGood ? 'any' : null),
      rate: options.slotsGoBack ? 0.5 : 0.12,
      losesAll: forGood ? 0.8 : 0.2,
      forGood,
      // Senders look now and then how far receivers are.
      keptMs: this.#limits.exchangeKeptMs - this.#limits.readerReportMs,
    });
    const { wentBack } = this.#checkpoints;
    this.#watch = new CommitWatch(
      this.#subject.always,
      {
        cameLate: (task) => wentBack.cameLate(task),
        bringsWhatIsLost: (request) => bringsWhatIsLost(this.#redis, request),
        broughtWhatIsLost: (task) => wentBack.broughtWhatIsLost(task),
        ownerCameBack: (task) => wentBack.ownerCameBack(task),
      },
      options.slotsGoBack === 'giver' ? 'always' : undefined,
    );
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
      rollbacks: this.#checkpoints.wentBack.times,
      givenAgain: this.#watch.givenAgain,
      trimmed: this.#archive?.trimmed ?? 0,
      rebuilt: this.#rebuilt,
      faults: Object.fromEntries(this.#faults.counts),
      virtualMs: this.#time.now() - START,
    };
  }

  async #run(): Promise<void> {
    const random = this.#random;
    for (let count = 1 + random.below(3); count > 0; count--) this.#startWorker();
    for (let rounds = random.of(ROUNDS); rounds > 0; rounds--) {
      const rate = random.of([0, 0.01, 0.04]);
      this.#faults.faults = { lostRequest: rate, lostReply: rate, late: rate, slow: random.of([0, 0.05]) };
      this.#append(random.below(40));
      this.#trouble();
      await this.#pass(random.below(ROUND_MS));
      if (random.chance(0.3)) this.#checkpoints.take();
    }
    // What was late is on its way until then.
    await this.#pass(LATE_MS_MAX);
    await this.#settle();
    // And they go on as if nothing had been.
    this.#append(20);
    await this.#settle();
    if (this.#archive !== null && !this.#subject.losesForGood) {
      // And what was trimmed is there for who begins at the beginning.
      await this.#rebuild(this.#subject.views.map(({ name }) => name));
      await this.#settle();
    }
    for (const worker of this.#workers) worker.process.kill();
  }

  #startWorker(): void {
    const process = new SimulatedProcess(
      `w${++this.#names}`,
      this.#time,
      this.#random.of([0, 0, 3_600_000, -40_000]),
    );
    const ports = {
      ...(this.options.ports ?? memoryPorts)(this.#redis),
      ...(this.options.tasksMove && { workers: new DearWorkers(this.#redis) }),
    };
    this.#watch.over(ports.tasks);
    const worker = new SimulatedWorker({
      process,
      ports,
      faults: this.#faults,
      views: this.#subject.views,
      limits: this.#limits,
      nonce: () => this.#watch.nonce(),
      archive: this.#archive,
    });
    this.#workers.push(worker);
    void worker.start();
  }

  #append(count: number): void {
    for (; count > 0; count--) {
      const of = this.#random.of(this.#subject.sources);
      const { redisKey, fields } = of.entry(this.#random, this.#time.now());
      const stream = this.#redis.stream(redisKey);
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
    if (this.#checkpoints.mayGoBack()) this.#watch.wentBack();
  }

  #logs(): Map<string, WholeLog> {
    const inRedis = (key: string): WholeLog => this.#redis.streams.get(key) ?? new MemoryStream();
    return new Map(this.#logKeys.map((key) => [key, this.#archive?.whole(key) ?? inRedis(key)]));
  }

  get #logKeys(): string[] {
    return this.#subject.sources.flatMap(({ source }) => partitionKeys(source));
  }

  /**
   * The trouble ends, and time goes on in silence, until all views contain all that the logs hold and show what they say;
   * parked ones are rebuilt. Views come to show what time brings a moment after they contain it: what is wrong may be so for
   * a while, and no longer.
   */
  async #settle(): Promise<void> {
    this.#faults.faults = NO_FAULTS;
    for (const { process } of this.#workers) process.resume();
    // One that has not been through anything is there at the end, as an operator would see to.
    this.#startWorker();
    const ports = memoryPorts(this.#redis);
    let wrongSince = Infinity;
    for (const end = this.#time.now() + SETTLE_MS; this.#time.now() < end;) {
      await this.#pass(LOOK_MS);
      const snapshot = await ports.registry.read();
      const serving = snapshot.generations.filter(({ state }) => state === 'serving');
      if (serving.length < this.#subject.views.length) continue;
      const expected = serving.filter(({ view }) => !this.#givenUp.has(view));
      const standing = await Promise.all(expected.map((each) => progressOf(each, ports.tasks, ports.log)));
      const all = standing.flatMap(({ statuses }) => statuses);
      const parked = all.filter((status) => status.parked !== null && !WAITING.has(status.parked.code));
      if (parked.length > 0) {
        await this.#rebuildParked(parked, all);
        wrongSince = Infinity;
      } else if (standing.every(({ atEnd }) => atEnd)) {
        const wrong = wrongIn(this.#redis, this.#subject, this.#logs(), this.#givenUp);
        if (wrong === null) return;
        wrongSince = Math.min(wrongSince, this.#time.now());
        if (this.#time.now() - wrongSince >= NOTICED_MS) throw new Error(wrong);
      }
    }
    throw new Error(`It does not come to rest.\n${await described(this.#redis)}`);
  }

  /** @throws Error for what did not hold meanwhile. */
  async #pass(ms: number): Promise<void> {
    await this.#time.pass(ms, () => this.#watch.violation !== null);
    if (this.#watch.violation) throw new Error(this.#watch.violation);
  }

  async #rebuildParked(parked: readonly TaskStatus[], all: readonly TaskStatus[]): Promise<void> {
    const viewOf = ({ task }: TaskStatus) => this.#subject.views.find(({ name }) => name === task.view)!;
    const views = (of: readonly TaskStatus[]): string[] => [...new Set(of.map(({ task }) => task.view))];
    const isExcused = (status: TaskStatus): boolean =>
      this.#checkpoints.wentBack.excuses(status, viewOf(status), all);
    const excused = parked.filter(isExcused);
    if (this.#subject.losesForGood) this.#giveUp(views(excused));
    const unexpected = parked.find(
      (status) => !excused.includes(status) && !this.#givenUp.has(status.task.view),
    );
    if (unexpected) throw new Error(`Parked: ${JSON.stringify(unexpected)}`);
    if (!this.#subject.losesForGood) await this.#rebuild(views(parked));
  }

  /** What their logs lost cannot be read again. Who waits for one of their tasks parks in its turn. */
  #giveUp(views: readonly string[]): void {
    for (const view of this.#workers.at(-1)!.parts.rebuilder.affected(views)) this.#givenUp.add(view);
  }

  async #rebuild(views: readonly string[]): Promise<void> {
    const driver = this.#workers.at(-1)!;
    const names = driver.parts.rebuilder.affected(views);
    const id = `rebuild-${++this.#rebuilt}`;
    const drive = async (): Promise<void> => {
      await driver.parts.rebuilder.begin(id, names, 'building', false);
      for (;;) {
        const { state } = await driver.parts.rebuilder.advance(id);
        if (state === 'promoted' || state === 'cancelled') return;
        await driver.process.clock.sleep(200);
      }
    };
    let ended = false;
    let failure: unknown = null;
    void drive()
      .catch((thrown: unknown) => (failure = thrown))
      .finally(() => (ended = true));
    if (!(await this.#time.pass(SETTLE_MS, () => ended)))
      throw new Error(`A rebuild of ${names.join(', ')} does not end.\n${await described(this.#redis)}`);
    if (failure !== null) throw failure;
  }
}
