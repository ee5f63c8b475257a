import { RedisConnections } from '../../src/redis/connections.js';
import { redisPorts } from '../../src/redis/redis.module.js';
import type { CommitOutcome, CommitRequest } from '../../src/runtime/ports/task-store.js';
import { BUCKETS, commitOf, rowsWrites, TASK } from '../ports/commit-request.js';
import { RedisSentinel } from '../support/redis-sentinel.js';
import { describeWithRedis } from '../support/redis-server.js';
import { eventually } from '../support/system.js';

describeWithRedis('the master that sentinels name', () => {
  let sentinel: RedisSentinel;
  let connections: RedisConnections;
  let ports: ReturnType<typeof redisPorts>;
  beforeAll(async () => {
    sentinel = await RedisSentinel.start();
    connections = new RedisConnections({ url: sentinel.url, commandTimeoutMs: 1_000 });
    ports = redisPorts(connections);
  });
  afterAll(async () => {
    await connections.close();
    await sentinel.stop();
  });

  const committed = async (request: CommitRequest): Promise<CommitOutcome> => {
    let outcome: CommitOutcome | null = null;
    await eventually(
      async () => {
        outcome = await ports.tasks.commit(request).catch(() => null);
        return outcome !== null && outcome.status !== 'refused';
      },
      20_000,
      50,
    );
    return outcome!;
  };

  it.each(['paused, and is a replica when it is back', 'killed'])(
    'goes on elsewhere when a server is %s: every tick once',
    async (how) => {
      const task = { ...TASK, partition: how === 'killed' ? 0 : 1 };
      const { token } = (await ports.tasks.claim(task, 'me', 0))!;
      const master = await sentinel.master();
      const ticks = 30;
      for (let tick = 1; tick <= ticks; tick++) {
        if (tick === 10) {
          // What its replica has not yet would be gone with it.
          await (await connections.at('commits', 'any')).wait(1, 1_000);
          if (how === 'killed') await master.kill();
          else master.pause();
        }
        const request = commitOf(token, tick, { task, keyed: rowsWrites({ [`row ${tick}`]: tick }) });
        expect((await committed(request)).status).toMatch(/^(committed|alreadyCommitted)$/);
        if (tick === 20) {
          const now = await sentinel.failedOver(master);
          if (how === 'killed') continue;
          master.continue();
          await eventually(
            async () => (await now.raw.info('replication')).includes('state=online'),
            30_000,
            50,
          );
        }
      }
      expect((await ports.views.all(task, BUCKETS)).rows).toHaveLength(ticks);
    },
    60_000,
  );

  it('cannot be found under another name, which is said at once', async () => {
    const lost = new RedisConnections({ url: sentinel.url.replace(/[^/]*$/, 'nobody') });
    const started = performance.now();
    await expect(redisPorts(lost).registry.read()).rejects.toMatchObject({ code: 'redis-unavailable' });
    expect(performance.now() - started).toBeLessThan(10_000);
    await lost.close();
  });
});
