import { bucketOf } from '../../zset/bucket-of.js';
import { BLOCKS, shownRows } from '../../zset/row-block.js';
import { newestErrors } from '../../runtime/ports/newest-errors.js';
import type { CommitId } from '../../runtime/ports/task-store.js';
import {
  type Changes,
  ViewStore,
  type IndexRange,
  type ReadRows,
  type ScannedRows,
  type StoredRow,
} from '../../runtime/ports/view-store.js';
import { type TaskId, taskName } from '../../runtime/task-id.js';
import { compareText, unescapeText } from '../../zset/text-order.js';
import { changelogKey, type MemoryRedis } from './memory-redis.js';

/** Rows, indexes and changelogs in memory, as `MemoryTaskStore` left them. */
export class MemoryViewStore extends ViewStore {
  constructor(readonly redis: MemoryRedis) {
    super();
  }

  async rows(task: TaskId, _buckets: number, keys: readonly string[]): Promise<ReadRows> {
    return { record: this.#record(task), rows: keys.flatMap((key) => this.#row(task, key)) };
  }

  async byIndex(
    task: TaskId,
    _buckets: number,
    { state, from, to, reverse, limit }: IndexRange,
  ): Promise<ReadRows & { members: string[] }> {
    const direction = reverse ? -1 : 1;
    const found = [...(this.redis.tasks.get(taskName(task))?.indexes.get(state) ?? [])]
      .sort((left, right) => direction * compareText(left, right))
      .filter(
        (member) =>
          (from === null || direction * compareText(member, from) >= 0) &&
          (to === null || direction * compareText(member, to) < 0),
      )
      .slice(0, limit);
    const rows: StoredRow[] = [];
    const members: string[] = [];
    for (const member of found) {
      const [row] = this.#row(task, unescapeText(member.slice(member.lastIndexOf('\0') + 1)));
      if (row === undefined) continue;
      rows.push(row);
      members.push(member);
    }
    return { record: this.#record(task), rows, members };
  }

  async bucket(task: TaskId, bucket: number): Promise<ReadRows> {
    const { record, rows } = await this.all(task);
    const buckets = this.redis.tasks.get(taskName(task))?.buckets ?? 1;
    return { record, rows: rows.filter(({ key }) => bucketOf(key, buckets) === bucket) };
  }

  async scan(
    task: TaskId,
    bucket: number,
    cursor: string | null,
    count: number,
  ): Promise<ScannedRows | null> {
    const { record, rows } = await this.bucket(task, bucket);
    const left = rows
      .filter(({ key }) => cursor === null || key > cursor)
      .sort((left, right) => (left.key < right.key ? -1 : 1));
    return { record, rows: left.slice(0, count), cursor: left.length > count ? left[count - 1]!.key : null };
  }

  async all(task: TaskId): Promise<ReadRows> {
    const stored = this.redis.tasks.get(taskName(task))?.keyed.get('rows') ?? [];
    return { record: this.#record(task), rows: [...stored].flatMap(([key, text]) => shownRows(key, text)) };
  }

  async errors(task: TaskId, _buckets: number, limit: number): Promise<{ key: string; text: string }[]> {
    return this.#newest(task, 'errors', limit);
  }

  async late(task: TaskId, _buckets: number, limit: number): Promise<{ key: string; text: string }[]> {
    return this.#newest(task, 'lates', limit);
  }

  #newest(task: TaskId, state: string, limit: number): { key: string; text: string }[] {
    const kept = this.redis.tasks.get(taskName(task))?.keyed.get(state) ?? [];
    return newestErrors(
      [...kept].map(([key, text]) => ({ key, text })),
      limit,
    );
  }

  async changes(task: TaskId, afterTick: number, countMax: number): Promise<Changes | null> {
    const kept = this.redis.tasks.get(taskName(task));
    const newest = { tick: kept?.record?.tick ?? 0, commit: kept?.record?.commit ?? '' };
    if (afterTick >= newest.tick) return { newest, entries: [] };
    const entries = kept?.changes.after(`${afterTick}-0`, countMax) ?? [];
    if (entries[0]?.[0] !== `${afterTick + 1}-0`) return null;
    const gap = entries.findIndex(([id], index) => id !== `${afterTick + 1 + index}-0`);
    return { newest, entries: gap === -1 ? entries : entries.slice(0, gap) };
  }

  async subscribe(task: TaskId, ttlMs: number): Promise<CommitId> {
    const kept = this.redis.task(task);
    kept.subscribedUntil = Math.max(kept.subscribedUntil, this.redis.clock.now() + ttlMs);
    return { tick: kept.record?.tick ?? 0, commit: kept.record?.commit ?? '' };
  }

  async putReader(task: TaskId, reader: string, tick: number): Promise<void> {
    this.redis.task(task).readers.set(reader, tick);
  }

  async removeReader(task: TaskId, reader: string): Promise<void> {
    this.redis.tasks.get(taskName(task))?.readers.delete(reader);
  }

  async readers(task: TaskId): Promise<Map<string, number>> {
    return new Map(this.redis.tasks.get(taskName(task))?.readers ?? []);
  }

  changelogKey(task: TaskId): string {
    return changelogKey(task);
  }

  #record(task: TaskId): ReadRows['record'] {
    return this.redis.tasks.get(taskName(task))?.record ?? null;
  }

  /** The row lies under its key, or in the block that begins before it. */
  #row(task: TaskId, key: string): StoredRow[] {
    const { keyed, indexes } = this.redis.tasks.get(taskName(task)) ?? {};
    const rows = keyed?.get('rows');
    const before = [...(indexes?.get(BLOCKS) ?? [])].filter((first) => first < key);
    const places = rows?.has(key) ? [key] : before.sort(compareText).slice(-1);
    return places
      .flatMap((place) => shownRows(place, rows?.get(place) ?? ''))
      .filter((row) => row.key === key);
  }
}
