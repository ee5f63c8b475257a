import { hasManyWindows } from '../circuit/windows.js';
import type { Build } from './build.js';
import type { Column } from './column.js';
import type { NamedExpression } from './expression.js';
import { exchanged, groupedBy } from './exchange.js';
import { groupedTogether } from './order-relations.js';
import { headOf, type Paths } from './paths.js';
import { kindOf } from './node-kinds.js';
import type { PlanNode, SessionNode } from './plan.js';
import { asItIs, type NamedPath, projected } from './projected.js';
import { selectRelation } from './relation.js';
import { sessionRelation, WINDOW_COLUMNS, windowRelation } from './time-relation.js';

/**
 * Rows and what they are grouped by, each group in one partition. What is computed to group by is a column of them then.
 * They are moved by the columns that identify a group, and all windows of a group to one place: there it can be joined.
 */
export function groupedRows(
  build: Build,
  rows: PlanNode,
  by: readonly NamedExpression[],
  key: readonly string[] | undefined,
): { node: PlanNode; by: readonly NamedExpression[] } {
  const paths = by.flatMap(({ value }) => (value.kind === 'path' ? [value.path] : []));
  if (groupedTogether(rows.relation, paths)) return { node: rows, by };
  const { node, by: named } = withComputed(build, rows, by);
  const identifying = named.filter(({ name }) => key === undefined || key.includes(name));
  const lasting = identifying.filter(({ name }) => !(WINDOW_COLUMNS as readonly string[]).includes(name));
  const moving = (lasting.length > 0 ? lasting : identifying).map(({ value }) => value.path);
  return { node: groupedBy(build, node, moving, 'grouped'), by: named };
}

/**
 * Rows that are moved, or kept to be put into other sessions, without the columns that nobody reads of them: they are fewer bytes, and
 * more of them are equal, which are one then.
 */
export function narrowed(node: PlanNode, read: Paths): PlanNode {
  if (read === null || (node.op !== 'exchange' && node.op !== 'session')) return node;
  const own = node.op === 'exchange' ? node.by : [...node.per, node.column];
  const heads = new Set([...read, ...own].map(headOf));
  const kept = node.input.relation.columns.filter(({ name }) => heads.has(name));
  if (kept.length === node.input.relation.columns.length) return node;
  if (node.op === 'session') return keepingOnly(node, kept);
  const { place, by, relation } = node;
  const input = projected(node.input, kept.map(asItIs), place);
  return exchanged(input, by, relation.partitions, place);
}

/** What comes to it is as it was: rows that are late are shown whole. */
const keepingOnly = (node: SessionNode, columns: readonly Column[]): SessionNode =>
  Object.freeze({
    ...node,
    kept: columns.map(({ name }) => name),
    relation: sessionRelation(selectRelation(node.input.relation, columns.map(asItIs))),
  });

/**
 * Rows in many windows each, moved as rows are and put into windows where they come to: instead of a row for each window. Null
 * where they are moved by their windows, or are in few.
 */
export function movedBeforeWindows(node: PlanNode, read: Paths): PlanNode | null {
  if (node.op !== 'exchange' || node.input.op !== 'window') return null;
  const { input: window, by, relation, place } = node;
  const { shape, column } = window;
  const isByWindow = by.some((path) => (WINDOW_COLUMNS as readonly string[]).includes(headOf(path)));
  if (isByWindow || by.length === 0 || !hasManyWindows(shape)) return null;
  const [needed] = kindOf(window).reads(window, read);
  const input = narrowed(exchanged(window.input, by, relation.partitions, place), needed!);
  return { ...window, input, relation: windowRelation(input.relation, shape, column) };
}

/** What is computed to group by becomes a column of the rows. */
export function withComputed(
  build: Build,
  rows: PlanNode,
  by: readonly NamedExpression[],
): { node: PlanNode; by: readonly NamedPath[] } {
  const computed = by.filter(({ value }) => value.kind !== 'path');
  const paths = by.map((one) => (isPath(one) ? one : asItIs(one.value.column)));
  if (computed.length === 0) return { node: rows, by: paths };
  build.noteTaken(computed.map(({ name }) => name));
  const columns = [...rows.relation.columns.map(asItIs), ...computed];
  return { node: projected(rows, columns, build.place), by: paths };
}

const isPath = (one: NamedExpression): one is NamedPath => one.value.kind === 'path';
