import { z } from 'zod';
import { instant, stream, table } from '../../../src/index.js';
import { Merging } from '../../../src/runtime/archive/merging.js';
import type { RecordSource } from '../../../src/runtime/placement.js';
import { firstReadable, type RawEntry } from '../../../src/runtime/ports/source-log.js';
import { BEGINNING } from '../../../src/runtime/position.js';
import { MemoryObjectStore } from '../../../src/testing/memory/memory-object-store.js';
import { Random } from '../../../src/testing/random.js';
import { ArchiveRun } from './archive-run.js';

const orders: RecordSource = stream('orders', { schema: z.object({ n: z.int() }) }).declaration;
const shops: RecordSource = table('orders', {
  schema: z.object({ shop: z.string(), city: z.string() }),
  key: 'shop',
}).declaration;
const prices: RecordSource = table('orders', {
  schema: z.object({ shop: z.string(), city: z.string(), at: instant() }),
  key: 'shop',
  eventTime: 'at',
}).declaration;

const merge = (run: ArchiveRun, source: RecordSource) => {
  const { archive } = run.process();
  const merging = new Merging(archive, run.limits);
  return () =>
    merging.merge({
      redisKey: 'orders',
      source,
      partition: 0,
      first: run.redis.stream('orders').entries[0]![0],
    });
};

/** The rows that records leave, by key; a record of several is one entry. */
function rowsOf(entries: readonly RawEntry[]): Map<string, string> {
  const rows = new Map<string, string>();
  for (const [, fields] of entries) {
    const text = fields[fields.indexOf('data') + 1] ?? '';
    if (fields.includes('batch'))
      for (const { shop, city } of JSON.parse(fields[1]!) as Record<string, string>[]) rows.set(shop!, city!);
    else if (!text.startsWith('{')) continue;
    else if (fields.includes('delete')) rows.delete((JSON.parse(text) as Record<string, string>)['shop']!);
    else {
      const { shop, city } = JSON.parse(text) as Record<string, string>;
      rows.set(shop!, city!);
    }
  }
  return rows;
}

describe('merging segments of an archive', () => {
  it('leaves fewer objects and the same entries, and removes what it replaced a round later', async () => {
    const store = new MemoryObjectStore();
    const run = new ArchiveRun(store);
    run.limits.archiveEntriesMax = 2;
    const process = run.process();
    run.append(50);
    await run.takeOut(process, run.positionAt(45));
    expect(store.objects.size).toBe(23);
    run.limits.archiveEntriesMax = 100;
    const round = merge(run, orders);
    await round();
    expect(store.objects.size).toBe(24);
    expect((await run.readAll(run.process(), () => 3)).entries).toEqual(run.whole);
    for (let more = 0; more < 5; more++) await round();
    expect(store.objects.size).toBeLessThan(10);
    for (let from = -1; from < run.whole.length; from += 3)
      expect((await run.readAll(run.process(), () => 4, run.positionAt(from))).entries).toEqual(
        run.whole.slice(from + 1),
      );
  });

  it('makes no object larger than a segment may be', async () => {
    const store = new MemoryObjectStore();
    const run = new ArchiveRun(store);
    run.append(60);
    await run.takeOut(run.process(), run.positionAt(55));
    const before = store.objects.size;
    const round = merge(run, orders);
    await round();
    await round();
    expect(store.objects.size).toBe(before);
  });

  it('keeps all records where they say since when they hold', async () => {
    const run = new ArchiveRun();
    run.limits.archiveEntriesMax = 2;
    run.append(40);
    await run.takeOut(run.process(), run.positionAt(38));
    run.limits.archiveEntriesMax = 100;
    await merge(run, prices)();
    expect((await run.readAll(run.process(), () => 50)).entries).toEqual(run.whole);
  });

  it.each([
    ['was trimmed before it was archived', 4],
    ['is in a file that is missing', 3],
  ])(
    'keeps the first record where what came before %s: who began with it has lost nothing',
    async (_, first) => {
      const store = new MemoryObjectStore();
      const run = new ArchiveRun(store);
      run.limits.archiveEntriesMax = 3;
      const log = run.redis.stream('orders');
      for (let count = 0; count < 60; count++) {
        const id = log.nextId((run.clock.ms += 5));
        const fields = ['data', JSON.stringify({ shop: `s${count % 3}`, city: `c${count}` })];
        log.add(id, fields);
        run.whole.push([id, fields]);
      }
      if (first === 4) log.trim(run.positionAt(4), 1_000);
      const process = run.process();
      await run.takeOut(process, run.positionAt(55));
      if (first === 3) {
        const [missing] = [...store.objects.keys()].filter((name) => name.includes(`/${BEGINNING}_`));
        await store.remove(missing!);
      }
      const readable = async (): Promise<unknown> =>
        firstReadable((await run.process().reader.ends(['orders']))[0]!);
      expect(await readable()).toBe(run.positionAt(first));
      const round = merge(run, shops);
      for (let more = 0; more < 5; more++) await round();
      expect(await readable()).toBe(run.positionAt(first));
      const left = (await run.readAll(run.process(), () => 100)).entries;
      expect(left.length).toBeLessThan(30);
      for (let at = first; at < 60; at++) {
        const rest = (await run.readAll(run.process(), () => 4, run.positionAt(at))).entries;
        expect(rowsOf([...run.whole.slice(0, at + 1), ...rest])).toEqual(rowsOf(run.whole));
      }
    },
  );

  it.each(Array.from({ length: 30 }, (_, seed) => [seed]))(
    'leaves a table the rows that its whole log leaves, to a replay that stands anywhere (seed %i)',
    async (seed) => {
      const random = new Random(seed);
      const store = new MemoryObjectStore();
      const run = new ArchiveRun(store);
      run.limits.archiveEntriesMax = 3;
      const process = run.process();
      const log = run.redis.stream('orders');
      const shop = (): string => `s${random.below(6)}`;
      const append = (): void => {
        const record = (): object => ({ shop: shop(), city: `c${run.whole.length}` });
        const fields = random.of([
          () => ['data', JSON.stringify(record())],
          () => ['op', 'delete', 'data', JSON.stringify({ shop: shop() })],
          () => ['batch', JSON.stringify([record(), record()])],
          () => ['data', 'no record'],
        ])();
        const id = log.nextId((run.clock.ms += 5));
        log.add(id, fields);
        run.whole.push([id, fields]);
      };
      for (let count = 0; count < 80; count++) append();
      // Replays that are under way while it is merged.
      const replays = Array.from({ length: 6 }, () => ({ read: [] as RawEntry[], at: '0-0' }));
      const round = merge(run, shops);
      for (let step = 0; step < 25; step++) {
        if (step < 5) await run.takeOut(process, run.positionAt(15 * (step + 1)));
        if (random.chance(0.6)) await round();
        for (const replay of replays) {
          if (random.chance(0.5)) continue;
          const read = await run.read(process.reader, replay.at, 1 + random.below(9));
          if (read.status === 'lost') throw new Error(read.cause);
          replay.read.push(...read.entries);
          replay.at = read.entries.at(-1)?.[0] ?? replay.at;
        }
      }
      const wanted = rowsOf(run.whole);
      for (const replay of [...replays, { read: [], at: '0-0' }]) {
        const rest = (await run.readAll(process, () => 1 + random.below(9), replay.at)).entries;
        expect(rowsOf([...replay.read, ...rest])).toEqual(wanted);
      }
      const left = (await run.readAll(process, () => 100)).entries;
      expect(left.length).toBeLessThan(run.whole.length);
      // What cannot be read is an error of every view that reads it, also after it was archived.
      const unread = (entries: readonly RawEntry[]) =>
        entries.filter(([, fields]) => fields[1] === 'no record');
      expect(unread(left)).toEqual(unread(run.whole));
    },
  );
});
