import { Injectable } from '@nestjs/common';
import { StillwaterError } from '../errors/stillwater-error.js';
import type { EncodedEntry } from '../runtime/encode-record.js';
import { encodeToken } from '../runtime/frontier.js';
import { Metrics } from '../runtime/metrics.js';
import { partitionKeys, type RecordSource } from '../runtime/placement.js';
import { SourceLog } from '../runtime/ports/source-log.js';
import { laterOf, type Position } from '../runtime/position.js';
import { ResolvedServingOptions } from './serving-options.js';

export interface Appended {
  /** Wait for it at a view to read what was written: `?atLeast=`. */
  position: string;
  /** Of each record, in the order sent. */
  ids: Position[];
  /** The idempotency key was known: nothing was appended again. */
  repeated: boolean;
}

/**
 * Appends records that have been looked at. Those of one partition are appended together or not at all; where a request
 * spreads over several and breaks in between, a repeat with the same idempotency key appends just what is missing.
 */
@Injectable()
export class AppendRecords {
  constructor(
    private readonly log: SourceLog,
    private readonly metrics: Metrics,
    private readonly options: ResolvedServingOptions,
  ) {}

  async append(
    source: RecordSource,
    records: readonly EncodedEntry[],
    idempotencyKey: string | null,
  ): Promise<Appended> {
    const { idempotencyKeyLengthMax, appendMemoryMs } = this.options.limits;
    if (
      idempotencyKey !== null &&
      (idempotencyKey.length > idempotencyKeyLengthMax || !/^[\x21-\x7e]+$/.test(idempotencyKey))
    )
      throw new StillwaterError('malformed-idempotency-key', {
        what: 'The Idempotency-Key cannot be used.',
        evidence: `It has ${idempotencyKey.length} characters; 1 to ${idempotencyKeyLengthMax} visible ASCII characters are taken.`,
        consequence: 'Nothing was appended.',
        remedy: 'Use for example a UUID.',
      });
    const redisKeys = partitionKeys(source);
    const byPartition = new Map<number, number[]>();
    records.forEach(({ partition }, index) => {
      const indexes = byPartition.get(partition);
      if (indexes) indexes.push(index);
      else byPartition.set(partition, [index]);
    });
    const ids: Position[] = new Array(records.length);
    const reached: Record<string, Position> = {};
    let repeated = byPartition.size > 0;
    const outcomes = await Promise.allSettled(
      [...byPartition].map(async ([partition, indexes]) => {
        const redisKey = redisKeys[partition]!;
        const entries = indexes.map((index) => records[index]!.fields);
        const appended = await this.log.append({
          redisKey,
          entries,
          idempotencyKey,
          memoryMs: appendMemoryMs,
        });
        appended.ids.forEach((id, place) => {
          ids[indexes[place]!] = id;
          reached[redisKey] = laterOf(reached[redisKey] ?? id, id);
        });
        repeated &&= appended.repeated;
        if (!appended.repeated) this.metrics.appended.add({ stream: source.name }, indexes.length);
      }),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
    return { position: encodeToken(reached), ids, repeated };
  }
}
