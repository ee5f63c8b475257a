import type { Delta } from '../zset/delta.js';
import type { TaskInput } from './input.js';
import type { Attempt } from './ports/task-store.js';
import { Ended } from './task-end.js';
import type { TaskOptions } from './task-options.js';
import { TIME } from './tick.js';
import { FIRST_ENTRIES } from './tick-size.js';

/** From this many grants without a commit on, something seems to end the owners. */
const GRANTS = 3;
/** The next attempt at what ended an owner takes so much less. */
const NARROWER = 8;
/** So many owners must have ended in the step of one entry before it is blamed: one may have been killed from outside. */
const ENDED = 2;

/**
 * How a task goes on where steps have ended its owners: a function that loops and was ended by the watchdog, or took
 * all memory.
 *
 *     write down what is about to be stepped ──▶ step, alone ──▶ take it back ──▶ commit
 *
 * So whoever finds such an attempt knows that the step did not return. It tries an eighth of it; and an entry that has
 * ended two owners, alone in its tick, is to blame. While an attempt is under way no other circuit of the process steps, so
 * that nobody is blamed for what another does. After as many entries as the first attempt had, the trouble is past.
 *
 * All tasks of the process wait for such a step, which waits for Redis itself. And where there was no attempt, nothing says that a step
 * ended the owners: they may have been killed from outside, or have waited for a Redis that was away. So then it is past after as many
 * ticks as make one of an owner that is not careful, or when all that there was to be read was stepped. A step that was survived
 * ends the count of grants, also if its commit does not come through.
 *
 * A blamed entry of a stream or table is an error from then on, in every replay of the definition too. A change of
 * another view's rows is no entry of a log: leaving it out would show rows that nothing gives, so the view is parked.
 */
export class Caution {
  /** What the owners before did not survive; null once it is blamed. */
  #found: Attempt | null;
  #entriesLeft = 0;
  #entriesMax = Infinity;
  /** Receivers take a few entries in a tick, also where they may take more: what was taken in a tick once is taken in so many. */
  #ticksLeft = NARROWER;
  /** The store counts grants before this one, of which nothing is known but that they committed nothing. */
  #counts: boolean;

  constructor(readonly options: TaskOptions) {
    const { attempt, record, grants } = options;
    this.#counts = grants > 1;
    this.#found = attempt !== null && attempt.tick === (record?.tick ?? 0) + 1 ? attempt : null;
    if (this.#found === null && grants < GRANTS) return;
    this.#entriesLeft = this.#found?.entries ?? FIRST_ENTRIES;
    this.#entriesMax = Math.ceil(this.#entriesLeft / NARROWER);
  }

  /** How many entries a tick may take now. */
  get entriesMax(): number {
    return this.#entriesLeft > 0 ? this.#entriesMax : Infinity;
  }

  /** Blames the entry that ended the owners before, if it has come to that. @throws Ended to park the task */
  async judge(): Promise<void> {
    const { id, token, fingerprint, inputs, store, limits, logger } = this.options;
    const found = this.#found;
    if (found === null || found.entries > 1 || found.ended + 1 < ENDED) return;
    const input = inputs.find(({ name }) => name === found.input);
    // Somebody may have blamed it and ended before he could say that it was judged.
    const isKnown = input?.blamed?.has(found.entry) === true;
    if (input?.blame === undefined || (!isKnown && input.blamed!.size >= limits.blamedEntriesMax))
      throw this.#parked(found, input);
    const redisKey = input.blame(found.entry);
    await store.blame(fingerprint, { redisKey, entry: found.entry });
    await store.attempt(id, token, null);
    this.#found = null;
    logger.error(
      `The entry ${found.entry} of "${redisKey}" ended ${found.ended + 1} workers while the view "${id.view}" stepped it, and is left out of it as an error, ` +
        `in replays of this definition too. See GET /views/${id.view}/errors; correct the view's function, and it is rebuilt with the entry.`,
    );
  }

  /** Runs one step; `what` says of what. */
  async step(
    what: Pick<Attempt, 'tick' | 'input' | 'entry' | 'entries'>,
    step: () => Promise<Delta>,
  ): Promise<void> {
    const { id, token, store, gate } = this.options;
    if (this.#entriesLeft <= 0) return void (await gate.together(step));
    const again =
      this.#found !== null &&
      what.entries === 1 &&
      this.#found.entries === 1 &&
      this.#found.entry === what.entry &&
      this.#found.input === what.input;
    const attempted = async (): Promise<void> => {
      if (!(await store.attempt(id, token, { ...what, ended: again ? this.#found!.ended + 1 : 0 })))
        throw new Ended({ how: 'fenced' });
      try {
        await step();
      } finally {
        await this.#survived();
      }
    };
    try {
      await gate.alone(attempted);
      this.#entriesLeft -= what.entries;
    } finally {
      // Also where Redis gave no answer in the middle of it: all others have waited for that.
      if (this.#found === null && --this.#ticksLeft === 0) this.#entriesLeft = 0;
    }
  }

  /** All that there was to be read was stepped: what owners before had taken in, too. */
  async cameToEnd(): Promise<void> {
    this.#entriesLeft = 0;
    if (this.#counts) await this.#survived();
  }

  async #survived(): Promise<void> {
    const { id, token, store } = this.options;
    await store.attempt(id, token, null);
    this.#counts = false;
  }

  #parked(found: Attempt, input: TaskInput | undefined): Ended {
    const { id } = this.options;
    const why =
      found.input === TIME
        ? `It is what becomes due as time passes; leaving it out would show rows that no log gives.`
        : input?.blame === undefined
          ? `It is a change of another view's rows; leaving it out would show rows that no log gives.`
          : `${input.blamed!.size} entries have been left out already, as many as blamedEntriesMax allows.`;
    return new Ended({
      how: 'parked',
      reason: {
        code: 'ends-workers',
        message:
          `The view "${id.view}" was parked: stepping it ended ${found.ended + 1} workers.\n` +
          `  input  ${found.input}\n  entry  ${found.entry}\n` +
          `${why} What came before is committed; the rest waits. A function of the view loops or takes all memory: correct it, and the view is rebuilt.`,
      },
    });
  }
}
