import { bucketOf } from '../circuit/view-output.js';
import { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import { type ChangelogEntry, decodeChangelog } from './changelog.js';
import type { PartitionClocks } from './clocks.js';
import { type CommitFacts, factsOf, type Followed, NO_FACTS, oldestTick, type Snapshot } from './followed.js';
import type { Frontier } from './frontier.js';
import type { EntryError, InputBatch, TaskInput } from './input.js';
import { LogLost } from './input.js';
import type { NewsDesk } from './news-desk.js';
import type { RawEntry } from './ports/source-log.js';
import type { InputPosition } from './ports/task-store.js';
import type { ReadRows, ViewStore } from './ports/view-store.js';
import { BEGINNING, type Position } from './position.js';
import { readBucket } from './read-bucket.js';
import { type TaskId, taskName } from './task-id.js';

/** Commits one read of a changelog asks for, at first and at the most: how much each holds is not known before. */
const CHANGES_MIN = 10;
const CHANGES_MAX = 500;

const positionOfTick = (tick: number): Position => `${tick}-0`;
const tickOf = (position: Position): number => Number(position.slice(0, position.indexOf('-')));

/**
 * Another view's rows as an input: a snapshot first, then its changelog from there (the handoff). Its changelog need not
 * reach back further than the moment the reader was registered.
 */
export class UpstreamInput implements TaskInput {
  /** Before the snapshot. */
  readonly beginning: InputPosition = { position: BEGINNING, entries: 0 };
  #registered = false;
  #reported = 0;
  #changesMax = CHANGES_MIN;
  /** The bucket whose pages are being taken, by key. */
  #read: (ReadRows & { bucket: number }) | null = null;

  constructor(
    readonly name: string,
    readonly upstream: TaskId,
    readonly buckets: number,
    readonly reader: string,
    readonly store: ViewStore,
    readonly news: NewsDesk,
    readonly options: { now: () => number; reportMs: number; pageRowsMax: number; readBytesMax: number },
  ) {}

  async next(position: InputPosition, note: unknown): Promise<InputBatch | null> {
    const snapshot = (note as Followed | undefined)?.snapshot ?? null;
    if (!this.#registered) {
      // Before anything is read: from now on every commit of the upstream writes its changelog and keeps it for us.
      await this.store.putReader(this.upstream, this.reader, tickOf(position.position));
      this.#registered = true;
    }
    if (position.position === BEGINNING) return this.#page(position, snapshot ?? NO_SNAPSHOT);
    const entries = await this.store.changes(this.upstream, tickOf(position.position), this.#changesMax);
    if (entries === null) throw this.#lost(`what follows tick ${tickOf(position.position)}`);
    if (entries.length === 0) return null;
    this.#adapt(entries);
    return new ChangelogBatch(entries.map(decodeChangelog), position.entries, snapshot, this.buckets);
  }

  /** A commit may hold thousands of rows: asks for as many as fit, and doubles at the most. */
  #adapt(entries: readonly RawEntry[]): void {
    const bytes = entries.reduce(
      (sum, [, fields]) => sum + fields.reduce((length, text) => length + text.length, 0),
      0,
    );
    const fitting = Math.floor(this.options.readBytesMax / Math.max(1, bytes / entries.length));
    this.#changesMax = Math.max(1, Math.min(CHANGES_MAX, fitting, this.#changesMax * 2));
  }

  wait(position: InputPosition, signal: AbortSignal): Promise<void> {
    return this.news.wait(this.store.changelogKey(this.upstream), position.position, signal);
  }

  forget(): void {
    this.#read = null;
  }

  committed(position: InputPosition): void {
    const now = this.options.now();
    if (now - this.#reported < this.options.reportMs) return;
    this.#reported = now;
    void this.store.putReader(this.upstream, this.reader, tickOf(position.position)).catch(() => {});
  }

  /** Read once for all its pages: they are of one tick. Another owner of the task reads what is left anew. */
  async #bucket(bucket: number): Promise<ReadRows> {
    if (this.#read?.bucket === bucket) return this.#read;
    const read = await readBucket(this.store, { task: this.upstream, bucket, buckets: this.buckets });
    if (read === null) throw this.#lost('what was committed while its rows were read');
    const rows = read.rows.sort((left, right) => (left.key < right.key ? -1 : 1));
    this.#read = { bucket, record: read.record, rows };
    return this.#read;
  }

  #lost(what: string): LogLost {
    return new LogLost(
      'changelog-lost',
      `The changelog of ${taskName(this.upstream)} no longer holds ${what}.\n` +
        `Changes in between were never seen; nothing was read past the gap. Rebuild the view: it starts from the rows as they are.`,
    );
  }

  /** The next page of the snapshot, or the handoff when all buckets are read. */
  async #page(position: InputPosition, snapshot: Snapshot): Promise<InputBatch | null> {
    const { runs } = snapshot;
    let bucket = Math.max(0, runs.length - 1);
    if (runs[bucket]?.at(-1)?.upTo === null) bucket++;
    const { record, rows } = await this.#bucket(bucket);
    if (record === null && bucket === 0 && runs.length === 0) {
      this.#read = null;
      return null; // it has never committed: nothing to take over yet
    }
    const after = runs[bucket]?.at(-1)?.upTo ?? null;
    const tick = record?.tick ?? 0;
    const left = after === null ? rows : rows.filter(({ key }) => key > after);
    const page = left.slice(0, this.options.pageRowsMax);
    const upTo = page.length < left.length ? page[page.length - 1]!.key : null;
    const next: Snapshot = {
      runs: [...runs.slice(0, bucket), [...(runs[bucket] ?? []), { upTo, tick }]],
      lastTick: tick,
      facts: record ? factsOf(record) : NO_FACTS,
    };
    const complete = upTo === null && bucket === this.buckets - 1;
    if (upTo === null) this.#read = null;
    return new SnapshotPage(
      page.map(({ text }) => JSON.parse(text) as Row),
      position,
      complete ? foldRuns(next) : next,
      complete,
    );
  }
}

const NO_SNAPSHOT: Snapshot = { runs: [], lastTick: 0, facts: NO_FACTS };

/** Where nothing changed while the snapshot was read there is nothing to reconcile, and one run says it all. */
function foldRuns(snapshot: Snapshot): Snapshot {
  return oldestTick(snapshot) === snapshot.lastTick
    ? { ...snapshot, runs: [[{ upTo: null, tick: snapshot.lastTick }]] }
    : snapshot;
}

/** Of rows that are of several commits. */
const UNKNOWN: CommitFacts = { ...NO_FACTS, more: true };

/** One page of rows: taken whole, in one tick. */
class SnapshotPage implements InputBatch {
  readonly size = 1;

  constructor(
    readonly rows: Row[],
    readonly before: InputPosition,
    readonly snapshot: Snapshot,
    readonly complete: boolean,
  ) {}

  delta(): Delta<Row> {
    return new Delta(
      this.rows,
      this.rows.map(() => 1),
    );
  }

  positionAfter(): InputPosition {
    const entries = this.before.entries + this.rows.length;
    return { position: this.complete ? positionOfTick(oldestTick(this.snapshot)) : BEGINNING, entries };
  }

  /** A part of a snapshot is no prefix of anything: there is no frontier before it is complete. */
  frontierAfter(): Frontier {
    return this.#facts.frontier;
  }

  clocksAfter(): PartitionClocks {
    return this.#facts.clocks;
  }

  noteAfter(): Followed {
    return { more: this.#facts.more, snapshot: this.#isLeftBehind ? null : this.snapshot };
  }

  get #isLeftBehind(): boolean {
    return this.complete && oldestTick(this.snapshot) === this.snapshot.lastTick;
  }

  get #facts(): CommitFacts {
    return this.#isLeftBehind ? this.snapshot.facts : UNKNOWN;
  }

  errors(): EntryError[] {
    return [];
  }
}

/** Changelog entries: each is one commit of the upstream. */
class ChangelogBatch implements InputBatch {
  readonly size: number;

  constructor(
    readonly entries: readonly ChangelogEntry[],
    readonly entriesBefore: number,
    readonly snapshot: Snapshot | null,
    readonly buckets: number,
  ) {
    this.size = entries.length;
  }

  delta(from: number, to: number): Delta<Row> {
    const delta = new Delta<Row>();
    for (let index = from; index < to; index++) {
      const { tick, changes } = this.entries[index]!;
      for (const { key, before, after } of changes) {
        if (this.snapshot && tick <= this.#readAt(key)) continue;
        if (before) delta.push(before, -1);
        if (after) delta.push(after, 1);
      }
    }
    return delta;
  }

  positionAfter(to: number): InputPosition {
    return { position: positionOfTick(this.entries[to - 1]!.tick), entries: this.entriesBefore + to };
  }

  frontierAfter(to: number): Frontier {
    return this.#factsAfter(to).frontier;
  }

  /** None before the first: then nothing has come, and time comes with the rows it is of. */
  clocksAfter(to: number): PartitionClocks {
    return to === 0 ? {} : this.#factsAfter(to).clocks;
  }

  noteAfter(to: number): Followed {
    const { snapshot } = this;
    const isLeftBehind = snapshot === null || this.entries[to - 1]!.tick >= snapshot.lastTick;
    return { more: this.#factsAfter(to).more, snapshot: isLeftBehind ? null : snapshot };
  }

  #factsAfter(to: number): CommitFacts {
    const entry = this.entries[to - 1]!;
    if (this.snapshot === null || entry.tick > this.snapshot.lastTick) return entry;
    return entry.tick === this.snapshot.lastTick ? this.snapshot.facts : UNKNOWN;
  }

  errors(): EntryError[] {
    return [];
  }

  /** The tick whose rows the snapshot took under this key. */
  #readAt(key: string): number {
    const { runs } = this.snapshot!;
    const ofBucket = runs.length === 1 ? runs[0]! : runs[bucketOf(key, this.buckets)]!;
    return ofBucket.find(({ upTo }) => upTo === null || key <= upTo)!.tick;
  }
}
