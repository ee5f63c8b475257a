import type { TaskStore } from '../../runtime/ports/task-store.js';
import type { Random } from '../random.js';
import { SimulatedProcess } from './simulated-process.js';
import type { SimulatedWorker } from './simulated-worker.js';
import type { VirtualTime } from './virtual-time.js';

/** By how much the clocks of processes are wrong. */
const SKEWS_MS = [0, 0, 3_600_000, -40_000];
/** Often longer than a lease. */
const PAUSED_MS_MAX = 6_000;
const ALIVE_MAX = 4;

/** All the workers of a run: while there is trouble some are killed, paused and stopped, and others started. */
export class SimulatedWorkers {
  readonly all: SimulatedWorker[] = [];
  kills = 0;
  pauses = 0;

  constructor(
    readonly random: Random,
    readonly time: VirtualTime,
    /** What runs in a process. */
    readonly workerIn: (process: SimulatedProcess) => SimulatedWorker,
    /** Told of whoever is killed or paused, by its name: others take its tasks, and do not know that no step ended it. */
    readonly leaves: (name: string) => void,
  ) {}

  get alive(): SimulatedWorker[] {
    return this.all.filter(({ process }) => !process.dead);
  }

  get awake(): SimulatedWorker[] {
    return this.alive.filter(({ process }) => !process.paused);
  }

  /** The one that was started last. */
  get last(): SimulatedWorker {
    return this.all.at(-1)!;
  }

  start(): void {
    const name = `w${this.all.length + 1}`;
    const worker = this.workerIn(new SimulatedProcess(name, this.time, this.random.of(SKEWS_MS)));
    this.all.push(worker);
    void worker.start();
  }

  trouble(): void {
    const { random } = this;
    const alive = this.alive;
    if (alive.length > 0 && random.chance(0.3)) this.#kill(random.of(alive));
    const awake = this.awake;
    if (awake.length > 0 && random.chance(0.3)) this.#pause(random.of(awake));
    if (random.chance(0.1) && alive.length > 1) void random.of(alive).stop();
    if (this.alive.length < ALIVE_MAX && random.chance(0.5)) this.start();
  }

  /** Kills the one that reaches its tasks through a store. */
  killWhoHas(store: TaskStore): void {
    this.#kill(this.all.find(({ tasks }) => tasks === store)!);
  }

  resume(): void {
    for (const { process } of this.all) process.resume();
  }

  /** Nothing is done any more: the run is over. */
  end(): void {
    for (const { process } of this.all) process.kill();
  }

  #kill({ process }: SimulatedWorker): void {
    this.kills++;
    this.leaves(process.name);
    process.kill();
  }

  #pause({ process }: SimulatedWorker): void {
    this.pauses++;
    this.leaves(process.name);
    process.pause();
    this.time.after(this.random.below(PAUSED_MS_MAX), () => process.resume());
  }
}
