import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeDirectory } from '../make-directory.js';
import { onPath } from './server-binary.js';

/**
 * A Redis server for people who may not install one: on Debian and Ubuntu its packages are fetched by apt and unpacked
 * into a cache directory, which needs no root. What is started is a two-line script that points the loader at the
 * libraries unpacked beside the server. Where the machine has no package lists (container images often have none),
 * lists of our own are fetched and thrown away again.
 *
 *   <cache>/redis-server          the script
 *   <cache>/root/usr/bin/…        what the packages hold
 */

const run = promisify(execFile);

const APT_TIMEOUT_MS = 120_000;
/** Packages whose libraries need libraries in turn: how deep that is followed. */
const DEPENDENCY_DEPTH_MAX = 4;

type Environment = Readonly<Record<string, string | undefined>>;

export const serverCache = (environment: Environment): string =>
  join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'stillwater', 'redis-server');

/** The server unpacked earlier; null where there is none. */
export function unpackedServer(cache: string): string | null {
  const script = join(cache, 'redis-server');
  return existsSync(script) && existsSync(join(cache, 'root/usr/bin/redis-server')) ? script : null;
}

/** Whether this machine has what unpacking needs. */
export function canUnpack(environment: Environment): boolean {
  return (
    process.platform === 'linux' &&
    ['apt-get', 'dpkg-deb', 'dpkg-query'].every((tool) => onPath(tool, environment) !== null)
  );
}

/**
 * Fetches and unpacks a server. The path of the script that runs it.
 * @throws whatever apt says, where it does not find or reach the packages.
 */
export async function unpackServer(cache: string, say: (line: string) => void): Promise<string> {
  await makeDirectory(cache);
  const work = mkdtempSync(join(cache, 'unpacking-'));
  try {
    const packages = join(work, 'packages');
    mkdirSync(packages);
    say('fetching redis-server (about 1.5 MB; kept in the cache)');
    const options = await fetchFirst('redis-tools', packages, cache, say);
    await fetchLibraries(packages, options);

    const root = join(work, 'root');
    mkdirSync(root);
    for (const file of readdirSync(packages)) await run('dpkg-deb', ['-x', join(packages, file), root]);
    // Debian's redis-server is this same program under another name, in a package of its own.
    const bin = join(root, 'usr/bin');
    if (!existsSync(join(bin, 'redis-server'))) symlinkSync('redis-check-rdb', join(bin, 'redis-server'));

    rmSync(join(cache, 'root'), { recursive: true, force: true });
    renameSync(root, join(cache, 'root'));
    const script = join(cache, 'redis-server');
    writeFileSync(`${script}.new`, launcher(cache), { mode: 0o755 });
    chmodSync(`${script}.new`, 0o755);
    renameSync(`${script}.new`, script);
    return script;
  } finally {
    for (const directory of [work, join(cache, 'apt')]) rmSync(directory, { recursive: true, force: true });
  }
}

/** Downloads a package into a directory, with package lists of our own if the machine's do not serve. The apt options that worked. */
async function fetchFirst(
  name: string,
  directory: string,
  cache: string,
  say: (line: string) => void,
): Promise<string[]> {
  try {
    await download([name], directory, []);
    return [];
  } catch {
    say('refreshing package lists (in the cache, not the system’s)');
    const apt = join(cache, 'apt');
    for (const part of ['lists/partial', 'archives/partial']) mkdirSync(join(apt, part), { recursive: true });
    const options = [
      ...['-o', `Dir::State::Lists=${apt}/lists`, '-o', `Dir::Cache=${apt}`, '-o', 'Debug::NoLocking=1'],
      // As root, apt would fetch as a user who may not write here.
      ...(process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : []),
    ];
    await run('apt-get', ['update', '-q', ...options], { timeout: APT_TIMEOUT_MS });
    await download([name], directory, options);
    return options;
  }
}

/** Downloads the libraries that the packages name and the machine does not have. */
async function fetchLibraries(directory: string, options: string[]): Promise<void> {
  const looked = new Set<string>();
  for (let depth = 0; depth < DEPENDENCY_DEPTH_MAX; depth++) {
    const missing = new Set<string>();
    for (const file of readdirSync(directory)) {
      if (looked.has(file)) continue;
      looked.add(file);
      const { stdout } = await run('dpkg-deb', ['-f', join(directory, file), 'Pre-Depends', 'Depends']);
      for (const name of librariesIn(stdout)) if (!(await isInstalled(name))) missing.add(name);
    }
    for (const name of missing)
      if (readdirSync(directory).some((file) => file.startsWith(`${name}_`))) missing.delete(name);
    if (missing.size === 0) return;
    await download([...missing], directory, options);
  }
}

/** Names of library packages in a control file's fields: the first of each choice, without versions. */
export function librariesIn(fields: string): string[] {
  return fields
    .replace(/^[A-Za-z-]+:/gm, ',')
    .split(/[,\n]/)
    .map((choice) =>
      choice
        .split('|')[0]!
        .replace(/[([:].*/, '')
        .trim(),
    )
    .filter((name) => /^(lib|lua)/.test(name) && name !== 'libc6');
}

async function isInstalled(name: string): Promise<boolean> {
  try {
    const { stdout } = await run('dpkg-query', ['-W', '-f', '${Status}\n', name]);
    return stdout.includes('install ok installed');
  } catch {
    return false;
  }
}

async function download(names: string[], directory: string, options: string[]): Promise<void> {
  await run('apt-get', ['download', '-q', ...options, ...names], { cwd: directory, timeout: APT_TIMEOUT_MS });
}

function launcher(cache: string): string {
  const root = join(cache, 'root');
  const libraries = ['usr/lib', 'lib'].flatMap((parent) => {
    const directory = join(root, parent);
    if (!existsSync(directory)) return [];
    const triplets = readdirSync(directory, { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && entry.name.includes('-linux-'),
    );
    return triplets.map((entry) => join(directory, entry.name));
  });
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  return [
    '#!/bin/sh',
    `LD_LIBRARY_PATH=${quoted(libraries.join(':'))}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}; export LD_LIBRARY_PATH`,
    `exec ${quoted(join(root, 'usr/bin/redis-server'))} "$@"`,
    '',
  ].join('\n');
}

/** Whether the machine calls itself Debian or one of its descendants. */
export function isDebianLike(): boolean {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}
