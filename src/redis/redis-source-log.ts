import { Redis } from 'ioredis';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import {
  SourceLog,
  type AppendRequest,
  type HeartbeatOutcome,
  type HeartbeatRequest,
  type LogEnd,
  type RawEntry,
  type ReadOutcome,
  type ReadRequest,
} from '../runtime/ports/source-log.js';
import { BEGINNING, comparePositions, earlierOf, type Position } from '../runtime/position.js';
import { appendDigest, keyReused } from '../runtime/ports/append-digest.js';
import { lostCause } from '../runtime/ports/lost-cause.js';
import type { Acknowledgement } from './acknowledgement.js';
import type { Connection } from './connect.js';
import type { RedisConnections } from './connections.js';
import { EntriesCommand } from './entry-replies.js';
import type { Keyspace } from './keyspace.js';
import { RedisHeartbeats } from './redis-heartbeats.js';
import { answered, isReply, redisError, valueOf } from './replies.js';
import { callAppend, wrongType } from './scripts/call.js';
import { SlotWaits } from './slot-waits.js';
import { send } from './slots.js';

/** From so many entries on, whole nodes of a stream are trimmed at once; below, entry by entry. */
const TRIM_NODES_MIN = 1_000;
const TRIM_ENTRIES_MAX = 200;
/** Entries looked at to estimate the bytes of a stream. */
const BYTES_SAMPLES = 5;

/** Streams in Redis. A worker's reads go through one consumer group a stream, named by the prefix; its cursor decides nothing. */
export class RedisSourceLog extends SourceLog {
  readonly #news: SlotWaits;
  readonly #heartbeats: RedisHeartbeats;

  constructor(
    readonly connections: RedisConnections,
    readonly keyspace: Keyspace,
    /**
     * Who reads in the consumer group. One name for all processes will do: nothing is pending, and names that change
     * with every start would pile up in the group.
     */
    readonly consumer = 'stillwater',
    /** Of appends by replicas; null: one counts when Redis has answered it. */
    readonly acknowledgement: Acknowledgement | null = null,
  ) {
    super();
    this.#news = new SlotWaits(connections);
    this.#heartbeats = new RedisHeartbeats(connections, keyspace);
  }

  read(request: ReadRequest): Promise<ReadOutcome> {
    return answered(`Reading the stream ${JSON.stringify(request.redisKey)}`, async () => {
      const entries =
        request.through === 'group' ? await this.#readGroup(request) : await this.#readRange(request);
      const outcome: ReadOutcome =
        entries === null ? await this.#examine(request) : { status: 'read', entries };
      if (!request.heartbeats || outcome.status === 'lost') return outcome;
      // Only now: one that is recorded between two reads belongs before what the second finds.
      const { redisKey, position } = request;
      const last = outcome.entries.at(-1)?.[0] ?? position;
      return { ...outcome, heartbeats: await this.#heartbeats.read(redisKey, position, last) };
    });
  }

  recordHeartbeat(request: HeartbeatRequest): Promise<HeartbeatOutcome> {
    const what = `Recording a heartbeat of the stream ${JSON.stringify(request.redisKey)}`;
    return answered(what, () => this.#heartbeats.record(request, what));
  }

  ends(redisKeys: readonly string[]): Promise<LogEnd[]> {
    return answered('Looking at the ends of streams', async () => {
      const { control } = this.connections;
      return Promise.all(
        redisKeys.map(async (redisKey) =>
          logEnd(redisKey, await send(control, redisKey, 'xinfo', ['STREAM', redisKey]).catch(absent)),
        ),
      );
    });
  }

  waitForNews(
    positions: ReadonlyMap<string, Position>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    return this.#news.wait(positions, timeoutMs, signal);
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
    const memory = idempotencyKey === null ? null : this.keyspace.append(redisKey, idempotencyKey);
    const digest = idempotencyKey === null ? '' : (given ?? appendDigest(entries));
    let reply;
    let connection = 0;
    try {
      if (this.acknowledgement !== null) connection = await this.acknowledgement.connection(redisKey);
      reply = await callAppend(
        this.acknowledgement === null ? this.connections.control : this.connections.appends,
        { stream: redisKey, memory },
        { memoryMs, digest, entries },
      );
    } catch (thrown) {
      if (isReply(thrown)) throw redisError(thrown, what);
      throw new StillwaterError(
        'append-outcome-unknown',
        {
          what: `${what} got no answer.`,
          evidence: `  connection  ${messageOf(thrown)}`,
          consequence:
            entries.length === 0 ? 'Nothing was appended.' : 'The entries may or may not be in the stream.',
          remedy:
            idempotencyKey === null
              ? 'Look at the stream before appending again; send an Idempotency-Key to be able to repeat.'
              : 'Repeat with the same idempotency key: nothing is appended twice.',
        },
        { cause: thrown },
      );
    }
    switch (reply[0]) {
      case 'APPENDED':
      case 'REPEATED':
        await this.#expectAcknowledged(redisKey, connection, what, idempotencyKey !== null);
        return { ids: reply[1].split(' ').filter(Boolean), repeated: reply[0] === 'REPEATED' };
      case 'REUSED':
        throw keyReused(redisKey, idempotencyKey!, entries.length);
      case 'WRONG_TYPE':
        throw wrongType(reply[1], reply[2], what);
      default:
        throw new StillwaterError('append-refused', {
          what: `${what} was refused.`,
          evidence: `  ${reply[1]}`,
          consequence: 'Nothing was appended.',
        });
    }
  }

  async #expectAcknowledged(
    redisKey: string,
    connection: number,
    what: string,
    repeatable: boolean,
  ): Promise<void> {
    const missing = (await this.acknowledgement?.missing(redisKey, connection)) ?? null;
    if (missing === null) return;
    throw new StillwaterError('append-outcome-unknown', {
      what: `${what} was not acknowledged by replicas.`,
      evidence: `  ${missing}`,
      consequence:
        'The entries are in the stream now, and gone if Redis fails over before a replica has them.',
      remedy: repeatable
        ? 'Repeat with the same idempotency key: nothing is appended twice, and replicas are waited for again.'
        : 'Look at the stream before appending again; send an Idempotency-Key to be able to repeat.',
    });
  }

  trim(redisKey: string, position: Position, entriesMax: number): Promise<number> {
    return answered(`Trimming the stream ${JSON.stringify(redisKey)}`, async () => {
      const gone = await this.#trim(redisKey, position, entriesMax);
      if (gone > 0) await this.#heartbeats.trim(redisKey);
      return gone;
    });
  }

  async #trim(redisKey: string, position: Position, entriesMax: number): Promise<number> {
    const redis = this.connections.control;
    if (entriesMax >= TRIM_NODES_MIN) {
      const gone = await redis.xtrim(redisKey, 'MINID', '~', position, 'LIMIT', entriesMax);
      if (gone > 0) return gone;
    }
    const count = Math.min(entriesMax, TRIM_ENTRIES_MAX);
    const some = await redis.xrange(redisKey, '-', `(${position}`, 'COUNT', count);
    if (some.length === 0) return 0;
    return redis.xtrim(redisKey, 'MINID', some.length < count ? position : after(some[some.length - 1]![0]));
  }

  range(redisKey: string, from: Position, to: Position, countMax: number): Promise<RawEntry[]> {
    return answered(`Reading the stream ${JSON.stringify(redisKey)}`, () =>
      this.connections.serving.xrange(redisKey, `(${from}`, to, 'COUNT', countMax),
    );
  }

  foreignReaders(redisKey: string): Promise<{ group: string; position: Position }[]> {
    return answered(`Looking at the groups of the stream ${JSON.stringify(redisKey)}`, async () => {
      const redis = this.connections.control;
      const groups = await send(redis, redisKey, 'xinfo', ['GROUPS', redisKey]).catch(absent);
      const out: { group: string; position: Position }[] = [];
      for (const group of (groups ?? []) as unknown[][]) {
        const fields = fieldsOf(group);
        const name = fields.get('name') as string;
        if (name === this.keyspace.group) continue;
        let position = fields.get('last-delivered-id') as Position;
        // What was delivered and not acknowledged is still to be read again.
        if (Number(fields.get('pending')) > 0) {
          const [, lowest] = (await redis.xpending(redisKey, name)) as [number, Position | null];
          if (lowest) position = earlierOf(position, lowest);
        }
        out.push({ group: name, position });
      }
      return out;
    });
  }

  async bytes(redisKey: string): Promise<number | null> {
    try {
      const question = ['USAGE', redisKey, 'SAMPLES', String(BYTES_SAMPLES)];
      return (await send(this.connections.control, redisKey, 'memory', question)) ?? 0;
    } catch {
      return null;
    }
  }

  /** The entries after the position, or null where the entry at it was not found. */
  async #readRange({ redisKey, position, countMax }: ReadRequest): Promise<RawEntry[] | null> {
    const redis = this.connections.sources;
    const range = (from: string, count: number): Promise<RawEntry[]> =>
      redis.sendCommand(new EntriesCommand(redisKey, from, '+', count)) as Promise<RawEntry[]>;
    if (position === BEGINNING) return range('(0-0', countMax);
    const entries = await range(position, countMax + 1);
    if (entries[0]?.[0] !== position) return null;
    entries.shift();
    return entries;
  }

  /**
   * The same through the consumer group, whose cursor is set to the position first: a read that is repeated, or meets
   * another reader, gives the same entries.
   */
  async #readGroup(request: ReadRequest): Promise<RawEntry[] | null> {
    const { position } = request;
    const redis = this.connections.sources;
    for (let created = false; ; created = true) {
      let replies;
      try {
        replies = await this.#transact(redis, request);
      } catch (thrown) {
        // Some of it was refused: a Redis that takes no writes does not move the group's cursor either, which is for people
        // to see. It can be read.
        if (isReply(thrown) && thrown.message.startsWith('EXECABORT')) return this.#readRange(request);
        throw thrown;
      }
      const at = valueOf(replies, 0) as RawEntry[];
      if (position !== BEGINNING && at.length === 0) return null;
      const failure = replies![1]![0];
      if (failure && !created && /NOGROUP|requires the key to exist|no such key/i.test(failure.message)) {
        await this.#createGroup(redis, request);
        continue;
      }
      valueOf(replies, 1);
      const found = valueOf(replies, 2) as [string, RawEntry[]][] | null;
      return found?.[0]?.[1] ?? [];
    }
  }

  /** What is at the position, the cursor set to it, what follows: at one moment. */
  async #transact(redis: Connection, request: ReadRequest): Promise<[Error | null, unknown][] | null> {
    const { redisKey, position, entriesRead, countMax } = request;
    const { group } = this.keyspace;
    const cursor = ['SETID', redisKey, group, position, 'ENTRIESREAD', String(entriesRead)] as const;
    const rest = [
      'GROUP',
      group,
      this.consumer,
      'COUNT',
      countMax,
      'NOACK',
      'STREAMS',
      redisKey,
      '>',
    ] as const;
    if (!(redis instanceof Redis))
      return redis
        .multi()
        .xrange(redisKey, position, position)
        .call('XGROUP', ...cursor)
        .xreadgroup(...rest)
        .exec();
    // Sent one by one, in one turn: a pipeline of ioredis is an object of kilobytes, which at a thousand reads a
    // second is most of what the garbage collector has to do. What the answers to each say, EXEC says again.
    const unread = [
      redis.multi({ pipeline: false }),
      redis.xrange(redisKey, position, position),
      redis.call('XGROUP', ...cursor),
      redis.xreadgroup(...rest),
    ];
    for (const answer of unread) answer.catch(() => {});
    return redis.exec();
  }

  async #createGroup(redis: Connection, { redisKey, position, entriesRead }: ReadRequest): Promise<void> {
    const made = [
      'CREATE',
      redisKey,
      this.keyspace.group,
      position,
      'MKSTREAM',
      'ENTRIESREAD',
      String(entriesRead),
    ];
    await send(redis, redisKey, 'xgroup', made).catch((thrown) => {
      if (!isReply(thrown) || !thrown.message.startsWith('BUSYGROUP')) throw thrown;
    });
  }

  /** The entry at the position was not found: what became of it. All is read at one moment. */
  async #examine({ redisKey, position, countMax }: ReadRequest): Promise<ReadOutcome> {
    const replies = await this.connections.sources
      .multi()
      .xinfo('STREAM', redisKey)
      .xrange(redisKey, position, '+', 'COUNT', countMax + 1)
      .exec();
    const end = logEnd(redisKey, infoAt(replies, 0));
    const entries = valueOf(replies, 1) as RawEntry[];
    if (entries[0]?.[0] === position) return { status: 'read', entries: entries.slice(1) };
    // Nothing was ever added after it: nothing is missing but what had been read.
    if (end.last === position) return { status: 'read', entries: [] };
    return { status: 'lost', cause: lostCause(end, position), first: end.first, last: end.last };
  }
}

/** The next possible id. */
function after(id: Position): Position {
  const [ms, sequence] = id.split('-') as [string, string];
  return `${ms}-${BigInt(sequence) + 1n}`;
}

/** For the error of XINFO where the key does not exist: null. */
function absent(thrown: unknown): null {
  if (isReply(thrown) && /no such key/i.test(thrown.message)) return null;
  throw thrown;
}

/** A reply of XINFO among others; null where the key does not exist. */
function infoAt(replies: [Error | null, unknown][] | null, index: number): unknown[] | null {
  try {
    return valueOf(replies, index) as unknown[];
  } catch (thrown) {
    return absent(thrown);
  }
}

function fieldsOf(flat: readonly unknown[]): Map<string, unknown> {
  const fields = new Map<string, unknown>();
  for (let index = 0; index + 1 < flat.length; index += 2) fields.set(flat[index] as string, flat[index + 1]);
  return fields;
}

function logEnd(redisKey: string, info: unknown[] | null): LogEnd {
  if (info === null)
    return {
      redisKey,
      exists: false,
      length: 0,
      last: BEGINNING,
      first: null,
      entriesAdded: 0,
      maxDeleted: BEGINNING,
    };
  const fields = fieldsOf(info);
  const length = Number(fields.get('length'));
  const first = fields.get('recorded-first-entry-id') as Position;
  const added = Number(fields.get('entries-added'));
  return {
    redisKey,
    exists: true,
    length,
    last: fields.get('last-generated-id') as Position,
    first: length === 0 || comparePositions(first, BEGINNING) === 0 ? null : first,
    entriesAdded: Math.max(added, length),
    maxDeleted: fields.get('max-deleted-entry-id') as Position,
  };
}
