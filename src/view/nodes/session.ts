import { DueTimes } from '../../circuit/due-times.js';
import { generatedRead, generatedRow } from '../../circuit/generated-row.js';
import { Session, type SessionClosing } from '../../circuit/operators/session.js';
import { durationText } from '../duration.js';
import { keptGrowth } from '../kept-growth.js';
import type { NodeKind } from '../node-kind.js';
import type { PlanCompiler } from '../compile-plan.js';
import type { SessionNode } from '../plan.js';
import { keyTextOfColumns, rowTextOfColumns } from '../row-texts.js';
import { sessionEnd, WINDOW_COLUMNS } from '../time-relation.js';

export const session: NodeKind<SessionNode> = {
  inputs: (node) => [node.input],
  // Rows are kept, to be moved.
  reads: ({ kept }) => [kept === undefined ? null : new Set(kept)],
  describe: ({ gapMs, column, per, kept }) => ({ gapMs, column, per, ...(kept && { kept }) }),
  explain({ input: { relation }, gapMs, column, per }) {
    const group = per.length > 0 ? ` for each ${per.join(', ')}` : '';
    return {
      what: `sessions${group} with gaps of more than ${durationText(gapMs)} between them by ${column}`,
      cost: 'O(|Δ| log n)',
      growth: sessionEnd(relation, column) ? 'freed by windowEnd' : keptGrowth(relation),
    };
  },
  compile(node, compiler) {
    const { input, gapMs, column } = node;
    const vertex = compiler.vertexOf(input);
    const given = node.relation.columns.length - WINDOW_COLUMNS.length;
    const columns = node.relation.columns.slice(0, given);
    const operator = new Session(
      compiler.ordered('rows'),
      compiler.ordered('sessions'),
      {
        gapMs,
        column,
        atOf: generatedRead(column),
        groupKeyOf: keyTextOfColumns(input.relation.columns, node.per),
        textOf: rowTextOfColumns(columns),
        rowOf: generatedRow([
          ...columns.map(({ name }) => ({ name, from: { path: name } })),
          ...WINDOW_COLUMNS.map((name, value) => ({ name, from: { value } })),
        ]),
        closing: closingOf(node, compiler),
      },
      compiler.errorsOf('session'),
    );
    return compiler.add('session', operator, [vertex]);
  },
};

function closingOf({ input, column }: SessionNode, compiler: PlanCompiler): SessionClosing | null {
  const end = sessionEnd(input.relation, column);
  if (end === undefined) return null;
  compiler.needsTime(end.time);
  return {
    time: end.time,
    due: new DueTimes(compiler.ordered('due')),
    late: input.relation.lates ? compiler.latesOf('session') : null,
  };
}
