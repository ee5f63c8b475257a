import { existsSync, readFileSync } from 'node:fs';
import { Script } from '../../../src/redis/scripts/script.js';
import { describeWithRedis } from '../../support/redis-server.js';
import { onServer, scriptNames } from './scripts.js';

/** Revisions are times in ms. */
const TIME = /^[12]\d{12}$/;

describeWithRedis('renew.lua', () => {
  const { redis } = onServer();
  const renew = (id: string, lease: string, info = 'info'): Promise<[string, number, ...string[]]> =>
    new Script('renew').run(redis(), ['w'], [id, lease, info]);

  it('answers LIVE with the clock and who is alive, itself included', async () => {
    const [tag, now, ...live] = await renew('a', '60000', 'info of a');
    expect(tag).toBe('LIVE');
    expect(Math.abs(now - Date.now())).toBeLessThan(5_000);
    expect(live).toEqual(['a', 'info of a']);
    expect((await renew('b', '60000')).slice(2)).toEqual(['a', 'info of a', 'b', 'info']);
  });

  it('answers LIVE without renewing where the lease is 0', async () => {
    expect((await renew('', '0')).slice(2)).toEqual([]);
    expect(await redis().exists('w')).toBe(0);
  });

  it('forgets who is not alive any more, and what it cannot read', async () => {
    await redis().hset('w', { old: '1 info', odd: 'nothing' });
    expect((await renew('', '0')).slice(2)).toEqual([]);
    expect(await redis().exists('w')).toBe(0);
  });

  it('answers an error of type WRONGTYPE, having done nothing', async () => {
    await redis().set('w', 'x');
    await expect(renew('a', '1000')).rejects.toThrow(/WRONGTYPE/);
    expect(await redis().get('w')).toBe('x');
  });
});

describeWithRedis('known-workers.lua', () => {
  const { redis } = onServer();

  it('answers LIVE with all that said that they are alive, and writes nothing', async () => {
    await redis().hset('w', { old: '1 info of old', odd: 'nothing' });
    const [tag, now, ...known] = await new Script('known-workers').run(redis(), ['w'], []);
    expect([tag, ...known]).toEqual(['LIVE', 'old', 'info of old']);
    expect(Math.abs(now - Date.now())).toBeLessThan(5_000);
    expect(await redis().hlen('w')).toBe(2);
  });

  it('answers an error of type WRONGTYPE, having done nothing', async () => {
    await redis().set('w', 'x');
    await expect(new Script('known-workers').run(redis(), ['w'], [])).rejects.toThrow(/WRONGTYPE/);
  });
});

describeWithRedis('register.lua', () => {
  const { redis } = onServer();
  const register = (release: string): Promise<unknown[]> =>
    new Script('register').run(redis(), ['r'], [release]);

  it('answers NEW, then KNOWN', async () => {
    expect(await register('a')).toEqual(['NEW', 1]);
    expect(await register('b')).toEqual(['NEW', 2]);
    expect(await register('a')).toEqual(['KNOWN', 1]);
    expect(await redis().hgetall('r')).toEqual({
      release: '2',
      revision: expect.stringMatching(TIME),
      'release:a': '1',
      'release:b': '2',
    });
  });

  it('remembers of what was edited only the newest', async () => {
    for (const release of ['a', '~1', '~2', '~3']) await register(release);
    expect(await redis().hgetall('r')).toEqual({
      release: '4',
      revision: expect.stringMatching(TIME),
      'release:a': '1',
      'release:~3': '4',
    });
  });

  it('answers an error of type WRONGTYPE', async () => {
    await redis().set('r', 'x');
    await expect(register('a')).rejects.toThrow(/WRONGTYPE/);
  });
});

describeWithRedis('change-registry.lua', () => {
  const { redis } = onServer();
  const change = (...args: string[]): Promise<unknown[]> =>
    new Script('change-registry').run(redis(), ['r'], args);

  it('answers CHANGED', async () => {
    const [tag, first] = await change('0', '2', 'a', '1', 'b', '2');
    expect([tag, String(first)]).toEqual(['CHANGED', expect.stringMatching(TIME)]);
    const [, second] = await change(String(first), '1', 'a', '3', 'b', 'none');
    expect(second).toBeGreaterThan(first as number);
    expect(await redis().hgetall('r')).toEqual({ revision: String(second), a: '3' });
  });

  it('keeps the highest number that a view was given', async () => {
    const [, first] = await change('0', '2', 'generation:a#b#10', '{}', 'generation:a#b#9', '{}');
    await change(String(first), '0', 'generation:a#b#10', 'generation:a#b#9');
    expect(await redis().hgetall('r')).toEqual({ revision: expect.any(String), 'number:a#b': '10' });
  });

  it('answers OTHER_REVISION and does nothing', async () => {
    const [, revision] = await change('0', '1', 'a', '1');
    expect(await change('0', '1', 'a', '2')).toEqual(['OTHER_REVISION', revision]);
    expect(await redis().hget('r', 'a')).toBe('1');
  });

  it('answers an error of type WRONGTYPE', async () => {
    await redis().set('r', 'x');
    await expect(change('0', '0')).rejects.toThrow(/WRONGTYPE/);
  });
});

describe('every script', () => {
  it('says what it does, its keys, arguments and replies', () => {
    for (const name of scriptNames()) {
      const text = readFileSync(new URL(`../../../src/redis/scripts/${name}.lua`, import.meta.url), 'utf8');
      expect(text).toMatch(/^#!lua( flags=[a-z-,]+)?\n-- /);
      for (const part of ['-- KEYS', '-- ARGV', '-- Reply']) expect(text).toContain(part);
      expect(existsSync(new URL(`../../../src/redis/scripts/${name}.lua`, import.meta.url))).toBe(true);
    }
  });
});
