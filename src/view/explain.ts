import { fusedAggregate } from './fused-aggregate.js';
import type { Explained, Growth } from './node-kind.js';
import { kindOf } from './node-kinds.js';
import { inputsOf, nodesOf } from './plan-nodes.js';
import { isOfProcessing } from './stamp.js';
import { tornIn } from './torn.js';
import type { PlanNode } from './plan.js';
import type { SourceDeclaration, ViewDeclaration } from './declarations.js';

/** One operator of a view, and what it costs. */
export interface ExplainedOperator extends Explained {
  readonly number: number;
  readonly op: string;
  /** The numbers of the operators it reads. */
  readonly inputs: readonly number[];
  readonly place: string | null;
}

/** What maintaining a view costs: for people, and as data. */
export function explainView(view: ViewDeclaration): { text: string; operators: ExplainedOperator[] } {
  const nodes = nodesOf(view.plan);
  const numbers = new Map(nodes.map((node, index) => [node, index + 1]));
  const fused = fusedAggregate(view);
  const torn = tornIn(view);
  const operators = nodes.map((node): ExplainedOperator => ({
    number: numbers.get(node)!,
    op: node.op,
    inputs: inputsOf(node).map((input) => numbers.get(input)!),
    place: node.place,
    ...explainNode(node, node === fused, torn),
  }));
  operators.push({
    number: nodes.length + 1,
    op: 'view',
    what: `keeps rows by ${view.key.join(', ')}${view.indexes.length > 0 ? `, indexed by ${view.indexes.map(({ name }) => name).join('; ')}` : ''}`,
    inputs: [nodes.length],
    cost: view.indexes.length > 0 ? 'O(|Δ| log n)' : 'O(|Δ|)',
    growth: growthOf(view.plan),
    place: view.place,
  });
  return { text: textOf(view, operators), operators };
}

/** Rows that the watermark of a column has passed never go. */
function growthOf({ op, relation }: PlanNode): Growth {
  if (op === 'during') return 'freed as time passes';
  return relation.appendOnly || relation.watermarks.length > 0 ? 'grows for ever' : 'one entry per key';
}

const explainNode = (node: PlanNode, fused: boolean, torn: ReadonlySet<string>): Explained =>
  node.op === 'source' ? explainSource(node.source, torn) : kindOf(node).explain(node, fused);

/** `torn`: the views of which rows of several partitions are brought together as they come. */
function explainSource(source: SourceDeclaration, torn: ReadonlySet<string>): Explained {
  if (source.kind === 'table')
    return {
      what: `rows of table ${source.name} by ${source.key.join(', ')}`,
      cost: 'O(|Δ|)',
      growth:
        source.eventTime === null ? 'grows with the table' : 'grows with the table and its deleted keys',
    };
  const what =
    source.kind === 'stream'
      ? `events of stream ${source.name}${isOfProcessing(source) ? ', of the time when they are processed: a replay gives others' : ''}`
      : `changes of view ${source.name}${torn.has(source.name) ? ', of each partition as they come (mayTear)' : ''}`;
  return { what, cost: 'O(|Δ|)', growth: 'none' };
}

function textOf(view: ViewDeclaration, operators: readonly ExplainedOperator[]): string {
  const rows = operators.map(({ number, op, what, inputs, cost, growth }) => [
    `#${number}`,
    op,
    inputs.length > 0 ? `from ${inputs.map((input) => `#${input}`).join(', ')}` : '',
    cost,
    `keeps: ${growth}`,
    what,
  ]);
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  return [`view ${view.name}`, ...lines.map((line) => `  ${line}`)].join('\n');
}
