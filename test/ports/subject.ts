import type { Cluster, Redis } from 'ioredis';
import type { Ports } from '../../src/runtime/ports/ports.js';
import { RedisConnections } from '../../src/redis/connections.js';
import { redisPorts } from '../../src/redis/redis.module.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';
import { MemoryRedis } from '../../src/testing/memory/memory-redis.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { haveRedisServer, RedisServer } from '../support/redis-server.js';

/** What a contract suite runs on: empty at the start of each test. */
export interface Subject {
  /** The ports of another process over the same store. */
  process(): Ports;
  /** What an operator does to a stream behind our back. */
  addAt(redisKey: string, id: string, ...fields: string[]): Promise<void>;
  deleteEntry(redisKey: string, id: string): Promise<void>;
  deleteLog(redisKey: string): Promise<void>;
  foreignGroup(redisKey: string, group: string, id: string): Promise<void>;
}

export interface SubjectKind {
  name: string;
  available: boolean;
  /** Once for a suite. */
  open(): Promise<{ fresh(): Promise<Subject>; close(): Promise<void> }>;
}

const memory: SubjectKind = {
  name: 'memory',
  available: true,
  open: async () => ({
    fresh: async () => {
      const redis = new MemoryRedis();
      return {
        process: () => memoryPorts(redis),
        addAt: async (redisKey, id, ...fields) => {
          redis.stream(redisKey).add(id, fields);
          redis.wake();
        },
        deleteEntry: async (redisKey, id) => void redis.stream(redisKey).delete(id),
        deleteLog: async (redisKey) => void redis.streams.delete(redisKey),
        foreignGroup: async (redisKey, group, id) => void redis.groups.set(redisKey, new Map([[group, id]])),
      };
    },
    close: async () => {},
  }),
};

/** One server or a cluster, by the client to do things behind our back with. */
async function onRedis(
  url: string,
  raw: Redis | Cluster,
  flush: () => Promise<unknown>,
  stop: () => Promise<void>,
): ReturnType<SubjectKind['open']> {
  const opened: RedisConnections[] = [];
  const closeAll = async (): Promise<void> => {
    await Promise.all(opened.splice(0).map((connections) => connections.close()));
  };
  return {
    fresh: async () => {
      await closeAll();
      await flush();
      return {
        process: () => {
          const connections = new RedisConnections({ url });
          opened.push(connections);
          return redisPorts(connections);
        },
        addAt: async (redisKey, id, ...fields) => void (await raw.xadd(redisKey, id, ...fields)),
        deleteEntry: async (redisKey, id) => void (await raw.xdel(redisKey, id)),
        deleteLog: async (redisKey) => void (await raw.del(redisKey)),
        foreignGroup: async (redisKey, group, id) => void (await raw.xgroup('CREATE', redisKey, group, id)),
      };
    },
    close: async () => {
      await closeAll();
      await stop();
    },
  };
}

const redis: SubjectKind = {
  name: 'Redis',
  available: haveRedisServer,
  open: async () => {
    const server = await RedisServer.start();
    const { raw } = server;
    return onRedis(
      server.url,
      raw,
      () => raw.flushall(),
      () => server.stop(),
    );
  },
};

const cluster: SubjectKind = {
  name: 'a Redis Cluster',
  available: haveRedisServer,
  open: async () => {
    const nodes = await RedisCluster.start({ replicas: 0 });
    return onRedis(
      nodes.url,
      nodes.client(),
      () => nodes.flushAll(),
      () => nodes.stop(),
    );
  },
};

export const subjects: readonly SubjectKind[] = [memory, redis, cluster];

/** Runs a contract on every implementation; `subject()` and `ports()` are those of the running test. */
export function onEverySubject(
  port: string,
  contract: (context: { subject: () => Subject; ports: () => Ports }) => void,
): void {
  for (const kind of subjects) {
    const block = kind.available ? describe : describe.skip;
    block(`${port} in ${kind.name}`, () => {
      let opened: Awaited<ReturnType<SubjectKind['open']>>;
      let subject: Subject;
      let ports: Ports;
      beforeAll(async () => {
        opened = await kind.open();
      });
      beforeEach(async () => {
        subject = await opened.fresh();
        ports = subject.process();
      });
      afterAll(() => opened.close());
      contract({ subject: () => subject, ports: () => ports });
    });
  }
}
