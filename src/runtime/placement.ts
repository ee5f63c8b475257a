import { keyParts } from '../view/compile-plan.js';
import type { StreamDeclaration, TableDeclaration } from '../view/plan.js';
import { type KeyText, keyTextOf } from '../zset/row-key.js';
import type { Row } from '../zset/value.js';

/** What lies in Redis Streams: anything that is read as entries, and appended to. */
export type RecordSource = StreamDeclaration | TableDeclaration;

/** The Redis keys of a source's partitions, in their order: the plain name of an only one, else `name:0`, `name:1`, … */
export function partitionKeys(source: Pick<RecordSource, 'redisKey' | 'partitions'>): string[] {
  if (source.partitions === 1) return [source.redisKey];
  return Array.from({ length: source.partitions }, (_, partition) => `${source.redisKey}:${partition}`);
}

/** The columns that decide where a row of a source lies: a table's key; null where a stream's producers may choose. */
export const placedBy = (source: RecordSource): readonly string[] | null =>
  source.kind === 'table' ? source.key : source.partitionBy;

/** The partition a text falls into: CRC16 of its UTF-8 bytes, as Redis Cluster has it, modulo their number. */
export const partitionOfText = (text: KeyText, partitions: number): number =>
  partitions === 1 ? 0 : crc16(text) % partitions;

/** The partition each row of a source belongs to; null where every partition will do. */
export function partitionOf(source: RecordSource): ((row: Row) => number) | null {
  const by = placedBy(source);
  if (by === null || source.partitions === 1) return null;
  const textOf = keyTextOf(keyParts(source.columns, by));
  return (row) => partitionOfText(textOf(row), source.partitions);
}

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 8;
  for (let bit = 0; bit < 8; bit++)
    remainder = remainder & 0x8000 ? (remainder << 1) ^ 0x1021 : remainder << 1;
  return remainder;
});

/** CRC-16/XMODEM (polynomial 1021, from 0, nothing reversed) of a text's UTF-8 bytes. */
export function crc16(text: string): number {
  let remainder = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return crc16Bytes(Buffer.from(text, 'utf8'));
    remainder = ((remainder << 8) & 0xffff) ^ TABLE[(remainder >>> 8) ^ unit]!;
  }
  return remainder;
}

function crc16Bytes(bytes: Uint8Array): number {
  let remainder = 0;
  for (const byte of bytes) remainder = ((remainder << 8) & 0xffff) ^ TABLE[(remainder >>> 8) ^ byte]!;
  return remainder;
}
