import { LogLost } from './input.js';
import { firstReadable, type LogEnd } from './ports/source-log.js';
import { BEGINNING, comparePositions, type Position } from './position.js';
import type { SourceReader } from './source-reader.js';

/**
 * Whether a task that stands before all entries of a log may begin with those that the log holds.
 *
 *     log      d e f …
 *     begun    nobody       the task is new
 *     begun    d            it can make all of it again
 *     begun    a            it has taken a, b and c once, and nothing is left of what it made of them: it cannot
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
    if (begun !== BEGINNING && first !== null && comparePositions(first, begun) <= 0) return;
    // The first that there is may be a later one and nothing missing: where an archive has merged what is of one key.
    await this.reader.expectWhole((end) => this.#lost(begun, end));
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

  #lost(begun: Position, end: LogEnd): LogLost {
    const { redisKey } = end;
    return new LogLost(
      'log-trimmed',
      `Nothing is stored of what ${this.task} made of the stream "${redisKey}", though it had begun: its hash slot lost everything, or it ended before its first commit. The stream was trimmed since.\n` +
        `  begun   with ${begun === BEGINNING ? 'an entry that nobody noted' : begun}\n  stream  ${firstReadable(end) ?? 'empty'} … ${end.last}\n` +
        `Nothing was read: the rows would lack what was trimmed, and not say so. Rebuild the view from what is left (\`stillwater rebuild <view> --accept-trimmed\`), ` +
        `restore the stream, or give this process the archive that the others have (STILLWATER_ARCHIVE).`,
    );
  }
}
