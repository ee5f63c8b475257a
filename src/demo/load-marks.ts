import type { SourceLog } from '../runtime/ports/source-log.js';
import { BEGINNING, type Position } from '../runtime/position.js';

/** How far a data set has been loaded into its stream. */
export interface LoadMark {
  /** Items of the data set that lie in the stream, for certain. */
  readonly loaded: number;
  /** The entry of the last of them. */
  readonly position: Position;
  /** One name for all appends into one incarnation of the stream, so that a new one does not take them for done. */
  readonly series: string;
}

const READ_MAX = 1_000;

/**
 * Marks of one data set, in a small log beside its stream. A mark is written after what it speaks of: a process that
 * dies in between leaves a mark that says too little, never too much.
 */
export class LoadMarks {
  constructor(
    private readonly log: SourceLog,
    private readonly redisKey: string,
  ) {}

  async last(): Promise<LoadMark | null> {
    const [end] = await this.log.ends([this.redisKey]);
    let last: LoadMark | null = null;
    for (let from = BEGINNING; ;) {
      const entries = await this.log.range(this.redisKey, from, end!.last, READ_MAX);
      for (const [, [, text]] of entries) last = JSON.parse(text!) as LoadMark;
      if (entries.length < READ_MAX) break;
      from = entries.at(-1)![0];
    }
    return last;
  }

  async put(mark: LoadMark): Promise<void> {
    const { ids } = await this.log.append({
      redisKey: this.redisKey,
      entries: [['mark', JSON.stringify(mark)]],
      idempotencyKey: null,
      memoryMs: 0,
    });
    await this.log.trim(this.redisKey, ids[0]!, READ_MAX);
  }
}
