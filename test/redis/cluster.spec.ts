import type { Cluster } from 'ioredis';
import { RedisConnections } from '../../src/redis/connections.js';
import { Keyspace } from '../../src/redis/keyspace.js';
import { redisPorts } from '../../src/redis/redis.module.js';
import type { CommitOutcome, CommitRequest } from '../../src/runtime/ports/task-store.js';
import type { ScannedRows } from '../../src/runtime/ports/view-store.js';
import type { OwnerToken, TaskId } from '../../src/runtime/task-id.js';
import { BUCKETS, commitOf, rowsWrites, TASK } from '../ports/commit-request.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { describeWithRedis } from '../support/redis-server.js';
import { eventually } from '../support/system.js';

const KEY = new Keyspace().task(TASK);
const signal = new AbortController().signal;
/** How long news are waited for where they must come at once. */
const WAITS_MS = 10_000;

describeWithRedis('on a cluster', () => {
  let cluster: RedisCluster;
  let raw: Cluster;
  let connections: RedisConnections;
  let ports: ReturnType<typeof redisPorts>;
  const unanswered: string[] = [];
  const logged: string[] = [];

  beforeAll(async () => {
    cluster = await RedisCluster.start({ appendOnly: true });
    raw = cluster.client();
  });
  afterAll(() => cluster.stop());
  beforeEach(async () => {
    await cluster.flushAll();
    connect();
  });
  afterEach(() => connections.close());
  const connect = (): void => {
    connections = new RedisConnections({
      url: cluster.url,
      commandTimeoutMs: 500,
      onUnanswered: (use) => unanswered.push(use),
      log: (message) => logged.push(message),
    });
    ports = redisPorts(connections);
  };

  const claimed = async (task: TaskId = TASK): Promise<OwnerToken> =>
    (await ports.tasks.claim(task, 'me', 0))!.token;
  const committed = async (request: CommitRequest, withinMs = 20_000): Promise<CommitOutcome> => {
    let outcome: CommitOutcome | null = null;
    await eventually(
      async () => {
        outcome = await ports.tasks.commit(request).catch(() => null);
        return outcome !== null && outcome.status !== 'refused';
      },
      withinMs,
      50,
    );
    return outcome!;
  };

  describe('a slot that moves to another node', () => {
    it('takes its task along: commits wait while its keys lie on two nodes, and go on', async () => {
      const token = await claimed();
      const rows = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`row ${n}`, n]));
      await ports.tasks.commit(commitOf(token, 1, { keyed: rowsWrites(rows) }));
      const outcomes: CommitOutcome[] = [];
      const second = commitOf(token, 2, { keyed: rowsWrites({ 'row 1': 'changed' }) });
      const before = await cluster.masterOf(KEY);
      const after = await cluster.migrate(KEY, async () => {
        outcomes.push(await ports.tasks.commit(second));
        // What lies in one key is read wherever it is.
        expect((await ports.tasks.status([TASK]))[0]!.record!.tick).toBe(1);
      });
      expect(after).not.toBe(before);
      expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome)))).toEqual(
        new Set([
          JSON.stringify({
            status: 'refused',
            reason: 'TRYAGAIN Multiple keys request during rehashing of slot',
          }),
        ]),
      );
      expect(await ports.tasks.commit(second)).toEqual({ status: 'committed' });
      expect(await ports.tasks.commit(second)).toEqual({ status: 'alreadyCommitted' });
      const { rows: found } = await ports.views.all(TASK, BUCKETS);
      expect(found).toHaveLength(40);
      expect(found.find(({ key }) => key === 'row 1')).toEqual({ key: 'row 1', text: '"changed"' });
    });

    it('ends the scans of its keys: a cursor means nothing to another server', async () => {
      const token = await claimed();
      const rows = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`row ${n}`, n]));
      await ports.tasks.commit(commitOf(token, 1, { buckets: 1, keyed: rowsWrites(rows) }));
      const first = await ports.views.scan(TASK, 0, null, 100);
      expect(first!.cursor).not.toBeNull();
      await cluster.migrate(KEY, async () => {
        // The keys are on their way: no share of another server is given for one of this.
        await expect(ports.views.scan(TASK, 0, first!.cursor, 100)).rejects.toMatchObject({
          code: 'redis-refused',
        });
      });
      expect(await ports.views.scan(TASK, 0, first!.cursor, 100)).toBeNull();
      const keys = new Set<string>();
      for (let cursor: string | null | undefined = null; cursor !== undefined;) {
        const some: ScannedRows = (await ports.views.scan(TASK, 0, cursor, 500))!;
        for (const { key } of some.rows) keys.add(key);
        cursor = some.cursor ?? undefined;
      }
      expect(keys.size).toBe(2_000);
    });

    it('takes its stream along: reads and waits find it', async () => {
      await raw.xadd('orders', '1-0', 'n', '1');
      const request = {
        redisKey: 'orders',
        position: '1-0',
        entriesRead: 1,
        countMax: 10,
        through: 'group' as const,
      };
      expect(await ports.log.read(request)).toEqual({ status: 'read', entries: [] });
      const news = ports.log.waitForNews(new Map([['orders', '1-0']]), 10_000, signal);
      await cluster.migrate('orders', async () => {
        expect(await ports.log.read(request)).toEqual({ status: 'read', entries: [] });
        expect((await ports.log.ends(['orders']))[0]!.last).toBe('1-0');
      });
      // Whoever waited is told to look, and waits where the stream is now.
      await news;
      const more = ports.log.waitForNews(new Map([['orders', '1-0']]), 10_000, signal);
      await raw.xadd('orders', '2-0', 'n', '2');
      expect(await more).toEqual(['orders']);
      expect(await ports.log.read(request)).toEqual({ status: 'read', entries: [['2-0', ['n', '2']]] });
    });
  });

  it('waits for streams on all nodes at once, each as soon as it has an entry', async () => {
    const streams = ['a', 'b', 'c', 'd', 'e', 'f'];
    const masters = new Set(
      await Promise.all(streams.map(async (stream) => (await cluster.masterOf(stream)).id)),
    );
    expect(masters.size).toBeGreaterThan(1);
    const positions = new Map(streams.map((stream) => [stream, '0-0']));
    for (const stream of streams) {
      const news = ports.log.waitForNews(positions, WAITS_MS, signal);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const started = performance.now();
      await raw.xadd(stream, '1-0', 'n', '1');
      expect(await news).toEqual([stream]);
      expect(performance.now() - started).toBeLessThan(WAITS_MS / 2);
      positions.set(stream, '1-0');
    }
    const stopping = new AbortController();
    const nothing = ports.log.waitForNews(positions, WAITS_MS, stopping.signal);
    stopping.abort();
    expect(await nothing).toEqual([]);
    expect(await ports.log.waitForNews(positions, 50, signal)).toEqual([]);
  });

  it('asks for the state of tasks on all nodes at once, in the order asked', async () => {
    const tasks = Array.from({ length: 20 }, (_, partition) => ({ ...TASK, partition }));
    for (const task of tasks) await claimed(task);
    expect((await ports.tasks.status(tasks)).map(({ task, owner }) => [task.partition, owner])).toEqual(
      tasks.map(({ partition }) => [partition, 'me']),
    );
  });

  it('a node that stops answering: its connections are cut, those to the others go on', async () => {
    const token = await claimed();
    const node = await cluster.masterOf(KEY);
    const other = ['a', 'b', 'c', 'd', 'e', 'f'];
    const elsewhere = await Promise.all(
      other.map(async (stream) => (await cluster.masterOf(stream)) !== node),
    );
    const stream = other[elsewhere.indexOf(true)]!;
    await ports.tasks.commit(commitOf(token, 1));
    await ports.log.ends([stream]);
    unanswered.length = 0;
    node.server.pause();
    try {
      const started = performance.now();
      const commit = ports.tasks.commit(commitOf(token, 2));
      let isGivenUp = false;
      commit.catch(() => (isGivenUp = true));
      await ports.log.append({
        redisKey: stream,
        entries: [['n', '1']],
        idempotencyKey: 'a',
        memoryMs: 60_000,
      });
      expect(isGivenUp).toBe(false);
      await expect(commit).rejects.toMatchObject({ code: 'redis-unavailable' });
      expect(performance.now() - started).toBeLessThan(10_000);
      expect(unanswered).toContain('commits');
    } finally {
      node.server.continue();
    }
    expect((await committed(commitOf(token, 2))).status).toMatch(/^(committed|alreadyCommitted)$/);
    await cluster.settled();
  });

  it('a master that is killed: nothing is sent twice, and its replica goes on with what it has', async () => {
    const token = await claimed();
    await ports.views.putReader(TASK, 'dependent', 0);
    const node = await cluster.masterOf(KEY);
    const ticks = 40;
    let lost = 0;
    logged.length = 0;
    for (let tick = 1; tick <= ticks; tick++) {
      const request = commitOf(token, tick, {
        keyed: rowsWrites({ [`row ${tick}`]: tick }),
        changelog: `changes ${tick}`,
      });
      if (tick === 20) {
        // What its replica has not yet would be gone with it.
        await (await connections.at('commits', KEY)).wait(1, 1_000);
        await node.server.kill();
      }
      const outcome = await ports.tasks.commit(request).catch(() => null);
      if (outcome?.status === 'committed') continue;
      lost += 1;
      expect((await committed(request)).status).toMatch(/^(committed|alreadyCommitted)$/);
    }
    expect(lost).toBeGreaterThan(0);
    expect(await cluster.failedOver(KEY, node)).not.toBe(node);
    expect((await ports.views.all(TASK, BUCKETS)).rows).toHaveLength(ticks);
    expect((await ports.views.changes(TASK, 0, 1_000))!.entries.map(([id]) => id)).toEqual(
      Array.from({ length: ticks }, (_, index) => `${index + 1}-0`),
    );
    expect(logged.filter((line) => line.includes('commits') && line.includes('is lost')).length).toBeLessThan(
      4,
    );
    await node.server.startAgain();
    await cluster.settled();
  });

  it('no node at all: an error at once, and what is closed keeps nobody waiting', async () => {
    const absent = new RedisConnections({
      url: 'redis+cluster://127.0.0.1:1,127.0.0.1:2',
      connectTimeoutMs: 500,
    });
    const started = performance.now();
    await expect(redisPorts(absent).registry.read()).rejects.toMatchObject({ code: 'redis-unavailable' });
    await expect(redisPorts(absent).log.ends(['a'])).rejects.toMatchObject({ code: 'redis-unavailable' });
    const status = redisPorts(absent).tasks.status([TASK]);
    await absent.close();
    await expect(status).rejects.toMatchObject({ code: 'redis-unavailable' });
    await expect(redisPorts(absent).registry.read()).rejects.toMatchObject({ code: 'redis-unavailable' });
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
