import type { Build } from './build.js';
import { groupedBy, inOneStage, matched } from './exchange.js';
import { noteOptions } from './options.js';
import type { DistinctNode, ExceptNode, IntersectNode, PlanNode, UnionNode } from './plan.js';
import { distinctRelation, unionRelation } from './relation.js';
import { exceptRelation, intersectRelation } from './set-relations.js';

/** The nodes of the operators that take collections as sets or bags, made of what was written. */

export function unionNode(build: Build, first: PlanNode, others: readonly unknown[]): UnionNode {
  const alike = others.map((other) => build.alike(first, build.planOf(other, 'union()'), 'united'));
  const inputs = inOneStage([first, ...alike], build);
  return {
    op: 'union',
    inputs,
    relation: unionRelation(inputs.map((input) => input.relation) as never),
    place: build.place,
  };
}

export function comparingNode(
  build: Build,
  op: 'except' | 'intersect',
  rows: PlanNode,
  other: unknown,
  options: { readonly all?: boolean } | undefined,
): ExceptNode | IntersectNode {
  const compared = build.alike(rows, build.planOf(other, `${op}()`), 'compared');
  noteOptions(options, op, build);
  const all = options?.all ?? false;
  const on = rows.relation.columns.map(({ name }) => ({ left: name, right: name }));
  const [left, right] = matched(build, rows, compared, { on, done: 'compared' });
  const relationOf = op === 'except' ? exceptRelation : intersectRelation;
  return {
    op,
    left,
    right,
    all,
    relation: relationOf(left.relation, right.relation, all),
    place: build.place,
  };
}

export function distinctNode(build: Build, rows: PlanNode): DistinctNode {
  const names = rows.relation.columns.map(({ name }) => name);
  // Equal rows lie together wherever columns decide where.
  const isPlaced = rows.relation.partitionedBy !== null;
  const input = isPlaced ? rows : groupedBy(build, rows, names, 'made distinct');
  return { op: 'distinct', input, relation: distinctRelation(input.relation), place: build.place };
}
