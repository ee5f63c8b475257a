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
] as const;

/** The record in the values of `RECORD_FIELDS`; null before the first commit. */
export function decodeRecord(values: readonly (string | null)[]): TaskRecord | null {
  const [tick, positions, frontier, rows, conflicts, errors, checksum, extra] = values as string[];
  if (tick === null || tick === undefined) return null;
  return {
    tick: Number(tick),
    positions: JSON.parse(positions!),
    frontier: JSON.parse(frontier!),
    rows: Number(rows),
    conflicts: Number(conflicts),
    errors: Number(errors),
    checksum: checksum!,
    extra: JSON.parse(extra!),
  };
}

/** Positions as a text that is the same for the same positions: it is compared in Redis. */
export function positionsText(positions: Readonly<Record<string, InputPosition>>): string {
  const sorted: Record<string, InputPosition> = {};
  for (const input of Object.keys(positions).sort())
    sorted[input] = { position: positions[input]!.position, entries: positions[input]!.entries };
  return JSON.stringify(sorted);
}
