import { Command, type ChainableCommander } from 'ioredis';
import { crc16 } from '../zset/partition-of-text.js';
import type { Connection } from './connect.js';
import { tagOf } from './keyspace.js';

const SLOTS = 16_384;

/** The slot of a Redis Cluster in which a key lies. */
export const slotOf = (redisKey: string): number => crc16(tagOf(redisKey)) % SLOTS;

/** Slots mean something only where there are nodes that share them: one server has them all in the first. */
export const slotOn = (redis: Connection, redisKey: string): number =>
  redis.isCluster ? slotOf(redisKey) : 0;

/**
 * Sends a command of which ioredis does not know where its key is (XINFO, XGROUP, MEMORY): on a cluster it would go to
 * any node, and be sent on from there.
 */
export function send(
  redis: Connection,
  redisKey: string,
  name: string,
  args: readonly string[],
): Promise<any> {
  const command = new Command(name, [...args], { replyEncoding: 'utf8' });
  (command as unknown as { slot: number }).slot = slotOf(redisKey);
  return redis.sendCommand(command) as Promise<any>;
}

/** Commands that go out together: in one pipeline, on a cluster in one for each slot. Those of one slot keep their order. */
export class Pipelines {
  readonly #pipelines = new Map<number, ChainableCommander>();
  readonly #places: { pipeline: ChainableCommander; index: number }[] = [];

  constructor(readonly redis: Connection) {}

  /** Where to add the next command, which is about this key. */
  at(redisKey: string): ChainableCommander {
    const slot = slotOn(this.redis, redisKey);
    let pipeline = this.#pipelines.get(slot);
    if (pipeline === undefined) {
      pipeline = this.redis.pipeline();
      this.#pipelines.set(slot, pipeline);
    }
    this.#places.push({ pipeline, index: pipeline.length });
    return pipeline;
  }

  /** The answers, in the order in which commands were added. */
  async exec(): Promise<[Error | null, unknown][]> {
    const pipelines = [...this.#pipelines.values()];
    const answers = await Promise.all(pipelines.map((pipeline) => pipeline.exec()));
    const of = new Map(pipelines.map((pipeline, index) => [pipeline, answers[index]!]));
    return this.#places.map(({ pipeline, index }) => of.get(pipeline)![index]!);
  }
}
