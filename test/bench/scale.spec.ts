import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithRedis } from '../support/redis-server.js';
import { program } from './program.js';

describeWithRedis('the benchmark of scale', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'stillwater-scale-spec-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test('says what it costs that rows move, against what is to be reached', async () => {
    const json = join(directory, 'figures.json');
    const { code, output } = await program(
      'scale/run.ts',
      '--quick',
      '--only',
      'scale-out',
      '--events',
      '1000',
      '--json',
      json,
    );
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    const { readings } = JSON.parse(readFileSync(json, 'utf8')).figures['scale-out'];
    const names = readings.map(({ name }: { name: string }) => name);
    expect(names).toContain('stay.2w.4p.ofOne');
    expect(names).toContain('moveTwice.1w.4p.overheadCost');
    expect(readings.find(({ name }: any) => name === 'move.1w.4p.overhead')).toMatchObject({
      unit: '×',
      target: { is: '≤', value: 2 },
      reached: expect.any(Boolean),
    });
  }, 240_000);

  test('refuses a figure that does not exist', async () => {
    const { code, output } = await program('scale/run.ts', '--only', 'scale-in');
    expect({ code, output }).toEqual({
      code: 2,
      output: expect.stringContaining('There is no figure scale-in.'),
    });
  });
});
