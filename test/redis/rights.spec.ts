import { readdirSync, readFileSync } from 'node:fs';
import { ourCommands } from '../../src/redis/rights.js';

const SCRIPTS = 'src/redis/scripts';

describe('the rights that are asked for', () => {
  it('have all commands of the scripts among them', () => {
    const called = readdirSync(SCRIPTS)
      .filter((name) => name.endsWith('.lua'))
      .flatMap((name) => [
        ...readFileSync(`${SCRIPTS}/${name}`, 'utf8').matchAll(/redis\.p?call\('(\w+)'(?:, '(\w+)')?/g),
      ])
      .map(([, command, within]) => [command!.toLowerCase(), `${command} ${within}`.toLowerCase()] as const);
    expect(called.length).toBeGreaterThan(20);
    const missing = called.filter((names) => !names.some((name) => ourCommands.includes(name)));
    expect(missing.map(([name]) => name)).toEqual([]);
  });
});
