import { Injectable } from '@nestjs/common';
import { StillwaterError } from '../errors/stillwater-error.js';
import type { EncodedEntry } from '../runtime/encode-record.js';
import { encodeToken } from '../runtime/frontier.js';
import { Metrics } from '../runtime/metrics.js';
import type { RecordSource } from '../runtime/placement.js';
import { appendDigest } from '../runtime/ports/append-digest.js';
import { SourceLog } from '../runtime/ports/source-log.js';
import { laterOf, type Position } from '../runtime/position.js';
import { homePart, partsOf, type AppendPart } from './append-parts.js';
import { failedWith, PartlyAppended, type PartOutcome } from './partly-appended.js';
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
 * Appends records that have been looked at. Those of one partition are appended together or not at all, up to as many as one
 * call may carry; a request of several parts can come through in some of them only, and then says exactly what lies where.
 *
 * With an idempotency key each partition remembers the whole request, not only its share of it: a repeat appends what is
 * missing, and other records under the key are refused wherever they fall. So that they are refused also where they fall
 * into partitions that the first request never reached, the key's home partition is told before all others.
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
    this.#check(idempotencyKey);
    const lanes = partsOf(source, records);
    const parts = lanes.flat();
    const first = idempotencyKey === null ? null : homePart(source, parts, idempotencyKey);
    const request = {
      digest: idempotencyKey === null ? null : digestOf(records),
      memoryMs: this.options.limits.appendMemoryMs,
    };
    const outcomes = new Map<AppendPart, PartOutcome>();
    const append = async (part: AppendPart): Promise<boolean> => {
      const { redisKey, number, indexes } = part;
      try {
        const { ids, repeated } = await this.log.append({
          redisKey,
          entries: indexes.map((index) => records[index]!.fields),
          // No key that is sent holds a space.
          idempotencyKey: idempotencyKey && (number === 0 ? idempotencyKey : `${idempotencyKey} ${number}`),
          ...request,
        });
        if (!repeated) this.metrics.appended.add({ stream: source.name }, indexes.length);
        outcomes.set(part, { status: 'appended', ids, repeated });
      } catch (thrown) {
        outcomes.set(part, failedWith(thrown));
      }
      return outcomes.get(part)!.status === 'appended';
    };
    const rest = async (lane: readonly AppendPart[]): Promise<void> => {
      for (const part of lane) if (part !== first && !(await append(part))) return;
    };
    if (first === null || (await append(first))) await Promise.all(lanes.map(rest));
    else if (first.indexes.length === 0) throw thrownIn(outcomes.get(first)!);
    return answerOf(
      source,
      records.length,
      parts.map((part) => [part, outcomes.get(part) ?? { status: 'notTried' }]),
      idempotencyKey !== null,
    );
  }

  #check(idempotencyKey: string | null): void {
    const { idempotencyKeyLengthMax } = this.options.limits;
    if (idempotencyKey === null) return;
    if (idempotencyKey.length <= idempotencyKeyLengthMax && /^[\x21-\x7e]+$/.test(idempotencyKey)) return;
    throw new StillwaterError('malformed-idempotency-key', {
      what: 'The Idempotency-Key cannot be used.',
      evidence: `It has ${idempotencyKey.length} characters; 1 to ${idempotencyKeyLengthMax} visible ASCII characters are taken.`,
      consequence: 'Nothing was appended.',
      remedy: 'Use for example a UUID.',
    });
  }
}

const thrownIn = (outcome: PartOutcome): unknown => ('thrown' in outcome ? outcome.thrown : null);

/** Of a whole request. Where its records lie counts as well: after a change of their number the partitions' shares are others. */
const digestOf = (records: readonly EncodedEntry[]): string =>
  appendDigest(records.map(({ partition, fields }) => [String(partition), ...fields]));

/** @throws what a part failed with if nothing was appended at all, PartlyAppended if something was or may have been */
function answerOf(
  source: RecordSource,
  count: number,
  outcomes: readonly (readonly [AppendPart, PartOutcome])[],
  repeatable: boolean,
): Appended {
  const ids = new Array<Position>(count);
  const reached: Record<string, Position> = {};
  let repeated = outcomes.length > 0;
  for (const [{ redisKey, indexes }, outcome] of outcomes) {
    if (outcome.status !== 'appended') continue;
    outcome.ids.forEach((id, place) => {
      ids[indexes[place]!] = id;
      reached[redisKey] = laterOf(reached[redisKey] ?? id, id);
    });
    repeated &&= outcome.repeated;
  }
  const failed = outcomes.find(([, outcome]) => 'thrown' in outcome);
  if (failed === undefined) return { position: encodeToken(reached), ids, repeated };
  const nothing = outcomes.every(([, { status }]) => status === 'refused' || status === 'notTried');
  throw nothing || outcomes.length === 1
    ? thrownIn(failed[1])
    : new PartlyAppended(source, outcomes, repeatable);
}
