import { bucketOf } from '../zset/bucket-of.js';
import { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import type { ChangelogEntry } from './changelog.js';
import type { PartitionClocks } from './clocks.js';
import { type CommitFacts, factsOf, type Followed, NO_FACTS, oldestOf, type Snapshot } from './followed.js';
import type { Frontier } from './frontier.js';
import type { EntryError, InputBatch, TaskInput } from './input.js';
import { LogLost } from './input.js';
import type { NewsDesk } from './news-desk.js';
import type { CommitId, InputPosition } from './ports/task-store.js';
import type { ReadRows, StoredRow, ViewStore } from './ports/view-store.js';
import { BEGINNING, positionOfTick, tickOf } from './position.js';
import { readChangelog, isSameCommit } from './read-changelog.js';
import { readBucket } from './read-bucket.js';
import { type TaskId, taskName } from './task-id.js';

/** Commits one read of a changelog asks for, at first and at the most: how much each holds is not known before. */
const CHANGES_MIN = 10;
const CHANGES_MAX = 500;
/** Buckets of which a page of the snapshot has rows: each is a call or two, and all of them are lost where one fails. */
const BUCKETS_OF_PAGE_MAX = 8;

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
    const { commit, snapshot } = (note as Followed | undefined) ?? NOT_FOLLOWED;
    if (!this.#registered) {
      // Before anything is read: from now on every commit of the upstream writes its changelog and keeps it for us.
      await this.store.putReader(this.upstream, this.reader, tickOf(position.position));
      this.#registered = true;
    }
    if (position.position === BEGINNING) return this.#page(position, snapshot ?? NO_SNAPSHOT);
    const at = { tick: tickOf(position.position), commit };
    const following = await readChangelog(this.store, this.upstream, at, this.#changesMax);
    if (following.status === 'gone') throw this.#lost(`what follows tick ${at.tick}`);
    if (following.status === 'forked') throw this.#forked(at, following.found);
    const { entries, characters } = following;
    if (entries.length === 0) return null;
    const read = (snapshot?.runs ?? []).flat();
    for (const entry of entries)
      for (const run of read)
        if (run.tick === entry.tick && !isSameCommit(run, entry)) throw this.#forked(run, entry);
    this.#adapt(characters / entries.length);
    return new ChangelogBatch(entries, position.entries, snapshot, this.buckets);
  }

  /** A commit may hold thousands of rows: asks for as many as fit, and doubles at the most. */
  #adapt(characters: number): void {
    const fitting = Math.floor(this.options.readBytesMax / Math.max(1, characters));
    this.#changesMax = Math.max(1, Math.min(CHANGES_MAX, fitting, this.#changesMax * 2));
  }

  wait(position: InputPosition, signal: AbortSignal): Promise<void> {
    return this.news.wait(this.store.changelogKey(this.upstream), position.position, signal);
  }

  forget(): void {
    this.#read = null;
    // The task may have gone back, and want what it said that it has read; or the upstream, and not know of it.
    this.#registered = false;
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

  #forked(read: CommitId, found: CommitId): LogLost {
    const shown = ({ tick, commit }: CommitId): string =>
      commit === '' ? `tick ${tick}` : `tick ${tick} (${commit})`;
    return new LogLost(
      'upstream-went-back',
      `${taskName(this.upstream)} has another history than the one that was read: its hash slot lost its last writes, and others did not.\n` +
        `  read   ${shown(read)}\n` +
        `  found  ${shown(found)}\n` +
        `Of what was read some is lost; it cannot be taken back, and nothing more was read. Rebuild the view: it starts from the rows as they are.`,
    );
  }

  /**
   * The next page of the snapshot, or the handoff when all buckets are read. Each page is a tick, which takes far longer than reading
   * a bucket: a page has the rows of several where these are few.
   */
  async #page(position: InputPosition, before: Snapshot): Promise<InputBatch | null> {
    const { pageRowsMax } = this.options;
    const rows: Row[] = [];
    let snapshot = before;
    let bucket = Math.max(0, before.runs.length - 1);
    if (before.runs[bucket]?.at(-1)?.upTo === null) bucket++;
    const end = Math.min(this.buckets, bucket + BUCKETS_OF_PAGE_MAX);
    while (bucket < end && rows.length < pageRowsMax) {
      const part = await this.#partOf(bucket, snapshot, pageRowsMax - rows.length);
      if (part === null) return null;
      for (const { text } of part.rows) rows.push(JSON.parse(text) as Row);
      snapshot = part.snapshot;
      if (!part.isRest) break;
      bucket++;
    }
    const complete = bucket === this.buckets;
    return new SnapshotPage(rows, position, complete ? foldRuns(snapshot) : snapshot, complete);
  }

  /** The next rows of a bucket, so many at the most, and whether these are the rest of it. Null where there is nothing to take over yet. */
  async #partOf(
    bucket: number,
    { runs, last }: Snapshot,
    rowsMax: number,
  ): Promise<{ rows: StoredRow[]; snapshot: Snapshot; isRest: boolean } | null> {
    const { record, rows } = await this.#bucket(bucket);
    if (record === null && runs.length === 0) {
      this.#read = null;
      return null; // it has never committed
    }
    const { tick, commit } = record ?? BEFORE_THE_FIRST;
    if (tick < last.tick || (tick === last.tick && !isSameCommit(last, { tick, commit })))
      throw this.#forked(last, { tick, commit });
    const after = runs[bucket]?.at(-1)?.upTo ?? null;
    const left = after === null ? rows : rows.filter(({ key }) => key > after);
    const part = left.slice(0, rowsMax);
    const isRest = part.length === left.length;
    if (isRest) this.#read = null;
    const upTo = isRest ? null : part[part.length - 1]!.key;
    const snapshot: Snapshot = {
      runs: [...runs.slice(0, bucket), [...(runs[bucket] ?? []), { upTo, tick, commit }]],
      last: { tick, commit },
      facts: record ? factsOf(record) : NO_FACTS,
    };
    return { rows: part, snapshot, isRest };
  }
}

const BEFORE_THE_FIRST: CommitId = { tick: 0, commit: '' };
const NO_SNAPSHOT: Snapshot = { runs: [], last: BEFORE_THE_FIRST, facts: NO_FACTS };
const NOT_FOLLOWED: Followed = { commit: '', more: false, snapshot: null };

/** Where nothing changed while the snapshot was read there is nothing to reconcile, and one run says it all. */
function foldRuns(snapshot: Snapshot): Snapshot {
  const { last } = snapshot;
  return oldestOf(snapshot).tick === last.tick
    ? { ...snapshot, runs: [[{ ...last, upTo: null }]] }
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
    return { position: this.complete ? positionOfTick(oldestOf(this.snapshot).tick) : BEGINNING, entries };
  }

  /** A part of a snapshot is no prefix of anything: there is no frontier before it is complete. */
  frontierAfter(): Frontier {
    return this.#facts.frontier;
  }

  clocksAfter(): PartitionClocks {
    return this.#facts.clocks;
  }

  noteAfter(): Followed {
    return {
      commit: this.complete ? oldestOf(this.snapshot).commit : '',
      more: this.#facts.more,
      snapshot: this.#isLeftBehind ? null : this.snapshot,
    };
  }

  get #isLeftBehind(): boolean {
    return this.complete && oldestOf(this.snapshot).tick === this.snapshot.last.tick;
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
    const { tick, commit } = this.entries[to - 1]!;
    const isLeftBehind = snapshot === null || tick >= snapshot.last.tick;
    return { commit, more: this.#factsAfter(to).more, snapshot: isLeftBehind ? null : snapshot };
  }

  #factsAfter(to: number): CommitFacts {
    const entry = this.entries[to - 1]!;
    if (this.snapshot === null || entry.tick > this.snapshot.last.tick) return entry;
    return entry.tick === this.snapshot.last.tick ? this.snapshot.facts : UNKNOWN;
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
