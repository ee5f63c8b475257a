import type { LogOrder } from '../circuit/place-in-log.js';
import { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import type { PartitionClocks } from './clocks.js';
import { entryLimits } from './decode-entry.js';
import type { BatchTimes, DecodedBatch } from './decoded-batch.js';
import type { EntryError, InputBatch, TaskInput } from './input.js';
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

  get blamed(): number {
    return this.#blamed.size;
  }

  forget(): void {
    this.start.forget();
    this.reader.forget();
  }

  blame(entry: Position): string {
    this.#blamed.add(entry);
    return this.reader.redisKey;
  }

  async next(position: InputPosition, _note: unknown, clocks?: PartitionClocks): Promise<InputBatch | null> {
    const { redisKey } = this.reader;
    if (!this.#reads) this.reader.tasks++;
    this.#reads = true;
    const found = await this.reader.after(position, clocks !== undefined);
    await this.start.expect(position.position, found?.batch.ids[found.from] ?? null);
    if (found === null) return null;
    const clock = clocks && (clocks[redisKey] ?? -Infinity);
    const batch = new StreamBatch(found.batch, {
      first: found.from,
      entriesBefore: position.entries,
      redisKey,
      order: this.order,
      blamed: this.#blamed,
      clock,
    });
    return batch.size > 0 || batch.clocksAfter(0)[redisKey]! > clock! ? batch : null;
  }

  wait(position: InputPosition, signal: AbortSignal): Promise<void> {
    return this.reader.news.wait(this.reader.redisKey, position.position, signal);
  }
}

const ENDED_THE_WORKER =
  'ended the worker: its step did not come to an end, or took all memory. It is left out, here and in every replay of this definition.';

interface StreamRun {
  /** Where in the batch it begins. */
  first: number;
  /** Entries that the task has read before: others may have begun elsewhere with what they share. */
  entriesBefore: number;
  redisKey: string;
  order: LogOrder | null;
  blamed: ReadonlySet<Position>;
  /** The partition's clock before the run; undefined where the task acts on no time. */
  clock: number | undefined;
}

class StreamBatch implements InputBatch {
  readonly size: number;
  #times: BatchTimes | null = null;

  constructor(
    readonly batch: DecodedBatch,
    readonly run: StreamRun,
  ) {
    this.size = batch.ids.length - run.first;
  }

  delta(from: number, to: number): Delta {
    const { batch } = this;
    const { first, order, clock } = this.run;
    const lates = clock === undefined ? null : this.#timesFrom(clock).lates;
    const blamed = this.#blamedIn(from, to);
    if (blamed.length === 0) return batch.delta(first + from, first + to, order, lates);
    const delta = new Delta<Row>([], [], order === null ? undefined : [], lates ? [] : undefined);
    let start = first + from;
    for (const end of [...blamed, first + to]) {
      delta.append(batch.delta(start, end, order, lates));
      start = end + 1;
    }
    return delta;
  }

  clocksAfter(to: number): PartitionClocks {
    const { redisKey, first, clock } = this.run;
    return clock === undefined ? {} : { [redisKey]: this.#timesFrom(clock).clocks[first + to]! };
  }

  #timesFrom(clock: number): BatchTimes {
    return (this.#times ??= this.batch.times(this.run.first, clock, new Set(this.#blamedIn(0, this.size))));
  }

  positionAfter(to: number): InputPosition {
    const { first, entriesBefore } = this.run;
    return { position: this.batch.ids[first + to - 1]!, entries: entriesBefore + to };
  }

  frontierAfter(to: number): Record<string, Position> {
    return { [this.run.redisKey]: this.batch.ids[this.run.first + to - 1]! };
  }

  errors(from: number, to: number): EntryError[] {
    const { batch } = this;
    const { first } = this.run;
    const blamed = this.#blamedIn(from, to);
    if (batch.errors.length === 0 && blamed.length === 0) return [];
    return [
      ...batch.errors
        .filter(({ entry }) => entry >= first + from && entry < first + to && !blamed.includes(entry))
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
    const { first } = this.run;
    const blamed = this.#blamedIn(from, to);
    return skipped
      .filter(({ entry }) => entry >= first + from && entry < first + to && !blamed.includes(entry))
      .map(({ type }) => type);
  }

  /** Which of the run are blamed, as places in the decoded batch. */
  #blamedIn(from: number, to: number): number[] {
    const { blamed, first } = this.run;
    if (blamed.size === 0) return [];
    const places: number[] = [];
    for (let at = first + from; at < first + to; at++) if (blamed.has(this.batch.ids[at]!)) places.push(at);
    return places;
  }
}
