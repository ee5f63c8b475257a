import type { Clock } from './clock.js';
import { type Heard, heardIn } from './followed.js';
import { KnownBefore } from './known-before.js';
import type { TaskStore } from './ports/task-store.js';
import type { TaskId } from './task-id.js';

/** What each receiver has of one sender; null of one that has received nothing. */
type HeardBy = readonly (readonly Heard[] | null)[];

/**
 * How far the tasks of the next stage have read, as they have committed it: senders keep what these may still want, and
 * stop when one is too far behind. All tasks of a worker that send to the same share one question.
 */
export class Receivers {
  #asked = -Infinity;
  #answer: Promise<HeardBy>;
  readonly #known: KnownBefore<HeardBy>;

  constructor(
    readonly tasks: readonly TaskId[],
    readonly store: TaskStore,
    readonly clock: Clock,
    readonly options: { readonly everyMs: number; readonly keepMs: number },
  ) {
    this.#answer = Promise.resolve(tasks.map(() => null));
    this.#known = new KnownBefore(options.keepMs);
  }

  /** How many entries of a sender each has read, as was found so long ago at the most; of `ROUNDS`, how many of these. */
  async entriesRead(sender: number, ageMs = this.options.everyMs): Promise<readonly number[]> {
    return (await this.heard(sender, ageMs)).map((heard) => heard?.entries ?? 0);
  }

  /** What each has of a sender, as was found so long ago at the most; undefined of one that has received nothing. */
  async heard(sender: number, ageMs: number): Promise<readonly (Heard | undefined)[]> {
    return (await this.#ask(ageMs)).map((heard) => heard?.at(sender));
  }

  /** The tick of the last entry of a sender that each had read a while ago: what was before nobody asks for again. */
  async ticksReadBefore(sender: number): Promise<readonly number[]> {
    await this.#ask(this.options.everyMs);
    const known = this.#known.at(this.clock.monotonicMs());
    if (known === null) return this.tasks.map(() => 0);
    // A receiver whose Redis went back asks again for what it had.
    return known.before.map((heard, receiver) =>
      Math.min(heard?.at(sender)?.tick ?? 0, known.last[receiver]?.at(sender)?.tick ?? 0),
    );
  }

  /** The store is elsewhere than it was: what receivers had read then they may not have now. */
  forget(): void {
    this.#known.forget();
    this.#asked = -Infinity;
  }

  #ask(ageMs: number): Promise<HeardBy> {
    const now = this.clock.monotonicMs();
    if (now - this.#asked >= ageMs) {
      this.#asked = now;
      this.#answer = this.#read(now, this.#answer);
    }
    return this.#answer;
  }

  async #read(now: number, before: Promise<HeardBy>): Promise<HeardBy> {
    try {
      const statuses = await this.store.status(this.tasks);
      const heard = statuses.map(({ record }) => record && heardIn(record));
      this.#known.add(now, heard);
      return heard;
    } catch {
      // Without an answer nothing is known to have been read since.
      return before;
    }
  }
}
