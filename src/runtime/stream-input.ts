import type { LogOrder } from '../circuit/place-in-log.js';
import { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import type { PartitionClocks } from './clocks.js';
import { entryLimits } from './decode-entry.js';
import type { BatchTimes, DecodedBatch } from './decoded-batch.js';
import { EntryParts, type EntryTaken, type PartsOptions } from './entry-parts.js';
import { type EntryError, type InputBatch, LogLost, type TaskInput } from './input.js';
import type { LogBeginning } from './log-beginning.js';
import type { InputPosition } from './ports/task-store.js';
import { BEGINNING, type Position } from './position.js';
import type { SourceReader } from './source-reader.js';

/** A source partition as an input of one task. */
export class StreamInput implements TaskInput {
  readonly beginning: InputPosition = { position: BEGINNING, entries: 0 };
  readonly #blamed: Set<Position>;
  /** It is counted among those that share what is read. */
  #reads = false;

  constructor(
    readonly name: string,
    readonly reader: SourceReader,
    readonly order: LogOrder | null,
    readonly start: LogBeginning,
    /** Entries that ended workers: errors, whatever is in them. */
    blamed: Iterable<Position> = [],
  ) {
    this.#blamed = new Set(blamed);
  }

  async close(): Promise<void> {
    if (this.#reads) this.reader.tasks--;
    this.#reads = false;
  }

  get redisKey(): string {
    return this.reader.redisKey;
  }

  get blamed(): ReadonlySet<Position> {
    return this.#blamed;
  }

  forget(): void {
    this.start.forget();
    this.reader.forget();
  }

  blame(entry: Position): string {
    this.#blamed.add(entry);
    return this.reader.redisKey;
  }

  async next(position: InputPosition, note: unknown, clocks?: PartitionClocks): Promise<InputBatch | null> {
    const { redisKey } = this.reader;
    const taken = (note ?? undefined) as EntryTaken | undefined;
    if (!this.#reads) this.reader.tasks++;
    this.#reads = true;
    const found = await this.reader.after(position, clocks !== undefined);
    await this.start.expect(position.position, found?.batch.ids[found.from] ?? null);
    if (taken !== undefined) this.#expectRest(taken, found);
    if (found === null) return null;
    const clock = clocks && (clocks[redisKey] ?? -Infinity);
    const batch = new StreamBatch(found.batch, {
      first: found.from,
      taken: taken?.rows ?? 0,
      position,
      redisKey,
      order: this.order,
      leftOut: this.#blamed,
      rowsMax: this.reader.limits.partRowsMax,
      clock,
    });
    return batch.size > 0 || batch.clocksAfter(0)[redisKey]! > clock! ? batch : null;
  }

  /** Of an entry some parts were taken: the rest must be there, as it was. @throws LogLost */
  #expectRest({ entry, rows, of }: EntryTaken, found: { batch: DecodedBatch; from: number } | null): void {
    if (this.#blamed.has(entry))
      throw new LogLost(
        'ends-workers',
        `The entry ${entry} of the stream "${this.redisKey}" ended workers after ${rows} of its ${of} events had been taken.\n` +
          `Replays leave out all of it, and the rows show these. Nothing more was read. ` +
          `Correct the view's function: it is rebuilt with the entry. Or rebuild it without (\`stillwater rebuild <view>\`).`,
      );
    const id = found?.batch.ids[found.from] ?? null;
    const there = id === entry ? found!.batch.ends[found!.from]! - found!.batch.firstRow(found!.from) : 0;
    if (there === of) return;
    throw new LogLost(
      id === null ? 'ahead-of-its-log' : 'entry-deleted',
      `Of the entry ${entry} of the stream "${this.redisKey}" some events were taken, and the others are not there as they were.\n` +
        `  taken  ${rows} of ${of} events\n  found  ${id === entry ? `${there} events` : `the entry ${id ?? 'none'}`}\n` +
        `It was deleted or compacted, or the log went back. Nothing more was read. Rebuild the view (\`stillwater rebuild <view> --accept-trimmed\`).`,
    );
  }

  wait(position: InputPosition, signal: AbortSignal): Promise<void> {
    return this.reader.news.wait(this.reader.redisKey, position.position, signal);
  }
}

const ENDED_THE_WORKER =
  'ended the worker: its step did not come to an end, or took all memory. It is left out, here and in every replay of this definition.';

interface StreamRun extends PartsOptions {
  /** Where it begins, as the task counts: others may have begun elsewhere with what they share. */
  position: InputPosition;
  redisKey: string;
  order: LogOrder | null;
  /** The partition's clock before the run; undefined where the task acts on no time. */
  clock: number | undefined;
}

class StreamBatch implements InputBatch {
  readonly size: number;
  readonly #parts: EntryParts;
  #times: BatchTimes | null = null;

  constructor(
    readonly batch: DecodedBatch,
    readonly run: StreamRun,
  ) {
    this.#parts = new EntryParts(batch, run);
    this.size = this.#parts.size;
  }

  delta(from: number, to: number): Delta {
    const { batch } = this;
    const { order, clock } = this.run;
    const lates = clock === undefined ? null : this.#timesFrom(clock).lates;
    const blamed = this.#blamedIn(from, to);
    const end = this.#parts.rowAt(to);
    let start = this.#parts.rowAt(from);
    if (blamed.length === 0) return batch.deltaOfRows(start, end, order, lates);
    const delta = new Delta<Row>([], [], order === null ? undefined : [], lates ? [] : undefined);
    for (const entry of blamed) {
      delta.append(batch.deltaOfRows(start, batch.firstRow(entry), order, lates));
      start = batch.firstRow(entry + 1);
    }
    delta.append(batch.deltaOfRows(start, end, order, lates));
    return delta;
  }

  wholeAt(from: number, to: number, most: number): number {
    return this.#parts.wholeAt(from, to, most);
  }

  entryAt(part: number): Position {
    return this.batch.ids[this.#parts.entryAt(part)]!;
  }

  clocksAfter(to: number): PartitionClocks {
    const { redisKey, first, clock } = this.run;
    if (clock === undefined) return {};
    return { [redisKey]: this.#timesFrom(clock).clocks[first + this.#parts.wholeEntries(to)]! };
  }

  #timesFrom(clock: number): BatchTimes {
    return (this.#times ??= this.batch.times(this.run.first, clock, new Set(this.#blamedIn(0, this.size))));
  }

  positionAfter(to: number): InputPosition {
    const { first, position } = this.run;
    const whole = this.#parts.wholeEntries(to);
    return whole === 0
      ? position
      : { position: this.batch.ids[first + whole - 1]!, entries: position.entries + whole };
  }

  noteAfter(to: number): EntryTaken | undefined {
    if (!this.#parts.isWithin(to)) return undefined;
    const { batch } = this;
    const entry = this.#parts.entryAt(to);
    const begin = batch.firstRow(entry);
    return { entry: batch.ids[entry]!, rows: this.#parts.rowAt(to) - begin, of: batch.ends[entry]! - begin };
  }

  /** Of an entry that is taken in parts it is said with the first: what is reached, and not yet contained. */
  frontierAfter(to: number): Record<string, Position> {
    return to === 0 ? {} : { [this.run.redisKey]: this.entryAt(to - 1) };
  }

  errors(from: number, to: number): EntryError[] {
    const { batch } = this;
    const blamed = this.#blamedIn(from, to);
    if (batch.errors.length === 0 && blamed.length === 0) return [];
    return [
      ...batch.errors
        .filter(({ entry }) => this.#isWholeIn(entry, from, to) && !blamed.includes(entry))
        .map(({ entry, raw, reason }) => ({ id: batch.ids[entry]!, raw, reason })),
      ...blamed.map((entry) => ({
        id: batch.ids[entry]!,
        raw: JSON.stringify(batch.delta(entry, entry + 1, null).rows)
          .slice(0, entryLimits.rawLengthMax)
          .toWellFormed(),
        reason: ENDED_THE_WORKER,
      })),
    ];
  }

  skippedTypes(from: number, to: number): string[] {
    const { skipped } = this.batch;
    if (skipped.length === 0) return [];
    const blamed = this.#blamedIn(from, to);
    return skipped
      .filter(({ entry }) => this.#isWholeIn(entry, from, to) && !blamed.includes(entry))
      .map(({ type }) => type);
  }

  /** Whether the last of an entry is among these parts. */
  #isWholeIn(entry: number, from: number, to: number): boolean {
    const { first } = this.run;
    return entry >= first + this.#parts.wholeEntries(from) && entry < first + this.#parts.wholeEntries(to);
  }

  /** Which entries of the run are blamed, as places in the decoded batch. */
  #blamedIn(from: number, to: number): number[] {
    const { leftOut, first } = this.run;
    if (leftOut.size === 0) return [];
    const places: number[] = [];
    for (let at = first + this.#parts.wholeEntries(from); at < first + this.#parts.wholeEntries(to); at++)
      if (leftOut.has(this.batch.ids[at]!)) places.push(at);
    return places;
  }
}
