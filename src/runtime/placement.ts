import type { StreamDeclaration, TableDeclaration } from '../view/declarations.js';
import { keyTextOfColumns } from '../view/row-texts.js';
import { partitionOfText } from '../zset/partition-of-text.js';
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

/** The partition each row of a source belongs to; null where every partition will do. */
export function partitionOf(source: RecordSource): ((row: Row) => number) | null {
  const by = placedBy(source);
  if (by === null || source.partitions === 1) return null;
  const textOf = keyTextOfColumns(source.columns, by);
  return (row) => partitionOfText(textOf(row), source.partitions);
}
