import { fusedAggregate } from './fused-aggregate.js';
import type {
  AggregateKind,
  AggregateNode,
  AggregateSpec,
  Expression,
  JoinNode,
  PlanNode,
  Relation,
  ViewDeclaration,
} from './plan.js';
import { inputsOf, nodesOf } from './plan-nodes.js';

/** One operator of a view, and what it costs. */
export interface ExplainedOperator {
  readonly number: number;
  readonly op: string;
  /** What it does, in a line. */
  readonly what: string;
  /** The numbers of the operators it reads. */
  readonly inputs: readonly number[];
  /** The work for a change, where n is what is kept: `O(|Δ|)`, `O(|Δ| log n)`, `O(|Δ| · matches)`, `holistic: O(group)`. */
  readonly cost: Cost;
  /** What it keeps. */
  readonly growth: Growth;
  readonly place: string | null;
}

export type Cost = 'O(|Δ|)' | 'O(|Δ| log n)' | 'O(|Δ| · matches)' | 'holistic: O(group)';
export type Growth =
  | 'none'
  | 'one entry per key'
  | 'one entry per group'
  | 'one entry per value of a group'
  | 'grows with its input'
  | 'grows with the table'
  | 'grows for ever';

/** What maintaining a view costs: for people, and as data. */
export function explainView(view: ViewDeclaration): { text: string; operators: ExplainedOperator[] } {
  const nodes = nodesOf(view.plan);
  const numbers = new Map(nodes.map((node, index) => [node, index + 1]));
  const fused = fusedAggregate(view);
  const operators = nodes.map((node): ExplainedOperator => ({
    number: numbers.get(node)!,
    op: node.op,
    inputs: inputsOf(node).map((input) => numbers.get(input)!),
    place: node.place,
    ...explainNode(node, node === fused),
  }));
  operators.push({
    number: nodes.length + 1,
    op: 'view',
    what: `keeps rows by ${view.key.join(', ')}${view.indexes.length > 0 ? `, indexed by ${view.indexes.map(({ name }) => name).join('; ')}` : ''}`,
    inputs: [nodes.length],
    cost: view.indexes.length > 0 ? 'O(|Δ| log n)' : 'O(|Δ|)',
    growth: view.plan.relation.appendOnly ? 'grows for ever' : 'one entry per key',
    place: view.place,
  });
  return { text: textOf(view, operators), operators };
}

type Explained = Pick<ExplainedOperator, 'what' | 'cost' | 'growth'>;
const passing = (what: string): Explained => ({ what, cost: 'O(|Δ|)', growth: 'none' });

function explainNode(node: PlanNode, fused: boolean): Explained {
  switch (node.op) {
    case 'source':
      if (node.source.kind === 'stream') return passing(`events of stream ${node.source.name}`);
      if (node.source.kind === 'view') return passing(`changes of view ${node.source.name}`);
      return {
        what: `rows of table ${node.source.name} by ${node.source.key.join(', ')}`,
        cost: 'O(|Δ|)',
        growth: 'grows with the table',
      };
    case 'where':
      return passing(short(node.predicate.source));
    case 'select':
      return passing(node.columns.map(({ name, value }) => named(name, value)).join(', '));
    case 'flatMap':
      return passing(short(node.fn.source));
    case 'unnest':
      return passing(`${node.path} as ${node.as}`);
    case 'union':
      return passing(`${node.inputs.length} inputs`);
    case 'distinct':
      return { what: 'each row once', cost: 'O(|Δ|)', growth: keptGrowth(node.input.relation) };
    case 'aggregate':
      return explainAggregate(node, fused);
    case 'join':
      return explainJoin(node);
  }
}

function explainAggregate(node: AggregateNode, fused: boolean): Explained {
  const { appendOnly } = node.input.relation;
  const by =
    node.by.length > 0
      ? `by ${node.by.map(({ name, value }) => named(name, value)).join(', ')}`
      : 'over all rows';
  const results = node.aggregates
    .map(({ name, aggregate }) => `${name} = ${aggregateText(aggregate)}`)
    .join(', ');
  const kinds = node.aggregates.map(({ aggregate }) => aggregate.kind);
  const members = kinds.some((kind) => keepsMembers(kind, appendOnly));
  return {
    what: `${by}: ${results}${fused ? ' (kept in the view’s rows)' : ''}`,
    cost: kinds.includes('collect') ? 'holistic: O(group)' : members ? 'O(|Δ| log n)' : 'O(|Δ|)',
    growth: members ? 'one entry per value of a group' : 'one entry per group',
  };
}

const keepsMembers = (kind: AggregateKind, appendOnly: boolean): boolean => {
  switch (kind) {
    case 'collect':
    case 'countDistinct':
      return true;
    case 'min':
    case 'max':
    case 'first':
    case 'last':
    case 'minBy':
    case 'maxBy':
      return !appendOnly;
    default:
      return false;
  }
};

function explainJoin(node: JoinNode): Explained {
  const { left, right, on } = node;
  const keys = on
    .map((pair) => (pair.left === pair.right ? pair.left : `${pair.left} = ${pair.right}`))
    .join(' and ');
  const growths = [keptGrowth(left.relation), keptGrowth(right.relation)];
  return {
    what: `${node.kind === 'left' ? 'left join' : 'join'} ${node.as} on ${keys}`,
    cost: 'O(|Δ| · matches)',
    growth: growths.includes('grows for ever') ? 'grows for ever' : 'grows with its input',
  };
}

/** What is kept of rows that nothing ever retracts is never freed. */
const keptGrowth = (relation: Relation): Growth =>
  relation.appendOnly ? 'grows for ever' : 'grows with its input';

const named = (name: string, value: Expression): string => {
  if (value.kind === 'path') return value.path === name ? name : `${name} = ${value.path}`;
  return value.kind === 'position' ? `${name} = $position` : `${name} = ${short(value.fn.source)}`;
};

function aggregateText({ kind, value, by, test, descending }: AggregateSpec): string {
  const parts = [
    value && expressionText(value),
    by && `by ${expressionText(by)}`,
    test && short(test.source),
    descending ? 'descending' : null,
  ].filter(Boolean);
  return `${kind}(${parts.join(', ')})`;
}

const expressionText = (value: Expression): string =>
  value.kind === 'path' ? value.path : value.kind === 'position' ? '$position' : short(value.fn.source);

const SOURCE_TEXT_MAX = 60;

function short(source: string): string {
  const text = source.replace(/\s+/g, ' ').trim();
  return text.length > SOURCE_TEXT_MAX ? `${text.slice(0, SOURCE_TEXT_MAX - 1)}…` : text;
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
