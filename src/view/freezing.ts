import type { ColumnTime } from '../circuit/time.js';
import { columnAt } from './column.js';
import type { ColumnWatermark, Relation } from './relation.js';
import type { AggregateNode, EvolveNode } from './plan.js';

/** The watermarks by which rows can be frozen: of columns that every row has a value in. */
export const freezing = ({ watermarks, columns }: Relation): readonly ColumnWatermark[] =>
  watermarks.filter(({ column }) => columnAt(columns, column)?.type.nullable === false);

/** Those of columns that rows are grouped by. */
export const freezingAmong = (relation: Relation, paths: readonly string[]): readonly ColumnWatermark[] =>
  freezing(relation).filter(({ column }) => paths.includes(column));

/** That of the column of instants that says when a row was; null: its place in the log does. None, or one. */
export const freezingTime = (relation: Relation, at: string | null): readonly ColumnWatermark[] =>
  freezing(relation)
    .filter(({ column, time }) =>
      at === null
        ? time.every(({ source, delayMs }) => source === `stream:${relation.log}` && delayMs === 0)
        : column === at,
    )
    .slice(0, 1);

/** A column that is grouped by and has a watermark: `column` of the input, named `name` in the groups. */
export interface FreezingGroup extends ColumnWatermark {
  readonly name: string;
  /** Its place among the columns that are grouped by. */
  readonly index: number;
}

export const freezingGroups = ({
  input,
  by,
}: Pick<AggregateNode | EvolveNode, 'input' | 'by'>): FreezingGroup[] =>
  by.flatMap(({ name, value }, index) => {
    const watermark =
      value.kind === 'path' && freezing(input.relation).find(({ column }) => column === value.path);
    return watermark ? [{ ...watermark, name, index }] : [];
  });

/** What freezes a group: a column it is grouped by, or one of its results. Null where nothing is known to. */
export function frozenBy(node: AggregateNode): { name: string; time: ColumnTime; at: FrozenAt } | null {
  const column = tightest(freezingGroups(node));
  if (column !== null) return { name: column.name, time: column.time, at: { group: column.index } };
  if (node.over === undefined) return null;
  const { column: name, time } = node.over;
  return { name, time, at: { result: node.aggregates.findIndex((one) => one.name === name) } };
}

/** The place of what freezes, among the columns that are grouped by or among the results. */
export type FrozenAt = { readonly group: number } | { readonly result: number };

/** The watermark that lags behind its sources the least; null of none. */
export function tightest<W extends { readonly time: ColumnTime }>(watermarks: readonly W[]): W | null {
  const lagOf = ({ time }: W): number => Math.max(...time.map(({ delayMs }) => delayMs));
  let best: W | null = null;
  for (const watermark of watermarks) if (best === null || lagOf(watermark) < lagOf(best)) best = watermark;
  return best;
}

/** Whether the results of an aggregate can wait in its groups until they are final: what a group's key does not say, its time does. */
export function finishesInGroups(node: AggregateNode): boolean {
  const frozen = frozenBy(node);
  if (frozen === null) return false;
  const { by, key } = node;
  return key === undefined || by.every(({ name }) => key.includes(name) || name === frozen.name);
}
