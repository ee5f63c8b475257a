import { Redis } from 'ioredis';
import { BEGINNING } from '../runtime/position.js';
import { lostCause } from '../runtime/ports/lost-cause.js';
import type { RawEntry, ReadOutcome, ReadRequest } from '../runtime/ports/source-log.js';
import type { Connection } from './connect.js';
import type { RedisConnections } from './connections.js';
import { EntriesCommand } from './entry-replies.js';
import { infoAt, logEnd } from './log-end.js';
import { isReply, valueOf } from './replies.js';
import { send } from './slots.js';

/**
 * Reads of a stream behind a position, whose own entry must still be there: where it is not, the log was cut, deleted or taken
 * back. Workers read through one consumer group a stream, named by the prefix, whose cursor decides nothing.
 */
export class CheckedReads {
  constructor(
    readonly connections: RedisConnections,
    readonly group: string,
    readonly consumer: string,
  ) {}

  async read(request: ReadRequest): Promise<ReadOutcome> {
    const entries =
      request.through === 'group' ? await this.#readGroup(request) : await this.#readRange(request);
    return entries === null ? await this.#examine(request) : { status: 'read', entries };
  }

  get #sources(): Connection {
    return this.connections.sources;
  }

  /** The entries after the position, or null where the entry at it was not found. */
  async #readRange({ redisKey, position, countMax }: ReadRequest): Promise<RawEntry[] | null> {
    const redis = this.#sources;
    const range = async (from: string, count: number): Promise<RawEntry[]> => {
      const command = new EntriesCommand(redisKey, from, '+', count);
      await redis.sendCommand(command);
      return command.take();
    };
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
    const redis = this.#sources;
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
    const { group } = this;
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
    const made = ['CREATE', redisKey, this.group, position, 'MKSTREAM', 'ENTRIESREAD', String(entriesRead)];
    await send(redis, redisKey, 'xgroup', made).catch((thrown) => {
      if (!isReply(thrown) || !thrown.message.startsWith('BUSYGROUP')) throw thrown;
    });
  }

  /** The entry at the position was not found: what became of it. All is read at one moment. */
  async #examine({ redisKey, position, countMax }: ReadRequest): Promise<ReadOutcome> {
    const replies = await this.#sources
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
