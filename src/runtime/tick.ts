import type { Circuit } from '../circuit/circuit.js';
import type { Parking } from '../circuit/parked-keys.js';
import type { OutputResult } from '../circuit/view-output.js';
import { Checksum } from '../zset/checksum.js';
import type { Delta } from '../zset/delta.js';
import { type Clocks, NO_CLOCKS, type PartitionClocks, raised } from './clocks.js';
import { isInEntry } from './entry-parts.js';
import type { EntryError, InputBatch, TaskInput } from './input.js';
import type { CommitRequest, TaskRecord } from './ports/task-store.js';
import { BEGINNING, type Position } from './position.js';
import { withTallies } from './tallies.js';

/** What a tick takes in, and where it leaves the task's inputs. */
export interface Tick {
  /** The input's name; of a tick that takes in nothing but time, `time`. */
  readonly input: string;
  /** The position of its first entry, and how many they are. */
  readonly entry: Position;
  readonly entries: number;
  readonly inputs: ReadonlyMap<string, Delta>;
  readonly errors: readonly EntryError[];
  /** The types of events that gave no rows because nothing is known of their types. */
  readonly skippedTypes: readonly string[];
  readonly after: Pick<TaskRecord, 'positions' | 'frontier' | 'extra' | 'clocks'>;
  readonly onCommitted?: () => void;
}

/** The record of a task that never has committed. */
export const NO_TICK: TaskRecord = {
  tick: 0,
  commit: '',
  positions: {},
  frontier: {},
  reaching: null,
  rows: 0,
  conflicts: 0,
  errors: 0,
  checksum: '0'.repeat(16),
  clocks: NO_CLOCKS,
  applied: null,
  late: 0,
  extra: {},
};

/** The name of what a tick takes in where that is time alone: no input has it, for theirs begin with their kind. */
export const TIME = 'time';

/** A tick over the entries [from, to) of a batch that follows what `before` contains. */
export function tickOver(
  input: TaskInput,
  batch: InputBatch,
  [from, to]: readonly [number, number],
  before: TaskRecord,
  /** Clocks do not go beyond these. */
  clocksMax?: PartitionClocks,
): Tick {
  const note = batch.noteAfter?.(to);
  const position = batch.positionAfter(to);
  const noted = note !== undefined || before.extra[input.name] !== undefined;
  return {
    input: input.name,
    entry: batch.entryAt?.(from) ?? batch.positionAfter(from + 1).position,
    entries: to - from,
    inputs: batch.inputs?.(from, to) ?? new Map([[input.name, batch.delta!(from, to)]]),
    errors: batch.errors(from, to),
    skippedTypes: batch.skippedTypes?.(from, to) ?? [],
    after: {
      positions: { ...before.positions, [input.name]: position },
      frontier: { ...(before.reaching ?? before.frontier), ...batch.frontierAfter(to) },
      extra: noted ? { ...before.extra, [input.name]: note } : before.extra,
      clocks: raised(before.clocks, input.name, upTo(clocksMax, batch.clocksAfter?.(to))),
    },
    onCommitted: () => input.committed?.(position, note),
  };
}

function upTo(
  most: PartitionClocks | undefined,
  clocks: PartitionClocks | undefined,
): PartitionClocks | undefined {
  if (most === undefined || clocks === undefined) return clocks;
  return Object.fromEntries(
    Object.entries(clocks).map(([redisKey, clock]) => {
      const limit = most[redisKey] ?? null;
      return [redisKey, clock === null || limit === null ? null : Math.min(clock, limit)];
    }),
  );
}

/** A tick in which nothing comes but time: an ordinary one, with its own number, that moves no position. */
export const tickOfTime = (clocks: Clocks, { positions, frontier, reaching, extra }: TaskRecord): Tick => ({
  input: TIME,
  entry: BEGINNING,
  entries: 0,
  inputs: new Map(),
  errors: [],
  skippedTypes: [],
  after: { positions, frontier: reaching ?? frontier, extra, clocks },
});

/** What the tick that was stepped changes of a circuit's states. Taken out before it is sealed: a commit may have to be repeated. */
export function writesOf({ states }: Circuit): Pick<CommitRequest, 'keyed' | 'ordered' | 'indexes'> {
  const keyed: CommitRequest['keyed'][number][] = [];
  const ordered: CommitRequest['ordered'][number][] = [];
  const indexes: CommitRequest['indexes'][number][] = [];
  for (const state of states) {
    if (state.changed === 0) continue;
    if (state.kind === 'keyed') keyed.push({ state: state.name, writes: state.writes() });
    else if (state.kind === 'ordered') ordered.push({ state: state.name, writes: state.writes() });
    else indexes.push({ state: state.name, writes: [...state.writes()] });
  }
  return { keyed, ordered, indexes };
}

/** What a tick made, beside what it changes of states. */
export interface TickResult {
  readonly shown: OutputResult;
  readonly errors: number;
  readonly late: number;
  readonly parking: Parking | null;
  /** Something of what came is left for the next tick. */
  readonly unfinished: boolean;
}

/** Where a tick leaves a task; `commit`: the nonce of its commit. */
export function recordAfter(
  { input, skippedTypes, after }: Tick,
  before: TaskRecord,
  { shown, errors, late, parking, unfinished }: TickResult,
  commit: string,
): TaskRecord {
  // Until all that follows from what came is done, and all of it has come, the rows show no more than was contained before it.
  const isPart = unfinished || isInEntry(after);
  return {
    ...after,
    tick: before.tick + 1,
    commit,
    frontier: isPart ? before.frontier : after.frontier,
    reaching: isPart ? after.frontier : null,
    applied: unfinished ? (before.applied ?? before.clocks) : null,
    rows: before.rows + shown.rows,
    conflicts: before.conflicts + shown.conflicts,
    errors: before.errors + errors,
    late: before.late + late,
    checksum: Checksum.parse(before.checksum).merge(shown.checksum).toString(),
    extra: withTallies(before, after.extra, parking, { input, types: skippedTypes }),
  };
}
