import { DueTimes } from '../../circuit/due-times.js';
import { generatedRead } from '../../circuit/generated-row.js';
import { During } from '../../circuit/operators/during.js';
import type { PlanCompiler } from '../compile-plan.js';
import { durationText } from '../duration.js';
import type { NodeKind } from '../node-kind.js';
import { both } from '../paths.js';
import type { DuringEnd, DuringNode } from '../plan.js';

export const during: NodeKind<DuringNode> = {
  inputs: (node) => [node.input],
  reads: ({ from, until }, needed) => [
    both(needed, new Set([from, until].flatMap((end) => (end === null ? [] : [end.column])))),
  ],
  describe: ({ from, until }) => ({ from, until }),
  explain: ({ from, until }) => ({
    what: [
      ...(from === null ? [] : [`from ${endText(from)}`]),
      ...(until === null ? [] : [`until ${endText(until)}`]),
    ].join(' '),
    cost: 'O(|Δ| log n)',
    growth: 'freed as time passes',
  }),
  compile(node, compiler) {
    const vertex = compiler.vertexOf(node.input);
    compiler.needsTime(node.time);
    const operator = new During({
      time: node.time,
      from: endOf(node.from, 'waiting', compiler),
      until: endOf(node.until, 'shown', compiler),
    });
    return compiler.add('during', operator, [vertex]);
  },
};

const endOf = (end: DuringEnd | null, state: string, compiler: PlanCompiler) =>
  end && {
    read: generatedRead(end.column),
    afterMs: end.afterMs,
    nullIs: end.nullIs,
    rows: new DueTimes(compiler.ordered(state)),
  };

const endText = ({ column, afterMs }: DuringEnd): string =>
  afterMs === 0 ? column : `${column} + ${durationText(afterMs)}`;
