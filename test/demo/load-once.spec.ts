import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { loadOnce, type DataSet, type LoadOutcome } from '../../src/demo/load-once.js';
import { EmbeddedRedis } from '../../src/embedded-redis/embedded-redis.js';
import { findServerBinary } from '../../src/embedded-redis/server-binary.js';
import { StillwaterError } from '../../src/errors/stillwater-error.js';
import { RedisConnections } from '../../src/redis/connections.js';
import { Keyspace } from '../../src/redis/keyspace.js';
import { RedisSourceLog } from '../../src/redis/redis-source-log.js';
import type { AppendRequest } from '../../src/runtime/ports/source-log.js';

const binary = findServerBinary(process.env)?.path ?? null;

(binary === null ? describe.skip : describe)('a data set that is loaded into a stream', () => {
  let directory: string;
  let server: EmbeddedRedis;
  let connections: RedisConnections;
  let redis: Redis;
  let log: RedisSourceLog;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'stillwater-demo-'));
    server = await EmbeddedRedis.bringUp({
      dataDirectory: directory,
      environment: { REDIS_SERVER_BIN: binary! },
    });
    redis = new Redis(server.url);
    connections = new RedisConnections({ url: server.url });
    log = new RedisSourceLog(connections, new Keyspace('sw'), 'test');
  });
  afterAll(async () => {
    await connections.close();
    redis.disconnect();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(() => redis.flushall());

  const items = Array.from({ length: 6_300 }, (_, index) => JSON.stringify({ flight: index }));
  const wanting = (wanted: number): DataSet => ({
    name: 'flights',
    redisKey: 'flights',
    wanted,
    async *items() {
      for (let from = 0; from < items.length; from += 1_100) yield items.slice(from, from + 1_100);
    },
  });
  const load = (wanted: number, through = log): Promise<LoadOutcome> =>
    loadOnce(wanting(wanted), { log: through, marksKey: 'sw:demo:flights' });
  const stream = async () => (await redis.xrange('flights', '-', '+')).map(([, [, text]]) => text);

  /** A process that is killed at its n-th append: before it reached Redis, or after. */
  class KilledLog extends RedisSourceLog {
    appends = 0;
    constructor(
      readonly killedAt: number,
      readonly moment: 'before' | 'after',
    ) {
      super(connections, new Keyspace('sw'), 'test');
    }
    override async append(request: AppendRequest) {
      const last = ++this.appends === this.killedAt;
      if (last && this.moment === 'before') throw new Error('killed');
      const answer = await super.append(request);
      if (last) throw new Error('killed');
      return answer;
    }
  }

  it('lies there once, in its order', async () => {
    expect(await load(6_300)).toEqual({ status: 'loaded', loaded: 6_300, added: 6_300 });
    expect(await stream()).toEqual(items);
  });

  it('is not loaded again, and goes on where more is wanted', async () => {
    await load(1_234);
    expect(await load(1_234)).toMatchObject({ loaded: 1_234, added: 0 });
    expect(await load(1_000)).toMatchObject({ loaded: 1_234, added: 0 });
    expect(await load(3_333)).toMatchObject({ loaded: 3_333, added: 2_099 });
    expect(await stream()).toEqual(items.slice(0, 3_333));
  });

  it.each(['before', 'after'] as const)(
    'lies there once when its loader is killed again and again, just %s an append',
    async (moment) => {
      for (let kills = 0; ; kills++) {
        try {
          await load(6_300, new KilledLog(1 + (kills % 4), moment));
          expect(kills).toBeGreaterThan(3);
          break;
        } catch (error) {
          expect(error).toMatchObject({ message: 'killed' });
          if (moment === 'before' && kills > 20) break;
        }
        // Later than any idempotency key is remembered.
        for (const key of await redis.keys('*')) if ((await redis.pttl(key)) > 0) await redis.del(key);
      }
      await load(6_300);
      expect(await stream()).toEqual(items);
    },
  );

  it('is recognised among events that others appended meanwhile', async () => {
    await expect(load(6_300, new KilledLog(3, 'after'))).rejects.toThrow('killed');
    await redis.xadd('flights', '*', 'data', '{"mine":true}');
    await load(6_300);
    expect((await stream()).filter((text) => text !== '{"mine":true}')).toEqual(items);
  });

  it('is repeated with the same key when a reply was lost', async () => {
    class Deaf extends RedisSourceLog {
      lost = 0;
      override async append(request: AppendRequest) {
        const answer = await super.append(request);
        if (request.redisKey === 'flights' && this.lost++ % 3 === 0)
          throw new StillwaterError('append-outcome-unknown', { what: 'no answer' });
        return answer;
      }
    }
    await load(2_000, new Deaf(connections, new Keyspace('sw'), 'test'));
    expect(await stream()).toEqual(items.slice(0, 2_000));
  });

  it('stays out of a stream that holds something else', async () => {
    await redis.xadd('flights', '*', 'data', '{"somebody":"else"}');
    expect(await load(6_300)).toEqual({ status: 'foreign' });
    expect(await redis.xlen('flights')).toBe(1);
  });

  it('is loaded anew when its stream was deleted', async () => {
    await load(1_000);
    await redis.del('flights');
    expect(await load(1_000)).toMatchObject({ added: 1_000 });
    expect(await stream()).toEqual(items.slice(0, 1_000));
  });

  it('stops at a signal and goes on from there', async () => {
    const stop = new AbortController();
    const onProgress = (loaded: number) => loaded >= 2_000 && stop.abort();
    const outcome = await loadOnce(wanting(6_300), {
      log,
      marksKey: 'sw:demo:flights',
      onProgress,
      signal: stop.signal,
    });
    expect(outcome).toMatchObject({ status: 'stopped', loaded: 2_000 });
    expect(await load(6_300)).toMatchObject({ status: 'loaded', added: 4_300 });
    expect(await stream()).toEqual(items);
  });
});
