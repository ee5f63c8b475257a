import { stageOf } from './exchange.js';
import { nodesOf, sourcesOf } from './plan-nodes.js';
import type { ViewDeclaration } from './declarations.js';

/** How many stages a view has: one more than its rows are moved. */
export const stagesOf = ({ plan }: ViewDeclaration): number => stageOf(plan) + 1;

/**
 * Over how many tasks a stage is spread: the first over as many as the most partitions it reads, the last over the view's
 * own. Of what has fewer the other tasks have nothing.
 */
export function partitionsOfStage(view: Pick<ViewDeclaration, 'plan' | 'partitions'>, stage: number): number {
  if (stage === stageOf(view.plan)) return view.partitions;
  if (stage === 0) return Math.max(1, ...sourcesOf(view.plan).map(({ partitions }) => partitions));
  return nodesOf(view.plan).reduce(
    (most, node) =>
      node.op === 'exchange' && stageOf(node) === stage ? Math.max(most, node.relation.partitions) : most,
    1,
  );
}
