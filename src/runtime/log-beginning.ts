import { LogLost } from './input.js';
import { BEGINNING, comparePositions, type Position } from './position.js';
import type { SourceReader } from './source-reader.js';

/**
 * Whether a task that stands before all entries of a log may begin with those that the log holds.
 *
 *     log      d e f …
 *     begun    d            the task is new, or has nothing to make again but what is there
 *     begun    a            it has begun with a, and nothing is left of what it made: a, b and c cannot be made again
 *
 * A task whose hash slot lost everything looks like a new one. If the log was trimmed since, its rows would miss what was, and
 * nobody would say so. So the first entry that a task takes is noted beside the log, before what becomes of it is committed.
 * The note goes back with the log and with nothing else: where the log was trimmed since, the note is there.
 */
export class LogBeginning {
  /** The log was asked, and knows as much as there is to be known. */
  #asked = false;

  constructor(
    readonly reader: SourceReader,
    readonly task: string,
    /** With what a new task may begin. With the first entry alone: of a rebuild of which nothing else was said. */
    readonly mayBegin: 'with the first' | 'with what is left',
  ) {}

  /** What was committed may be gone. */
  forget(): void {
    this.#asked = false;
  }

  /**
   * To be asked when what follows a position was read, and before anything of that is committed.
   * @param first The entry that follows; null for none.
   * @throws LogLost
   */
  async expect(position: Position, first: Position | null): Promise<void> {
    if (this.mayBegin === 'with the first') {
      if (position === BEGINNING) await this.reader.expectWhole();
      return;
    }
    if (this.#asked && (position !== BEGINNING || first === null)) return;
    // Who stands elsewhere has begun. Where nobody noted it then, no entry may be missing.
    const begun = await this.#note(position === BEGINNING ? first : BEGINNING);
    if (position !== BEGINNING || begun === null) return;
    if (begun === BEGINNING) await this.reader.expectWhole();
    else if (first === null || comparePositions(first, begun) > 0) throw this.#lost(begun, first);
  }

  async #note(first: Position | null): Promise<Position | null> {
    const { log, redisKey } = this.reader;
    try {
      const begun = await log.begun(redisKey, this.task, first);
      this.#asked = true;
      return begun;
    } catch (thrown) {
      if (first === null || (thrown as { code?: unknown }).code !== 'redis-refused') throw thrown;
      // A Redis that takes no writes takes no commit either, and it is the commit that says so. The next read notes it.
      return log.begun(redisKey, this.task, null);
    }
  }

  #lost(begun: Position, first: Position | null): LogLost {
    const { redisKey } = this.reader;
    return new LogLost(
      'log-trimmed',
      `Nothing is stored of what ${this.task} made of the stream "${redisKey}", though it had begun: its hash slot lost everything. The stream was trimmed since.\n` +
        `  begun   with ${begun}\n  stream  ${first === null ? 'empty' : `from ${first}`}\n` +
        `Nothing was read: the rows would lack what was trimmed, and not say so. Rebuild the view from what is left (\`stillwater rebuild <view> --accept-trimmed\`), ` +
        `restore the stream, or give this process the archive that the others have (STILLWATER_ARCHIVE).`,
    );
  }
}
