import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const NODE_NEEDED = [20, 19];

/** Says so and ends, where Node is older than what Stillwater is written for. Plain syntax only: old ones must get here. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1])) return;
  console.error(
    `Stillwater needs a newer Node.\n  this is  ${process.versions.node}\n  needed   ${NODE_NEEDED.join('.')} or newer\n` +
      'Nothing was installed or started. Install a current Node from https://nodejs.org, or with `nvm install 22`.',
  );
  process.exit(1);
}

/** Installs the packages the lock names, unless just these lie in node_modules. Ends the process where npm fails. */
export function ensureInstalled(root) {
  if (isInstalled(root)) return;
  console.log('installing packages (once; about half a minute)');
  if (npm(root, ['ci'])) return;
  console.log('`npm ci` did not succeed; trying `npm install`');
  if (npm(root, ['install'])) return;
  console.error('The packages could not be installed. What npm said is above; nothing was started.');
  process.exit(1);
}

/**
 * Whether each package of the lock lies in node_modules in its version. Optional packages may be missing: they are
 * for other platforms.
 */
export function isInstalled(root) {
  try {
    const wanted = readPackages(join(root, 'package-lock.json'));
    const present = readPackages(join(root, 'node_modules/.package-lock.json'));
    return Object.entries(wanted).every(
      ([path, { version, optional, devOptional }]) =>
        path === '' || (present[path] ? present[path].version === version : Boolean(optional || devOptional)),
    );
  } catch {
    return false;
  }
}

const readPackages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

function npm(root, words) {
  // The npm that runs this script where there is one, so that it need not be on the PATH under its usual name.
  const cli = process.env.npm_execpath;
  const flags = ['--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = cli?.endsWith('.js')
    ? spawnSync(process.execPath, [cli, ...words, ...flags], { cwd: root, stdio: 'inherit' })
    : spawnSync('npm', [...words, ...flags], {
        cwd: root,
        stdio: 'inherit',
        shell: process.platform === 'win32',
      });
  return status === 0;
}
