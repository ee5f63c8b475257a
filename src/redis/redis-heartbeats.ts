import { assert } from '../assert.js';
import type { Heartbeat, HeartbeatOutcome, HeartbeatRequest } from '../runtime/ports/source-log.js';
import type { Position } from '../runtime/position.js';
import type { RedisConnections } from './connections.js';
import type { Keyspace } from './keyspace.js';
import { callHeartbeat, wrongType } from './scripts/call.js';

/** The heartbeats beside streams: see `scripts/heartbeat.lua` for how they lie there. */
export class RedisHeartbeats {
  constructor(
    readonly connections: RedisConnections,
    readonly keyspace: Keyspace,
  ) {}

  /** Those of the anchors from one to another. On the connection that entries are read on: they are to be read before. */
  async read(redisKey: string, from: Position, to: Position): Promise<Heartbeat[]> {
    const members = await this.connections.sources.zrangebylex(
      this.keyspace.heartbeats(redisKey),
      `[${anchorText(from)}`,
      `(${anchorText(to)}!`,
    );
    return members.map((member) => {
      const [anchor, clock] = member.split(' ') as [string, string];
      return { anchor: anchorOf(anchor), clock: Number(clock) };
    });
  }

  async record({ redisKey, anchor, mode, clock }: HeartbeatRequest, what: string): Promise<HeartbeatOutcome> {
    const keys = {
      stream: redisKey,
      heartbeats: this.keyspace.heartbeats(redisKey),
      silence: this.keyspace.silence(redisKey),
    };
    const reply = await callHeartbeat(this.connections.control, keys, { anchor, mode, clock });
    switch (reply[0]) {
      case 'RECORDED':
        return { status: 'recorded', clock: Number(reply[1]) };
      case 'NOT_HIGHER':
        return { status: 'notHigher', clock: Number(reply[1]) };
      case 'SILENT':
        return { status: 'silent' };
      case 'MOVED':
        return { status: 'moved' };
      case 'WRONG_TYPE':
        throw wrongType(reply[1], reply[2], what);
      case 'MALFORMED':
        throw new TypeError(`${what} was malformed: ${reply[1]}.`);
    }
  }

  /** Those of entries that are gone go too. */
  async trim(redisKey: string): Promise<void> {
    const redis = this.connections.control;
    const [first] = await redis.xrange(redisKey, '-', '+', 'COUNT', 1);
    if (first === undefined) return;
    await redis.zremrangebylex(this.keyspace.heartbeats(redisKey), '-', `(${anchorText(first[0])}`);
  }
}

/** An anchor as members begin: of fixed width, so that their order is the order of the ids. */
function anchorText(anchor: Position): string {
  const [ms, sequence] = anchor.split('-');
  assert(sequence !== undefined, `"${anchor}" is no id.`);
  return `${ms!.padStart(20, '0')}-${sequence.padStart(20, '0')}`;
}

const anchorOf = (text: string): Position =>
  text
    .split('-')
    .map((part) => String(BigInt(part)))
    .join('-');
