import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWithRedis } from '../support/redis-server.js';
import { program } from './program.js';

describeWithRedis('the benchmark', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'stillwater-bench-spec-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test('a figure comes with its targets, for people and as JSON', async () => {
    const json = join(directory, 'figures.json');
    const { code, output } = await program(
      'bench.ts',
      '--quick',
      '--only',
      'end-to-end',
      '--events',
      '2000',
      '--json',
      json,
    );
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    expect(output).toMatch(/view \/ bare drain .* ≥ 0\.5 +(reached|NOT REACHED)/);
    const report = JSON.parse(readFileSync(json, 'utf8'));
    expect(report.environment).toMatchObject({
      node: process.version,
      redis: expect.stringContaining('no append-only'),
    });
    expect(Object.keys(report.figures)).toEqual(['end-to-end']);
    const { readings } = report.figures['end-to-end'];
    for (const reading of readings)
      expect(reading).toMatchObject({
        name: expect.any(String),
        label: expect.any(String),
        unit: expect.any(String),
        value: expect.any(Number),
      });
    expect(readings.find(({ name }: any) => name === 'ofDrain')).toMatchObject({
      unit: '×',
      target: { is: '≥', value: 0.5 },
      reached: expect.any(Boolean),
    });
  }, 120_000);

  test('a figure that does not exist is refused, and those there are are named', async () => {
    const { code, output } = await program('bench.ts', '--only', 'latency,speed');
    expect(code).toBe(2);
    expect(output).toContain('There is no figure speed.');
    expect(output).toContain('many-views');
  });
});
