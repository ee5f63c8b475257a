import { aggregateSpec, type NamedAggregate } from './aggregate-spec.js';
import { isAggregate } from './aggregates.js';
import type { Build } from './build.js';
import { foldsInParts, keepsSketch } from './aggregate-facts.js';
import { isScalar, renamed } from './column.js';
import { exchanged } from './exchange.js';
import type { NamedExpression } from './expression.js';
import { groupedRows, movedBeforeWindows, narrowed } from './grouped-rows.js';
import { kindOf } from './node-kinds.js';
import type { AggregateNode, ExchangeNode, PartsNode, PlanNode } from './plan.js';
import { asItIs } from './projected.js';
import { retractsWholeGroups } from './time-relation.js';
import { aggregateRelation, type ColumnWatermark, partsRelation, type Relation } from './relation.js';

/** Rows, and what they are grouped by. */
export interface Groups {
  readonly input: PlanNode;
  readonly by: readonly NamedExpression[];
  /** Where `groupBy` was written: an aggregate is told of there. */
  readonly place: string | null;
  /** The columns that identify a group; all, if not said. */
  readonly key?: readonly string[];
  /** Results that come before those that are asked for. */
  readonly before?: readonly NamedAggregate[];
  /** One of them, by which groups are over. */
  readonly over?: ColumnWatermark | undefined;
}

/** The columns that are grouped by, and what is wrong with them. */
export function groupColumns(build: Build, by: readonly unknown[]): NamedExpression[] {
  const named = by.flatMap((part) => {
    if (typeof part === 'string') return build.columns({ [part.split('.').at(-1)!]: part }, 'group by');
    if (Array.isArray(part))
      build.note({
        code: 'bad-option',
        what: 'groupBy() is given a list.',
        evidence: { given: part.join(', ') },
        remedy: `Name the columns one after the other: groupBy('a', 'b').`,
        place: build.place,
      });
    return build.columns(part, 'group by');
  });
  const names = named.map(({ name }) => name);
  for (const name of new Set(names.filter((candidate, index) => names.indexOf(candidate) !== index)))
    build.note({
      code: 'column-twice',
      what: `Two of the columns to group by are named "${name}".`,
      evidence: { 'grouped by': names.join(', ') },
      remedy: `Name one otherwise: groupBy({ other: '…' }).`,
      place: build.place,
    });
  for (const { value } of named)
    if (!isScalar(value.column.type) && !build.isUnknown(value))
      build.noteType(
        value.column,
        'is grouped by and does not hold text, numbers or booleans',
        'Group by a path into it, or by computed(schema, fn).',
      );
  return named;
}

/** One row for each group, of its columns and what was asked for by name. */
export function aggregateNode(
  build: Build,
  { input: rows, by: grouped, place, key, before = [], over }: Groups,
  asked: object | undefined,
): AggregateNode {
  const { node, by } = groupedRows(build, rows, grouped, key);
  const aggregates = [...before];
  const relation = retractsWholeGroups(node) ? { ...node.relation, appendOnly: true } : node.relation;
  for (const [name, request] of Object.entries(asked ?? {}) as [string, unknown][])
    if (isAggregate(request))
      aggregates.push({ name, aggregate: aggregateSpec(name, request, relation, build) });
    else
      build.note({
        code: 'bad-option',
        what: `The column "${name}" of aggregate() is no aggregate.`,
        evidence: { given: typeof request },
        remedy: `Call one: { ${name}: count() }, sum('column'), max('column') ….`,
        place: build.place,
      });
  for (const { name } of aggregates.slice(before.length))
    if ([...by, ...before].some((column) => column.name === name))
      build.note({
        code: 'column-twice',
        what: `An aggregate is named "${name}", as a column that is grouped by is.`,
        evidence: { 'grouped by': by.map((column) => column.name).join(', ') },
        remedy: 'Give the aggregate another name.',
        place: build.place,
      });
  const results = aggregates.map(({ aggregate }) => aggregate.column);
  const of = (input: PlanNode, groupedBy = by): AggregateNode => ({
    op: 'aggregate',
    input,
    by: groupedBy,
    aggregates,
    ...(key && { key }),
    ...(over && { over }),
    relation: aggregateRelation(input.relation, groupedBy, results, key, over),
    place: place ?? build.place,
  });
  const isPlain = over === undefined && before.length === 0;
  const [read] = kindOf(of(node)).reads(of(node), null);
  if (node !== rows && isPlain && !aggregates.every(isSmallPart(node.relation))) {
    const inWindows = movedBeforeWindows(node, read!);
    if (inWindows !== null) return of(inWindows);
  }
  if (node !== rows && node.op === 'exchange' && isPlain && aggregates.every(foldsIn(node.relation))) {
    const named = by.map(({ name, value }) => asItIs(renamed(value.column, name)));
    return { ...of(partsMoved(node, { by, aggregates, key }), named), ofParts: true };
  }
  return of(narrowed(node, read!));
}

const foldsIn =
  ({ appendOnly }: Relation) =>
  ({ aggregate }: NamedAggregate): boolean =>
    foldsInParts(aggregate.kind, appendOnly);

/** What is moved of it for each group and window is little. */
const isSmallPart =
  (relation: Relation) =>
  (named: NamedAggregate): boolean =>
    foldsIn(relation)(named) && !keepsSketch(named.aggregate.kind);

/** What is moved to be grouped, folded before it is: a tick moves one row for each group, however many it changes. */
function partsMoved(
  { input, by: moving, relation: { partitions }, place }: ExchangeNode,
  groups: Pick<PartsNode, 'by' | 'aggregates' | 'key'>,
): ExchangeNode {
  const { by } = groups;
  const parts: PartsNode = Object.freeze({
    op: 'parts',
    input,
    ...groups,
    relation: partsRelation(input.relation, by),
    place,
  });
  const names = moving.map(
    (path) => by.find(({ value }) => value.kind === 'path' && value.path === path)!.name,
  );
  return exchanged(parts, names, partitions, place);
}
