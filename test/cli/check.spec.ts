import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { stillwater } from './command-line.js';

const STREAMS = `
import { z } from 'zod';
import { stream } from 'stillwater';
export const orders = stream('orders', { schema: z.object({ customer: z.string(), amount: z.int() }) });
`;
const totals = (column: string): string => `
import { sum, view } from 'stillwater';
import { orders } from './orders.ts';
export const totals = view('totals', { from: orders.groupBy('customer').aggregate({ amount: sum('${column}' as 'amount') }) });
`;

describe('view modules', () => {
  let application: string;
  let directory: string;

  beforeEach(() => {
    application = mkdtempSync(join(tmpdir(), 'stillwater-application-'));
    symlinkSync(resolve('node_modules'), join(application, 'node_modules'));
    directory = join(application, 'views');
  });
  afterEach(() => rmSync(application, { recursive: true }));

  const write = (files: Record<string, string>): void => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
  };

  it('lists the views of a directory with what they read and their fingerprints', async () => {
    write({ 'orders.ts': STREAMS, 'totals.ts': totals('amount') });
    const [people, programs] = await Promise.all([
      stillwater(['check', directory]),
      stillwater(['check', directory, '--json']),
    ]);
    expect(people).toMatchObject({ code: 0, stderr: '' });
    expect(people.stdout).toContain('1 view, 1 stream and 0 tables in');
    expect(JSON.parse(programs.stdout)).toMatchObject({
      views: [
        {
          name: 'totals',
          key: ['customer'],
          sources: ['orders'],
          fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        },
      ],
      streams: ['orders'],
      tables: [],
    });
  });

  it('says everything that is wrong at once, modules that cannot be loaded included', async () => {
    write({
      'orders.ts': STREAMS,
      'totals.ts': totals('price'),
      'more/broken.ts': `import { nothing } from './absent.ts';\nexport const a = nothing;\n`,
      'more/again.ts': totals('cost')
        .replace('./orders.ts', '../orders.ts')
        .replace("'totals'", "'totals-again'"),
    });
    const [people, programs] = await Promise.all([
      stillwater(['check', directory]),
      stillwater(['check', directory, '--json']),
    ]);
    expect(people.code).toBe(1);
    for (const part of ['broken.ts', 'price', 'cost']) expect(people.stdout).toContain(part);
    expect(programs.code).toBe(1);
    expect(JSON.parse(programs.stdout).errors.length).toBeGreaterThanOrEqual(3);
  });

  it('a module that loops at its top level is named, with the place of the loop, and so is one that waits for ever', async () => {
    const env = { STILLWATER_LIMITS: 'importMsMax=4000' };
    write({ 'orders.ts': STREAMS, 'waiting.ts': 'await new Promise(() => {});\nexport {};\n' });
    const looping = join(application, 'looping');
    mkdirSync(looping);
    writeFileSync(join(looping, 'view.ts'), `import { one } from '../shared.ts';\nexport const a = one;\n`);
    writeFileSync(
      join(application, 'shared.ts'),
      `const spin = (): never => {\n  while (true) {}\n};\n\nexport const one = spin();\n`,
    );
    const [waits, loops] = await Promise.all([
      stillwater(['check', directory], { env }),
      stillwater(['check', looping, '--json'], { env }),
    ]);
    expect(waits.code).toBe(1);
    expect(waits.stdout).toMatch(
      /waiting\.ts could not be imported\.\n +it waits at its top level.* within 4000 ms \(importMsMax\)/,
    );
    expect(loops).toMatchObject({ code: 1, stderr: '' });
    expect(JSON.parse(loops.stdout)).toMatchObject({
      errors: [
        {
          code: 'import-failed',
          what: expect.stringMatching(/looping\/view\.ts could not be imported/),
          evidence: expect.stringMatching(
            /loops at its top level.* within 4000 ms \(importMsMax\)\n +at .*shared\.ts:\d/,
          ),
        },
      ],
    });
  });

  it('says that a limit cannot be read', async () => {
    const ended = await stillwater(['check', directory], { env: { STILLWATER_LIMITS: 'importMs=1' } });
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('"importMs" is not a limit') });
  });

  it('says that a directory is not there', async () => {
    const ended = await stillwater(['check', join(tmpdir(), 'no-such-views')]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('cannot be read');
  });

  it('are loaded anew when one is saved, shared modules once, and a mistake stops nothing', async () => {
    write({ 'orders.ts': STREAMS, 'totals.ts': totals('amount') });
    const script = join(application, 'watch.ts');
    writeFileSync(
      script,
      `import { watchViews } from ${JSON.stringify(resolve('src/cli/watch-views.ts'))};
       import { loadDeclarations } from ${JSON.stringify(resolve('src/cli/load-views.ts'))};
       const say = (outcome) => console.log(JSON.stringify(outcome instanceof Error ? { error: outcome.message } : outcome.map((d) => [d.kind, d.name, d.fingerprint ?? null])));
       say(await loadDeclarations(${JSON.stringify(directory)}, { fresh: true }));
       watchViews({ directory: ${JSON.stringify(directory)} }, say);
       setTimeout(() => process.exit(1), 20_000);`,
    );
    const child = spawn(process.execPath, [resolve('node_modules/jiti/lib/jiti-cli.mjs'), script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async (): Promise<any> => JSON.parse((await lines.next()).value as string);
      const first = await next();
      expect(first.map(([kind, name]: string[]) => [kind, name])).toEqual([
        ['stream', 'orders'],
        ['view', 'totals'],
      ]);
      await new Promise((settled) => setTimeout(settled, 300));
      write({ 'totals.ts': totals('price') });
      expect((await next()).error).toContain('price');
      write({
        'totals.ts': totals('amount').replace('.groupBy', '.where((order) => order.amount > 0).groupBy'),
      });
      const second = await next();
      expect(second.map(([, name]: string[]) => name)).toEqual(['orders', 'totals']);
      expect(second[1][2]).not.toBe(first[1][2]);
      // What a module reads is loaded anew too.
      write({ 'orders.ts': STREAMS.replace('z.int()', 'z.number()') });
      expect((await next())[1][2]).not.toBe(second[1][2]);
      // Editors that save by renaming put another file in the place of the watched one, every time.
      for (const least of [1, 2, 3]) {
        await new Promise((settled) => setTimeout(settled, 300));
        write({
          'saved.tmp': totals('amount').replace(
            '.groupBy',
            `.where((order) => order.amount > ${least}).groupBy`,
          ),
        });
        renameSync(join(directory, 'saved.tmp'), join(directory, 'totals.ts'));
        expect((await next()).map(([, name]: string[]) => name)).toEqual(['orders', 'totals']);
      }
    } finally {
      child.kill();
    }
  });
});
