import { Script } from '../../../src/redis/scripts/script.js';
import { describeWithRedis } from '../../support/redis-server.js';
import { contents, onServer } from './scripts.js';

const FIXED = ['{t}:task', '{t}:readers', '{t}:subscribed', '{t}:changes'];

describeWithRedis('commit.lua', () => {
  const { redis, server } = onServer();
  const script = new Script('commit');

  const clocks = '{"stream:s":{"s":5}}';
  const header = (
    changed: Partial<
      Record<
        'epoch' | 'nonce' | 'tick' | 'commit' | 'from' | 'to' | 'logged' | 'entry' | 'keep' | 'follows',
        string
      >
    > = {},
  ): string[] => {
    const {
      epoch = '1',
      nonce = 'owner',
      tick = '1',
      commit = 'c1',
      from = '{}',
      to = '{"a":1}',
      logged = '0',
      entry = '',
      keep = '0',
      follows = tick === '1' ? '' : `c${Number(tick) - 1}`,
    } = changed;
    return [
      epoch,
      nonce,
      tick,
      commit,
      from,
      to,
      '{}',
      '2',
      '0',
      '0',
      'abc',
      '{}',
      clocks,
      '7',
      logged,
      entry,
      keep,
      follows,
    ];
  };
  const commit = (head: string[], keys: string[] = [], ...changes: string[]): Promise<unknown[]> =>
    script.run(redis(), [...FIXED, ...keys], [...head, ...changes]);
  beforeEach(() => redis().hset('{t}:task', { owner: 'me', epoch: '1', nonce: 'owner', grants: '2' }));

  it('answers COMMITTED and has written state, positions and record', async () => {
    expect(
      await commit(
        header(),
        ['{t}:h', '{t}:z'],
        '5',
        'S',
        '4',
        'a',
        '1',
        'b',
        '2',
        '6',
        'Z',
        '4',
        '0',
        'm',
        '0',
        'n',
      ),
    ).toEqual(['COMMITTED']);
    expect(await redis().hgetall('{t}:h')).toEqual({ a: '1', b: '2' });
    expect(await redis().zrange('{t}:z', 0, -1, 'WITHSCORES')).toEqual(['m', '0', 'n', '0']);
    expect(await redis().hgetall('{t}:task')).toEqual({
      owner: 'me',
      epoch: '1',
      nonce: 'owner',
      grants: '0',
      tick: '1',
      commit: 'c1',
      positions: '{"a":1}',
      frontier: '{}',
      rows: '2',
      conflicts: '0',
      errors: '0',
      checksum: 'abc',
      extra: '{}',
      clocks,
      late: '7',
    });
    expect(
      await commit(
        header({ tick: '2', commit: 'c2', from: '{"a":1}' }),
        ['{t}:h', '{t}:z'],
        '5',
        'D',
        '1',
        'a',
        '6',
        'R',
        '2',
        'm',
        'n',
      ),
    ).toEqual(['COMMITTED']);
    expect(await redis().hgetall('{t}:h')).toEqual({ b: '2' });
    expect(await redis().exists('{t}:z')).toBe(0);
  });

  it('writes more values than one command takes', async () => {
    const values = Array.from({ length: 30_000 }, (_, index) => String(index));
    expect(await commit(header(), ['{t}:h'], '5', 'S', String(values.length), ...values)).toEqual([
      'COMMITTED',
    ]);
    expect(await redis().hlen('{t}:h')).toBe(15_000);
  });

  it('answers ALREADY to the same tick and nonce', async () => {
    await commit(header({ logged: '1', entry: 'e' }), ['{t}:h'], '5', 'S', '2', 'a', '1');
    const before = await contents(redis());
    expect(await commit(header({ logged: '1', entry: 'e' }), ['{t}:h'], '5', 'S', '2', 'a', '1')).toEqual([
      'ALREADY',
    ]);
    expect(await contents(redis())).toEqual(before);
  });

  it.each([
    ['another epoch', { epoch: '2' }],
    ['another nonce', { nonce: 'x' }],
  ])('answers FENCED to %s', async (_, changed) => {
    const before = await contents(redis());
    expect(await commit(header(changed), ['{t}:h'], '5', 'S', '2', 'a', '1')).toEqual(['FENCED', 'me', '1']);
    expect(await contents(redis())).toEqual(before);
  });

  it('answers FENCED where there is no task', async () => {
    await redis().flushall();
    expect(await commit(header())).toEqual(['FENCED', '', '0']);
  });

  it.each([
    ['a tick that is not later', { tick: '1', commit: 'c3', from: '{"a":1}', follows: 'c1' }],
    ['the same tick with another nonce', { tick: '1', commit: 'other' }],
    ['other positions', { tick: '2', commit: 'c2', from: '{"a":2}' }],
    ['another commit before it', { tick: '2', commit: 'c2', from: '{"a":1}', follows: 'made again' }],
  ])('answers DIVERGED to %s', async (_, changed) => {
    await commit(header());
    const before = await contents(redis());
    expect(await commit(header(changed), ['{t}:h'], '5', 'S', '2', 'a', '1')).toEqual(['DIVERGED', '1']);
    expect(await contents(redis())).toEqual(before);
  });

  it('answers WANTS_CHANGELOG while there is a reader or a subscriber', async () => {
    await redis().hset('{t}:readers', 'dependent', '0');
    expect(await commit(header())).toEqual(['WANTS_CHANGELOG']);
    await redis().del('{t}:readers');
    await redis().set('{t}:subscribed', '1');
    expect(await commit(header())).toEqual(['WANTS_CHANGELOG']);
    expect(await commit(header({ logged: '1', entry: 'e' }))).toEqual(['COMMITTED']);
    expect(await redis().xrange('{t}:changes', '-', '+')).toEqual([['1-0', ['c', 'e']]]);
  });

  it.each([
    ['task', '{t}:task', []],
    ['changelog', '{t}:changes', []],
    ['hash', '{t}:h', ['5', 'S', '2', 'a', '1']],
    ['hash to delete from', '{t}:h', ['5', 'D', '1', 'a']],
    ['sorted set', '{t}:h', ['5', 'Z', '2', '0', 'a']],
    ['sorted set to delete from', '{t}:h', ['5', 'R', '1', 'a']],
  ])('answers WRONG_TYPE for a %s that is something else, and changes nothing', async (_, key, changes) => {
    await redis().set(key, 'a string');
    const before = await contents(redis());
    expect(
      await commit(
        header({ logged: '1', entry: 'e' }),
        ['{t}:h', '{t}:other'],
        '6',
        'S',
        '2',
        'a',
        '1',
        ...changes,
      ),
    ).toEqual(['WRONG_TYPE', key, 'string']);
    expect(await contents(redis())).toEqual(before);
  });

  it.each([
    ['a key that was not given', ['9', 'S', '2', 'a', '1']],
    ['an unknown operation', ['5', 'Q', '2', 'a', '1']],
    ['an entry without its text', ['5', 'X', '2', '1-0', '0-0']],
    ['an odd number of values', ['5', 'S', '3', 'a', '1', 'b']],
    ['no values', ['5', 'S', '0']],
    ['values that are cut off', ['5', 'S', '4', 'a', '1']],
    ['a header of a change that is cut off', ['5', 'S']],
  ])('answers MALFORMED to %s, and changes nothing', async (_, changes) => {
    const before = await contents(redis());
    const [tag] = await commit(
      header({ logged: '1', entry: 'e' }),
      ['{t}:h'],
      '5',
      'S',
      '2',
      'a',
      '1',
      ...changes,
    );
    expect(tag).toBe('MALFORMED');
    expect(await contents(redis())).toEqual(before);
  });

  it('answers MALFORMED where the id of the changelog entry does not rise, and changes nothing', async () => {
    await redis().xadd('{t}:changes', '7-0', 'c', 'x');
    const before = await contents(redis());
    const [tag, what] = await commit(header({ logged: '1', entry: 'e' }), ['{t}:h'], '5', 'S', '2', 'a', '1');
    expect(tag).toBe('MALFORMED');
    expect(what).toMatch(/equal or smaller/);
    expect(await contents(redis())).toEqual(before);
  });

  it('answers BROKE_OFF once a commit broke off half way, and changes nothing any more', async () => {
    await commit(header(), ['{t}:h'], '5', 'S', '2', 'a', '1');
    const less = server().client();
    await less.call('ACL', 'SETUSER', 'less', 'on', '>p', '~*', '&*', '+@all', '-zadd');
    await less.auth('less', 'p');
    const next = header({ tick: '2', commit: 'c2', from: '{"a":1}', to: '{"a":2}' });
    const changes = [...['5', 'S', '2', 'a', '2'], ...['6', 'Z', '2', '0', 'm']];
    await expect(script.run(less, [...FIXED, '{t}:h', '{t}:z'], [...next, ...changes])).rejects.toThrow(
      /zadd|NOPERM|can't run/i,
    );
    // A write remains, as Redis takes nothing back.
    expect(await redis().hget('{t}:h', 'a')).toBe('2');
    const before = await contents(redis());
    expect(await commit(next, ['{t}:h', '{t}:z'], ...changes)).toEqual(['BROKE_OFF']);
    expect(await contents(redis())).toEqual(before);
  });

  it('adds entries to streams, and keeps those from an id on', async () => {
    for (let tick = 1; tick <= 300; tick++)
      await commit(
        header({ tick: String(tick), commit: `c${tick}`, from: tick === 1 ? '{}' : '{"a":1}' }),
        ['{t}:out'],
        ...['5', 'X', '3', `${tick}-0`, `${Math.max(0, tick - 2)}-0`, `text ${tick}`],
      );
    const entries = await redis().xrange('{t}:out', '-', '+');
    expect(entries.at(-1)).toEqual(['300-0', ['c', 'text 300']]);
    expect(entries.length).toBeGreaterThanOrEqual(3);
    expect(entries.length).toBeLessThan(250);
  });

  it('answers MALFORMED where the id of an entry does not rise, and changes nothing', async () => {
    await redis().xadd('{t}:out', '7-0', 'c', 'x');
    const before = await contents(redis());
    const entry = ['5', 'X', '3', '1-0', '0-0', 'text'];
    expect((await commit(header(), ['{t}:out', '{t}:h'], ...entry, '6', 'S', '2', 'a', '1'))[0]).toBe(
      'MALFORMED',
    );
    expect(await contents(redis())).toEqual(before);
  });

  it('is refused as a whole where Redis is full', async () => {
    const small = server().client();
    await small.config('SET', 'maxmemory', '1');
    try {
      await expect(commit(header(), ['{t}:h'], '5', 'S', '2', 'a', '1')).rejects.toThrow(/^OOM/);
    } finally {
      await small.config('SET', 'maxmemory', '0');
    }
    expect(await redis().exists('{t}:h')).toBe(0);
    expect(await redis().hget('{t}:task', 'tick')).toBeNull();
  });

  it('is loaded again where the server does not know it', async () => {
    await redis().script('FLUSH');
    expect(await commit(header())).toEqual(['COMMITTED']);
  });
});
