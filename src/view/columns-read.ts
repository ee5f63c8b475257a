import { pathsRead } from './function-source.js';
import type { Expression, PlanNode, SourceNode, UserFunction } from './plan.js';

/** Paths that are read of a collection's rows; null: all of them. */
type Paths = ReadonlySet<string> | null;

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
  switch (node.op) {
    case 'source':
      return found(node, needed);
    case 'where':
      return visit(node.input, both(needed, ofFunction(node.predicate)), found);
    case 'select':
      return visit(node.input, all(node.columns.map(({ value }) => ofExpression(value))), found);
    case 'flatMap':
      return visit(node.input, ofFunction(node.fn), found);
    case 'unnest':
      return visit(node.input, both(without(needed, node.as), new Set([node.path])), found);
    case 'union':
      return node.inputs.forEach((input) => visit(input, needed, found));
    case 'distinct':
      return visit(node.input, null, found);
    case 'aggregate': {
      const wholeRow = node.aggregates.some(
        ({ aggregate: { kind, value } }) => (kind === 'minBy' || kind === 'maxBy') && value === null,
      );
      const parts = node.aggregates.flatMap(({ aggregate }) => [
        ofExpression(aggregate.value),
        ofExpression(aggregate.by),
        aggregate.test === null ? NONE : ofFunction(aggregate.test),
      ]);
      return visit(
        node.input,
        wholeRow ? null : all([...node.by.map(({ value }) => ofExpression(value)), ...parts]),
        found,
      );
    }
    case 'join':
      visit(node.left, both(without(needed, node.as), new Set(node.on.map((pair) => pair.left))), found);
      return visit(
        node.right,
        both(inside(needed, node.as), new Set(node.on.map((pair) => pair.right))),
        found,
      );
  }
}

const NONE: ReadonlySet<string> = new Set();
const headOf = (path: string): string => path.split('.')[0]!;

const ofFunction = ({ source }: UserFunction): Paths => pathsRead(source);

function ofExpression(expression: Expression | null): Paths {
  if (expression === null || expression.kind === 'position') return NONE;
  return expression.kind === 'path' ? new Set([expression.path]) : ofFunction(expression.fn);
}

const both = (left: Paths, right: Paths): Paths =>
  left === null || right === null ? null : new Set([...left, ...right]);
const all = (parts: readonly Paths[]): Paths => parts.reduce<Paths>(both, NONE);

const without = (paths: Paths, name: string): Paths =>
  paths && new Set([...paths].filter((path) => headOf(path) !== name));

/** Of paths of a joined row, those into the side of this name. */
function inside(paths: Paths, name: string): Paths {
  if (paths === null || paths.has(name)) return null;
  return new Set(
    [...paths].filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1)),
  );
}
