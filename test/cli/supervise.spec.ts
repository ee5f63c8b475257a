import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const JITI = resolve('node_modules/jiti/lib/jiti-cli.mjs');
const SUPERVISE = resolve('src/cli/supervise.ts');

describe('a supervised service', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'stillwater-supervise-'))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** Supervises a service that writes down each start and then does what `service` says; `starts` counts them. */
  const supervised = (
    service: string,
    tell?: NodeJS.Signals,
  ): Promise<{ code: number | null; starts: number; said: string }> => {
    const log = join(directory, 'starts');
    writeFileSync(log, '');
    writeFileSync(
      join(directory, 'service.mjs'),
      `import { appendFileSync, readFileSync } from 'node:fs';
       appendFileSync(${JSON.stringify(log)}, '.');
       const starts = readFileSync(${JSON.stringify(log)}, 'utf8').length;
       console.error('up');
       ${service}`,
    );
    writeFileSync(
      join(directory, 'start.mjs'),
      `import { supervise } from ${JSON.stringify(SUPERVISE)};
       process.exitCode = await supervise(process.execPath, [${JSON.stringify(join(directory, 'service.mjs'))}], { deathsMax: 3 });`,
    );
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [JITI, join(directory, 'start.mjs')], {
        env: { ...process.env, JITI_FS_CACHE: join(tmpdir(), 'stillwater-test-jiti') },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.on('error', reject);
      child.stderr.on('data', (data) => {
        said += String(data);
        if (tell && String(data).includes('up')) child.kill(tell);
      });
      child.on('close', (code) => resolve({ code, said, starts: readFileSync(log, 'utf8').length }));
    });
  };

  test('is started again after a death, and says so', async () => {
    const { code, starts, said } = await supervised(
      `if (starts < 3) process.kill(process.pid, 'SIGKILL'); else process.exit(0);`,
    );
    expect({ code, starts }).toEqual({ code: 0, starts: 3 });
    expect(said).toContain(
      'The service was ended by SIGKILL, and is started again (2 of at most 3 times in 15 minutes).',
    );
  });

  test('is left alone when it dies too often', async () => {
    const { code, starts, said } = await supervised(`process.kill(process.pid, 'SIGKILL');`);
    expect({ code, starts }).toEqual({ code: 1, starts: 4 });
    expect(said).toContain('for the 4th time within 15 minutes, and is not started again');
  });

  test('that ends by itself is not started again, whatever its exit code', async () => {
    expect(await supervised(`process.exit(7);`)).toMatchObject({ code: 7, starts: 1 });
  });

  test('that is told to end is told so once, and is not started again', async () => {
    const service = `process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1_000);`;
    expect(await supervised(`${service} console.error('up');`, 'SIGTERM')).toMatchObject({
      code: 0,
      starts: 1,
    });
  });
});
