import type { SourceDeclaration, ViewDeclaration } from './declarations.js';
import { isPlacedBy, stageOf } from './exchange.js';
import { inputsOf, nodesOf, sourcesOf } from './plan-nodes.js';
import type { PlanNode } from './plan.js';
import { partitionsOfStage, stagesOf } from './stages.js';

/**
 * The views of which a plan brings rows of several partitions together, where what one log says is spread over these:
 *
 *     log 0 ─┬─▶ view, partition 0 ──────▶─┐
 *            └─▶ view, partition 1 ─▶──────┴─▶ a total of both
 *
 * Each partition of the view is of one moment, but not of the same. So the total would contain of a log what came last, and miss
 * what was before it: it would be of no prefix of that log.
 */
export function tornIn(view: Pick<ViewDeclaration, 'plan' | 'partitions'>): ReadonlySet<string> {
  const torn = new Set<string>();
  /** Of each node the views whose rows lie in it as they do where they are kept, with the number of partitions there. */
  const apart = new Map<PlanNode, ReadonlyMap<string, number>>();
  for (const node of nodesOf(view.plan)) {
    const kept = new Map(inputsOf(node).flatMap((input) => [...apart.get(input)!]));
    if (node.op === 'source' && isSpread(node.source)) kept.set(node.source.name, node.source.partitions);
    if (node.op === 'exchange')
      for (const [name, partitions] of kept)
        if (!isPassedOn(node) || partitionsOfStage(view, stageOf(node)) !== partitions) {
          torn.add(name);
          kept.delete(name);
        }
    apart.set(node, kept);
  }
  return torn;
}

/** Rows that lie well already, moved only to be in one stage with others. */
const isPassedOn = ({ input, by, relation }: PlanNode & { readonly op: 'exchange' }): boolean =>
  isPlacedBy(input.relation, by, relation.partitions);

const known = new WeakMap<ViewDeclaration, boolean>();

/** Whether what one partition of a log says may be in several partitions of a view. */
function isSpread(source: SourceDeclaration): boolean {
  if (source.kind !== 'view' || source.partitions === 1) return false;
  let spread = known.get(source);
  if (spread === undefined) {
    spread = stagesOf(source) > 1 || sourcesOf(source.plan).some(isSpread);
    known.set(source, spread);
  }
  return spread;
}
