import { isRedisUrl, resolved, shownAddress } from '../../src/redis/redis-address.js';

describe('an address of Redis', () => {
  it('of one server is left as it is', () => {
    const url = 'rediss://user:password@host:6380/3';
    expect(resolved(url)).toBe(url);
    expect(resolved({ host: 'a' })).toEqual({ host: 'a' });
  });

  it('of a cluster names some of its nodes, and who asks', () => {
    expect(resolved('redis+cluster://me:p%40ss@a:7000,b,[::1]:7002')).toEqual({
      cluster: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 6379 },
        { host: '::1', port: 7002 },
      ],
      options: { redisOptions: { username: 'me', password: 'p@ss' } },
    });
  });

  it('of a cluster over TLS keeps the names, which its certificates hold', () => {
    const address = resolved('rediss+cluster://:secret@a:7000') as any;
    expect(address.options.redisOptions).toEqual({ password: 'secret', tls: {} });
    const found: unknown[] = [];
    address.options.dnsLookup('a', (...answer: unknown[]) => found.push(...answer));
    expect(found).toEqual([null, 'a']);
  });

  it('of sentinels names the master, its database, and the password of the sentinels', () => {
    expect(resolved('redis+sentinel://me:secret@a,b:5000/orders/2?sentinelPassword=other')).toEqual({
      sentinels: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 5_000 },
      ],
      name: 'orders',
      db: 2,
      username: 'me',
      password: 'secret',
      sentinelPassword: 'other',
    });
    expect(resolved('rediss+sentinel://a')).toEqual({
      sentinels: [{ host: 'a', port: 26_379 }],
      name: 'mymaster',
      tls: {},
      enableTLSForSentinelMode: true,
      sentinelTLS: {},
    });
  });

  it.each([
    ['redis://127.0.0.1:6379', true],
    ['rediss://user:password@host:6380/0', true],
    ['redis+cluster://a:1,b:2', true],
    ['redis+sentinel://a/master', true],
    ['redis+cluster://a:x', false],
    ['redis+cluster://a:1,,b', false],
    ['redis+other://a', false],
    ['redis+sentinel://a/master/2', true],
    ['redis://a/2?family=6', true],
    ['redis://a/', true],
    ['redis://a/two', false],
    ['redis+sentinel://a/master/two', false],
    ['redis://a:1,b:2', false],
    ['http://a', false],
    ['localhost:6379', false],
    ['', false],
  ])('%j: %s', (text, isOne) => {
    expect(isRedisUrl(text)).toBe(isOne);
  });

  it.each([
    ['redis://user:secret@host:6379/0', 'redis://user:***@host:6379/0'],
    ['redis://:secret@host', 'redis://:***@host'],
    ['redis+cluster://user:secret@a,b', 'redis+cluster://user:***@a,b'],
    ['redis+sentinel://a/m?sentinelPassword=secret', 'redis+sentinel://a/m?sentinelPassword=***'],
    ['redis://host:1', 'redis://host:1'],
    [{ host: 'a', port: 1, password: 'secret' }, 'a:1'],
    [{ sentinels: [{ host: 's', port: 2 }], name: 'm' }, 'the master m of s:2'],
    [{ cluster: [{ host: 'a', port: 1 }, 'redis://:secret@b:2'] }, 'the cluster of a:1, redis://:***@b:2'],
  ])('%j is shown without a password', (address, shown) => {
    expect(shownAddress(address)).toBe(shown);
  });
});
