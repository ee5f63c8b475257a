import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defaultImportLimits } from '../../src/cli/import-watch.js';
import { defaultJobLimits } from '../../src/jobs/rebuild-queue.js';
import { connectionLimits } from '../../src/redis/connection-limits.js';
import { entryLimits } from '../../src/runtime/decode-entry.js';
import { encodeLimits } from '../../src/runtime/encode-record.js';
import { defaultLimits } from '../../src/runtime/limits.js';
import { defaultReadingLimits } from '../../src/runtime/reading/reading-limits.js';
import { appendLimits } from '../../src/serving/append-parts.js';
import { defaultServingLimits } from '../../src/serving/serving-limits.js';
import { describeSettings } from '../../src/settings.js';
import { pages, readPage, root } from './pages.js';

describe('the README', () => {
  it('lists the settings that there are, with their defaults and meanings', () => {
    const rows = describeSettings().map(
      ({ name, default: initial, meaning }) =>
        `| \`${name}\` | ${initial && `\`${initial}\``} | ${meaning} |`,
    );
    const shown = readPage('README.md')
      .text.split('\n')
      .filter((line) => /^\| `[A-Z_]+`/.test(line))
      // The formatter pads the cells of a table.
      .map((line) => line.replace(/ +\|/g, ' |').replace(/\| +/g, '| '));
    expect(shown).toEqual(rows.map((row) => row.replace(/ +\|/g, ' |').replace(/\| +/g, '| ')));
  });
});

describe('docs/operating.md', () => {
  const servingOnly = Object.fromEntries(
    Object.entries(defaultServingLimits).filter(([name]) => !Object.hasOwn(defaultReadingLimits, name)),
  );

  it.each([
    ['The runtime', defaultLimits],
    ['Reading', defaultReadingLimits],
    ['HTTP', servingOnly],
    ['Rebuild jobs', defaultJobLimits],
    ['View modules', defaultImportLimits],
    ['Appending', { ...encodeLimits, ...appendLimits }],
    ['Connections', connectionLimits],
    ['Entries', entryLimits],
  ])('lists the limits of %j with their defaults', (heading, limits) => {
    const section = readPage('docs/operating.md').text.split(`\n### ${heading}\n`)[1]!.split('\n### ')[0]!;
    const listed = [...section.matchAll(/^\| `(\w+)` +\| ([^|]*?) +\|/gm)].map(
      ([, name, value]) => `${name} ${value}`,
    );
    expect(listed).toEqual(
      Object.entries(limits).map(([name, value]) => `${name} ${limitText(name, value as number | null)}`),
    );
  });
});

describe('docs/operating.md, of what is not to be set,', () => {
  // Of numbers and texts themselves, not of what is done with them.
  const FACTS = new Set(['BYTES_OF_UNIT_MAX', 'DIGITS_MAX']);

  it('lists each limit that has a name where it is used, with its value', () => {
    const named = ['runtime', 'redis', 'jobs'].flatMap((folder) =>
      readdirSync(join(root, 'src', folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .flatMap((file) => {
          const text = readFileSync(join(root, 'src', folder, file), 'utf8');
          const found = text.matchAll(
            /^(?:export )?const ([A-Z][A-Z0-9_]*_(?:MAX|MS|MIN|ONCE)) = ([^;]+);/gm,
          );
          return [...found].map(([, name, value]) => ({
            name: name!,
            value: value!,
            file: `${folder}/${file}`,
          }));
        }),
    );
    const text = readPage('docs/operating.md').text.split('\n### Not to be set\n')[1]!;
    const listed = [...text.matchAll(/^\| `(\w+)` +\| `?([^|`]*?)`? +\| `([^`]+)` +\| \S/gm)].map(
      ([, name, value, file]) => `${name} ${value} ${file}`,
    );
    expect(listed.sort()).toEqual(
      named
        .filter(({ name }) => !FACTS.has(name))
        .map(
          ({ name, value, file }) =>
            `${name} ${value.replace(/^[\d_]+$/, (digits) => digits.replaceAll('_', ','))} ${file}`,
        )
        .sort(),
    );
    expect(listed.length).toBeGreaterThan(50);
  });
});

/** A limit as people read it: `6 s`, `4 MiB`, `1,000`. */
function limitText(name: string, value: number | null): string {
  if (value === null) return 'none';
  // Another number on every machine.
  if (name === 'cacheEntriesMax') return 'by the heap';
  if (name.includes('Ms')) {
    if (value % 3_600_000 === 0) return `${value / 3_600_000} h`;
    return value % 1_000 === 0 ? `${value / 1_000} s` : `${value} ms`;
  }
  return name.includes('Bytes') && value % 1_048_576 === 0
    ? `${value / 1_048_576} MiB`
    : value.toLocaleString('en');
}

describe('the documentation', () => {
  it('links to files that there are', () => {
    const broken = pages().flatMap(({ name, text }) =>
      [...text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !existsSync(join(root, dirname(name), target)))
        .map((target) => `${name}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('names test files that there are', () => {
    const missing = pages().flatMap(({ name, text }) =>
      [...text.matchAll(/`((?:test|src|bench|views|scripts)\/[\w./-]+)`/g)]
        .map(([, file]) => file!)
        .filter((file) => !existsSync(join(root, file)))
        .map((file) => `${name}: ${file}`),
    );
    expect(missing).toEqual([]);
  });
});
