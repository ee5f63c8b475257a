import type { Catalog } from '../catalog.js';
import { partitionKeys } from '../placement.js';
import type { Generation } from '../ports/registry.js';
import { archivedEntries, firstReadable, type LogEnd } from '../ports/source-log.js';
import type { TaskStatus } from '../ports/task-store.js';
import { BEGINNING, comparePositions, timeOf } from '../position.js';

/**
 * How far a generation is behind its logs. Entries are counted in the sources a view reads itself; what lies between it and a stream that it reads through another
 * view is only told in milliseconds.
 */
export function lagOf(
  generation: Generation,
  statuses: readonly TaskStatus[],
  frontier: Readonly<Record<string, string>>,
  ends: ReadonlyMap<string, LogEnd>,
  catalog: Catalog,
): { entries: number; ms: number } {
  const read = entriesRead(statuses, catalog);
  let entries = 0;
  let ms = 0;
  for (const source of generation.sources) {
    const end = ends.get(source);
    if (!end?.exists) continue;
    const reached = frontier[source] ?? BEGINNING;
    if (comparePositions(end.last, reached) <= 0) continue;
    const from = reached === BEGINNING ? firstReadable(end) : reached;
    if (from) ms = Math.max(ms, Math.max(0, timeOf(end.last) - timeOf(from)));
    const done =
      read.get(source) ??
      (Object.keys(generation.upstreams).length === 0
        ? end.entriesAdded - end.length - archivedEntries(end)
        : null);
    if (done !== null) entries += Math.max(0, end.entriesAdded - done);
  }
  return { entries, ms };
}

/** By Redis key: how many entries have been read, by the partition that is furthest behind where several read it. */
function entriesRead(statuses: readonly TaskStatus[], catalog: Catalog): Map<string, number> {
  const read = new Map<string, number>();
  for (const { task, record } of statuses)
    for (const [input, { entries }] of Object.entries(record?.positions ?? {})) {
      const name = input.slice(input.indexOf(':') + 1);
      const source = input.startsWith('stream:')
        ? catalog.streams.get(name)
        : input.startsWith('table:')
          ? catalog.tables.get(name)
          : undefined;
      if (!source) continue;
      const redisKey = partitionKeys(source)[source.partitions === 1 ? 0 : task.partition];
      if (redisKey !== undefined) read.set(redisKey, Math.min(entries, read.get(redisKey) ?? Infinity));
    }
  return read;
}
