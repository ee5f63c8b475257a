import { dirname, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const FRAMES_MAX = 12;

/** Where the running declaration was written, as `views/flights.ts:12`; null where the stack does not tell. */
export function placeOfDeclaration(): string | null {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES_MAX;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = limit;
  return placeIn(stack, (file) => HERE.some((directory) => file.startsWith(directory + sep)));
}

/** The innermost place of a stack that lies in a file, and in none that is to be skipped. */
export function placeIn(stack: string, skipped: (file: string) => boolean): string | null {
  for (const { file, line } of framesOf(stack))
    if (!skipped(file)) return `${relative(process.cwd(), file) || file}:${line}`;
  return null;
}

/** Whether a file is one of this package, and no module of an application. */
export const isOurs = (file: string): boolean =>
  HERE.some((directory) => file.startsWith(dirname(directory) + sep));

function* framesOf(stack: string): Iterable<{ file: string; line: string }> {
  for (const frame of stack.split('\n').slice(1)) {
    const match = /(?:\(|at (?:async )?)((?:file:\/\/)?[^()\s][^()]*):(\d+):\d+\)?$/.exec(frame.trim());
    const file = match && fileOf(match[1]!);
    if (file) yield { file, line: match[2]! };
  }
}

function fileOf(location: string): string | null {
  if (location.startsWith('node:') || location === '<anonymous>') return null;
  try {
    return location.startsWith('file:') ? fileURLToPath(location.replace(/\?.*$/, '')) : location;
  } catch {
    return null;
  }
}

/** Where this lies: as it runs, and as a source map has it, which stacks name where Node was asked to follow such maps. */
const HERE: readonly string[] = [
  fileURLToPath(import.meta.url),
  ...[...framesOf(new Error().stack ?? '')].slice(0, 1).map(({ file }) => file),
].map(dirname);
