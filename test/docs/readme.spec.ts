import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
