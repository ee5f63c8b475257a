import { Worker as Thread } from 'node:worker_threads';
import type { Run } from './run.js';
import type { Outcome } from './simulation.js';

/** Runs make many objects that do not live long: in a smaller room for these a thread takes an eighth longer. */
const YOUNG_MB = 64;

/** Threads that play runs, each one after the other. */
export class SimulationThreads {
  readonly #threads: readonly Thread[];
  readonly #playing = new Map<Thread, Run>();
  /** Never fulfilled; a thread may end before it is told anything. */
  readonly #broken: Promise<never>;

  /** @param file What a thread runs: `thread.js`, as it is built. */
  constructor(file: string | URL, threads: number) {
    this.#threads = Array.from(
      { length: threads },
      () => new Thread(file, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } }),
    );
    this.#broken = new Promise((_, reject) => {
      for (const thread of this.#threads)
        thread.on('error', (cause) => {
          const seed = this.#playing.get(thread)?.seed;
          reject(seed === undefined ? cause : new Error(`Seed ${seed}: ${cause.message}`, { cause }));
        });
    });
    this.#broken.catch(() => {});
  }

  /** Plays them all, in no certain order, or until it is enough. */
  async play(runs: Iterable<Run>, told: (outcome: Outcome) => 'enough' | void): Promise<void> {
    const left = runs[Symbol.iterator]();
    let enough = false;
    const playOn = (thread: Thread): Promise<void> =>
      new Promise((resolve) => {
        const next = (): void => {
          const { value, done } = enough ? { value: null, done: true } : left.next();
          if (!done) {
            this.#playing.set(thread, value!);
            return thread.postMessage(value);
          }
          thread.off('message', hear);
          resolve();
        };
        const hear = (outcome: Outcome): void => {
          enough = told(outcome) === 'enough' || enough;
          next();
        };
        thread.on('message', hear);
        next();
      });
    await Promise.race([this.#broken, Promise.all(this.#threads.map(playOn))]);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}
