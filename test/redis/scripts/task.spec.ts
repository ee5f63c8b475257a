import { Script } from '../../../src/redis/scripts/script.js';
import { describeWithRedis } from '../../support/redis-server.js';
import { contents, onServer } from './scripts.js';

const TASK = '{t}:task';

describeWithRedis('claim.lua', () => {
  const { redis } = onServer();
  const script = new Script('claim');
  const claim = (
    owner: string,
    epoch: string,
    nonce = 'n',
    definition = '',
    shape = '',
  ): Promise<unknown[]> => script.run(redis(), [TASK], [owner, epoch, nonce, definition, shape]);

  it('answers CLAIMED, without a record before the first commit', async () => {
    expect(await claim('a', '0')).toEqual([
      'CLAIMED',
      1,
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      null,
    ]);
    expect(await redis().hgetall(TASK)).toEqual({ owner: 'a', epoch: '1', nonce: 'n', grants: '1' });
  });

  it('answers CLAIMED with the grants, the attempt that was left, and the record', async () => {
    await redis().hset(TASK, {
      owner: 'a',
      epoch: '4',
      nonce: 'n',
      grants: '2',
      attempt: '{"tick":10}',
      parkedTick: '9',
      tick: '9',
      positions: '{}',
      frontier: '{"a":"1-0"}',
      rows: '1',
      conflicts: '2',
      errors: '3',
      checksum: 'c',
      extra: '[]',
      clocks: '{}\n{}',
      late: '7',
      commit: 'n9',
    });
    expect(await claim('b', '4', 'm')).toEqual([
      'CLAIMED',
      3,
      '{"tick":10}',
      null,
      null,
      '9',
      '9',
      '{}',
      '{"a":"1-0"}',
      '1',
      '2',
      '3',
      'c',
      '[]',
      '{}\n{}',
      '7',
      'n9',
    ]);
    expect(await redis().hmget(TASK, 'owner', 'epoch', 'nonce')).toEqual(['b', '5', 'm']);
  });

  it('keeps the first definition that is said with its shape, and answers both', async () => {
    expect((await claim('a', '0')).slice(3, 5)).toEqual([null, null]);
    expect((await claim('a', '1', 'n', 'first', 'one')).slice(3, 5)).toEqual(['first', 'one']);
    expect((await claim('a', '2', 'n', 'second', 'two')).slice(3, 5)).toEqual(['first', 'one']);
    expect(await redis().hmget(TASK, 'definition', 'shape')).toEqual(['first', 'one']);
  });

  it('is told the shape later of a definition that was said without', async () => {
    await redis().hset(TASK, 'definition', 'first');
    expect((await claim('a', '0', 'n', 'second', 'two')).slice(3, 5)).toEqual(['first', null]);
    expect((await claim('a', '1', 'n', 'first', 'one')).slice(3, 5)).toEqual(['first', 'one']);
  });

  it('answers TAKEN where the epoch is another one', async () => {
    await claim('a', '0');
    const before = await contents(redis());
    expect(await claim('b', '0')).toEqual(['TAKEN', '1']);
    expect(await contents(redis())).toEqual(before);
  });

  it('answers PARKED where the task waits for a person', async () => {
    await redis().hset(TASK, 'parked', '{}');
    expect(await claim('a', '0')).toEqual(['PARKED']);
  });

  it('answers WRONG_TYPE where the key holds something else', async () => {
    await redis().set(TASK, 'x');
    expect(await claim('a', '0')).toEqual(['WRONG_TYPE', TASK, 'string']);
  });

  it('runs where Redis is full', async () => {
    await redis().config('SET', 'maxmemory', '1');
    try {
      expect((await claim('a', '0'))[0]).toBe('CLAIMED');
    } finally {
      await redis().config('SET', 'maxmemory', '0');
    }
  });
});

describeWithRedis('release.lua', () => {
  const { redis } = onServer();
  const release = (epoch: string, nonce: string): Promise<unknown[]> =>
    new Script('release').run(redis(), [TASK], [epoch, nonce]);
  beforeEach(() =>
    redis().hset(TASK, { owner: 'a', epoch: '3', nonce: 'n', grants: '2', attempt: '{}', tick: '1' }),
  );

  it('answers RELEASED and keeps the epoch', async () => {
    expect(await release('3', 'n')).toEqual(['RELEASED']);
    expect(await redis().hgetall(TASK)).toEqual({ epoch: '3', tick: '1' });
  });

  it('answers FENCED to another token', async () => {
    expect(await release('3', 'x')).toEqual(['FENCED', 'a', '3']);
    expect(await release('2', 'n')).toEqual(['FENCED', 'a', '3']);
    expect(await redis().hget(TASK, 'owner')).toBe('a');
  });
});

describeWithRedis('unlink.lua', () => {
  const { redis } = onServer();
  const unlink = (epoch: string, nonce: string, ...keys: string[]): Promise<unknown[]> =>
    new Script('unlink').run(redis(), [TASK, ...keys], [epoch, nonce]);
  beforeEach(async () => {
    await redis().hset(TASK, { owner: 'a', epoch: '3', nonce: 'n' });
    await redis().mset('{t}:a', '1', '{t}:b', '2');
  });

  it('answers UNLINKED, and how many there were', async () => {
    expect(await unlink('3', 'n', '{t}:a', '{t}:none')).toEqual(['UNLINKED', 1]);
    expect(await redis().exists(TASK, '{t}:a', '{t}:b')).toBe(2);
    expect(await unlink('3', 'n', '{t}:b', TASK)).toEqual(['UNLINKED', 2]);
    expect(await redis().dbsize()).toBe(0);
  });

  it('answers FENCED to another token, and where the task is gone', async () => {
    expect(await unlink('3', 'x', '{t}:a')).toEqual(['FENCED', 'a', '3']);
    expect(await unlink('2', 'n', '{t}:a')).toEqual(['FENCED', 'a', '3']);
    await redis().del(TASK);
    expect(await unlink('3', 'n', '{t}:a')).toEqual(['FENCED', '', '0']);
    expect(await redis().exists('{t}:a', '{t}:b')).toBe(2);
  });

  it('answers an error of type WRONGTYPE', async () => {
    await redis().set(TASK, 'x');
    await expect(unlink('3', 'n', '{t}:a')).rejects.toThrow(/WRONGTYPE/);
  });

  it('runs where Redis is full', async () => {
    await redis().config('SET', 'maxmemory', '1');
    try {
      expect(await unlink('3', 'n', '{t}:a')).toEqual(['UNLINKED', 1]);
    } finally {
      await redis().config('SET', 'maxmemory', '0');
    }
  });
});

describeWithRedis('park.lua', () => {
  const { redis } = onServer();
  const park = (epoch: string, nonce: string, reason: string): Promise<unknown[]> =>
    new Script('park').run(redis(), [TASK], [epoch, nonce, reason]);
  beforeEach(() => redis().hset(TASK, { owner: 'a', epoch: '3', nonce: 'n' }));

  it('answers PARKED', async () => {
    expect(await park('3', 'n', '{"code":"x"}')).toEqual(['PARKED']);
    const [parked, since, tick] = await redis().hmget(TASK, 'parked', 'parkedSince', 'parkedTick');
    expect(JSON.parse(parked!)).toEqual({ code: 'x', at: Number(since) });
    expect(Math.abs(Number(since) - Date.now())).toBeLessThan(60_000);
    expect(tick).toBe('0');
  });

  it('remembers since when nothing comes of a task', async () => {
    await redis().hset(TASK, { tick: '9', parkedSince: '5', parkedTick: '9' });
    await park('3', 'n', '{"code":"x"}');
    expect(JSON.parse((await redis().hget(TASK, 'parked'))!)).toMatchObject({ since: 5 });
    await redis().hset(TASK, 'tick', '10');
    await park('3', 'n', '{"code":"x"}');
    expect(JSON.parse((await redis().hget(TASK, 'parked'))!)).not.toHaveProperty('since');
  });

  it('answers UNPARKED', async () => {
    await park('3', 'n', '{"code":"x"}');
    expect(await park('3', 'n', '')).toEqual(['UNPARKED']);
    expect(await redis().hmget(TASK, 'parked', 'parkedSince', 'parkedTick')).toEqual([null, null, null]);
  });

  it('answers FENCED to another token', async () => {
    expect(await park('3', 'x', 'y')).toEqual(['FENCED', 'a', '3']);
    expect(await redis().hexists(TASK, 'parked')).toBe(0);
  });
});

describeWithRedis('attempt.lua', () => {
  const { redis } = onServer();
  const attempt = (epoch: string, nonce: string, text: string): Promise<unknown[]> =>
    new Script('attempt').run(redis(), [TASK], [epoch, nonce, text]);
  beforeEach(() => redis().hset(TASK, { owner: 'a', epoch: '3', nonce: 'n', grants: '3' }));

  it('answers NOTED, and keeps the attempt until it is taken back, and with it the count of grants', async () => {
    expect(await attempt('3', 'n', '{"tick":1}')).toEqual(['NOTED']);
    expect(await redis().hmget(TASK, 'attempt', 'grants')).toEqual(['{"tick":1}', '3']);
    expect(await attempt('3', 'n', '')).toEqual(['NOTED']);
    expect(await redis().hmget(TASK, 'attempt', 'grants')).toEqual([null, null]);
  });

  it('answers FENCED to another token', async () => {
    expect(await attempt('3', 'x', '{}')).toEqual(['FENCED', 'a', '3']);
    expect(await redis().hexists(TASK, 'attempt')).toBe(0);
  });
});
