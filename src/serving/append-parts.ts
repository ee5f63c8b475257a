import type { EncodedEntry } from '../runtime/encode-record.js';
import { crc16, partitionKeys, type RecordSource } from '../runtime/placement.js';

/** Records of a request that are appended with one call, together or not at all. */
export interface AppendPart {
  /** The Redis key of their partition. */
  readonly redisKey: string;
  /** Their places in the request. */
  readonly indexes: readonly number[];
}

/** What a request appends to each partition it reaches. */
export function partsOf(source: RecordSource, records: readonly EncodedEntry[]): AppendPart[] {
  const redisKeys = partitionKeys(source);
  const indexes = new Map<number, number[]>();
  records.forEach(({ partition }, index) => {
    const known = indexes.get(partition);
    if (known) known.push(index);
    else indexes.set(partition, [index]);
  });
  return [...indexes].map(([partition, of]) => ({ redisKey: redisKeys[partition]!, indexes: of }));
}

/**
 * The part at the home of an idempotency key, which goes before all others; one without records where the request has none
 * there. A home follows from the key alone: two requests under one key meet in it, wherever their records fall.
 */
export function homePart(
  source: RecordSource,
  parts: readonly AppendPart[],
  idempotencyKey: string,
): AppendPart {
  const redisKeys = partitionKeys(source);
  const redisKey = redisKeys[crc16(idempotencyKey) % redisKeys.length]!;
  return parts.find((part) => part.redisKey === redisKey) ?? { redisKey, indexes: [] };
}
