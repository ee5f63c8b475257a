import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeWithRedis } from '../support/redis-server.js';

const PROGRAM = fileURLToPath(new URL('../../bench/scale/run.ts', import.meta.url));

function scale(...options: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'jiti/register', PROGRAM, ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('exit', (code) => resolve({ code, output }));
  });
}

describeWithRedis('the benchmark of scale', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'stillwater-scale-spec-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test('says what it costs that rows move, against what is to be reached', async () => {
    const json = join(directory, 'figures.json');
    const { code, output } = await scale(
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
    const { code, output } = await scale('--only', 'scale-in');
    expect({ code, output }).toEqual({
      code: 2,
      output: expect.stringContaining('Nothing is named scale-in.'),
    });
  }, 60_000);
});
