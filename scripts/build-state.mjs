import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const SOURCES = ['src', 'views', 'bench', 'package.json', 'tsconfig.json', 'nest-cli.json'];
const BUILT = 'dist/src/main.js';
const COMMAND = 'dist/src/cli/stillwater.js';

/** Builds if a source is newer than what was built last. Ends the process where the compiler refuses. */
export function ensureBuilt(root) {
  if (isBuilt(root)) return;
  console.log('building');
  if (build(root)) return;
  console.error('The build failed. What the compiler said is above; nothing was started.');
  process.exit(1);
}

/** Whether the compiler took it. */
export function build(root) {
  const nest = join(root, 'node_modules/@nestjs/cli/bin/nest.js');
  const { status } = spawnSync(process.execPath, [nest, 'build'], { cwd: root, stdio: 'inherit' });
  // `npx stillwater` runs it as it lies there. What the compiler writes even so, the next start must not take for a build.
  if (status === 0) chmodSync(join(root, COMMAND), 0o755);
  else rmSync(join(root, BUILT), { force: true });
  return status === 0;
}

export function isBuilt(root) {
  if (!existsSync(join(root, BUILT))) return false;
  const builtAt = statSync(join(root, BUILT)).mtimeMs;
  return SOURCES.every((source) => !existsSync(join(root, source)) || newest(join(root, source)) <= builtAt);
}

/** Directories count too: theirs is the time at which a file was added or removed. */
function newest(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return readdirSync(path).reduce((time, name) => Math.max(time, newest(join(path, name))), stats.mtimeMs);
}
