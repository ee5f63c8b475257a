import { Script } from '../../../src/redis/scripts/script.js';
import { describeWithRedis } from '../../support/redis-server.js';
import { eventually } from '../../support/system.js';
import { contents, onServer } from './scripts.js';

const STREAM = 'flights';
const HEARTBEATS = 'sw:{flights}:heartbeats:flights';
const SILENCE = 'sw:{flights}:silence:flights';
const member = (ms: number, sequence: number, clock: number): string =>
  `${String(ms).padStart(20, '0')}-${String(sequence).padStart(20, '0')} ${clock}`;

describeWithRedis('heartbeat.lua', () => {
  const { redis } = onServer();
  const script = new Script('heartbeat');
  const heartbeat = (anchor: string, mode: string, clock: number | string): Promise<unknown[]> =>
    script.run(redis(), [STREAM, HEARTBEATS, SILENCE], [anchor, mode, String(clock)]);
  const recorded = (): Promise<string[]> => redis().zrange(HEARTBEATS, 0, -1);

  it('answers RECORDED, and keeps one for each anchor in the order of the ids', async () => {
    expect(await heartbeat('0-0', 'moving', -5)).toEqual(['RECORDED', '-5']);
    await redis().xadd(STREAM, '9-1', 'a', '1');
    expect(await heartbeat('9-1', 'moving', 100)).toEqual(['RECORDED', '100']);
    expect(await heartbeat('9-1', 'moving', 200)).toEqual(['RECORDED', '200']);
    await redis().xadd(STREAM, '10-0', 'a', '1');
    expect(await heartbeat('10-0', 'moving', 50)).toEqual(['RECORDED', '50']);
    expect(await recorded()).toEqual([member(0, 0, -5), member(9, 1, 200), member(10, 0, 50)]);
  });

  it('answers NOT_HIGHER where there is one as great, and changes nothing', async () => {
    await redis().xadd(STREAM, '9-1', 'a', '1');
    await heartbeat('9-1', 'moving', 100);
    const before = await contents(redis());
    expect(await heartbeat('9-1', 'moving', 100)).toEqual(['NOT_HIGHER', '100']);
    expect(await heartbeat('9-1', 'moving', 99)).toEqual(['NOT_HIGHER', '100']);
    expect(await contents(redis())).toEqual(before);
  });

  it('answers MOVED where the anchor is not the last id, or of another log, and changes nothing', async () => {
    await redis().xadd(STREAM, '9-1', 'a', '1');
    await redis().xadd(STREAM, '9-2', 'a', '1');
    const before = await contents(redis());
    for (const anchor of ['9-1', '9-3', '0-0'])
      expect(await heartbeat(anchor, 'moving', 100)).toEqual(['MOVED', '9-2']);
    expect(await heartbeat('9-1', 'silent', 100)).toEqual(['MOVED', '9-2']);
    expect(await contents(redis())).toEqual(before);
    await redis().del(STREAM);
    expect(await heartbeat('9-2', 'moving', 100)).toEqual(['MOVED', '0-0']);
  });

  it('takes the last id ever generated, where the last entries are gone', async () => {
    await redis().xadd(STREAM, '9-1', 'a', '1');
    await redis().xtrim(STREAM, 'MAXLEN', 0);
    expect(await heartbeat('9-1', 'moving', 100)).toEqual(['RECORDED', '100']);
  });

  it('answers SILENT when the silence begins; then the clock goes on as time passes, from where it stood', async () => {
    await redis().xadd(STREAM, '9-1', 'a', '1');
    expect(await heartbeat('9-1', 'silent', 1_000)).toEqual(['SILENT']);
    expect(await recorded()).toEqual([]);
    expect(await redis().get(SILENCE)).toMatch(/^9-1 \d{13} 1000$/);
    const since = Number((await redis().get(SILENCE))!.split(' ')[1]);
    await redis().set(SILENCE, `9-1 ${since - 60_000} 1000`);
    const [tag, clock] = await heartbeat('9-1', 'silent', 1_000);
    expect(tag).toBe('RECORDED');
    expect(Number(clock)).toBeGreaterThanOrEqual(61_000);
    expect(Number(clock)).toBeLessThan(121_000);
    // It goes on by itself: what was recorded is not counted twice.
    await eventually(async () => {
      const [again, later] = await heartbeat('9-1', 'silent', Number(clock));
      return again === 'RECORDED' && Number(later) > Number(clock) && Number(later) < 121_000;
    });
  });

  it('begins the silence anew after another entry, after others have moved, and where a clock is ahead of it', async () => {
    await redis().xadd(STREAM, '9-1', 'a', '1');
    await heartbeat('9-1', 'silent', 1_000);
    await redis().xadd(STREAM, '9-2', 'a', '1');
    expect(await heartbeat('9-2', 'silent', 2_000)).toEqual(['SILENT']);
    expect(await redis().get(SILENCE)).toMatch(/^9-2 \d{13} 2000$/);
    expect(await heartbeat('9-2', 'moving', 3_000)).toEqual(['RECORDED', '3000']);
    expect(await redis().exists(SILENCE)).toBe(0);
    expect(await heartbeat('9-2', 'silent', 3_000)).toEqual(['SILENT']);
    expect(await heartbeat('9-2', 'silent', 900_000)).toEqual(['SILENT']);
    expect(await redis().get(SILENCE)).toMatch(/^9-2 \d{13} 900000$/);
  });

  it('drops what is anchored behind the last entry: it is of a log that was there before', async () => {
    await redis().zadd(HEARTBEATS, 0, member(4, 0, 7), 0, member(90, 0, 7));
    await redis().xadd(STREAM, '9-1', 'a', '1');
    await heartbeat('9-1', 'moving', 100);
    expect(await recorded()).toEqual([member(4, 0, 7), member(9, 1, 100)]);
  });

  it.each([
    [STREAM, 'string'],
    [HEARTBEATS, 'string'],
  ])('answers WRONG_TYPE where %s holds a %s, and changes nothing', async (key, type) => {
    await redis().set(key, 'x');
    const before = await contents(redis());
    expect(await heartbeat('0-0', 'moving', 1)).toEqual(['WRONG_TYPE', key, type]);
    expect(await contents(redis())).toEqual(before);
  });

  it('answers WRONG_TYPE where the silence is no string', async () => {
    await redis().hset(SILENCE, 'a', '1');
    expect(await heartbeat('0-0', 'moving', 1)).toEqual(['WRONG_TYPE', SILENCE, 'hash']);
  });

  it('answers MALFORMED to what makes no sense, and changes nothing', async () => {
    const before = await contents(redis());
    for (const anchor of ['', '0', 'a-b', `${'1'.repeat(21)}-0`])
      expect(await heartbeat(anchor, 'moving', 1)).toEqual(['MALFORMED', 'the anchor is no id']);
    expect(await heartbeat('0-0', 'moving', 'soon')).toEqual(['MALFORMED', 'unknown mode or clock']);
    expect(await heartbeat('0-0', 'asleep', 1)).toEqual(['MALFORMED', 'unknown mode or clock']);
    expect(await contents(redis())).toEqual(before);
  });
});
