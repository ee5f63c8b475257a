import { Script } from '../../../src/redis/scripts/script.js';
import { describeWithRedis } from '../../support/redis-server.js';
import { onServer } from './scripts.js';

describeWithRedis('append.lua', () => {
  const { redis } = onServer();
  const append = (keys: string[], ...args: string[]): Promise<[string, ...string[]]> =>
    new Script('append').run(redis(), keys, args);

  it('answers APPENDED with the ids', async () => {
    const [tag, ids] = await append(['s'], '1000', 'd', '2', 'a', '1', '4', 'a', '2', 'b', '3');
    expect(tag).toBe('APPENDED');
    const entries = await redis().xrange('s', '-', '+');
    expect(entries).toEqual([
      [ids!.split(' ')[0], ['a', '1']],
      [ids!.split(' ')[1], ['a', '2', 'b', '3']],
    ]);
  });

  it('answers REPEATED with the ids of the first time, as long as it remembers', async () => {
    const [, ids] = await append(['s', '{s}:k'], '1000', 'd', '2', 'a', '1');
    expect(await append(['s', '{s}:k'], '1000', 'd', '2', 'a', '1')).toEqual(['REPEATED', ids]);
    expect(await redis().pttl('{s}:k')).toBeGreaterThan(0);
    expect(await redis().xlen('s')).toBe(1);
    await redis().del('{s}:k');
    expect((await append(['s', '{s}:k'], '1000', 'd', '2', 'a', '1'))[0]).toBe('APPENDED');
  });

  it('answers REUSED to a key that had appended other entries, and appends nothing', async () => {
    await append(['s', '{s}:k'], '1000', 'd', '2', 'a', '1');
    expect(await append(['s', '{s}:k'], '1000', 'e', '2', 'a', '2')).toEqual(['REUSED']);
    expect(await redis().xlen('s')).toBe(1);
  });

  it('remembers a key that comes without entries, and takes them when they come', async () => {
    expect(await append(['s', '{s}:k'], '1000', 'd')).toEqual(['APPENDED', '']);
    expect(await append(['s', '{s}:k'], '1000', 'd')).toEqual(['REPEATED', '']);
    expect(await append(['s', '{s}:k'], '1000', 'e', '2', 'a', '1')).toEqual(['REUSED']);
    expect(await redis().exists('s')).toBe(0);
    const [tag, ids] = await append(['s', '{s}:k'], '1000', 'd', '2', 'a', '1');
    expect(tag).toBe('APPENDED');
    expect(await append(['s', '{s}:k'], '1000', 'd', '2', 'a', '1')).toEqual(['REPEATED', ids]);
  });

  it('answers WRONG_TYPE for stream and memory', async () => {
    await redis().hset('h', 'a', '1');
    expect(await append(['h'], '1000', 'd', '2', 'a', '1')).toEqual(['WRONG_TYPE', 'h', 'hash']);
    expect(await append(['s', 'h'], '1000', 'd', '2', 'a', '1')).toEqual(['WRONG_TYPE', 'h', 'hash']);
    expect(await redis().exists('s')).toBe(0);
  });

  it('answers REFUSED where no further id can be given', async () => {
    await redis().xadd('s', '18446744073709551615-18446744073709551615', 'a', '1');
    expect((await append(['s', '{s}:k'], '1000', 'd', '2', 'a', '1'))[0]).toBe('REFUSED');
    expect(await redis().exists('{s}:k')).toBe(0);
  });

  it.each([
    ['an odd number of values', ['3', 'a', '1', 'b']],
    ['an entry without values', ['0']],
    ['an entry that is cut off', ['4', 'a', '1']],
    ['too many fields', ['7002', ...Array.from({ length: 7_002 }, () => 'x')]],
  ])('answers MALFORMED to %s, and appends nothing', async (_, args) => {
    expect((await append(['s'], '1000', 'd', '2', 'a', '1', ...args))[0]).toBe('MALFORMED');
    expect(await redis().exists('s')).toBe(0);
  });
});
