import type { EncodedEntry } from '../runtime/encode-record.js';
import { partitionKeys, type RecordSource } from '../runtime/placement.js';
import { crc16 } from '../zset/partition-of-text.js';

/** Records, and characters of their fields, that one call appends: so much takes Redis less than 5 ms. */
export const appendLimits = { appendEntriesMax: 1_000, appendLengthMax: 1024 * 1024 } as const;

/** Records of a request that are appended with one call, together or not at all. */
export interface AppendPart {
  /** The Redis key of their partition. */
  readonly redisKey: string;
  /** From 0, among the parts of this partition. */
  readonly number: number;
  /** Their places in the request. */
  readonly indexes: readonly number[];
}

/** What a request appends to each partition it reaches: the parts of one partition in the order in which they must go. */
export function partsOf(source: RecordSource, records: readonly EncodedEntry[]): AppendPart[][] {
  const redisKeys = partitionKeys(source);
  const lanes = new Map<number, { parts: number[][]; length: number }>();
  records.forEach(({ partition, fields }, index) => {
    let lane = lanes.get(partition);
    if (lane === undefined) lanes.set(partition, (lane = { parts: [[]], length: 0 }));
    const length = fields.reduce((sum, text) => sum + text.length, 0);
    const part = lane.parts.at(-1)!;
    const full =
      part.length > 0 &&
      (part.length >= appendLimits.appendEntriesMax || lane.length + length > appendLimits.appendLengthMax);
    if (full) lane.parts.push([index]);
    else part.push(index);
    lane.length = full ? length : lane.length + length;
  });
  return [...lanes].map(([partition, { parts }]) =>
    parts.map((indexes, number) => ({ redisKey: redisKeys[partition]!, number, indexes })),
  );
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
  return parts.find((part) => part.redisKey === redisKey) ?? { redisKey, number: 0, indexes: [] };
}
