import type { DecodedBatch } from './decoded-batch.js';
import type { TaskRecord } from './ports/task-store.js';
import type { Position } from './position.js';

/** Parts that one tick steps, before it is known what they write. */
const TICK_PARTS_MAX = 16;

/**
 * What a task keeps of an entry of which it has taken some parts, under its input's name. Its position is still the one before, and
 * whoever has the task next goes on behind these rows.
 */
export interface EntryTaken {
  readonly entry: Position;
  readonly rows: number;
  /** How many it had. */
  readonly of: number;
}

/** Whether some parts of an entry were taken, and not all. */
export const isInEntry = ({ extra }: Pick<TaskRecord, 'extra'>): boolean =>
  Object.entries(extra).some(([input, note]) => note !== undefined && /^(stream|table):/.test(input));

export interface PartsOptions {
  /** The first entry, and how many of its rows were taken already. */
  readonly first: number;
  readonly taken: number;
  /** Of these nothing is taken. */
  readonly leftOut: ReadonlySet<Position>;
  /** Rows of one part. */
  readonly rowsMax: number;
}

/**
 * The entries of a batch from one on, of which those of many events lie in several parts:
 *
 *     entries   a  b────────────  c
 *     parts     0  1    2    3    4      so that a commit need not hold all that comes of b
 */
export class EntryParts {
  readonly size: number;
  /** By part its entry, and where its rows begin; null where each entry is one. */
  readonly #parts: { readonly entries: number[]; readonly rows: number[] } | null;

  constructor(
    readonly batch: DecodedBatch,
    readonly options: PartsOptions,
  ) {
    const { first, taken, rowsMax } = options;
    const isWhole = taken === 0 && batch.rowsMax <= rowsMax;
    this.#parts = isWhole ? null : partsOf(batch, options);
    this.size = this.#parts?.entries.length ?? batch.ids.length - first;
  }

  /** The entry, by its place in the batch, of which a part is. */
  entryAt(part: number): number {
    return this.#parts?.entries[part] ?? Math.min(this.options.first + part, this.batch.ids.length);
  }

  /** The row of the batch with which a part begins. */
  rowAt(part: number): number {
    if (part < this.size && this.#parts !== null) return this.#parts.rows[part]!;
    return this.batch.firstRow(this.entryAt(Math.min(part, this.size)));
  }

  /** Whether so many parts end in the middle of an entry. */
  isWithin(to: number): boolean {
    return (
      this.#parts !== null &&
      to > 0 &&
      to < this.size &&
      this.#parts.entries[to] === this.#parts.entries[to - 1]
    );
  }

  /** Of how many entries all is there with so many parts. */
  wholeEntries(to: number): number {
    if (to === 0) return 0;
    return this.entryAt(to - 1) - this.options.first + (this.isWithin(to) ? 0 : 1);
  }

  /** Where a tick that begins at `from` and would end at `to`, or at `most` at the latest, is to end: behind a whole entry if it can. */
  wholeAt(from: number, to: number, most: number): number {
    if (this.#parts === null) return to;
    const last = this.rowAt(from) + this.options.rowsMax * TICK_PARTS_MAX;
    let end = to;
    while (end > from + 1 && this.rowAt(end) > last) end--;
    for (let later = end; later <= most && this.rowAt(later) <= last; later++)
      if (!this.isWithin(later)) return later;
    for (let earlier = end; earlier > from; earlier--) if (!this.isWithin(earlier)) return earlier;
    return end;
  }
}

function partsOf(
  batch: DecodedBatch,
  { first, taken, leftOut, rowsMax }: PartsOptions,
): { entries: number[]; rows: number[] } {
  const entries: number[] = [];
  const rows: number[] = [];
  for (let entry = first; entry < batch.ids.length; entry++) {
    let row = batch.firstRow(entry) + (entry === first ? taken : 0);
    do {
      entries.push(entry);
      rows.push(row);
      row += rowsMax;
    } while (row < batch.ends[entry]! && !leftOut.has(batch.ids[entry]!));
  }
  return { entries, rows };
}
