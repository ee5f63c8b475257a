import { randomUUID } from 'node:crypto';
import { access, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { makeDirectory } from '../make-directory.js';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { ObjectStore } from '../runtime/ports/object-store.js';

/** Tells a directory that is an archive from one on which nothing is mounted. */
const MARK = 'stillwater-archive';
const UNFINISHED = '.tmp';

/** Objects as files of a directory. What `put` has stored outlives the machine's power. */
export class DirectoryStore extends ObjectStore {
  readonly directory: string;

  constructor(path: string) {
    super();
    this.directory = resolve(path);
  }

  /** Makes the directory an archive, if it is none yet. */
  override begin(): Promise<void> {
    return this.#reached(async () => {
      await makeDirectory(this.directory);
      const mark = join(this.directory, MARK);
      if (await exists(mark)) return;
      await writeFile(mark, 'What Stillwater has trimmed from streams. Every process needs the same one.\n');
      await sync(mark);
      await sync(this.directory);
    });
  }

  put(name: string, content: Uint8Array): Promise<void> {
    return this.#reached(async () => {
      const path = join(this.directory, name);
      const folder = dirname(path);
      await this.#expectMark();
      if ((await mkdir(folder, { recursive: true })) !== undefined) await sync(this.directory);
      const unfinished = join(folder, `${randomUUID()}${UNFINISHED}`);
      try {
        const file = await open(unfinished, 'wx');
        try {
          await file.writeFile(content);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(unfinished, path);
      } catch (thrown) {
        await rm(unfinished, { force: true }).catch(() => {});
        throw thrown;
      }
      await sync(folder);
    });
  }

  get(name: string): Promise<Uint8Array | null> {
    return this.#reached(
      async () => (await orAbsent(readFile(join(this.directory, name)))) ?? this.#absent(),
    );
  }

  list(folder: string): Promise<string[]> {
    return this.#reached(async () => {
      const names = (await orAbsent(readdir(join(this.directory, folder)))) ?? (await this.#absent()) ?? [];
      return names.filter((name) => !name.endsWith(UNFINISHED)).map((name) => `${folder}/${name}`);
    });
  }

  remove(name: string): Promise<void> {
    return this.#reached(() => rm(join(this.directory, name), { force: true }));
  }

  /** Nothing is there: in an archive that means that there is nothing. */
  async #absent(): Promise<null> {
    await this.#expectMark();
    return null;
  }

  async #expectMark(): Promise<void> {
    await access(join(this.directory, MARK));
  }

  async #reached<T>(use: () => Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (thrown) {
      throw new StillwaterError(
        'archive-unreachable',
        {
          what: 'The archive cannot be read or written.',
          evidence: `  directory  ${this.directory}\n  said       ${messageOf(thrown)}`,
          consequence:
            'Nothing is trimmed that is not archived; what needs the archive waits and tries again.',
          remedy: `Mount it, make room, or correct its permissions; no other action. If it is another directory than before copy what the former one holds, or to do without that make the file "${MARK}" in it.`,
        },
        { cause: thrown },
      );
    }
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function orAbsent<T>(of: Promise<T>): Promise<T | null> {
  try {
    return await of;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  }
}

/** What was written to a file, or the names in a directory, are on the disk afterwards. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
