import type { LogOrder } from '../circuit/place-in-log.js';
import { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import { instantMs, instantText, toInstantText } from '../zset/instant-text.js';
import { type Position, PositionOrders, timeOf } from './position.js';

/** An entry that gave no rows. The reason of one in the wrong partition begins with "misplaced". */
export interface UndecodedEntry {
  /** Its index among the decoded entries. */
  readonly entry: number;
  readonly reason: string;
  readonly raw: string;
}

/** An event that gave no row because the schema does not know its type. */
export interface SkippedEvent {
  /** The index of its entry among the decoded entries. */
  readonly entry: number;
  readonly type: string;
}

/** What time does along the entries of a batch, from one of them on. */
export interface BatchTimes {
  /** The clock after so many entries of the batch, in ms. */
  readonly clocks: ArrayLike<number>;
  /** Of each row that was late the watermark it was late for, of others −Infinity; null where none was. */
  readonly lates: readonly number[] | null;
}

const NONE: ReadonlySet<number> = new Set();

/** Entries decoded: the rows of all, and which are whose. Tasks share it, and each takes runs of it. */
export class DecodedBatch {
  /** One for each entry. */
  readonly ids: Position[] = [];
  readonly rows: Row[] = [];
  /** 1; −1 for a table's deletion, whose row holds the key and nulls. */
  readonly weights: number[] = [];
  /** The rows of entry `i` are those from `ends[i - 1]` (0 for the first) to `ends[i]`. */
  readonly ends: number[] = [];
  readonly errors: UndecodedEntry[] = [];
  /** Events of types the schema does not know, where those are skipped: no rows, and no errors. */
  readonly skipped: SkippedEvent[] = [];
  /** The characters of all fields: near enough to bytes for bounding reads. */
  bytes = 0;
  /** Rows whose time is not said, and taken from their entry: deletions of a table. They move no clock. */
  undated: number[] | null = null;
  /**
   * Heartbeats in ms, by the index of the entry they follow, −1 for the one before the first. Null where they were not
   * read.
   */
  heartbeats: ReadonlyMap<number, number> | null = null;
  #positions: string[] | null = null;
  #orders: string[] | null = null;
  #rowTimes: Float64Array | null = null;
  #rowsMax: number | null = null;
  readonly #times = new Map<string, BatchTimes>();

  constructor(
    readonly eventTime: string | null,
    readonly latenessMs: number | null = null,
  ) {}

  /** Each row's position in the log: entry id and index in the entry. */
  positions(): string[] {
    if (this.#positions !== null) return this.#positions;
    const positions: string[] = [];
    const { ids, ends } = this;
    const placed = new PositionOrders();
    for (let entry = 0, row = 0; entry < ids.length; entry++)
      for (let index = 0; row < ends[entry]!; row++, index++) positions.push(placed.of(ids[entry]!, index));
    return (this.#positions = positions);
  }

  /** Each row's place in the log: its event's time, else its entry's, as an instant of fixed width, then its position. */
  orders(): string[] {
    if (this.#orders !== null) return this.#orders;
    const orders: string[] = [];
    const { eventTime, ids, ends, rows } = this;
    const positions = this.positions();
    for (let entry = 0, row = 0; entry < ids.length; entry++)
      for (; row < ends[entry]!; row++) {
        const time =
          (eventTime === null ? null : toInstantText(rows[row]![eventTime])) ??
          instantText(timeOf(ids[entry]!));
        orders.push(time + positions[row]!);
      }
    return (this.#orders = orders);
  }

  /** An entry is an error: what of it had been skipped is part of that. */
  unskip(entry: number): void {
    while (this.skipped[this.skipped.length - 1]?.entry === entry) this.skipped.pop();
  }

  /**
   * Goes along the entries from `first` on, where the clock stood at `clock` before. An entry's rows are all judged by the
   * watermark before it; then they move the clock, and so does a heartbeat that follows. `leftOut` are entries that
   * count as errors.
   *
   * Worked out when asked for, once for all tasks that ask the same: most streams have no time, most views ask for none.
   */
  times(first: number, clock: number, leftOut: ReadonlySet<number> = NONE): BatchTimes {
    if (leftOut.size > 0) return this.#timesFrom(first, clock, leftOut);
    const asked = `${first} ${clock}`;
    let times = this.#times.get(asked);
    if (times === undefined) this.#times.set(asked, (times = this.#timesFrom(first, clock, NONE)));
    return times;
  }

  /** The rows of entries `fromEntry` up to but not including `toEntry`. */
  delta(
    fromEntry: number,
    toEntry: number,
    order: LogOrder | null,
    lates: BatchTimes['lates'] = null,
  ): Delta<Row> {
    return this.deltaOfRows(this.firstRow(fromEntry), this.firstRow(toEntry), order, lates);
  }

  /** The rows `from` up to but not including `to`. */
  deltaOfRows(
    from: number,
    to: number,
    order: LogOrder | null,
    lates: BatchTimes['lates'] = null,
  ): Delta<Row> {
    const late = lates?.slice(from, to);
    const orders = order === null ? undefined : order === 'time' ? this.orders() : this.positions();
    return new Delta(
      this.rows.slice(from, to),
      this.weights.slice(from, to),
      orders?.slice(from, to),
      late?.some((watermark) => watermark !== -Infinity) ? late : undefined,
    );
  }

  /** Where the rows of an entry begin; of the one behind the last, where all end. */
  firstRow(entry: number): number {
    return entry === 0 ? 0 : this.ends[entry - 1]!;
  }

  /** The most rows that one entry has. */
  get rowsMax(): number {
    if (this.#rowsMax === null) {
      let most = 0;
      for (let entry = 0; entry < this.ends.length; entry++)
        most = Math.max(most, this.ends[entry]! - this.firstRow(entry));
      this.#rowsMax = most;
    }
    return this.#rowsMax;
  }

  #timesFrom(first: number, clock: number, leftOut: ReadonlySet<number>): BatchTimes {
    const rowTimes = this.#timesOfRows();
    const clocks = new Float64Array(this.ids.length + 1).fill(-Infinity);
    let lates: number[] | null = null;
    let now = Math.max(clock, this.heartbeats?.get(first - 1) ?? -Infinity);
    clocks[first] = now;
    for (let entry = first, row = this.firstRow(first); entry < this.ids.length; entry++) {
      const watermark = this.latenessMs === null ? -Infinity : now - this.latenessMs;
      const end = this.ends[entry]!;
      if (leftOut.has(entry)) row = end;
      for (; row < end; row++) {
        const time = rowTimes[row]!;
        if (time < watermark)
          (lates ??= new Array<number>(this.rows.length).fill(-Infinity))[row] = watermark;
        else if (time > now) now = time;
      }
      now = Math.max(now, this.heartbeats?.get(entry) ?? -Infinity);
      clocks[entry + 1] = now;
    }
    return { clocks, lates };
  }

  /** NaN for rows without a time of their own, which is neither early nor late. */
  #timesOfRows(): Float64Array {
    if (this.#rowTimes !== null) return this.#rowTimes;
    const { eventTime } = this;
    const times = new Float64Array(this.rows.length).fill(Number.NaN);
    if (eventTime !== null)
      for (let row = 0; row < times.length; row++) {
        const text = toInstantText(this.rows[row]![eventTime]);
        if (text !== null) times[row] = instantMs(text);
      }
    for (const row of this.undated ?? []) times[row] = Number.NaN;
    return (this.#rowTimes = times);
  }
}
