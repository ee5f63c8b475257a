import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { count, stream, view } from 'stillwater';
import { z } from 'zod';
import { discoverViews } from '../../src/view/discover.js';

const flights = stream('flights', { schema: z.object({ origin: z.string() }) });
const byOrigin = view('by-origin', { from: flights.groupBy('origin').aggregate({ flights: count() }) });
const total = view('total', { from: flights.groupBy().aggregate({ flights: count() }) });

describe('discovery', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'views-'));
    await mkdir(join(directory, 'deeper'));
    for (const file of ['b.ts', 'a.js', 'deeper/c.mts', 'types.d.ts', 'b.spec.ts', 'notes.md'])
      await writeFile(join(directory, file), '');
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('imports the modules of a folder in order and gives what they export, each once', async () => {
    const exported: Record<string, object> = {
      'a.js': { flights, helper: () => 1, text: 'x' },
      'b.ts': { default: [byOrigin, flights] },
      'deeper/c.mts': { all: { total, byOrigin } },
    };
    const imported: string[] = [];
    const found = await discoverViews(directory, async (file) => {
      imported.push(relative(directory, file));
      return exported[relative(directory, file)];
    });
    expect(imported).toEqual(['a.js', 'b.ts', 'deeper/c.mts']);
    expect(found.declarations.map((declaration) => declaration.name)).toEqual([
      'flights',
      'by-origin',
      'total',
    ]);
    expect(found.errors).toEqual([]);
  });

  it('tells of a module that cannot be imported and goes on with the others', async () => {
    const found = await discoverViews(directory, async (file) => {
      if (file.endsWith('a.js')) throw new SyntaxError('Unexpected token');
      return { byOrigin };
    });
    expect(found.declarations.map((declaration) => declaration.name)).toEqual(['by-origin']);
    expect(found.errors.map((error) => error.message)).toEqual([
      expect.stringMatching(/a\.js could not be imported\.\n {2}Unexpected token/),
    ]);
  });

  it('says which folder cannot be read', async () => {
    await expect(discoverViews(join(directory, 'nowhere'), async () => ({}))).rejects.toMatchObject({
      code: 'no-views-directory',
    });
  });
});
