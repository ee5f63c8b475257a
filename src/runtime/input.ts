import type { Delta } from '../zset/delta.js';
import type { PartitionClocks } from './clocks.js';
import type { InputPosition } from './ports/task-store.js';
import type { Frontier } from './frontier.js';
import type { Position } from './position.js';

/** Entries of one input, decoded, that follow a position without a gap. A task cuts its ticks out of it. */
export interface InputBatch {
  /** How many entries; a tick takes a run of them. None where nothing has come but time. */
  readonly size: number;
  delta?(from: number, to: number): Delta;
  /** Where what comes in is not one delta but several, of inputs of the circuit. */
  inputs?(from: number, to: number): ReadonlyMap<string, Delta>;
  /**
   * Where a tick that begins at `from` and has room up to `to` is to end, so that of what came at once all is there or nothing:
   * at the first such place, if it comes before `most`.
   */
  wholeAt?(from: number, to: number, most: number): number;
  /** The entry with which what is at this place begins, where that is not the position after it: an entry may be taken in parts. */
  entryAt?(index: number): Position;
  /** Where the input stands after the first `to` entries. */
  positionAfter(to: number): InputPosition;
  /** What the frontier gains with the first `to` entries, by source partition. */
  frontierAfter(to: number): Frontier;
  /** The clocks that the input brings after the first `to` entries; only where the task asked for time. */
  clocksAfter?(to: number): PartitionClocks;
  /** What the task keeps about this input beside its position, after the first `to` entries; undefined for nothing. */
  noteAfter?(to: number): unknown;
  /** Entries of the run that could not be decoded or placed. */
  errors(from: number, to: number): readonly EntryError[];
  /** The types of events of the run that gave no rows because nothing is known of their types. */
  skippedTypes?(from: number, to: number): readonly string[];
}

export interface EntryError {
  id: string;
  raw: string;
  reason: string;
}

/** The log behind a task is not the one it has read. It parks and says so. */
export class LogLost extends Error {
  override readonly name = 'LogLost';
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** One input of a task. */
export interface TaskInput {
  readonly name: string;
  /** Of an input that is a log. */
  readonly redisKey?: string;
  /**
   * The batch after a position, or null at the end of the log. Idempotent. `clocks` are those at the position, as far as
   * they matter to the task: it acts on the time of what the input brings; undefined where it does not.
   * @throws LogLost
   */
  next(position: InputPosition, note: unknown, clocks?: PartitionClocks): Promise<InputBatch | null>;
  /** Where the input begins. */
  readonly beginning: InputPosition;
  /** Returns when there may be something after a position, or the signal is aborted. Bounded. */
  wait(position: InputPosition, signal: AbortSignal): Promise<void>;
  /** Drops what is kept of earlier reads: the log may be another one by now. */
  forget?(): void;
  /** Told of committed progress. */
  committed?(position: InputPosition, note: unknown): void;
  /**
   * Takes an entry that ended workers for an error from now on. The Redis key of the log it lies in. Only where entries
   * are a log's own.
   */
  blame?(entry: Position): string;
  /** The entries that are blamed. */
  readonly blamed?: ReadonlySet<Position>;
  close?(): Promise<void>;
}
