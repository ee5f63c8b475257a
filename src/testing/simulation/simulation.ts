import { allTasks, shownBy } from '../../runtime/generation-tasks.js';
import { defaultLimits, type Limits } from '../../runtime/limits.js';
import { DearWorkers } from './dear-workers.js';
import { partitionKeys } from '../../runtime/placement.js';
import type { TaskStatus } from '../../runtime/ports/task-store.js';
import { progressOf } from '../../runtime/progress.js';
import { taskName } from '../../runtime/task-id.js';
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
import { ViewWatch } from './view-watch.js';
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
  /** Commits of which only some writes were done. */
  readonly brokenOff: number;
  /** Rebuilds: meanwhile, of views that were parked, and of all where the log is archived. */
  readonly rebuilt: number;
  /** Times that a task made again what its slot had lost. */
  readonly recoveries: number;
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

/** A rebuild under way, and whoever drives it. */
interface RebuildMeanwhile {
  readonly id: string;
  readonly views: readonly string[];
  driver: SimulatedWorker;
}

/** Makes another seed of one: what is drawn of it leaves the rest of the run as it is. */
const OTHER_SEED = 0x5ca1ab1e;

/** How often commits break off half way: mostly in no run, for whose commit did waits for the end. After how many writes. */
const BREAKING_OFF = [0, 0, 0, 0, 0.01];
const BROKEN_OFF_AFTER_MAX = 12;
/** How often a rebuild begins while there is trouble, in a round. */
const RATE_OF_REBUILDS = 0.05;
/** So long a client that follows changes is heard of. */
const FOLLOWED_MS = 8_000;
/** The time at which every run begins: what the clocks say must not matter. */
const START = Date.UTC(2030, 0, 1);
/** Short runs find what goes wrong at the beginning, and cost little; long ones what takes several troubles. */
const ROUNDS = [5, 9, 12];
const ROUND_MS = 3_000;
/** So long they are at work before there is trouble: not at all, at the first calls, in the middle of it. */
const AT_WORK_MS = [1, 30, 500];
/** How many calls take long; where slots go back, at times so many that who receives has often read what it has not stored. */
const SLOW = [0, 0.05];
const SLOW_WHERE_SLOTS_GO_BACK = [0, 0.05, 0.2, 0.4];
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
  readonly #views: ViewWatch;
  /** Whether somebody follows the changelog of every view, as clients do; else only views that are read have any. */
  readonly #followed: boolean;
  readonly #limits: Limits;
  readonly #workers: SimulatedWorker[] = [];
  readonly #checkpoints: Checkpoints;
  /** Views that cannot be made again: they are parked, or read one that is. */
  readonly #givenUp = new Set<string>();
  #names = 0;
  #entries = 0;
  #kills = 0;
  #pauses = 0;
  #brokenOff = 0;
  #rebuilt = 0;
  /** What is rebuilt while there is trouble, and by whom at the moment. */
  #rebuild: RebuildMeanwhile | null = null;

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
      // Drawn apart: where it holds nobody back a seed takes the course that it takes without.
      replaySkewMsMax: new Random(seed ^ OTHER_SEED).of([1, 2_000, 60_000, defaultLimits.replaySkewMsMax]),
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
    this.#followed = this.#random.chance(0.3);
    this.#views = new ViewWatch(this.#redis, this.#subject.views);
    const breakingOff = this.#random.of(BREAKING_OFF);
    this.#redis.breaksOff = () =>
      this.#faults.faults !== NO_FAULTS && this.#random.chance(breakingOff)
        ? this.#random.below(BROKEN_OFF_AFTER_MAX)
        : null;
    this.#watch = new CommitWatch(
      this.#subject.always,
      {
        brokeOff: (task, store) => {
          this.#brokenOff++;
          wentBack.brokeOff(task);
          // Whoever sent it may never hear of it.
          if (this.#faults.faults !== NO_FAULTS && this.#random.chance(0.5))
            this.#kill(this.#workers.find(({ tasks }) => tasks === store)!);
        },
        stored: (request, isLate) => this.#views.follow(request, isLate),
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
      brokenOff: this.#brokenOff,
      rebuilt: this.#rebuilt,
      recoveries: this.#workers.reduce((all, { parts }) => all + parts.metrics.recoveries.sum(), 0),
      faults: Object.fromEntries(this.#faults.counts),
      virtualMs: this.#time.now() - START,
    };
  }

  async #run(): Promise<void> {
    const random = this.#random;
    for (let count = 1 + random.below(3); count > 0; count--) this.#startWorker();
    for (let rounds = random.of(ROUNDS); rounds > 0; rounds--) {
      const rate = random.of([0, 0.01, 0.04]);
      this.#faults.faults = {
        lostRequest: rate,
        lostReply: rate,
        late: rate,
        slow: random.of(this.options.slotsGoBack ? SLOW_WHERE_SLOTS_GO_BACK : SLOW),
      };
      this.#append(random.below(40));
      // Trouble finds them at work, too: with calls on their way, and with what was read and is not stored.
      await this.#pass(random.below(random.of(AT_WORK_MS)));
      if (this.#trouble()) {
        // Who lost something is to make it again while more comes: it ends elsewhere then. Not under the ids that were lost.
        await this.#pass(1);
        this.#append(random.below(20));
      }
      await this.#pass(random.below(ROUND_MS));
      this.#lookAtViews();
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
      await this.#rebuildNow(this.#subject.views.map(({ name }) => name));
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

  /** Whether something went back. */
  #trouble(): boolean {
    const random = this.#random;
    const alive = this.#workers.filter(({ process }) => !process.dead);
    if (alive.length > 0 && random.chance(0.3)) this.#kill(random.of(alive));
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
    if (this.#followed) this.#follow();
    this.#rebuildMeanwhile(RATE_OF_REBUILDS);
    const wentBack = this.#checkpoints.mayGoBack();
    if (wentBack) {
      this.#faults.wentBack++;
      this.#watch.wentBack();
      this.#views.wentBack();
    }
    return wentBack;
  }

  #kill({ process }: SimulatedWorker): void {
    this.#kills++;
    process.kill();
  }

  /** The views that are served of which a task is parked for good. */
  #parkedViews(): string[] {
    const { registry, tasks } = this.#redis;
    return [...registry.generations.values()]
      .filter(({ state }) => state === 'serving')
      .filter((generation) =>
        allTasks(generation).some((task) => {
          const code = tasks.get(taskName(task))?.parked?.code;
          return code !== undefined && !WAITING.has(code);
        }),
      )
      .map(({ view }) => view);
  }

  /** Somebody asks for the changes of all views. */
  #follow(): void {
    for (const generation of this.#redis.registry.generations.values())
      for (const task of shownBy(generation)) {
        const kept = this.#redis.tasks.get(taskName(task));
        if (kept) kept.subscribedUntil = this.#time.now() + FOLLOWED_MS;
      }
  }

  /** @throws Error for what is stored of a view and does not agree with its rows. */
  #lookAtViews(): void {
    const wrong = this.#views.disagreement();
    if (wrong !== null) throw new Error(wrong);
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
    this.#rebuildMeanwhile(0);
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
      } else if (this.#rebuild === null && standing.every(({ atEnd }) => atEnd)) {
        const wrong = wrongIn(this.#redis, this.#subject, this.#logs(), this.#givenUp);
        if (wrong === null) return this.#lookAtViews();
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
    if (!this.#subject.losesForGood) await this.#rebuildNow(views(parked));
  }

  /** What their logs lost cannot be read again. Who waits for one of their tasks parks in its turn. */
  #giveUp(views: readonly string[]): void {
    for (const view of this.#workers.at(-1)!.parts.rebuilder.affected(views)) this.#givenUp.add(view);
  }

  /**
   * Now and then views are rebuilt while all else goes on. Who drives that may die: then another one does, as it is with
   * jobs. One that was paused goes on beside it.
   */
  #rebuildMeanwhile(rate: number): void {
    const random = this.#random;
    const awake = this.#workers.filter(({ process }) => !process.dead && !process.paused);
    if (awake.length === 0 || this.#subject.losesForGood) return;
    if (this.#rebuild === null && random.chance(rate)) {
      const driver = random.of(awake);
      const views = driver.parts.rebuilder.affected([random.of(this.#subject.views).name]);
      this.#rebuild = { id: `rebuild-${++this.#rebuilt}`, views, driver };
    } else if (this.#rebuild?.driver.process.dead) this.#rebuild.driver = awake.at(-1)!;
    else return;
    void this.#drive(this.#rebuild!);
  }

  async #drive(rebuild: RebuildMeanwhile): Promise<void> {
    const { id, views, driver } = rebuild;
    const { rebuilder } = driver.parts;
    for (let begun = false; this.#rebuild === rebuild; await driver.process.clock.sleep(200)) {
      try {
        if (!begun) await rebuilder.begin(id, views, 'building', false);
        begun = true;
        const { state } = await rebuilder.advance(id);
        if (state === 'failed') await rebuilder.cancel(id);
        else if (state !== 'promoted' && state !== 'cancelled') continue;
        if (this.#rebuild === rebuild) this.#rebuild = null;
      } catch {
        // It is tried again, as a job is.
      }
    }
  }

  async #rebuildNow(views: readonly string[]): Promise<void> {
    const driver = this.#workers.at(-1)!;
    const { rebuilder } = driver.parts;
    let names = rebuilder.affected(views);
    // What it would read is to be replaced, perhaps.
    const meanwhile = this.#rebuild;
    this.#rebuild = null;
    const drive = async (): Promise<void> => {
      if (meanwhile !== null) await rebuilder.cancel(meanwhile.id);
      for (;;) {
        const id = `rebuild-${++this.#rebuilt}`;
        await rebuilder.begin(id, names, 'building', false);
        let parked: string[] = [];
        for (let state = ''; state !== 'failed' && parked.length === 0;) {
          ({ state } = await rebuilder.advance(id));
          if (state === 'promoted' || state === 'cancelled') return;
          await driver.process.clock.sleep(200);
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
    if (!(await this.#time.pass(SETTLE_MS, () => ended)))
      throw new Error(`A rebuild of ${names.join(', ')} does not end.\n${await described(this.#redis)}`);
    if (failure !== null) throw failure;
  }
}
