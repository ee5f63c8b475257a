import { StillwaterError } from '../../errors/stillwater-error.js';
import {
  SourceLog,
  type AppendRequest,
  type Heartbeat,
  type HeartbeatOutcome,
  type HeartbeatRequest,
  type LogEnd,
  type RawEntry,
  type ReadOutcome,
  type ReadRequest,
} from '../../runtime/ports/source-log.js';
import { BEGINNING, comparePositions, type Position } from '../../runtime/position.js';
import { appendDigest, keyReused } from '../../runtime/ports/append-digest.js';
import { lostCause } from '../../runtime/ports/lost-cause.js';
import type { MemoryRedis } from './memory-redis.js';

/** Streams in memory. */
export class MemorySourceLog extends SourceLog {
  constructor(
    readonly redis: MemoryRedis,
    /** Name of our consumer group. */
    readonly group = 'sw',
  ) {
    super();
  }

  async read({ redisKey, position, countMax, through, heartbeats }: ReadRequest): Promise<ReadOutcome> {
    const stream = this.redis.streams.get(redisKey);
    if (position !== BEGINNING && !stream?.has(position) && stream?.last !== position) {
      const end = this.#end(redisKey);
      return { status: 'lost', cause: lostCause(end, position), first: end.first, last: end.last };
    }
    const entries =
      (stream ?? (through === 'group' ? this.redis.stream(redisKey) : undefined))?.after(
        position,
        countMax,
      ) ?? [];
    if (through === 'group') {
      let cursors = this.redis.groups.get(redisKey);
      if (cursors === undefined) this.redis.groups.set(redisKey, (cursors = new Map()));
      cursors.set(this.group, entries.at(-1)?.[0] ?? position);
    }
    if (!heartbeats) return { status: 'read', entries };
    // As in Redis others come between the two.
    await Promise.resolve();
    const last = entries.at(-1)?.[0] ?? position;
    return { status: 'read', entries, heartbeats: this.#heartbeats(redisKey, position, last) };
  }

  #heartbeats(redisKey: string, from: Position, to: Position): Heartbeat[] {
    return [...(this.redis.streams.get(redisKey)?.heartbeats ?? [])]
      .map(([anchor, clock]) => ({ anchor, clock }))
      .filter(({ anchor }) => comparePositions(anchor, from) >= 0 && comparePositions(anchor, to) <= 0)
      .sort((left, right) => comparePositions(left.anchor, right.anchor));
  }

  async recordHeartbeat({ redisKey, anchor, mode, clock }: HeartbeatRequest): Promise<HeartbeatOutcome> {
    const stream = this.redis.stream(redisKey);
    if (stream.last !== anchor) return { status: 'moved' };
    let reached = clock;
    if (mode === 'silent') {
      const now = this.redis.clock.now();
      const { silence } = stream;
      reached = silence?.anchor === anchor ? silence.clock + now - silence.since : -Infinity;
      if (reached < clock) {
        stream.silence = { anchor, since: now, clock };
        return { status: 'silent' };
      }
    }
    const known = stream.heartbeats.get(anchor);
    if (known !== undefined && known >= reached) return { status: 'notHigher', clock: known };
    if (mode === 'moving') stream.silence = null;
    for (const other of stream.heartbeats.keys())
      if (comparePositions(other, anchor) > 0) stream.heartbeats.delete(other);
    stream.heartbeats.set(anchor, reached);
    return { status: 'recorded', clock: reached };
  }

  async ends(redisKeys: readonly string[]): Promise<LogEnd[]> {
    return redisKeys.map((redisKey) => this.#end(redisKey));
  }

  waitForNews(
    positions: ReadonlyMap<string, Position>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const news = (): string[] =>
      [...positions]
        .filter(
          ([redisKey, position]) =>
            comparePositions(this.redis.streams.get(redisKey)?.last ?? BEGINNING, position) > 0,
        )
        .map(([redisKey]) => redisKey);
    const now = news();
    if (signal.aborted || now.length > 0 || timeoutMs <= 0) return Promise.resolve(signal.aborted ? [] : now);
    return new Promise((resolve) => {
      const settle = (found: readonly string[]): void => {
        forget();
        takeBack();
        signal.removeEventListener('abort', nothing);
        resolve(found);
      };
      const nothing = (): void => settle([]);
      const forget = this.redis.onWake(() => {
        const found = news();
        if (found.length > 0) settle(found);
      });
      const takeBack = this.redis.clock.after(timeoutMs, nothing);
      signal.addEventListener('abort', nothing, { once: true });
    });
  }

  async append({
    redisKey,
    entries,
    idempotencyKey,
    digest: given,
    memoryMs,
  }: AppendRequest): Promise<{ ids: Position[]; repeated: boolean }> {
    if (entries.length === 0 && idempotencyKey === null) return { ids: [], repeated: false };
    const what = `Appending ${entries.length} entries to the stream ${JSON.stringify(redisKey)}`;
    this.#expectWrites(what);
    if (entries.some((fields) => fields.length < 2 || fields.length % 2 !== 0))
      throw new StillwaterError('append-refused', {
        what: `${what} was refused.`,
        evidence: '  an entry without fields, or a field without a value',
        consequence: 'Nothing was appended.',
      });
    const now = this.redis.clock.now();
    const memory = idempotencyKey === null ? null : `${redisKey}\n${idempotencyKey}`;
    const digest = memory === null ? '' : (given ?? appendDigest(entries));
    const remembered = memory === null ? undefined : this.redis.appends.get(memory);
    if (remembered !== undefined && remembered.until > now) {
      if (remembered.digest !== digest) throw keyReused(redisKey, idempotencyKey!, entries.length);
      if (remembered.ids.length > 0 || entries.length === 0)
        return { ids: [...remembered.ids], repeated: true };
    }
    const ids = entries.map((fields) => {
      const stream = this.redis.stream(redisKey);
      const id = stream.nextId(now);
      stream.add(id, fields);
      return id;
    });
    if (memory !== null) this.redis.appends.set(memory, { digest, ids, until: now + memoryMs });
    this.redis.wake();
    return { ids: [...ids], repeated: false };
  }

  async begun(redisKey: string, reader: string, first: Position | null): Promise<Position | null> {
    const known = this.redis.streams.get(redisKey)?.begun.get(reader);
    if (first === null) return known ?? null;
    this.#expectWrites(`Noting where ${reader} began`);
    if (known !== undefined) return known;
    this.redis.stream(redisKey).begun.set(reader, first);
    return first;
  }

  async forgetReaders(redisKey: string, readers: readonly string[]): Promise<void> {
    for (const reader of readers) this.redis.streams.get(redisKey)?.begun.delete(reader);
  }

  async trim(redisKey: string, position: Position, entriesMax: number): Promise<number> {
    return this.redis.streams.get(redisKey)?.trim(position, entriesMax) ?? 0;
  }

  async range(redisKey: string, from: Position, to: Position, countMax: number): Promise<RawEntry[]> {
    const entries = this.redis.streams.get(redisKey)?.after(from, Infinity) ?? [];
    return entries.filter(([id]) => comparePositions(id, to) <= 0).slice(0, countMax);
  }

  async foreignReaders(redisKey: string): Promise<{ group: string; position: Position }[]> {
    return [...(this.redis.groups.get(redisKey) ?? [])]
      .filter(([group]) => group !== this.group)
      .map(([group, position]) => ({ group, position }));
  }

  async bytes(redisKey: string): Promise<number | null> {
    const entries = this.redis.streams.get(redisKey)?.entries ?? [];
    return entries.reduce((sum, [, fields]) => fields.reduce((bytes, text) => bytes + text.length, sum), 0);
  }

  #expectWrites(what: string): void {
    if (this.redis.refusing !== null)
      throw new StillwaterError('redis-refused', {
        what: `${what} was refused by Redis.`,
        evidence: `  Redis says  ${this.redis.refusing}`,
        consequence: 'Nothing was changed.',
      });
  }

  #end(redisKey: string): LogEnd {
    const stream = this.redis.streams.get(redisKey);
    return {
      redisKey,
      exists: stream !== undefined,
      length: stream?.entries.length ?? 0,
      last: stream?.last ?? BEGINNING,
      first: stream?.entries[0]?.[0] ?? null,
      entriesAdded: stream?.entriesAdded ?? 0,
      maxDeleted: stream?.maxDeleted ?? BEGINNING,
    };
  }
}
