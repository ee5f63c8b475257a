import { type Stamp, stampsOf } from '../view/stamp.js';
import { instantText } from '../zset/instant-text.js';
import type { Row, Value } from '../zset/value.js';
import type { RecordSource } from './placement.js';
import { type Position, timeOf } from './position.js';

/** Gives the rows of a stream the times that no event says: `entryTime()` and `processingTime()`. */
export class Stamper {
  /** What is processed later is never of an earlier time. */
  #now = Number.NEGATIVE_INFINITY;

  private constructor(
    readonly stamps: ReadonlyMap<string, Stamp>,
    /** What `processingTime()` is; null: the time of the entry. */
    readonly clock: (() => number) | null,
  ) {}

  /** Null where there is none to give. */
  static of(source: RecordSource, clock: (() => number) | null): Stamper | null {
    const stamps = source.kind === 'stream' ? stampsOf(source.schema, source.columns) : new Map();
    return stamps.size === 0 ? null : new Stamper(stamps, clock);
  }

  /** Whether a column is one that is given. */
  gives(column: string | null): boolean {
    return column !== null && this.stamps.has(column);
  }

  /** What is stamped from here on is processed now. */
  begin(): void {
    if (this.clock !== null) this.#now = Math.max(this.#now, this.clock());
  }

  stamp(row: Row, id: Position): void {
    const appended = instantText(timeOf(id));
    for (const [column, stamp] of this.stamps)
      // An event of another type may have no such column.
      if (row[column] !== null)
        (row as Record<string, Value>)[column] =
          stamp === 'entry' || this.clock === null ? appended : instantText(this.#now);
  }
}
