import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = ['src', 'test/support', 'test/faults', 'test/hazards', 'test/redis'];

let made: Promise<string> | null = null;

/**
 * A program of the tests as JavaScript. Processes that are started again and again, as those that die on purpose, are there
 * in a fraction of the time that reading TypeScript takes. Made once for a test file, and gone with its process.
 */
export async function compiled(program: string): Promise<string> {
  made ??= compile();
  return join(await made, relative(ROOT, program).replace(/\.ts$/, '.js'));
}

async function compile(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'stillwater-compiled-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  const files = FOLDERS.flatMap((of) =>
    readdirSync(join(ROOT, of), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
  );
  for (const file of files) mkdirSync(join(folder, dirname(file)), { recursive: true });
  await Promise.all(
    files.map(async (file) => {
      if (!file.endsWith('.ts')) return cpSync(join(ROOT, file), join(folder, file));
      const { code } = await transformFile(join(ROOT, file), {
        configFile: false,
        swcrc: false,
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
      });
      writeFileSync(join(folder, file.replace(/\.ts$/, '.js')), code);
    }),
  );
  return folder;
}
