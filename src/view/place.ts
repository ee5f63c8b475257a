import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const FRAMES_MAX = 12;

/** Where the running declaration was written, as `views/flights.ts:12`; null where the stack does not tell. */
export function placeOfDeclaration(): string | null {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES_MAX;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = limit;
  return placeIn(stack, (file) => file.startsWith(HERE));
}

/** The innermost place of a stack that lies in a file, and in none that is to be skipped. */
export function placeIn(stack: string, skipped: (file: string) => boolean): string | null {
  for (const frame of stack.split('\n').slice(1)) {
    const match = /(?:\(|at (?:async )?)((?:file:\/\/)?[^()\s][^()]*):(\d+):\d+\)?$/.exec(frame.trim());
    if (!match) continue;
    const file = fileOf(match[1]!);
    if (file !== null && !skipped(file)) return `${relative(process.cwd(), file) || file}:${match[2]}`;
  }
  return null;
}

function fileOf(location: string): string | null {
  if (location.startsWith('node:') || location === '<anonymous>') return null;
  try {
    return location.startsWith('file:') ? fileURLToPath(location.replace(/\?.*$/, '')) : location;
  } catch {
    return null;
  }
}
