/** What brings no more rows than this is worked off at once. */
const LIGHT_ROWS_MAX = 100;

/**
 * Tasks of a process that have much to do take turns:
 *
 *     what has come in │ piece of one task │ what has come in │ piece of another │ …
 *
 * An answer that comes while a task works waits for that piece and for no other. Else a task that takes in one row would wait for a
 * piece of every busy one, each time that it asks for something.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** @param pause Returns when what has come in meanwhile was taken up. */
  constructor(readonly pause: () => Promise<void>) {}

  /** Returns when it is the turn of one who takes in so many rows: up to where it waits next it has the thread. */
  async next(rows: number): Promise<void> {
    if (rows <= LIGHT_ROWS_MAX) return;
    this.#last = this.#last.then(this.pause);
    await this.#last;
  }
}
