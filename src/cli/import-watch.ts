import { closeSync } from 'node:fs';
import { sep } from 'node:path';
import { Worker as Thread } from 'node:worker_threads';
import type { StillwaterError } from '../errors/stillwater-error.js';
import { importError } from '../view/discover.js';
import { isOurs, placeIn } from '../view/place.js';

export interface ImportLimits {
  /** How long one module may take to be imported, with all that it imports. */
  importMsMax: number;
}

export const defaultImportLimits: ImportLimits = { importMsMax: 30_000 };

/** What the other thread has the looping one do. */
const END = Symbol.for('stillwater.end-import');
/** How much longer the other thread waits: where the event loop turns a timer of this one is enough. */
const BLOCKED_FACTOR = 1.2;

/**
 * Bounds the time in which a module comes to its end. One that waits at its top level for what never comes is given up. One
 * that loops there holds the only thread: another one has it, in the middle of the loop and through the inspector, which is
 * the one who can, say where it is and end the process.
 */
export class ImportWatch {
  /** [0]: the number of the import under way, 0 between imports. */
  readonly #shared = new Int32Array(new SharedArrayBuffer(4));
  readonly #thread: Thread;
  #begun = 0;
  #file = '';

  /** What has to be said of a module that loops; then the process ends. */
  constructor(
    readonly importMsMax: number,
    endless: (error: StillwaterError) => void,
  ) {
    (globalThis as Record<symbol, unknown>)[END] = () => {
      const place = loopingPlace();
      const what = `it loops at its top level, and has not come to its end within ${importMsMax} ms (importMsMax)`;
      endless(importError(this.#file, place === null ? what : `${what}\n  at ${place}`));
      // There Node would tell of the other thread's session that it waits for a debugger.
      closeSync(2);
      process.exit(1);
    };
    this.#thread = new Thread(
      `const { workerData } = require('node:worker_threads');
       const { Session } = require('node:inspector');
       let seen = 0, since = Date.now();
       const timer = setInterval(() => {
         const begun = Atomics.load(workerData.shared, 0);
         if (begun === 0 || begun !== seen) { seen = begun; since = Date.now(); return; }
         if (Date.now() - since < workerData.msMax) return;
         clearInterval(timer);
         const session = new Session();
         session.connectToMainThread();
         session.post('Runtime.evaluate', { expression: 'globalThis[Symbol.for("${END.description}")]()' });
       }, Math.max(10, workerData.msMax / 20));`,
      { eval: true, workerData: { shared: this.#shared, msMax: importMsMax * BLOCKED_FACTOR } },
    );
    this.#thread.unref();
  }

  /** Imports a module under watch. */
  async import(file: string, load: () => Promise<unknown>): Promise<unknown> {
    this.#file = file;
    Atomics.store(this.#shared, 0, ++this.#begun);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const what = `it waits at its top level, and has not come to its end within ${this.importMsMax} ms (importMsMax)`;
      timer = setTimeout(() => reject(new Error(what)), this.importMsMax);
    });
    try {
      return await Promise.race([load(), late]);
    } finally {
      clearTimeout(timer);
      Atomics.store(this.#shared, 0, 0);
    }
  }

  async stop(): Promise<void> {
    await this.#thread.terminate();
  }
}

/** The innermost place in somebody's own modules of what is running, which this has interrupted. */
function loopingPlace(): string | null {
  Error.stackTraceLimit = Infinity;
  return placeIn(
    new Error().stack ?? '',
    (file) => isOurs(file) || file.includes(`${sep}node_modules${sep}`),
  );
}
