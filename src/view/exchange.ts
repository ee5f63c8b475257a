import type { Build } from './build.js';
import { groupedTogether } from './order-relations.js';
import { placedTogether } from './join-relation.js';
import type { JoinKey } from './join-plan.js';
import type { ExchangeNode, PlanNode } from './plan.js';
import { exchangeRelation, partitionText, type Relation } from './relation.js';

/**
 * Where rows that belong together may lie in different partitions, the plan moves them first. What several collections
 * are made one of has been moved equally often, so that a stage reads from the one before it and from no other: what
 * need not move is passed on to the partition it is in.
 */

const depths = new WeakMap<PlanNode, number>();

/** How often rows are exchanged on their way to a node: the stage it is in. */
export function stageOf(node: PlanNode): number {
  let depth = depths.get(node);
  if (depth === undefined) {
    depth = readBy(node).reduce((most, input) => Math.max(most, stageOf(input)), 0);
    if (node.op === 'exchange') depth++;
    depths.set(node, depth);
  }
  return depth;
}

function readBy(node: PlanNode): readonly PlanNode[] {
  if ('inputs' in node) return node.inputs;
  if ('left' in node) return [node.left, node.right];
  return 'input' in node ? [node.input] : [];
}

/** How often rows are moved on their way through a view, at the most. */
export const EXCHANGES_MAX = 7;

/** Notes that what belongs together does not lie together and cannot be moved to where it does; once is enough. */
export function noteExchange(
  { problems, note, place }: Build,
  together: boolean,
  done: string,
  evidence: Record<string, string>,
): void {
  if (together || problems.some(({ code }) => code === 'needs-exchange')) return;
  note({
    code: 'needs-exchange',
    what: `Rows that are ${done} together may lie in different partitions, and cannot be brought together here: within a view rows move between partitions ${EXCHANGES_MAX} times at the most, and not to where versions of a table are looked up.`,
    evidence,
    remedy:
      'Make a view of what comes before and read that with `mayTear: true`, partition the streams by the columns used here (`partitionBy`), or declare them with one partition.',
    place,
  });
}

export function exchanged(
  input: PlanNode,
  by: readonly string[],
  partitions: number,
  place: string | null,
): ExchangeNode {
  return Object.freeze({
    op: 'exchange',
    input,
    by,
    relation: exchangeRelation(input.relation, by, partitions),
    place,
  });
}

/** The rows, those of each group in one partition. */
export function groupedBy(build: Build, input: PlanNode, per: readonly string[], done: string): PlanNode {
  if (groupedTogether(input.relation, per)) return input;
  return checked(build, exchanged(input, per, input.relation.partitions, build.place), done, {
    rows: partitionText(input),
    by: per.join(', ') || '(nothing: all rows)',
  });
}

/** Both collections, rows that match in one partition. */
export function matched(
  build: Build,
  left: PlanNode,
  right: PlanNode,
  { on, done }: { readonly on: readonly JoinKey[]; readonly done: string },
): readonly [left: PlanNode, right: PlanNode] {
  if (on.length === 0) return [left, right];
  let sides = [left, right] as const;
  if (!placedTogether(left.relation, right.relation, on)) {
    const partitions = Math.max(left.relation.partitions, right.relation.partitions);
    const pairs =
      placingPairs(left, on, 'left', partitions) ?? placingPairs(right, on, 'right', partitions) ?? on;
    sides = [
      placedBy(
        left,
        pairs.map((pair) => pair.left),
        partitions,
        build,
      ),
      placedBy(
        right,
        pairs.map((pair) => pair.right),
        partitions,
        build,
      ),
    ];
  }
  const evidence = {
    left: partitionText(left),
    right: partitionText(right),
    on: on.map((pair) => `${pair.left} = ${pair.right}`).join(', '),
  };
  const [first, second] = inOneStage(sides, build);
  noteExchange(build, placedTogether(first!.relation, second!.relation, on), done, evidence);
  return [checked(build, first!, done, evidence), checked(build, second!, done, evidence)];
}

/** The pairs of columns that one side is placed by already, where it is in as many partitions. */
function placingPairs(
  { relation: { partitions, partitionedBy } }: PlanNode,
  on: readonly JoinKey[],
  side: 'left' | 'right',
  wanted: number,
): readonly JoinKey[] | null {
  if (partitions !== wanted || partitionedBy === null || partitionedBy.length === 0) return null;
  const pairs = partitionedBy.map((name) => on.find((pair) => pair[side] === name));
  return pairs.every((pair) => pair !== undefined) ? (pairs as JoinKey[]) : null;
}

function placedBy(node: PlanNode, by: readonly string[], partitions: number, { place }: Build): PlanNode {
  return isPlacedBy(node.relation, by, partitions) ? node : exchanged(node, by, partitions, place);
}

/** Whether rows lie by just these columns, in as many partitions. */
export const isPlacedBy = (relation: Relation, by: readonly string[], partitions: number): boolean =>
  relation.partitions === partitions &&
  relation.partitionedBy?.length === by.length &&
  by.every((name, index) => relation.partitionedBy![index] === name);

/** Collections, all of them moved as often as that which was most often. */
export function inOneStage(
  nodes: readonly PlanNode[],
  { place }: { readonly place: string | null },
): PlanNode[] {
  const stage = Math.max(...nodes.map(stageOf));
  return nodes.map((node) => {
    while (stageOf(node) < stage) {
      const { partitions, partitionedBy, columns } = node.relation;
      const by = partitions === 1 ? [] : (partitionedBy ?? columns.map(({ name }) => name));
      node = exchanged(node, by, partitions, place);
    }
    return node;
  });
}

function checked(build: Build, node: PlanNode, done: string, evidence: Record<string, string>): PlanNode {
  noteExchange(build, stageOf(node) <= EXCHANGES_MAX, done, evidence);
  return node;
}
