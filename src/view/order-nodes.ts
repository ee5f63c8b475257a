import { z } from 'zod';
import type { Build } from './build.js';
import { isInstant, isScalar, type Column } from './column.js';
import { DURATION_EXAMPLES, durationMs, type Duration } from './duration.js';
import { pathOf } from './expression.js';
import { groupedBy } from './exchange.js';
import { noteOptions } from './options.js';
import { dedupeRelation, topRelation } from './order-relations.js';
import { type Order, orderTerm, orderWords } from './order-terms.js';
import type { DedupeNode, OrderTerm, PlanNode, TopNode } from './plan.js';
import { columnNames } from './relation.js';

/** The nodes of the operators that put rows in an order, made of what was written. */

/** Rows that a group passes over and shows together: each change of a group reads as many. */
const TOP_ROWS_MAX = 10_000;

export interface TopRequest {
  readonly per?: string | readonly string[];
  readonly order: Order;
  readonly offset?: number;
  readonly rank?: string;
}

export function topNode(build: Build, rows: PlanNode, count: number, options: TopRequest): TopNode {
  noteOptions(options, 'top', build);
  const per = groupPaths(build, rows, options?.per);
  const input = groupedBy(build, rows, per, 'put in an order');
  const order = orderTerms(build, input, options?.order, 'top()');
  const offset = options?.offset ?? 0;
  const rank = options?.rank ?? null;
  noteWhole(build, 'top()', 'count', count, 1, TOP_ROWS_MAX);
  noteWhole(build, 'top()', 'offset', offset, 0, TOP_ROWS_MAX - 1);
  if (count + offset > TOP_ROWS_MAX && count <= TOP_ROWS_MAX && offset < TOP_ROWS_MAX)
    build.note({
      code: 'bad-option',
      what: 'top() shows rows too far from the beginning of their order.',
      evidence: { count: String(count), offset: String(offset) },
      remedy: `Keep the sum of both within ${TOP_ROWS_MAX}.`,
      place: build.place,
    });
  if (rank !== null) build.noteTaken([rank]);
  return {
    op: 'top',
    input,
    count,
    offset,
    per,
    order,
    rank,
    relation: topRelation(input.relation, { count, per, rank: rank === null ? null : wholeNumber(rank) }),
    place: build.place,
  };
}

export interface DedupeRequest {
  readonly by: string | readonly string[];
  readonly within?: Duration;
  readonly on?: string;
}

export function dedupeNode(build: Build, rows: PlanNode, options: DedupeRequest): DedupeNode {
  noteOptions(options, 'dedupe', build);
  const by = groupPaths(build, rows, options?.by);
  const input = by.length === 0 ? rows : groupedBy(build, rows, by, 'compared');
  if (by.length === 0)
    build.note({
      code: 'no-columns',
      what: 'dedupe() does not say which rows repeat one another.',
      remedy: `Name the columns that are equal then: { by: 'id' }.`,
      place: build.place,
    });
  const withinMs = options?.within === undefined ? null : durationMs(options.within);
  if (options?.within !== undefined && withinMs === null)
    build.note({
      code: 'bad-option',
      what: 'dedupe() has an impossible `within`.',
      evidence: { within: String(options.within) },
      remedy: `Write ${DURATION_EXAMPLES}.`,
      place: build.place,
    });
  const at = instantColumn(build, input, options?.on);
  const how = { by, withinMs, at };
  return { op: 'dedupe', input, ...how, relation: dedupeRelation(input.relation, how), place: build.place };
}

/** The column that says when a row was; null where its place in the log does. */
function instantColumn(build: Build, input: PlanNode, on: string | undefined): string | null {
  const { relation } = input;
  if (on === undefined) {
    if (relation.log === null)
      build.note({
        code: 'no-order',
        what: 'dedupe() is asked of rows that no longer come straight from one stream: nothing says which came first.',
        evidence: { columns: columnNames(relation) },
        remedy: `Name the column of instants that does: { on: 'at' }.`,
        place: build.place,
      });
    return null;
  }
  const column = pathOf(relation, on, { purpose: 'order by', ...build });
  if (isInstant(column.type) && column.type.nullable)
    build.note({
      code: 'wrong-type',
      what: `dedupe() goes by "${on}", which may be null: of a row without it nothing says what it repeats.`,
      evidence: { [on]: 'instant or null' },
      remedy: `Declare it as instant() alone, go by another column, or give rows that lack it a time first: .select({ …, at: computed(instant(), (row) => row.${on} ?? …) }).`,
      place: build.place,
    });
  else if (!isInstant(column.type))
    build.noteType(column, 'says when a row was and does not hold instants', 'Declare it as instant().');
  return on;
}

export const wholeNumber = (name: string): Column => ({
  name,
  schema: z.int(),
  type: { kind: 'number', integer: true, nullable: false },
});

/** Paths to scalars that rows are grouped by. */
export function groupPaths(build: Build, input: PlanNode, per: TopRequest['per']): readonly string[] {
  const paths = (per === undefined ? [] : Array.isArray(per) ? per : [per]) as readonly string[];
  for (const path of paths) {
    const column = pathOf(input.relation, path, { purpose: 'group by', ...build });
    if (!isScalar(column.type))
      build.noteType(
        column,
        'is grouped by and does not hold text, numbers or booleans',
        'Group by a path into it, or select computed(schema, fn) first.',
      );
  }
  return paths;
}

export function orderTerms(
  build: Build,
  input: PlanNode,
  order: Order | undefined,
  where: string,
): readonly OrderTerm[] {
  const words = order === undefined ? [] : orderWords(order);
  if (words.length === 0)
    build.note({
      code: 'no-order',
      what: `Nothing is said of the order of the rows of ${where}.`,
      remedy: `Write order: 'column', 'column.desc', or several: ['column.desc', 'other'].`,
      place: build.place,
    });
  return words.flatMap((word) => {
    const term = orderTerm(input.relation.columns, word);
    if ('path' in term) return [term];
    build.note({
      code: 'bad-order',
      what: `The rows of ${where} are ordered by a column ${term.what}: "${word}".`,
      evidence: term.evidence,
      remedy: `Write 'column', 'column.desc', or several.`,
      place: build.place,
    });
    return [];
  });
}

export function noteWhole(
  build: Build,
  where: string,
  option: string,
  value: number,
  least: number,
  most: number,
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  build.note({
    code: 'bad-option',
    what: `The \`${option}\` of ${where} is ${String(value)}, and not a whole number from ${least} to ${most}.`,
    evidence: { [option]: String(value) },
    remedy: `Give a whole number from ${least} to ${most}.`,
    place: build.place,
  });
}
