import { StillwaterError } from '../../../src/errors/stillwater-error.js';
import { isIncomplete } from '../../../src/runtime/ports/source-log.js';
import { MemoryObjectStore } from '../../../src/testing/memory/memory-object-store.js';
import { Random } from '../../../src/testing/random.js';
import { ArchiveRun } from './archive-run.js';

const byPosition = (heartbeats: Map<string, number>) => [...heartbeats].sort();

describe('a log whose beginning is archived', () => {
  it('is read from its first entry to its last, as if nothing had been taken out', async () => {
    const run = new ArchiveRun();
    const process = run.process();
    run.append(23);
    await run.takeOut(process, run.positionAt(19));
    expect(run.redis.stream('orders').entries.length).toBe(4);
    const { entries } = await run.readAll(process, () => 4);
    expect(entries).toEqual(run.whole);
  });

  it.each(Array.from({ length: 40 }, (_, seed) => [seed]))(
    'gives the same entries and heartbeats however it is cut, trimmed and interrupted (seed %i)',
    async (seed) => {
      const random = new Random(seed);
      const run = new ArchiveRun();
      run.limits.archiveEntriesMax = random.of([2, 5, 50]);
      run.limits.archiveAgeMs = random.of([0, 50]);
      const processes = [run.process(), run.process()];
      for (let round = 0; round < 12; round++) {
        run.append(random.below(20));
        if (random.chance(0.5)) await run.beat(random.below(1_000) + run.clock.ms);
        const process = random.of(processes);
        // A process may end between what it archives and what it trims, and another goes on.
        const to = run.positionAt(random.below(run.whole.length + 1) - 1);
        if (to !== '0-0') await run.takeOut(process, to, random.chance(0.6));
        const from = random.below(run.whole.length + 1) - 1;
        const position = run.positionAt(from);
        const read = await run.readAll(random.of(processes), () => 1 + random.below(7), position);
        expect(read.entries).toEqual(run.whole.slice(from + 1));
        expect(byPosition(read.heartbeats)).toEqual(byPosition(run.heartbeatsFrom(position)));
        const [end] = await random.of(processes).reader.ends(['orders']);
        expect(end!.length + (end!.archived?.entries ?? 0)).toBe(run.whole.length);
      }
    },
  );

  it('is the same where two processes archive at once', async () => {
    const run = new ArchiveRun();
    const [one, other] = [run.process(), run.process()];
    run.append(30);
    await Promise.all([
      run.takeOut(one, run.positionAt(25)),
      run.takeOut(other, run.positionAt(13)),
      run.takeOut(other, run.positionAt(28)),
    ]);
    expect((await run.readAll(one, () => 3)).entries).toEqual(run.whole);
  });

  it('begins with the first entry also where another archives and trims between a look at the archive and the read that follows', async () => {
    const run = new ArchiveRun();
    const [one, other] = [run.process(), run.process()];
    run.append(30);
    const read = one.log.read.bind(one.log);
    one.log.read = async (request) => {
      one.log.read = read;
      await run.takeOut(other, run.positionAt(8));
      return read(request);
    };
    await run.takeOut(one, run.positionAt(20));
    expect((await run.readAll(other, () => 3)).entries).toEqual(run.whole);
    const [end] = await other.reader.ends(['orders']);
    expect(end!.archived).toMatchObject({ whole: true });
    expect(isIncomplete(end!)).toBe(false);
  });

  it('has no gap where another archives and trims before each of the reads that follow a look at the archive', async () => {
    const run = new ArchiveRun();
    const [one, other] = [run.process(), run.process()];
    run.append(30);
    const read = one.log.read.bind(one.log);
    let reads = 0;
    one.log.read = async (request) => {
      if (++reads <= 3) await run.takeOut(other, run.positionAt(6 * reads));
      return read(request);
    };
    await run.takeOut(one, run.positionAt(25));
    expect(reads).toBeGreaterThan(3);
    expect(run.warned).toEqual([]);
    expect((await run.readAll(other, () => 3)).entries).toEqual(run.whole);
  });

  it('is read from its first entry also where another archives and trims between a look at the log and one at the archive', async () => {
    const run = new ArchiveRun();
    const [one, other] = [run.process(), run.process()];
    run.append(30);
    await run.takeOut(one, run.positionAt(8));
    const read = other.log.read.bind(other.log);
    let reads = 0;
    other.log.read = async (request) => {
      // The second is of where the archive ends, as it was found.
      if (++reads === 2) await run.takeOut(one, run.positionAt(20));
      return read(request);
    };
    expect((await run.readAll(other, () => 3)).entries).toEqual(run.whole);
    expect(reads).toBeGreaterThan(2);
  });

  it('is read on by a process that looked at the archive before the last segment was made', async () => {
    const run = new ArchiveRun();
    const [one, other] = [run.process(), run.process()];
    run.append(12);
    await run.takeOut(one, run.positionAt(6));
    await run.readAll(other, () => 100);
    await run.takeOut(one, run.positionAt(11));
    const read = await run.read(other.reader, run.positionAt(2));
    expect(read).toMatchObject({ status: 'read', archived: true });
    expect((await run.readAll(other, () => 2, run.positionAt(6))).entries).toEqual(run.whole.slice(7));
  });

  it('keeps what is young in Redis, and waits until a segment is worth its file', async () => {
    const run = new ArchiveRun();
    Object.assign(run.limits, { archiveAgeMs: 1_000, archiveMs: 500 });
    const process = run.process();
    run.append(4);
    await run.takeOut(process, run.positionAt(3));
    expect(run.redis.stream('orders').entries.length).toBe(4);
    run.clock.ms += 2_000;
    // Three are fewer than five, and just now seen.
    await run.takeOut(process, run.positionAt(2));
    run.clock.ms += 400;
    await run.takeOut(process, run.positionAt(2));
    expect(run.redis.stream('orders').entries.length).toBe(2);
  });

  it('is trimmed no further than it is archived where the archive fails', async () => {
    const store = new MemoryObjectStore();
    const run = new ArchiveRun(store);
    const process = run.process();
    run.append(20);
    store.put = () => Promise.reject(new Error('no space left on device'));
    await expect(run.takeOut(process, run.positionAt(15))).rejects.toThrow('no space');
    expect(run.redis.stream('orders').entries.length).toBe(20);
  });
});

describe('an archive in which something is wrong', () => {
  const archived = async () => {
    const store = new MemoryObjectStore();
    const run = new ArchiveRun(store);
    const process = run.process();
    run.append(22);
    await run.takeOut(process, run.positionAt(20));
    return { store, run };
  };
  const nameOf = (store: MemoryObjectStore, order: number): string =>
    [...store.objects.keys()].sort()[order]!;

  it('is not believed where a byte of a file was changed, and the file is named', async () => {
    const { store, run } = await archived();
    const name = nameOf(store, 1);
    const content = Uint8Array.from(store.objects.get(name)!);
    content[40]! ^= 1;
    store.objects.set(name, content);
    const { reader } = run.process();
    await expect(run.readAll(run.process(), () => 100)).rejects.toMatchObject({
      code: 'archive-damaged',
      message: expect.stringContaining(name) as string,
    });
    // The others are as good as before.
    expect((await run.read(reader, '0-0')).status).toBe('read');
  });

  it('is not believed where a file was cut short, or holds another stream', async () => {
    const { store, run } = await archived();
    const name = nameOf(store, 0);
    store.objects.set(name, store.objects.get(name)!.slice(0, 30));
    await expect(run.read(run.process().reader, '0-0')).rejects.toMatchObject({ code: 'archive-damaged' });
  });

  it('does not hide how far the log goes where it cannot be reached', async () => {
    const { store, run } = await archived();
    store.list = () =>
      Promise.reject(new StillwaterError('archive-unreachable', { what: 'It is not mounted.' }));
    const { reader } = run.process();
    const [end] = await reader.ends(['orders']);
    expect(end).toMatchObject({ length: 2, entriesAdded: 22 });
    expect(end!.archived!.unreadable).toEqual({ code: 'archive-unreachable', message: 'It is not mounted.' });
    await expect(run.read(reader, '0-0')).rejects.toMatchObject({ code: 'archive-unreachable' });
    // Who needs nothing of it does not ask for it.
    expect(await run.read(reader, run.positionAt(20))).toMatchObject({ status: 'read' });
  });

  it('does not read past a file that is missing, and says that the beginning is gone', async () => {
    const { store, run } = await archived();
    store.objects.delete(nameOf(store, 1));
    const { reader } = run.process();
    expect(await run.read(reader, run.positionAt(5))).toMatchObject({ status: 'lost', cause: 'trimmed' });
    const [end] = await reader.ends(['orders']);
    expect(isIncomplete(end!)).toBe(true);
    expect(end!.archived).toMatchObject({ whole: false });
    // What is left can be read, by who wants no more.
    const { entries } = await run.readAll(run.process(), () => 100);
    expect(entries).toEqual(run.whole.slice(-entries.length));
  });

  it('goes on behind a gap where somebody else trimmed the stream, and says so', async () => {
    const { run } = await archived();
    run.append(10);
    run.redis.stream('orders').trim(run.positionAt(26), 1_000);
    const process = run.process();
    expect(isIncomplete((await process.reader.ends(['orders']))[0]!)).toBe(true);
    expect(await run.read(process.reader, run.positionAt(20))).toMatchObject({ status: 'lost' });
    run.append(10);
    await run.takeOut(process, run.positionAt(38));
    expect(run.warned.join('\n')).toMatch(/lost entries that were not archived/);
    expect((await run.readAll(process, () => 3)).entries).toEqual(run.whole.slice(26));
    expect(isIncomplete((await process.reader.ends(['orders']))[0]!)).toBe(true);
  });

  it('is looked for once, and said to have a gap once, while too little is behind that for a segment', async () => {
    const { store, run } = await archived();
    run.append(10);
    run.redis.stream('orders').trim(run.positionAt(26), 1_000);
    run.limits.archiveMs = 1e9;
    const { archiver, reader } = run.process();
    const list = store.list.bind(store);
    let lists = 0;
    store.list = (folder) => {
      lists++;
      return list(folder);
    };
    await reader.ends(['orders']);
    const looked = lists;
    for (let round = 0; round < 3; round++) await reader.ends(['orders']);
    expect(lists).toBe(looked);
    for (let round = 0; round < 3; round++)
      await archiver.archive('orders', run.positionAt(28), run.clock.ms);
    expect(run.warned).toHaveLength(1);
  });

  it('is not mixed with a stream that was made anew', async () => {
    const { run } = await archived();
    run.redis.streams.delete('orders');
    run.append(3);
    const process = run.process();
    await expect(run.takeOut(process, run.positionAt(23))).rejects.toMatchObject({ code: 'archive-ahead' });
    expect((await run.readAll(process, () => 100)).entries).toEqual(run.whole.slice(-3));
  });

  it('says of a stream that was trimmed before there was an archive that its beginning is missing', async () => {
    const run = new ArchiveRun();
    run.append(20);
    run.redis.stream('orders').trim(run.positionAt(4), 1_000);
    const process = run.process();
    await run.takeOut(process, run.positionAt(15));
    const [end] = await process.reader.ends(['orders']);
    expect(end!.archived).toMatchObject({ whole: false, entries: 11, first: run.positionAt(4) });
    expect(isIncomplete(end!)).toBe(true);
    expect((await run.readAll(process, () => 3)).entries).toEqual(run.whole.slice(4));
  });
});
