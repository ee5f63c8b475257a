import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { RUNTIME_FLAGS } from './runtime-flags.js';
import type { Procedures, Reply, Request } from './subject.js';

const END_WITHIN_MS = 20_000;

/** The benchmark itself may run from its sources; then what it starts does too. */
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const PROGRAM = fileURLToPath(new URL(`./subject.${extension}`, import.meta.url));
const LOADER = extension === 'ts' ? ['--import', 'jiti/register'] : [];
/** Views import the package by its name: from its sources, that is the source. */
const SOURCE = fileURLToPath(new URL('../src/index.ts', import.meta.url));
const ENVIRONMENT = extension === 'ts' ? { JITI_ALIAS: JSON.stringify({ stillwater: SOURCE }) } : {};

/** A subject, seen from the benchmark: each call is one request, answered before the next is sent. */
export class SubjectProcess {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (result: any) => void; reject: (error: Error) => void }>();
  readonly #gone: Promise<void>;
  #requests = 0;

  constructor({ profileInto = null }: { profileInto?: string | null } = {}) {
    const profiling = profileInto === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileInto}`];
    this.#process = spawn(
      process.execPath,
      [...RUNTIME_FLAGS, '--expose-gc', ...profiling, ...LOADER, PROGRAM],
      {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: { ...process.env, ...ENVIRONMENT },
      },
    );
    this.#process.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('error' in reply) waiting?.reject(new Error(`In the measured process: ${reply.error}`));
      else waiting?.resolve(reply.result);
    });
    this.#gone = new Promise((resolve) => {
      const end = (why: string): void => {
        for (const { reject } of this.#waiting.values())
          reject(new Error(`The measured process ended: ${why}.`));
        this.#waiting.clear();
        resolve();
      };
      this.#process.once('exit', (code, signal) => end(`exit code ${code}, signal ${signal}`));
      this.#process.once('error', (error) => end(error.message));
    });
  }

  call<P extends keyof Procedures>(
    procedure: P,
    argument: Parameters<Procedures[P]>[0],
  ): Promise<Awaited<ReturnType<Procedures[P]>>> {
    return new Promise((resolve, reject) => {
      const request: Request = { id: ++this.#requests, procedure, argument };
      this.#waiting.set(request.id, { resolve, reject });
      this.#process.send(request, (error) => {
        if (error) reject(error);
      });
    });
  }

  /** Hands over and ends. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), END_WITHIN_MS);
    await this.call('stop', null).catch(() => {});
    if (this.#process.connected) this.#process.disconnect();
    await this.#gone;
    clearTimeout(timer);
  }

  /** Ends at once, as by `kill -9`. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#gone;
  }
}

/** Measures in a process of its own, which ends afterwards. */
export async function inSubject<T>(
  measure: (subject: SubjectProcess) => Promise<T>,
  options?: { profileInto?: string | null },
): Promise<T> {
  const subject = new SubjectProcess(options);
  try {
    return await measure(subject);
  } finally {
    await subject.end();
  }
}
