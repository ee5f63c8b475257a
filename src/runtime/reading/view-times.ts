import { inputNameOf } from '../../view/declarations.js';
import { instantText } from '../../zset/instant-text.js';
import type { Catalog } from '../catalog.js';
import { leastClocks } from '../clocks.js';
import { partitionKeys } from '../placement.js';
import type { LogEnd } from '../ports/source-log.js';
import type { TaskRecord } from '../ports/task-store.js';
import { BEGINNING } from '../position.js';

/** How far time is in a source, as a view knows it; instants, null where nothing is known yet. */
export interface SourceTimes {
  /** The least of the partitions' clocks. */
  clock: string | null;
  /** The clock less the lateness: what lies before it is closed. Null also where no lateness is declared. */
  watermark: string | null;
  /** By Redis key. The one that is furthest behind holds all back. */
  partitions: Record<string, string | null>;
}

/** Of the sources on whose time a view acts, by name (`stream:flights`). */
export function timesOf(
  records: readonly (TaskRecord | null)[],
  { streams, tables }: Catalog,
): Record<string, SourceTimes> {
  const known = new Map<string, number | null>();
  for (const record of records)
    for (const [redisKey, clock] of Object.entries(leastClocks(record?.clocks ?? {}))) {
      const other = known.get(redisKey) ?? null;
      // Of a partition the task knows most that reads it.
      known.set(redisKey, other === null || (clock !== null && clock > other) ? clock : other);
    }
  const times: Record<string, SourceTimes> = {};
  for (const source of [...streams.values(), ...tables.values()]) {
    const redisKeys = partitionKeys(source);
    if (!redisKeys.some((redisKey) => known.has(redisKey))) continue;
    const clocks = redisKeys.map((redisKey) => known.get(redisKey) ?? null);
    const least = clocks.includes(null) ? null : Math.min(...(clocks as number[]));
    const { latenessMs } = source;
    times[inputNameOf(source)] = {
      clock: textOf(least),
      watermark: least === null || latenessMs === null ? null : instantText(least - latenessMs),
      partitions: Object.fromEntries(redisKeys.map((redisKey, index) => [redisKey, textOf(clocks[index]!)])),
    };
  }
  return times;
}

/**
 * Of these sources those that never had an entry, while others have time: what waits for theirs, as rows of an outer join that have
 * no match do, waits until one comes, for there is no clock that heartbeats could move.
 */
export function neverAppended(
  times: Readonly<Record<string, SourceTimes>>,
  ends: ReadonlyMap<string, LogEnd>,
): string[] {
  const sources = Object.entries(times);
  if (sources.every(([, { clock }]) => clock === null)) return [];
  return sources
    .filter(
      ([, { partitions }]) =>
        Object.values(partitions).every((clock) => clock === null) &&
        Object.keys(partitions).every((redisKey) => ends.get(redisKey)?.last === BEGINNING),
    )
    .map(([name]) => name);
}

const textOf = (ms: number | null): string | null => (ms === null ? null : instantText(ms));
