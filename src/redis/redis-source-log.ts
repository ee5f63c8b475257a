import { counted } from '../errors/counted.js';
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
import { earlierOf, type Position } from '../runtime/position.js';
import { appendDigest, keyReused } from '../runtime/ports/append-digest.js';
import type { Acknowledgement } from './acknowledgement.js';
import { CheckedReads } from './checked-reads.js';
import type { RedisConnections } from './connections.js';
import type { Keyspace } from './keyspace.js';
import { RedisHeartbeats } from './redis-heartbeats.js';
import { absent, fieldsOf, logEnd } from './log-end.js';
import { answered, isReply, redisError } from './replies.js';
import { callAppend, wrongType } from './scripts/call.js';
import { SlotWaits } from './slot-waits.js';
import { send } from './slots.js';

/** From so many entries on, whole nodes of a stream are trimmed at once; below, entry by entry. */
const TRIM_NODES_MIN = 1_000;
const TRIM_ENTRIES_MAX = 200;
/** Entries looked at to estimate the bytes of a stream. */
const BYTES_SAMPLES = 5;

/** Streams in Redis. */
export class RedisSourceLog extends SourceLog {
  readonly #reads: CheckedReads;
  readonly #news: SlotWaits;
  readonly #heartbeats: RedisHeartbeats;

  constructor(
    readonly connections: RedisConnections,
    readonly keyspace: Keyspace,
    /**
     * Who reads in the consumer group. One name for all processes will do: nothing is pending, and names that change
     * with every start would pile up in the group.
     */
    consumer = 'stillwater',
    /** Of appends by replicas; null: one counts when Redis has answered it. */
    readonly acknowledgement: Acknowledgement | null = null,
  ) {
    super();
    this.#reads = new CheckedReads(connections, keyspace.group, consumer);
    this.#news = new SlotWaits(connections);
    this.#heartbeats = new RedisHeartbeats(connections, keyspace);
  }

  read(request: ReadRequest): Promise<ReadOutcome> {
    return answered(`Reading the stream ${JSON.stringify(request.redisKey)}`, async () => {
      const outcome = await this.#reads.read(request);
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
    const what = `Appending ${counted(entries.length, 'entry', 'entries')} to the stream ${JSON.stringify(redisKey)}`;
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

  begun(redisKey: string, reader: string, first: Position | null): Promise<Position | null> {
    return answered(`Looking where a reader of the stream ${JSON.stringify(redisKey)} began`, async () => {
      const { control } = this.connections;
      const key = this.keyspace.begun(redisKey);
      if (first !== null && (await control.hsetnx(key, reader, first)) === 1) return first;
      return control.hget(key, reader);
    });
  }

  forgetReaders(redisKey: string, readers: readonly string[]): Promise<void> {
    return answered(`Forgetting readers of the stream ${JSON.stringify(redisKey)}`, async () => {
      if (readers.length > 0) await this.connections.control.hdel(this.keyspace.begun(redisKey), ...readers);
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
}

/** The next possible id. */
function after(id: Position): Position {
  const [ms, sequence] = id.split('-') as [string, string];
  return `${ms}-${BigInt(sequence) + 1n}`;
}
