import { kindOf } from './node-kinds.js';
import type { PlanNode } from './plan.js';
import { inputNameOf, type SourceDeclaration } from './declarations.js';

/** What a plan reads, each once, in the order of the plan. */
export function sourcesOf(plan: PlanNode): SourceDeclaration[] {
  const found = new Map<string, SourceDeclaration>();
  for (const node of nodesOf(plan))
    if (node.op === 'source') found.set(inputNameOf(node.source), node.source);
  return [...found.values()];
}

/** The nodes of a plan, inputs before what reads them, each once. */
export function nodesOf(plan: PlanNode): PlanNode[] {
  const seen = new Set<PlanNode>();
  const visit = (node: PlanNode): void => {
    if (seen.has(node)) return;
    inputsOf(node).forEach(visit);
    seen.add(node);
  };
  visit(plan);
  return [...seen];
}

/** The same node of other inputs. */
export function withInputs(node: PlanNode, inputs: readonly PlanNode[]): PlanNode {
  const [first, second] = inputs;
  if ('inputs' in node) return { ...node, inputs };
  if ('left' in node) return { ...node, left: first!, right: second! } as PlanNode;
  return 'input' in node ? ({ ...node, input: first! } as PlanNode) : node;
}

export const inputsOf = (node: PlanNode): readonly PlanNode[] =>
  node.op === 'source' ? [] : kindOf(node).inputs(node);
