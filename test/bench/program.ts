import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs one of the programs under `bench`, from its sources. All that it says, and how it ends. */
export function program(
  path: string,
  ...options: string[]
): Promise<{ code: number | null; output: string }> {
  const file = fileURLToPath(new URL(`../../bench/${path}`, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'jiti/register', file, ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('exit', (code) => resolve({ code, output }));
  });
}
