import type { Logger } from './logger.js';
import type { WorkerInfo } from './ports/workers.js';

/** Tasks that wait of which a worker tells the others, and how much of why: all workers read what each says. */
const TOLD_MAX = 100;
const TOLD_LENGTH_MAX = 200;

/** The tasks of a worker whose commits are being refused, and why: a worker that waits is not silent. */
export class RefusedCommits {
  readonly #said = new Set<string>();

  constructor(
    readonly logger: Logger,
    /** Of each task that runs, by name: why its commits are refused, null where they are not. */
    readonly refusals: () => Iterable<readonly [name: string, refused: string | null]>,
  ) {}

  /** Says once that commits are being refused, and once that they are taken again. */
  say(): void {
    for (const [name, refused] of this.refusals()) {
      const known = this.#said.has(name);
      if (refused !== null && !known) {
        this.#said.add(name);
        this.logger.warn(
          `Redis takes no commits of ${name}: ${refused}\nNothing is lost; the tick waits and is tried again. \`stillwater doctor\` says what this Redis lacks.`,
        );
      } else if (refused === null && known) {
        this.#said.delete(name);
        this.logger.info(`Redis takes commits of ${name} again.`);
      }
    }
  }

  forget(name: string): void {
    this.#said.delete(name);
  }

  /** What the worker says of itself, so that whoever asks any process learns of it: `GET /views/{view}`. */
  get told(): Pick<WorkerInfo, 'waiting'> {
    const waiting: Record<string, string> = {};
    let told = 0;
    for (const [name, refused] of this.refusals()) {
      if (refused === null || told === TOLD_MAX) continue;
      waiting[name] = refused.slice(0, TOLD_LENGTH_MAX);
      told++;
    }
    return told > 0 ? { waiting } : {};
  }
}
