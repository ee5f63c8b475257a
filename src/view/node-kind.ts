import type { PlanCompiler } from './compile-plan.js';
import type { Paths } from './paths.js';
import type { PlanNode, SourceNode } from './plan.js';

/** A node that computes: all but the sources. */
export type OperatorNode = Exclude<PlanNode, SourceNode>;

/** What there is to know of one kind of node; each in a file of `nodes/`. */
export interface NodeKind<N extends OperatorNode> {
  inputs(node: N): readonly PlanNode[];
  /** What it reads of each input's rows, where `needed` is read of its own. */
  reads(node: N, needed: Paths): readonly Paths[];
  /** Everything of it that decides its rows, its inputs apart: for the fingerprint. */
  describe(node: N): object;
  /** What it does, what that costs and what it keeps. `fused`: its state lies in the view's rows. */
  explain(node: N, fused: boolean): Explained;
  /** Makes its vertex. */
  compile(node: N, compiler: PlanCompiler): number;
}

export interface Explained {
  /** What it does, in a line. */
  readonly what: string;
  readonly cost: Cost;
  readonly growth: Growth;
}

/** The work for a change, where n is what is kept. */
export type Cost =
  | 'O(|Δ|)'
  | 'O(|Δ| log n)'
  | 'O(|Δ| · matches)'
  | 'O(|Δ| · rows in sight)'
  | 'O(the ranks that move)'
  | 'O(the rows behind)'
  | 'holistic: O(group)';

/** What is kept. */
export type Growth =
  | 'none'
  | 'one entry per key'
  | 'one entry per group'
  | 'one sketch per group'
  | 'the first rows of each group'
  | 'one entry per value of a group'
  | 'grows with its input'
  | 'grows with the table'
  | 'grows with the table and its deleted keys'
  /** What is kept of a time goes when the watermark of this column passes it. */
  | `freed by ${string}`
  | 'freed as time passes'
  | 'grows for ever';
