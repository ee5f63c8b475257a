import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { packageBuilt } from '../support/built.js';
import { RedisServer } from '../support/redis-server.js';
import { describeWithService } from '../support/service.js';
import { eventually } from '../support/system.js';

const haveTools = ['npm', 'tar'].every((tool) => spawnSync(tool, ['--version']).status === 0);
const describeWithTools = haveTools ? describeWithService : describe.skip;

describeWithTools('the package, installed from its tarball into a project of its own', () => {
  const project = mkdtempSync(join(tmpdir(), 'stillwater-project-'));
  const installed = join(project, 'node_modules/stillwater');
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await RedisServer.start();
    const root = await packageBuilt();
    const packed = execFileSync(
      'npm',
      ['pack', '--silent', '--ignore-scripts', '--pack-destination', project],
      { cwd: root, encoding: 'utf8' },
    );
    execFileSync('tar', ['-xzf', join(project, packed.trim().split('\n').at(-1)!), '-C', project]);
    mkdirSync(dirname(installed), { recursive: true });
    cpSync(join(project, 'package'), installed, { recursive: true });
    linkDependencies(project);
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({ name: 'shop', type: 'module', private: true }),
    );
    cpSync('test/stories/shop', join(project, 'views'), { recursive: true });
  }, 120_000);
  afterAll(async () => {
    await redis.stop();
    rmSync(project, { recursive: true, force: true });
  });

  const node = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: project,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
    });
    return { code: status, stdout, stderr };
  };
  const stillwater = (...words: string[]) => node(join(installed, bin()), ...words);
  const bin = (): string => JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).bin.stillwater;

  it('holds what users need, and no tests or sources', () => {
    for (const file of [
      'README.md',
      'LICENSE',
      'dist/src/index.js',
      'dist/src/index.d.ts',
      'dist/src/redis/scripts/commit.lua',
      bin(),
    ])
      expect([file, existsSync(join(installed, file))]).toEqual([file, true]);
    for (const file of ['src', 'test', 'bench', 'dist/bench', 'node_modules'])
      expect([file, existsSync(join(installed, file))]).toEqual([file, false]);
  });

  it('has a command that runs as it lies there', async () => {
    accessSync(join(await packageBuilt(), bin()), constants.X_OK);
  });

  it.each([
    ['stillwater', ['stream', 'table', 'view', 'count', 'instant']],
    ['stillwater/nest', ['StillwaterModule', 'InjectView', 'getViewToken']],
    ['stillwater/testing', ['given', 'expectConverges']],
  ])('gives %s to ES modules and to CommonJS', (entry, names) => {
    const print = (load: string): string =>
      `const entry = ${load}; console.log(${JSON.stringify(names)}.every((name) => typeof entry[name] === 'function'))`;
    expect(
      node(
        '--input-type=module',
        '--eval',
        `import 'reflect-metadata'; ${print(`await import('${entry}')`)}`,
      ),
    ).toMatchObject({ code: 0, stdout: 'true\n' });
    // Node 20 from 20.19 on, and all later ones, load ES modules by require().
    expect(
      node(
        '--no-warnings',
        '--input-type=commonjs',
        '--eval',
        `require('reflect-metadata'); ${print(`require('${entry}')`)}`,
      ),
    ).toMatchObject({
      code: 0,
      stdout: 'true\n',
    });
  });

  it('brings its types along', () => {
    writeFileSync(
      join(project, 'main.ts'),
      `import { type RowOf } from 'stillwater';
       import { StillwaterModule, type ViewReader } from 'stillwater/nest';
       import { given } from 'stillwater/testing';
       import { byCustomer, orders } from './views/orders.js';
       export const module = StillwaterModule.forRoot({ connection: 'redis://127.0.0.1:6379', views: [byCustomer] });
       export const name = (row: RowOf<typeof byCustomer>): string => row.name;
       export const read = async (reader: ViewReader<typeof byCustomer>): Promise<number | undefined> => (await reader.row('ann'))?.orders;
       given(orders, [{ order: 1, customer: 'ann', amount: 1 }]).expect(byCustomer).rows([]);
       // @ts-expect-error a column that does not exist
       export const wrong = (row: RowOf<typeof byCustomer>) => row.nmae;\n`,
    );
    const tsc = node(
      resolve('node_modules/typescript/bin/tsc'),
      ...'--noEmit --strict --module nodenext --target es2023 --skipLibCheck --experimentalDecorators main.ts'.split(
        ' ',
      ),
    );
    expect(tsc).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('brings the command line along', () => {
    expect(stillwater('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('rebuild') });
    const checked = stillwater('check');
    expect([checked.code, checked.stderr]).toEqual([0, '']);
    expect(checked.stdout).toContain('by-customer');
    expect(stillwater('chekc').code).toBe(2);
  });

  it.each(['start', 'dev'])(
    'serves the views of the project by `stillwater %s`, and loads no example into its Redis',
    async (command) => {
      const service = spawn(process.execPath, [join(installed, bin()), command], {
        cwd: project,
        env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', REDIS_URL: redis.url },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      try {
        let output = '';
        service.stderr.on('data', (chunk) => (output += chunk));
        await eventually(() => /^Serving/m.test(output) || service.exitCode !== null, 30_000);
        const url = /^Serving +(\S+)/m.exec(output)?.[1];
        expect([url, output]).toEqual([expect.any(String), expect.any(String)]);
        const views = (await (await fetch(`${url}/views`)).json()) as { name: string }[];
        expect(views.map(({ name }) => name).sort()).toEqual([
          'by-customer',
          'by-parcel',
          'by-region',
          'by-sensor',
        ]);
        // As the watchdog ends it, or the system where a function took all memory.
        const [supervised] = spawnSync('pgrep', ['-P', String(service.pid)])
          .stdout.toString()
          .split('\n');
        process.kill(Number(supervised), 'SIGKILL');
        await eventually(() => /started again[^]*^Serving/m.test(output), 30_000);
        const ended = new Promise((resolve) => service.once('exit', resolve));
        service.kill('SIGTERM');
        expect(await ended).toBe(0);
        expect(output).not.toMatch(/airports|flights|Try:/);
      } finally {
        service.kill('SIGKILL');
      }
    },
    60_000,
  );
});

/** What `npm install stillwater` would bring along: what the lock names and is not for development only. */
function linkDependencies(project: string): void {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
  };
  for (const [path, { dev, devOptional }] of Object.entries(packages)) {
    if (!/^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) || dev || devOptional || !existsSync(path)) continue;
    mkdirSync(join(project, dirname(path)), { recursive: true });
    symlinkSync(resolve(path), join(project, path));
  }
}
