import { checkRedis, readRedisFacts, type RedisFacts } from '../../src/redis/facts.js';
import { describeWithRedis } from '../support/redis-server.js';
import { onServer } from './scripts/scripts.js';

describeWithRedis('the facts of a Redis', () => {
  const { redis, server } = onServer();

  it('are read', async () => {
    const facts = await readRedisFacts(redis(), 'sw');
    expect(facts).toMatchObject({
      role: 'master',
      cluster: false,
      appendOnly: false,
      evictionPolicy: 'noeviction',
      maxMemoryBytes: 0,
      user: 'default',
      save: '',
    });
    expect(Number.parseInt(facts.version, 10)).toBeGreaterThanOrEqual(7);
    expect(facts.usedMemoryBytes).toBeGreaterThan(0);
    expect(Object.values(facts.rights).every((allowed) => allowed === true)).toBe(true);
    expect(() => checkRedis(facts)).not.toThrow();
  });

  it('are unknown where they may not be read, and unknown is not refused', async () => {
    await redis().call(
      'ACL',
      'SETUSER',
      'limited',
      'on',
      '>secret',
      '~*',
      '&*',
      '+@all',
      '-info',
      '-config',
      '-acl',
    );
    const limited = server().client({ username: 'limited', password: 'secret', enableReadyCheck: false });
    const facts = await readRedisFacts(limited, 'sw');
    expect(facts).toMatchObject({
      version: 'unknown',
      role: 'unknown',
      appendOnly: 'unknown',
      evictionPolicy: 'unknown',
      user: 'unknown',
      rights: 'unknown',
    });
    expect(() => checkRedis(facts)).not.toThrow();
  });

  it('say which commands the user may not run', async () => {
    await redis().call('ACL', 'SETUSER', 'reader', 'on', '>secret', '~*', '&*', '+@all', '-evalsha');
    const facts = await readRedisFacts(server().client({ username: 'reader', password: 'secret' }), 'sw');
    expect(facts.rights).toMatchObject({ evalsha: false, xrange: true });
  });

  it('are those on keys and channels of the prefix', async () => {
    await redis().call(
      'ACL',
      'SETUSER',
      'ours',
      'on',
      '>secret',
      '~app:*',
      'resetchannels',
      '&app:*',
      '+@all',
    );
    const ours = server().client({ username: 'ours', password: 'secret' });
    const { rights } = await readRedisFacts(ours, 'app');
    expect(Object.entries(rights).filter(([, may]) => !may)).toEqual([]);
    expect((await readRedisFacts(ours, 'sw')).rights).toMatchObject({
      hmget: false,
      publish: false,
      time: true,
    });
  });
});

describe('a Redis on which the promises cannot hold', () => {
  const facts: RedisFacts = {
    version: '7.2.0',
    role: 'master',
    cluster: false,
    appendOnly: true,
    appendFsync: 'everysec',
    save: '',
    evictionPolicy: 'noeviction',
    maxMemoryBytes: 0,
    usedMemoryBytes: 1,
    evictedKeys: 0,
    replicas: 0,
    user: 'default',
    rights: {},
  };

  it.each([
    ['is too old', { version: '6.2.14' }, 'redis-version'],
    ['may evict our keys', { evictionPolicy: 'allkeys-lru' }, 'redis-evicts'],
    ['is a replica', { role: 'slave' }, 'redis-replica'],
  ])('is refused where it %s', (_, changed, code) => {
    expect(() => checkRedis({ ...facts, ...changed })).toThrow(expect.objectContaining({ code }));
  });

  it.each(['noeviction', 'volatile-lru', 'volatile-ttl', 'unknown'])(
    'is not refused for its policy %s',
    (evictionPolicy) => {
      expect(() => checkRedis({ ...facts, version: '10.0.1', evictionPolicy })).not.toThrow();
    },
  );
});
