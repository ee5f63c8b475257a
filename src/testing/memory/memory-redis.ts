import { BEGINNING, comparePositions, type Position } from '../../runtime/position.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import type { Generation, GenerationShape } from '../../runtime/ports/registry.js';
import type { Attempt, BlamedEntry, Parked, TaskRecord } from '../../runtime/ports/task-store.js';
import type { WorkerInfo } from '../../runtime/ports/workers.js';
import { type TaskId, taskName } from '../../runtime/task-id.js';

/** Time as the memory ports see it: the test's own, or the machine's. */
export interface MemoryClock {
  now(): number;
  /** Calls back after a while; returns how to take it back. */
  after(ms: number, callback: () => void): () => void;
}

const systemClock: MemoryClock = {
  now: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** A stream, with what Redis remembers of one beside its entries. */
export class MemoryStream {
  readonly entries: RawEntry[] = [];
  last: Position = BEGINNING;
  maxDeleted: Position = BEGINNING;
  entriesAdded = 0;
  /** Clocks, by anchor. */
  readonly heartbeats = new Map<Position, number>();
  /** The first entries that readers took, by reader. */
  readonly begun = new Map<string, Position>();
  silence: { anchor: Position; since: number; clock: number } | null = null;

  /** @throws Error for an id that does not rise. */
  add(id: Position, fields: readonly string[]): void {
    if (comparePositions(id, this.last) <= 0)
      throw new Error(`The id ${id} does not come after ${this.last}.`);
    this.entries.push([id, [...fields]]);
    this.last = id;
    this.entriesAdded += 1;
  }

  /** The next id at a time, as Redis gives it. */
  nextId(now: number): Position {
    const [ms, sequence] = this.last.split('-').map(Number) as [number, number];
    return now > ms ? `${now}-0` : `${ms}-${sequence + 1}`;
  }

  /** The index of the first entry at or after an id. */
  indexOf(id: Position): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (comparePositions(this.entries[middle]![0], id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  has(id: Position): boolean {
    return this.entries[this.indexOf(id)]?.[0] === id;
  }

  after(id: Position, countMax: number): RawEntry[] {
    const from = this.indexOf(id);
    const skip = this.entries[from]?.[0] === id ? 1 : 0;
    return this.entries.slice(from + skip, from + skip + countMax);
  }

  delete(id: Position): boolean {
    if (!this.has(id)) return false;
    this.entries.splice(this.indexOf(id), 1);
    if (comparePositions(id, this.maxDeleted) > 0) this.maxDeleted = id;
    return true;
  }

  trim(position: Position, entriesMax: number): number {
    const count = Math.min(this.indexOf(position), entriesMax);
    this.entries.splice(0, count);
    const first = this.entries[0]?.[0];
    if (count > 0 && first !== undefined)
      for (const anchor of this.heartbeats.keys())
        if (comparePositions(anchor, first) < 0) this.heartbeats.delete(anchor);
    return count;
  }
}

/** What is kept of one task. */
export class MemoryTask {
  owner: string | null = null;
  epoch = 0;
  nonce: string | null = null;
  grants = 0;
  commit: string | null = null;
  record: TaskRecord | null = null;
  parked: Parked | null = null;
  /** When it was parked first after its last commit, and at which tick. */
  parkedSince: { at: number; tick: number } | null = null;
  attempt: Attempt | null = null;
  definition: string | null = null;
  shape: GenerationShape | null = null;
  /** As its commits say; the memory keeps no buckets, but `bucket` must know which rows would lie in one. */
  buckets = 1;
  readonly keyed = new Map<string, Map<string, string>>();
  /** State → group → member → weight. */
  readonly ordered = new Map<string, Map<string, Map<string, number>>>();
  readonly indexes = new Map<string, Set<string>>();
  changes = new MemoryStream();
  /** An entry for each commit of a task that sends. */
  commits = new MemoryStream();
  /** What it has sent, by receiver. */
  readonly sent = new Map<number, MemoryStream>();
  readonly readers = new Map<string, number>();
  subscribedUntil = 0;
}

export interface MemoryRedisOptions {
  clock?: MemoryClock;
  /** Gives the random part of tokens; by default a counter, so that every run is the same. */
  nonce?: () => string;
}

/**
 * What all memory ports of one test share, as all processes share one Redis. Deterministic: time and randomness are
 * injected. A test may change it behind the ports' back, as an operator may change a Redis.
 */
export class MemoryRedis {
  readonly clock: MemoryClock;
  readonly nonce: () => string;
  readonly streams = new Map<string, MemoryStream>();
  readonly appends = new Map<string, { digest: string; ids: Position[]; until: number }>();
  readonly groups = new Map<string, Map<string, Position>>();
  readonly tasks = new Map<string, MemoryTask>();
  /** By fingerprint. */
  readonly blamed = new Map<string, BlamedEntry[]>();
  readonly registry = {
    revision: 0,
    archived: false,
    release: 0,
    releases: new Map<string, number>(),
    generations: new Map<string, Generation>(),
    numbers: new Map<string, number>(),
  };
  readonly workers = new Map<string, { worker: WorkerInfo; until: number }>();
  readonly listeners = new Set<{ of: object; listener: () => void }>();
  /** Why writes are refused now: full, read-only, loading. Null: they are taken. */
  refusing: string | null = null;
  /** After how many writes the next commit of a task breaks off, as a script does in which a write fails; null: it does not. */
  breaksOff: () => number | null = () => null;
  readonly #waiting = new Set<() => void>();

  constructor(options: MemoryRedisOptions = {}) {
    this.clock = options.clock ?? systemClock;
    let count = 0;
    this.nonce = options.nonce ?? (() => `nonce-${++count}`);
  }

  stream(redisKey: string): MemoryStream {
    let stream = this.streams.get(redisKey);
    if (stream === undefined) this.streams.set(redisKey, (stream = new MemoryStream()));
    return stream;
  }

  task(task: TaskId): MemoryTask {
    const name = taskName(task);
    let kept = this.tasks.get(name);
    if (kept === undefined) {
      this.tasks.set(name, (kept = new MemoryTask()));
      // The changelog can be waited for like any stream.
      this.streams.set(changelogKey(task), kept.changes);
      this.streams.set(sentKey(task), kept.commits);
    }
    return kept;
  }

  /** Tells those who wait for entries that there may be some. */
  wake(): void {
    for (const check of [...this.#waiting]) check();
  }

  onWake(check: () => void): () => void {
    this.#waiting.add(check);
    return () => void this.#waiting.delete(check);
  }
}

export const sentKey = (task: TaskId): string => `${taskName(task)}:sent`;
export const changelogKey = (task: TaskId): string => `${taskName(task)}:changes`;

/** As it is stored: no object that its writer may still change, nor one that a reader can. What JSON cannot say is lost, as in Redis. */
export function stored<T>(value: T): T {
  if (typeof value === 'number') return (Number.isFinite(value) ? value + 0 : null) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Object.freeze(value.map((each) => stored<unknown>(each ?? null))) as T;
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const part = stored((value as Record<string, unknown>)[name]);
    if (part !== undefined) copy[name] = part;
  }
  return Object.freeze(copy) as T;
}
