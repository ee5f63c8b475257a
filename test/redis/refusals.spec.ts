import { RedisConnections } from '../../src/redis/connections.js';
import { eventually } from '../support/system.js';
import { Keyspace } from '../../src/redis/keyspace.js';
import { redisPorts } from '../../src/redis/redis.module.js';
import { refusalOf } from '../../src/redis/replies.js';
import type { OwnerToken } from '../../src/runtime/task-id.js';
import { commitOf, rowsWrites, TASK } from '../ports/commit-request.js';
import { describeWithRedis } from '../support/redis-server.js';
import { onServer } from './scripts/scripts.js';

describeWithRedis('a Redis that takes no writes', () => {
  const { redis, server } = onServer();
  let connections: RedisConnections;
  let ports: ReturnType<typeof redisPorts>;
  let token: OwnerToken;
  beforeEach(async () => {
    connections = new RedisConnections({ url: server().url });
    ports = redisPorts(connections);
    token = (await ports.tasks.claim(TASK, 'me', 0))!.token;
  });
  afterEach(() => connections.close());
  const commit = (): ReturnType<typeof ports.tasks.commit> =>
    ports.tasks.commit(commitOf(token, 1, { keyed: rowsWrites({ ORD: 1 }) }));

  it('refuses commits and appends while it is full, and still renews leases, trims and reads', async () => {
    await redis().xadd('orders', '1-0', 'n', '1');
    await redis().xadd('orders', '2-0', 'n', '2');
    await redis().config('SET', 'maxmemory', '1');
    try {
      expect(await commit()).toEqual({ status: 'refused', reason: expect.stringMatching(/^OOM/) });
      await expect(
        ports.log.append({ redisKey: 'orders', entries: [['n', '3']], idempotencyKey: 'k', memoryMs: 1_000 }),
      ).rejects.toMatchObject({ code: 'redis-refused' });
      expect(
        (await ports.workers.renew({ id: 'w', fingerprints: [], role: 'all', startedAt: 1 }, 1_000)).live,
      ).toHaveLength(1);
      expect(await ports.log.trim('orders', '2-0', 10)).toBe(1);
      await expect(ports.log.begun('orders', 'reader', '2-0')).rejects.toMatchObject({
        code: 'redis-refused',
      });
      expect(await ports.log.begun('orders', 'reader', null)).toBeNull();
      expect(await ports.views.changes(TASK, 0, 10)).toEqual({
        newest: { tick: 0, commit: '' },
        entries: [],
      });
    } finally {
      await redis().config('SET', 'maxmemory', '0');
    }
    expect(await commit()).toEqual({ status: 'committed' });
  });

  it('refuses commits while it is a replica', async () => {
    await redis().replicaof('127.0.0.1', 1);
    try {
      expect(await commit()).toEqual({
        status: 'refused',
        reason: expect.stringMatching(/^(READONLY|MASTERDOWN)/),
      });
    } finally {
      await redis().replicaof('NO', 'ONE');
    }
    // The connection is made anew, for the master may be elsewhere by now.
    let outcome: unknown;
    await eventually(async () => (outcome = await commit().catch(() => null)) !== null);
    expect(outcome).toEqual({ status: 'committed' });
  });

  it('refuses commits where too few replicas follow', async () => {
    await redis().config('SET', 'min-replicas-to-write', '1');
    try {
      expect(await commit()).toEqual({ status: 'refused', reason: expect.stringMatching(/^NOREPLICAS/) });
    } finally {
      await redis().config('SET', 'min-replicas-to-write', '0');
    }
  });

  it('does nothing of a commit where a key holds another type, and names the key', async () => {
    const key = [...new Keyspace().state(TASK, 'rows', 'keyed', 8)];
    for (const one of key) await redis().set(one, 'x');
    await expect(commit()).rejects.toMatchObject({
      code: 'wrong-type',
      message: expect.stringMatching(/:k:rows:\d+[^]*string[^]*Nothing was changed/),
    });
    await expect(ports.views.rows(TASK, 8, ['ORD'])).rejects.toMatchObject({ code: 'wrong-type' });
  });

  it.each(['group', 'range'] as const)(
    'says that a stream is no stream, when read through the %s',
    async (through) => {
      await redis().set('orders', 'x');
      await expect(
        ports.log.read({ redisKey: 'orders', position: '0-0', entriesRead: 0, countMax: 1, through }),
      ).rejects.toMatchObject({ code: 'wrong-type' });
      await expect(
        ports.log.append({ redisKey: 'orders', entries: [['n', '1']], idempotencyKey: null, memoryMs: 1 }),
      ).rejects.toMatchObject({ code: 'wrong-type' });
      await expect(ports.log.ends(['orders'])).rejects.toMatchObject({ code: 'wrong-type' });
      expect(
        await ports.log.waitForNews(new Map([['orders', '0-0']]), 1_000, new AbortController().signal),
      ).toEqual(['orders']);
    },
  );

  it('wakes who waits although it may not interrupt a blocking read', async () => {
    await redis().call(
      'ACL',
      'SETUSER',
      'limited',
      'on',
      '>secret',
      '~*',
      '&*',
      '+@all',
      '-client|unblock',
      '-client|id',
    );
    const limited = new RedisConnections({
      url: server().url.replace('redis://', 'redis://limited:secret@'),
    });
    try {
      const { log } = redisPorts(limited);
      const signal = new AbortController().signal;
      const first = log.waitForNews(new Map([['orders', '0-0']]), 3_000, signal);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const second = log.waitForNews(new Map([['returns', '0-0']]), 3_000, signal);
      await redis().xadd('returns', '1-0', 'n', '1');
      expect(await second).toContain('returns');
      await first;
    } finally {
      await limited.close();
    }
  });
});

describe('the reason of a refusal', () => {
  const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

  it('is known by its first word', () => {
    expect(refusalOf(reply("OOM command not allowed when used memory > 'maxmemory'."))).toMatch(/^OOM/);
    expect(refusalOf(reply('LOADING Redis is loading the dataset in memory'))).toMatch(/^LOADING/);
    expect(refusalOf(reply('BUSY Redis is busy running a script.'))).toMatch(/^BUSY/);
  });

  it('is none where a script broke on its way, or nothing was answered', () => {
    expect(refusalOf(reply('OOM command not allowed script: 0a, on @user_script:7.'))).toBeNull();
    expect(refusalOf(reply('ERR wrong number of arguments'))).toBeNull();
    expect(refusalOf(new Error('OOM'))).toBeNull();
  });
});
