import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { StillwaterError } from '../errors/stillwater-error.js';
import type { SourceLog } from '../runtime/ports/source-log.js';
import { BEGINNING, comparePositions, type Position } from '../runtime/position.js';
import { LoadMarks, type LoadMark } from './load-marks.js';

/** Items that always come in the same order, as the JSON texts of events. */
export interface DataSet {
  readonly name: string;
  /** The stream it is loaded into. */
  readonly redisKey: string;
  /** How many of its items are wanted. */
  readonly wanted: number;
  /** All its items, from the first, in runs. */
  items(): AsyncIterable<readonly string[]>;
}

/**
 * loaded    all that is wanted lies in the stream now, `added` of it since this call
 * stopped   the signal came first; the next call goes on from here
 * foreign   the stream holds events of somebody else, and no mark of ours: nothing was added
 */
export type LoadOutcome =
  | { readonly status: 'loaded' | 'stopped'; readonly loaded: number; readonly added: number }
  | { readonly status: 'foreign' };

export interface LoadOptions {
  readonly log: SourceLog;
  readonly marksKey: string;
  readonly onProgress?: (loaded: number) => void;
  readonly signal?: AbortSignal;
}

/** Events appended with one call: few enough for a call that nobody else in Redis feels. */
const BATCH_ITEMS = 500;
const BATCHES_PER_MARK = 20;
const SCAN_ENTRIES = 5_000;
const APPEND_ATTEMPTS_MAX = 10;
const APPEND_RETRY_MS = 500;
/** How long an append whose reply was lost can be repeated; two loaders at once are kept apart by it too. */
const APPEND_MEMORY_MS = 120_000;

/**
 * Loads a data set into its stream, every item once, whenever and however often it is killed on the way. A mark says how
 * far it certainly got; what lies in the stream behind the mark is compared with the items that follow, so that
 * a batch that was appended and not marked is recognised, also among events that others have appended meanwhile.
 */
export async function loadOnce(set: DataSet, options: LoadOptions): Promise<LoadOutcome> {
  const { log, onProgress = () => undefined, signal } = options;
  const marks = new LoadMarks(log, options.marksKey);
  const mark = await lastValid(set, log, marks);
  if (mark.loaded >= set.wanted) return { status: 'loaded', loaded: mark.loaded, added: 0 };

  const queue = new ItemQueue(set, mark.loaded);
  const present = await recognise(set, log, mark, queue);
  if (present === 'foreign') return { status: 'foreign' };

  let { loaded, position } = present;
  const initially = loaded;
  const putMark = () => marks.put({ loaded, position, series: mark.series });
  onProgress(loaded);
  while (loaded < set.wanted && !signal?.aborted) {
    const texts = await queue.take(Math.min(BATCH_ITEMS - (loaded % BATCH_ITEMS), set.wanted - loaded));
    if (texts.length === 0) break;
    position = await append(log, set, texts, `${options.marksKey}/${mark.series}/${loaded}`);
    loaded += texts.length;
    onProgress(loaded);
    if (Math.ceil(loaded / BATCH_ITEMS) % BATCHES_PER_MARK === 0) await putMark();
  }
  await putMark();
  await queue.close();
  return {
    status: signal?.aborted && loaded < set.wanted ? 'stopped' : 'loaded',
    loaded,
    added: loaded - initially,
  };
}

/** The last mark; one from the beginning where there is none, or where it speaks of a stream that is no more. */
async function lastValid(set: DataSet, log: SourceLog, marks: LoadMarks): Promise<LoadMark> {
  const mark = await marks.last();
  if (mark === null) return { loaded: 0, position: BEGINNING, series: 'first' };
  const [end] = await log.ends([set.redisKey]);
  if (comparePositions(end!.last, mark.position) >= 0) return mark;
  return { loaded: 0, position: BEGINNING, series: randomUUID() };
}

/** How many items more than the mark says lie in the stream. Takes them from the queue. */
async function recognise(
  set: DataSet,
  log: SourceLog,
  mark: LoadMark,
  queue: ItemQueue,
): Promise<{ loaded: number; position: Position } | 'foreign'> {
  const [end] = await log.ends([set.redisKey]);
  let { loaded, position } = mark;
  let seen = 0;
  for (let from = position; comparePositions(from, end!.last) < 0;) {
    const entries = await log.range(set.redisKey, from, end!.last, SCAN_ENTRIES);
    for (const [id, [, text]] of entries) {
      seen++;
      if (text !== undefined && text === (await queue.peek())) {
        await queue.take(1);
        loaded++;
        position = id;
      } else if (loaded === 0) return 'foreign';
    }
    if (entries.length < SCAN_ENTRIES) break;
    from = entries.at(-1)![0];
  }
  return seen > 0 && loaded === 0 ? 'foreign' : { loaded, position };
}

async function append(
  log: SourceLog,
  set: DataSet,
  texts: readonly string[],
  idempotencyKey: string,
): Promise<Position> {
  const entries = texts.map((text) => ['data', text]);
  for (let attempt = 1; ; attempt++) {
    try {
      const { ids } = await log.append({
        redisKey: set.redisKey,
        entries,
        idempotencyKey,
        memoryMs: APPEND_MEMORY_MS,
      });
      return ids.at(-1)!;
    } catch (error) {
      const unknown = error instanceof StillwaterError && error.code === 'append-outcome-unknown';
      if (!unknown || attempt === APPEND_ATTEMPTS_MAX) throw error;
      await wait(APPEND_RETRY_MS);
    }
  }
}

/** A data set's items one after the other, from a place in it. */
class ItemQueue {
  readonly #runs: AsyncIterator<readonly string[]>;
  #run: readonly string[] = [];
  #next = 0;
  #skip: number;

  constructor(set: DataSet, from: number) {
    this.#runs = set.items()[Symbol.asyncIterator]();
    this.#skip = from;
  }

  async peek(): Promise<string | undefined> {
    await this.#fill();
    return this.#run[this.#next];
  }

  /** The next `count`; fewer at the end. */
  async take(count: number): Promise<string[]> {
    const taken: string[] = [];
    while (taken.length < count && (await this.#fill())) {
      const part = this.#run.slice(this.#next, this.#next + count - taken.length);
      this.#next += part.length;
      taken.push(...part);
    }
    return taken;
  }

  async close(): Promise<void> {
    await this.#runs.return?.();
  }

  async #fill(): Promise<boolean> {
    while (this.#next >= this.#run.length) {
      const { done, value } = await this.#runs.next();
      if (done) return false;
      this.#run = value;
      this.#next = Math.min(this.#skip, value.length);
      this.#skip -= this.#next;
    }
    return true;
  }
}
