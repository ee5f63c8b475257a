import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { InputPosition, TaskRecord } from '../runtime/ports/task-store.js';

/** The fields of a task's hash that make up its record, in the order in which all scripts answer. */
export const RECORD_FIELDS = [
  'tick',
  'positions',
  'frontier',
  'rows',
  'conflicts',
  'errors',
  'checksum',
  'extra',
  'clocks',
  'late',
  'commit',
] as const;

/** The record in the values of `RECORD_FIELDS`; null before the first commit. */
export function decodeRecord(values: readonly (string | null)[]): TaskRecord | null {
  const [tick, positions, frontier, rows, conflicts, errors, checksum, extra, clocks, late, commit] =
    values as string[];
  if (tick === null || tick === undefined) return null;
  return {
    tick: Number(tick),
    commit: commit ?? '',
    positions: JSON.parse(positions!),
    ...decodeFrontier(frontier!),
    rows: Number(rows),
    conflicts: Number(conflicts),
    errors: Number(errors),
    late: Number(late ?? 0),
    checksum: checksum!,
    extra: decodeExtra(extra!),
    ...decodeClocks(clocks ?? null),
  };
}

/**
 * What tasks keep beside is stored packed from so many characters on. Of the senders of a timed view it says for each how far time
 * is in each partition of the log, so it grows with the square of these; and most of them say the same.
 */
const PACKED_FROM = 4_000;
/** No JSON text begins with it. */
const PACKED = '~';

/** As JSON; packed where that is long: what is written with every commit is copied to replicas and into the append-only file. */
export function encodeExtra(extra: TaskRecord['extra']): string {
  const text = JSON.stringify(extra);
  // The lowest level: it takes less time than making the text, and the higher ones gain little.
  return text.length < PACKED_FROM ? text : PACKED + deflateRawSync(text, { level: 1 }).toString('base64');
}

/** The inverse. */
export function decodeExtra(text: string): TaskRecord['extra'] {
  const json = text.startsWith(PACKED)
    ? inflateRawSync(Buffer.from(text.slice(PACKED.length), 'base64')).toString()
    : text;
  return JSON.parse(json) as TaskRecord['extra'];
}

/** The frontier, and after a line feed the one that is being reached where it is another: JSON texts hold no line feed. */
export const encodeFrontier = ({ frontier, reaching }: Pick<TaskRecord, 'frontier' | 'reaching'>): string =>
  JSON.stringify(frontier) + (reaching === null ? '' : `\n${JSON.stringify(reaching)}`);

/** The inverse. */
function decodeFrontier(text: string): Pick<TaskRecord, 'frontier' | 'reaching'> {
  const [frontier, reaching] = text.split('\n') as [string, string?];
  return {
    frontier: JSON.parse(frontier) as TaskRecord['frontier'],
    reaching: reaching === undefined ? null : (JSON.parse(reaching) as TaskRecord['frontier']),
  };
}

/** `clocks`, and after a line feed those that were applied where they are others. */
export const encodeClocks = ({ clocks, applied }: Pick<TaskRecord, 'clocks' | 'applied'>): string =>
  JSON.stringify(clocks) + (applied === null ? '' : `\n${JSON.stringify(applied)}`);

/** The inverse; a record from before there were any has none. */
export function decodeClocks(text: string | null): Pick<TaskRecord, 'clocks' | 'applied'> {
  const [clocks, applied] = (text ?? '{}').split('\n') as [string, string?];
  return {
    clocks: JSON.parse(clocks) as TaskRecord['clocks'],
    applied: applied === undefined ? null : (JSON.parse(applied) as TaskRecord['clocks']),
  };
}

/** Positions as a text that is the same for the same positions: it is compared in Redis. */
export function positionsText(positions: Readonly<Record<string, InputPosition>>): string {
  const sorted: Record<string, InputPosition> = {};
  for (const input of Object.keys(positions).sort())
    sorted[input] = { position: positions[input]!.position, entries: positions[input]!.entries };
  return JSON.stringify(sorted);
}
