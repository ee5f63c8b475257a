import { kindOf } from './node-kinds.js';
import { both, headOf, type Paths } from './paths.js';
import type { PlanNode, SourceNode } from './plan.js';

/** For each source of a plan, the names of its columns that the plan's result depends on; null: all. */
export function columnsRead(plan: PlanNode): ReadonlyMap<SourceNode, Paths> {
  const read = new Map<SourceNode, Paths>();
  visit(plan, null, (source, paths) => {
    const before = read.get(source);
    const heads = paths && new Set([...paths].map(headOf));
    read.set(source, before === undefined ? heads : both(before, heads));
  });
  return read;
}

function visit(node: PlanNode, needed: Paths, found: (source: SourceNode, paths: Paths) => void): void {
  if (node.op === 'source') return found(node, needed);
  const kind = kindOf(node);
  const paths = kind.reads(node, needed);
  kind.inputs(node).forEach((input, index) => visit(input, paths[index]!, found));
}
