import { RedisConnections } from '../../src/redis/connections.js';
import { redisPorts } from '../../src/redis/redis.module.js';
import type { CommitOutcome } from '../../src/runtime/ports/task-store.js';
import { commitOf, rowsWrites, TASK } from '../ports/commit-request.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';

describeWithRedis('a Redis that is killed and started again in the middle of commits', () => {
  it('holds every tick that was answered, each once, and goes on', async () => {
    const server = await RedisServer.start({ appendOnly: true });
    const connections = new RedisConnections({ url: server.url, commandTimeoutMs: 2_000 });
    try {
      const { tasks, views } = redisPorts(connections);
      const { token } = (await tasks.claim(TASK, 'me', 0))!;
      await views.putReader(TASK, 'dependent', 0);
      const ticks = 60;
      let unknown = 0;
      for (let tick = 1; tick <= ticks; tick++) {
        const request = commitOf(token, tick, {
          keyed: rowsWrites({ [`row ${tick}`]: tick }),
          changelog: `changes ${tick}`,
        });
        const killing = tick % 20 === 0 ? server.kill().then(() => server.startAgain()) : Promise.resolve();
        let outcome: CommitOutcome | null = null;
        while (outcome === null || outcome.status === 'refused') {
          outcome = await tasks.commit(request).catch(async () => {
            unknown += 1;
            await new Promise((resolve) => setTimeout(resolve, 20));
            return null;
          });
        }
        expect(outcome.status).toMatch(/^(committed|alreadyCommitted)$/);
        await killing;
      }
      expect(unknown).toBeGreaterThan(0);
      expect((await views.all(TASK, 8)).rows).toHaveLength(ticks);
      expect((await views.changes(TASK, 0, 1_000))!.entries.map(([id]) => id)).toEqual(
        Array.from({ length: ticks }, (_, index) => `${index + 1}-0`),
      );
    } finally {
      await connections.close();
      await server.stop();
    }
  });

  it('says that a scan cannot go on, whose cursor was another server’s', async () => {
    const server = await RedisServer.start({ appendOnly: true });
    const connections = new RedisConnections({ url: server.url });
    try {
      const { tasks, views } = redisPorts(connections);
      const { token } = (await tasks.claim(TASK, 'me', 0))!;
      const rows = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`row ${n}`, n]));
      await tasks.commit(commitOf(token, 1, { buckets: 1, keyed: rowsWrites(rows) }));
      const first = await views.scan(TASK, 0, null, 100);
      expect(first!.cursor).not.toBeNull();
      await server.kill();
      await server.startAgain();
      const again = () => views.scan(TASK, 0, first!.cursor, 100).catch(() => 'not yet');
      let next = await again();
      while (next === 'not yet') next = await again();
      expect(next).toBeNull();
      expect((await views.scan(TASK, 0, null, 100))!.rows.length).toBeGreaterThan(0);
    } finally {
      await connections.close();
      await server.stop();
    }
  });
});
