import { declarationOf } from '../../src/index.js';
import type { FeedMessage } from '../../src/runtime/reading/change-feed.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';
import { MemoryRedis } from '../../src/testing/memory/memory-redis.js';
import { type Checkpoint, checkpoint, rollBackTask } from '../../src/testing/simulation/rollback.js';
import { halves, plain, row, servedApp, type ServedApp, Writer } from '../serving/served-app.js';

/** Redis loses its last writes, and the ticks that were lost are made again: same numbers, other rows. */
describe('what a client holds of a history that was lost', () => {
  let redis: MemoryRedis;
  let served: ServedApp;
  let before: Checkpoint;
  const following: AbortController[] = [];
  beforeEach(async () => {
    redis = new MemoryRedis();
    served = await servedApp({ ports: memoryPorts(redis), limits: { unindexedRowsMax: 2 } });
    before = checkpoint(redis);
  });
  afterEach(async () => {
    for (const each of following.splice(0)) each.abort();
    await served.close();
  });

  /** Commits to a partition. */
  const writer = (view: object, history: string, partition = 0): Writer =>
    new Writer(served.ports, declarationOf(view) as ViewDeclaration, 1, partition, history);
  const goBack = (task: string): void => rollBackTask(redis, before, task);
  const read = (view: string, etag?: string) =>
    served.app.inject({ url: `/views/${view}/rows`, headers: etag ? { 'if-none-match': etag } : {} });
  const etagOf = async (view: string): Promise<string> => String((await read(view)).headers['etag']);

  /** A client that keeps what it is told, and what it was told last. */
  const follow = (view: string, after: string | null, snapshot = false) => {
    const stop = new AbortController();
    following.push(stop);
    const kinds: FeedMessage['kind'][] = [];
    const keys = new Set<string>();
    const until = async (isEnough: () => boolean): Promise<void> => {
      while (!isEnough()) {
        const { value, done } = await messages.next();
        if (done) throw new Error(`It ended: ${kinds.join()}`);
        kinds.push(value.kind);
        if (value.kind === 'snapshot') {
          if (value.first) keys.clear();
          for (const { row } of value.rows) keys.add(String(row['id']));
        }
        if (value.kind === 'changes')
          for (const { before, after } of value.changes) {
            if (before) keys.delete(String(before['id']));
            if (after) keys.add(String(after['id']));
          }
      }
    };
    const messages = served.reading.feed.follow(view, { after, snapshot, signal: stop.signal });
    return { kinds, keys, until };
  };

  it('is no version of the rows that are there now', async () => {
    const lost = writer(plain, 'lost');
    await lost.put([row('a')]);
    await lost.put([row('lost')]);
    const etag = await etagOf('plain');
    expect((await read('plain', etag)).statusCode).toBe(304);
    goBack('plain#1/0.0');
    const next = writer(plain, 'next');
    await next.put([row('a')]);
    await next.put([row('b')]);
    const reply = await read('plain', etag);
    expect(reply.statusCode).toBe(200);
    expect(reply.json().map(({ id }: { id: string }) => id)).toEqual(['a', 'b']);
    expect((await read('plain', await etagOf('plain'))).statusCode).toBe(304);
  });

  it.each([
    ['at the same tick', 2],
    ['some ticks further', 4],
    ['behind it', 1],
  ])('is resynchronised by who comes back with it, where the view stands %s', async (_name, ticks) => {
    const lost = writer(plain, 'lost');
    await lost.put([row('a')]);
    await served.ports.views.subscribe({ view: 'plain', generation: 1, stage: 0, partition: 0 }, 60_000);
    await lost.put([row('lost')]);
    const id = JSON.parse(await etagOf('plain')) as string;
    goBack('plain#1/0.0');
    const next = writer(plain, 'next');
    for (let tick = 0; tick < ticks; tick++) await next.put([row(`next ${tick}`)]);
    const client = follow('plain', id);
    await client.until(() => client.kinds.includes('ready'));
    expect(client.kinds).toEqual(['resync', 'ready']);
    const known = follow('plain', JSON.parse(await etagOf('plain')) as string);
    await known.until(() => known.kinds.includes('ready'));
    expect(known.kinds).toEqual(['ready']);
  });

  it('is told apart by each partition', async () => {
    await writer(halves, 'kept').put([{ id: 'x', total: 1 }]);
    await writer(halves, 'lost', 1).put([{ id: 'lost', total: 2 }]);
    const etag = await etagOf('halves');
    goBack('halves#1/0.1');
    await writer(halves, 'next', 1).put([{ id: 'y', total: 3 }]);
    expect((await read('halves', etag)).statusCode).toBe(200);
    const client = follow('halves', JSON.parse(etag) as string);
    await client.until(() => client.kinds.includes('ready'));
    expect(client.kinds).toEqual(['resync', 'ready']);
  });

  it('is taken back from who follows: the next thing it hears is resync', async () => {
    const lost = writer(plain, 'lost');
    await lost.put([row('a')]);
    const client = follow('plain', null, true);
    await client.until(() => client.kinds.includes('ready'));
    await lost.put([row('lost')]);
    await client.until(() => client.kinds.includes('changes'));
    goBack('plain#1/0.0');
    const next = writer(plain, 'next');
    await next.put([row('a')]);
    await next.put([row('b')]);
    await client.until(() => client.keys.has('b'));
    expect(client.kinds).toEqual(['snapshot', 'ready', 'changes', 'resync', 'snapshot']);
    expect(client.keys).toEqual(new Set(['a', 'b']));
  });

  it.each([
    ['and stays behind what was read', 1],
    ['and then takes up the same ticks', 3],
  ])('is no part of a snapshot during which it was lost, %s', async (_name, ticks) => {
    const lost = writer(plain, 'lost');
    await lost.put([row('a'), row('c'), row('d')]);
    await lost.put([row('e')]);
    await lost.put([row('lost')]);
    const next = writer(plain, 'next');
    const scan = served.ports.views.scan.bind(served.ports.views);
    const lastBucket = (declarationOf(plain) as ViewDeclaration).buckets - 1;
    let isToGoBack = true;
    served.ports.views.scan = async (...given) => {
      const read = await scan(...given);
      if (isToGoBack && read!.rows.some(({ key }) => key.includes('lost'))) {
        isToGoBack = false;
        goBack('plain#1/0.0');
        await served.ports.views.subscribe(given[0], 60_000);
        await next.put([row('a'), row('c'), row('d')]);
      } else if (!isToGoBack && given[1] === lastBucket)
        for (let tick = 1; tick < ticks; tick++) await next.put([row(`next ${tick}`)]);
      return read;
    };
    const client = follow('plain', null, true);
    await client.until(() => client.kinds.includes('ready'));
    expect(client.keys).not.toContain('lost');
    expect(client.kinds).toContain('resync');
  });
});
