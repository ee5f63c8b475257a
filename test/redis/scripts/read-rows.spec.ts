import { Script } from '../../../src/redis/scripts/script.js';
import { describeWithRedis } from '../../support/redis-server.js';
import { onServer } from './scripts.js';

describeWithRedis('read-rows.lua', () => {
  const { redis } = onServer();
  const read = (keys: string[], ...args: string[]): Promise<unknown[]> =>
    new Script('read-rows').run(redis(), keys, args);
  const RECORD = ['3', '{}', '{}', '2', '0', '0', 'c', '{}', '{"a":{}}', '7', 'n3'];
  const NONE = Array.from({ length: 11 }, () => null);
  beforeEach(async () => {
    await redis().hset('{t}:task', {
      tick: '3',
      positions: '{}',
      frontier: '{}',
      rows: '2',
      conflicts: '0',
      errors: '0',
      checksum: 'c',
      extra: '{}',
      clocks: '{"a":{}}',
      late: '7',
      commit: 'n3',
    });
    await redis().hset('{t}:b0', { a: 'A', hidden: '\nside' });
    await redis().hset('{t}:b1', { b: 'B\nside\nothers', 'n\u0000l': 'N' });
  });

  it('answers ROWS for keys, in their order, nil where no row is shown', async () => {
    expect(
      await read(['{t}:task', '{t}:none', '{t}:b1', '{t}:b0'], 'keys', '2', 'b', 'none', '2', 'a', 'hidden'),
    ).toEqual(['ROWS', RECORD, ['B', null, 'A', null]]);
    expect(await read(['{t}:none'], 'keys')).toEqual(['ROWS', NONE, []]);
  });

  it('answers ROWS for keys of which some lie in blocks, that with the greatest first key up to theirs', async () => {
    await redis().zadd('{t}:blocks', 0, 'k2', 0, 'k5', 0, 'elsewhere');
    await redis().hset('{t}:b1', { k1: 'one', k2: '\u00012\nk2\ntwo\nk4\nfour', k5: '\u00011\nk5\nfive' });
    const keys = ['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'e', 'f', 'k', 'two'];
    const found = ['one', 'two', null, 'four', 'five', null, null, null, null, null];
    expect(await read(['{t}:task', '{t}:blocks', '{t}:b1'], 'keys', String(keys.length), ...keys)).toEqual([
      'ROWS',
      RECORD,
      found,
    ]);
  });

  it('answers ROWS for more keys than one command takes', async () => {
    const keys = Array.from({ length: 16_000 }, (_, index) => `x${index}`);
    const [, , found] = await read(
      ['{t}:task', '{t}:none', '{t}:b0'],
      'keys',
      String(keys.length + 1),
      ...keys,
      'a',
    );
    expect((found as unknown[]).length).toBe(keys.length + 1);
    expect((found as unknown[]).at(-1)).toBe('A');
  });

  it('answers ROWS for buckets', async () => {
    expect(await read(['{t}:task', '{t}:b0'], 'buckets')).toEqual(['ROWS', RECORD, ['a', 'A']]);
    expect(await read(['{t}:task', '{t}:none'], 'buckets')).toEqual(['ROWS', RECORD, []]);
  });

  it('answers ROWS for a scan, with where to go on, until all was there', async () => {
    expect(await read(['{t}:task', '{t}:b0'], 'scan', '0', '10')).toEqual([
      'ROWS',
      RECORD,
      ['a', 'A'],
      ['0'],
    ]);
    const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`k${n}`, `{"n":${n}}\nside`]));
    await redis().hset('{t}:large', many);
    const seen = new Map<string, string>();
    let cursor = '0';
    do {
      const [, record, found, [next]] = (await read(['{t}:task', '{t}:large'], 'scan', cursor, '100')) as [
        string,
        unknown,
        string[],
        [string],
      ];
      expect([record, found.length < 400]).toEqual([RECORD, true]);
      for (let at = 0; at < found.length; at += 2) seen.set(found[at]!, found[at + 1]!);
      cursor = next;
    } while (cursor !== '0');
    expect(Object.fromEntries(seen)).toEqual(
      Object.fromEntries(Object.keys(many).map((key, n) => [key, `{"n":${n}}`])),
    );
  });

  it('answers ROWS with members for an index, either way round', async () => {
    const members = ['1\u00000\u0000a', '2\u00001\u0000b', '3\u00001\u0000n\u00010l', '4\u00000\u0000hidden'];
    await redis().zadd('{t}:i', ...members.flatMap((member) => ['0', member]));
    const keys = ['{t}:task', '{t}:i', '{t}:b0', '{t}:b1'];
    expect(await read(keys, 'index', '0', '-', '+', '10')).toEqual([
      'ROWS',
      RECORD,
      ['a', 'A', 'b', 'B', 'n\u0000l', 'N'],
      members.slice(0, 3),
    ]);
    expect(await read(keys, 'index', '1', '+', '-', '2')).toEqual([
      'ROWS',
      RECORD,
      ['n\u0000l', 'N'],
      [members[2]],
    ]);
  });

  it('answers WRONG_TYPE', async () => {
    await redis().set('{t}:s', 'x');
    expect(await read(['{t}:task', '{t}:s'], 'buckets')).toEqual(['WRONG_TYPE', '{t}:s', 'string']);
    expect(await read(['{t}:s', '{t}:b0'], 'buckets')).toEqual(['WRONG_TYPE', '{t}:s', 'string']);
    expect(await read(['{t}:task', '{t}:b0', '{t}:b0'], 'index', '0', '-', '+', '1')).toEqual([
      'WRONG_TYPE',
      '{t}:b0',
      'hash',
    ]);
  });

  it('answers MALFORMED', async () => {
    expect((await read(['{t}:task', '{t}:none', '{t}:b0'], 'keys', '2', 'a'))[0]).toBe('MALFORMED');
    expect((await read(['{t}:task'], 'what'))[0]).toBe('MALFORMED');
    expect((await read(['{t}:task'], 'scan', '0', '1'))[0]).toBe('MALFORMED');
    await redis().zadd('{t}:i', '0', 'no bucket');
    expect((await read(['{t}:task', '{t}:i', '{t}:b0'], 'index', '0', '-', '+', '1'))[0]).toBe('MALFORMED');
    await redis().zadd('{t}:j', '0', '1\u00007\u0000a');
    expect((await read(['{t}:task', '{t}:j', '{t}:b0'], 'index', '0', '-', '+', '1'))[0]).toBe('MALFORMED');
  });
});
