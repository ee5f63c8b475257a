import { Worker as Thread } from 'node:worker_threads';

/**
 * Ends the process when one step of a circuit takes longer than `stepMsMax`: a view function that loops holds the only
 * thread, so that nothing in it could still notice. Another thread looks at a shared clock of steps. The tasks are then
 * taken over; ticks become smaller with every such end until the entry to blame is alone (`caution.ts`).
 */
export class Watchdog {
  /** [0]: the number of the step under way, 0 between steps. */
  readonly #shared = new Int32Array(new SharedArrayBuffer(4));
  #step = 0;
  readonly #thread: Thread;

  constructor(stepMsMax: number) {
    this.#thread = new Thread(
      `const { workerData } = require('node:worker_threads');
       let seen = 0, since = Date.now();
       setInterval(() => {
         const step = Atomics.load(workerData.shared, 0);
         if (step === 0 || step !== seen) { seen = step; since = Date.now(); return; }
         if (Date.now() - since < workerData.stepMsMax) return;
         // Not process.stderr: a thread's goes through the thread that loops.
         require('node:fs').writeSync(2, 'A step of a circuit has taken longer than ' + workerData.stepMsMax + ' ms (stepMsMax): a view function does not come to an end. ' +
           'Nothing of the tick was committed. The process ends. Start it again (npm start and the container do it themselves): the tick is tried in smaller parts until the entry to blame is known.\\n');
         process.kill(process.pid, 'SIGKILL');
       }, Math.max(10, workerData.stepMsMax / 10));`,
      { eval: true, workerData: { shared: this.#shared, stepMsMax } },
    );
    this.#thread.unref();
  }

  /** Runs one synchronous step under watch. */
  readonly watch = <T>(step: () => T): T => {
    this.#step = (this.#step % 0x7fffffff) + 1;
    Atomics.store(this.#shared, 0, this.#step);
    try {
      return step();
    } finally {
      Atomics.store(this.#shared, 0, 0);
    }
  };

  async stop(): Promise<void> {
    await this.#thread.terminate();
  }
}
