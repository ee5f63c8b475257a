import { DueTimes } from '../../circuit/due-times.js';
import { FreedMembers } from '../../circuit/freed-members.js';
import { generatedRead, generatedRow } from '../../circuit/generated-row.js';
import type { Ordered } from '../../circuit/operator.js';
import { Sliding, type SlidingClosing } from '../../circuit/operators/sliding.js';
import type { PlanCompiler } from '../compile-plan.js';
import { durationText } from '../duration.js';
import { freezing } from '../freezing.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import type { SlidingNode } from '../plan.js';
import type { ColumnWatermark } from '../relation.js';
import { keyTextOfColumns, rowTextOfColumns } from '../row-texts.js';
import { WINDOW_COLUMNS } from '../time-relation.js';

export const sliding: NodeKind<SlidingNode> = {
  inputs: (node) => [node.input],
  // Rows are kept whole, to be given to the windows that come.
  reads: () => [null],
  describe: ({ sizeMs, column, per }) => ({ sizeMs, column, per }),
  explain(node) {
    const group = node.per.length > 0 ? ` for each ${node.per.join(', ')}` : '';
    return {
      what: `sliding ${durationText(node.sizeMs)}${group} by ${node.column}`,
      cost: 'O(|Δ| · rows in sight)',
      growth: closedBy(node) ? 'freed by windowEnd' : keptGrowth(node.input.relation),
    };
  },
  compile(node, compiler) {
    const { input, sizeMs, column } = node;
    const vertex = compiler.vertexOf(input);
    const rows = compiler.ordered('rows');
    const times = compiler.ordered('times');
    const operator = new Sliding(
      rows,
      times,
      {
        sizeMs,
        column,
        atOf: generatedRead(column),
        groupKeyOf: keyTextOfColumns(input.relation.columns, node.per),
        textOf: rowTextOfColumns(input.relation.columns),
        rowOf: generatedRow([
          ...input.relation.columns.map(({ name }) => ({ name, from: { path: name } })),
          ...WINDOW_COLUMNS.map((name, value) => ({ name, from: { value } })),
        ]),
        closing: closingOf(node, [rows, times], compiler),
      },
      compiler.errorsOf('sliding'),
    );
    return compiler.add('sliding', operator, [vertex]);
  },
};

const closedBy = ({ input, column }: SlidingNode): ColumnWatermark | undefined =>
  freezing(input.relation).find((watermark) => watermark.column === column);

function closingOf(
  node: SlidingNode,
  members: readonly Ordered[],
  compiler: PlanCompiler,
): SlidingClosing | null {
  const time = closedBy(node)?.time;
  if (time === undefined) return null;
  compiler.needsTime(time);
  return {
    // The window just behind a row is the last that asks for it.
    freed: new FreedMembers(members, {
      time,
      keptMs: node.sizeMs + 1,
      due: new DueTimes(compiler.ordered('due')),
    }),
    delayMs: Math.min(...time.map(({ delayMs }) => delayMs)),
    late: node.input.relation.lates ? compiler.latesOf('sliding') : null,
  };
}
