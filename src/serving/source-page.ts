import { Injectable } from '@nestjs/common';
import { partitionKeys, placedBy, type RecordSource } from '../runtime/placement.js';
import { SourceLog } from '../runtime/ports/source-log.js';
import { BEGINNING, timeOf } from '../runtime/position.js';
import { Reading } from '../runtime/reading/reading.js';
import { describeColumns } from '../runtime/reading/view-description.js';
import type { ViewStatus } from '../runtime/reading/view-status.js';
import type { TypeCounts } from '../runtime/tallies.js';
import { typeText } from './view-page.js';

/** Events of unknown types, by type: as many as the view that has read the most of them has skipped. */
function skippedOf(stream: string, statuses: readonly ViewStatus[]): TypeCounts {
  const counts: Record<string, number> = {};
  for (const { skipped } of statuses)
    for (const [type, count] of Object.entries(skipped[stream] ?? {}))
      counts[type] = Math.max(counts[type] ?? 0, count);
  return counts;
}

/** What `GET /streams` and `GET /tables` say. */
@Injectable()
export class SourcePage {
  constructor(
    private readonly reading: Reading,
    private readonly log: SourceLog,
  ) {}

  async all(sources: readonly RecordSource[]) {
    const redisKeys = sources.flatMap(partitionKeys);
    const [ends, bytes, statuses] = await Promise.all([
      this.log.ends(redisKeys),
      Promise.all(redisKeys.map((redisKey) => this.log.bytes(redisKey))),
      this.reading.statuses.all(),
    ]);
    let at = 0;
    return sources.map((source) => {
      const partitions = partitionKeys(source).map((redisKey) => {
        const end = ends[at]!;
        const size = bytes[at++]!;
        return {
          redisKey,
          exists: end.exists,
          length: end.length,
          first: end.first,
          last: end.last === BEGINNING ? null : end.last,
          lastAt: end.last === BEGINNING ? null : new Date(timeOf(end.last)).toISOString(),
          entriesAdded: end.entriesAdded,
          archived: end.archived ?? null,
          bytes: size,
        };
      });
      const known = partitions.map(({ bytes: size }) => size).filter((size) => size !== null);
      return {
        name: source.name,
        redisKey: source.redisKey,
        length: partitions.reduce((sum, { length }) => sum + length, 0),
        bytes: known.length === partitions.length ? known.reduce((sum, size) => sum + size, 0) : null,
        partitionedBy: placedBy(source),
        ...(source.kind === 'table'
          ? { key: source.key }
          : {
              decoder: typeof source.decoder === 'string' ? source.decoder : 'function',
              unknownTypes: source.unknownTypes,
              skippedEvents: skippedOf(source.name, statuses),
            }),
        eventTime: source.eventTime,
        latenessMs: source.latenessMs,
        retain: source.retain,
        columns: describeColumns(source.columns).map(({ name, type }) => ({
          name,
          type: typeText(type),
          nullable: type.nullable,
        })),
        partitions,
        readers: statuses
          .filter(
            ({ frontier, partitions: tasks }) =>
              tasks.length > 0 && partitions.some(({ redisKey }) => Object.hasOwn(frontier, redisKey)),
          )
          .map(({ name, frontier }) => ({
            view: name,
            positions: Object.fromEntries(
              partitions.map(({ redisKey }) => [redisKey, frontier[redisKey] ?? BEGINNING]),
            ),
          })),
      };
    });
  }
}
