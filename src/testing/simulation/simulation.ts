import { defaultLimits, type Limits } from '../../runtime/limits.js';
import { partitionKeys } from '../../runtime/placement.js';
import type { Ports } from '../../runtime/ports/ports.js';
import { checkDeclarations } from '../../view/declaration-errors.js';
import { memoryPorts } from '../memory/memory-ports.js';
import { MemoryRedis } from '../memory/memory-redis.js';
import { Random } from '../random.js';
import { BreakingOff } from './breaking-off.js';
import { Checkpoints, type SlotsThatGoBack } from './checkpoints.js';
import { CommitWatch } from './commit-watch.js';
import { DearWorkers } from './dear-workers.js';
import { FaultSource, LATE_MS_MAX, NO_FAULTS } from './faulty-ports.js';
import { bringsWhatIsLost } from './lost-commits.js';
import { Producers } from './producers.js';
import { randomLimits } from './random-limits.js';
import { Rest } from './rest.js';
import { SimulatedArchive } from './simulated-archive.js';
import type { SimulatedProcess } from './simulated-process.js';
import { SimulatedRebuilds } from './simulated-rebuilds.js';
import { SimulatedWorker } from './simulated-worker.js';
import { SimulatedWorkers } from './simulated-workers.js';
import type { Subject } from './subject.js';
import { subjects } from './subjects.js';
import { subscribe } from './subscribers.js';
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
  /** Commits after which some of an entry was taken, and not all. */
  readonly inEntries: number;
  /** Lost rounds that were given again. */
  readonly givenAgain: number;
  /** Entries that were archived and taken out of their logs. */
  readonly trimmed: number;
  /** Commits that broke off after some of their writes. */
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

/** The time at which every run begins: what the clocks say must not matter. */
const START = Date.UTC(2030, 0, 1);
/** Short runs find what goes wrong at the beginning, and cost little; long ones what takes several troubles. */
const ROUNDS = [2, 5, 8];
const ROUND_MS = 3_000;
/** So long they are at work before there is trouble: not at all, at the first calls, in the middle of it. */
const AT_WORK_MS = [1, 30, 500];
/** How many calls take long; where slots go back, at times so many that who receives has often read what it has not stored. */
const SLOW = [0, 0.05];
const SLOW_WHERE_SLOTS_GO_BACK = [0, 0.05, 0.2, 0.4];
/** How often a rebuild begins while there is trouble, in a round. */
const RATE_OF_REBUILDS = 0.05;

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
  readonly #limits: Limits;
  readonly #producers: Producers;
  readonly #workers: SimulatedWorkers;
  readonly #checkpoints: Checkpoints;
  /** Whether clients follow the changes of all views. */
  readonly #followed: boolean;
  readonly #views: ViewWatch;
  readonly #breakingOff: BreakingOff;
  readonly #watch: CommitWatch;
  readonly #rebuilds: SimulatedRebuilds;
  readonly #rest: Rest;

  constructor(
    readonly seed: number,
    readonly options: SimulationOptions = {},
  ) {
    const random = (this.#random = new Random(seed));
    const time = this.#time;
    const redis = (this.#redis = new MemoryRedis({ clock: time }));
    this.#faults = new FaultSource(random);
    const subject = (this.#subject = (options.subject ?? subjects)(random));
    checkDeclarations(subject.views);
    const { sources, losesForGood: forGood = false } = subject;
    const trimmed = sources.some(({ source }) => source.retain !== null);
    const archive =
      options.archive ?? (() => new SimulatedArchive(redis, undefined, forGood ? null : undefined));
    this.#archive = trimmed ? archive(redis) : null;
    this.#limits = randomLimits(random, options);
    this.#producers = new Producers(redis, random, sources, {
      together: this.#limits.partRowsMax < defaultLimits.partRowsMax,
    });
    this.#workers = new SimulatedWorkers(
      random,
      time,
      (process) => this.#workerIn(process),
      (name) => {
        for (const [task, { owner }] of redis.tasks)
          if (owner === name) this.#checkpoints.wentBack.ownerLeft(task);
      },
    );
    this.#checkpoints = new Checkpoints(redis, random, {
      logs: sources.flatMap(({ source }) => partitionKeys(source)),
      limits: this.#limits,
      archived: trimmed && !forGood,
      forGood,
      slotsGoBack: options.slotsGoBack,
    });
    const { wentBack } = this.#checkpoints;
    this.#followed = random.chance(0.3);
    this.#views = new ViewWatch(redis, subject.views);
    this.#breakingOff = new BreakingOff(redis, random, this.#faults, this.#workers);
    this.#watch = new CommitWatch(
      subject.always,
      {
        brokeOff: (task, store) => {
          wentBack.brokeOff(task);
          this.#breakingOff.brokeOff(store);
        },
        stored: (request, isLate) => this.#views.follow(request, isLate),
        cameLate: (task) => wentBack.cameLate(task),
        bringsWhatIsLost: (request) => bringsWhatIsLost(redis, request),
        broughtWhatIsLost: (task) => wentBack.broughtWhatIsLost(task),
        ownerCameBack: (task) => wentBack.ownerCameBack(task),
      },
      options.slotsGoBack === 'giver' ? 'always' : undefined,
    );
    this.#rebuilds = new SimulatedRebuilds({ random, time, redis, workers: this.#workers, subject });
    this.#rest = new Rest({
      redis,
      subject,
      archive: this.#archive,
      rebuilds: this.#rebuilds,
      wentBack,
      pass: (ms) => this.#pass(ms),
    });
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
      entries: this.#producers.entries,
      commits: this.#watch.commits,
      kills: this.#workers.kills,
      pauses: this.#workers.pauses,
      rollbacks: this.#checkpoints.wentBack.times,
      inEntries: this.#watch.inEntries,
      givenAgain: this.#watch.givenAgain,
      trimmed: this.#archive?.trimmed ?? 0,
      brokenOff: this.#watch.brokenOff,
      rebuilt: this.#rebuilds.begun,
      recoveries: this.#workers.all.reduce((all, { parts }) => all + parts.metrics.recoveries.sum(), 0),
      faults: Object.fromEntries(this.#faults.counts),
      virtualMs: this.#time.now() - START,
    };
  }

  async #run(): Promise<void> {
    const random = this.#random;
    for (let count = 1 + random.below(3); count > 0; count--) this.#workers.start();
    for (let rounds = random.of(ROUNDS); rounds > 0; rounds--) {
      const rate = random.of([0, 0.01, 0.04]);
      this.#faults.faults = {
        lostRequest: rate,
        lostReply: rate,
        late: rate,
        slow: random.of(this.options.slotsGoBack ? SLOW_WHERE_SLOTS_GO_BACK : SLOW),
      };
      this.#producers.append(random.below(40));
      // Trouble finds them at work, too: with calls on their way, and with what was read and is not stored.
      await this.#pass(random.below(random.of(AT_WORK_MS)));
      if (this.#trouble()) {
        // Who lost something is to make it again while more comes: it ends elsewhere then. Not under the ids that were lost.
        await this.#pass(1);
        this.#producers.append(random.below(20));
      }
      await this.#pass(random.below(ROUND_MS));
      this.#lookAtViews();
      if (random.chance(0.3)) this.#checkpoints.take();
    }
    // What was late is on its way until then.
    await this.#pass(LATE_MS_MAX);
    await this.#settle();
    // And they go on as if nothing had been.
    this.#producers.append(20);
    await this.#settle();
    if (this.#archive !== null && !this.#subject.losesForGood) {
      // And what was trimmed is there for who begins at the beginning.
      await this.#rebuilds.now(this.#subject.views.map(({ name }) => name));
      await this.#settle();
    }
    this.#workers.end();
  }

  #workerIn(process: SimulatedProcess): SimulatedWorker {
    const ports = {
      ...(this.options.ports ?? memoryPorts)(this.#redis),
      ...(this.options.tasksMove && { workers: new DearWorkers(this.#redis) }),
    };
    this.#watch.over(ports.tasks);
    return new SimulatedWorker({
      process,
      ports,
      faults: this.#faults,
      views: this.#subject.views,
      limits: this.#limits,
      nonce: () => this.#watch.nonce(),
      archive: this.#archive,
    });
  }

  /** Whether something went back. */
  #trouble(): boolean {
    this.#workers.trouble();
    if (this.#followed) subscribe(this.#redis);
    this.#rebuilds.meanwhile(RATE_OF_REBUILDS);
    const wentBack = this.#checkpoints.mayGoBack();
    if (wentBack === null) return false;
    this.#faults.wentBack++;
    this.#watch.wentBack(wentBack);
    this.#views.wentBack();
    return true;
  }

  /** The trouble ends, and all comes to rest: as the logs say. */
  async #settle(): Promise<void> {
    this.#faults.faults = NO_FAULTS;
    this.#workers.resume();
    // One that has not been through anything is there at the end, as an operator would see to.
    this.#workers.start();
    this.#rebuilds.meanwhile(0);
    await this.#rest.reach();
    this.#lookAtViews();
  }

  /** @throws Error for what is stored of a view and does not agree with its rows. */
  #lookAtViews(): void {
    const wrong = this.#views.disagreement();
    if (wrong !== null) throw new Error(wrong);
  }

  /** @throws Error for what did not hold meanwhile. */
  async #pass(ms: number): Promise<void> {
    await this.#time.pass(ms, () => this.#watch.violation !== null);
    if (this.#watch.violation) throw new Error(this.#watch.violation);
  }
}
