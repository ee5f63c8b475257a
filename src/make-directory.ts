import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory, and those it lies in, where they are not there yet: each once, and what refuses one ends it. Node's own
 * way to do this repeats itself for ever where a file system answers, as `/proc` does, that a directory within one that
 * is there has nothing to lie in.
 */
export async function makeDirectory(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await isDirectory(at)) && at !== dirname(at); at = dirname(at))
    missing.unshift(at);
  for (const each of missing)
    try {
      await mkdir(each);
    } catch (thrown) {
      // Another process may have made it meanwhile.
      if (!(await isDirectory(each))) throw thrown;
    }
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
