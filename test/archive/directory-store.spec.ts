import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryStore } from '../../src/archive/directory-store.js';
import type { ObjectStore } from '../../src/runtime/ports/object-store.js';
import { MemoryObjectStore } from '../../src/testing/memory/memory-object-store.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stillwater-archive-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe.each([
  ['memory', async (): Promise<ObjectStore> => new MemoryObjectStore()],
  ['a directory', (): Promise<ObjectStore> => opened(join(directory, 'archive'))],
])('an object store in %s', (_, open) => {
  const bytes = (text: string): Uint8Array => Buffer.from(text);
  const textOf = (content: Uint8Array | null): string | null => content && Buffer.from(content).toString();

  it('gives back what was put, and nothing where nothing was', async () => {
    const store = await open();
    await store.put('orders/1', bytes('one'));
    await store.put('orders/2', bytes('two'));
    await store.put('orders/1', bytes('one'));
    expect(textOf(await store.get('orders/1'))).toBe('one');
    expect(await store.get('orders/3')).toBeNull();
    expect((await store.list('orders')).sort()).toEqual(['orders/1', 'orders/2']);
    expect(await store.list('sales')).toEqual([]);
  });

  it('forgets what was removed, also where it was not there', async () => {
    const store = await open();
    await store.put('orders/1', bytes('one'));
    await store.remove('orders/1');
    await store.remove('orders/1');
    expect(await store.list('orders')).toEqual([]);
  });
});

const opened = async (path: string): Promise<DirectoryStore> => {
  const store = new DirectoryStore(path);
  await store.begin();
  return store;
};

describe('an archive in a directory', () => {
  it('is there for the next process', async () => {
    await (await opened(directory)).put('orders/1', Buffer.from('one'));
    expect(await (await opened(directory)).list('orders')).toEqual(['orders/1']);
  });

  it.each(['/proc/stillwater', '/dev/null/archive'])(
    'is refused at once where none can be made: %s',
    async (place) => {
      await expect(opened(place)).rejects.toMatchObject({ code: 'archive-unreachable' });
    },
  );

  it('does not show what a process that ended had not finished', async () => {
    const store = await opened(directory);
    await store.put('orders/1', Buffer.from('one'));
    writeFileSync(join(directory, 'orders', '2.tmp'), 'half');
    expect(await store.list('orders')).toEqual(['orders/1']);
    expect(readdirSync(join(directory, 'orders')).sort()).toEqual(['1', '2.tmp']);
  });

  it('is no empty archive where it is not mounted', async () => {
    const path = join(directory, 'mounted');
    const store = await opened(path);
    await store.put('orders/1', Buffer.from('one'));
    renameSync(path, join(directory, 'elsewhere'));
    for (const use of [
      store.list('orders'),
      store.list('sales'),
      store.get('orders/1'),
      store.put('orders/2', Buffer.from('two')),
    ])
      await expect(use).rejects.toMatchObject({ code: 'archive-unreachable' });
    renameSync(join(directory, 'elsewhere'), path);
    expect(await store.list('orders')).toEqual(['orders/1']);
  });

  it('is no archive before it is begun, though it is empty: nothing may be mounted there', async () => {
    const store = new DirectoryStore(directory);
    await expect(store.list('orders')).rejects.toMatchObject({ code: 'archive-unreachable' });
    await expect(store.put('orders/1', Buffer.from('one'))).rejects.toMatchObject({
      code: 'archive-unreachable',
    });
    await store.begin();
    expect(await store.list('orders')).toEqual([]);
  });

  it('says so at once where it cannot be made', async () => {
    writeFileSync(join(directory, 'file'), '');
    await expect(opened(join(directory, 'file', 'archive'))).rejects.toMatchObject({
      code: 'archive-unreachable',
    });
  });
});
