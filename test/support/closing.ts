import { z } from 'zod';
import { json, type Keyed, type Operator } from '../../src/circuit/operator.js';
import { type ColumnTime, columnWatermark, type Time } from '../../src/circuit/time.js';
import { distinct } from '../../src/view/nodes/distinct.js';
import type { PlanCompiler } from '../../src/view/compile-plan.js';
import { columnsOf } from '../../src/view/columns.js';
import { instant } from '../../src/view/instant.js';
import type { DistinctNode, PlanNode } from '../../src/view/plan.js';
import { Delta } from '../../src/zset/delta.js';
import type { Row } from '../../src/zset/value.js';

/** How long what is counted together lasts. */
const SIZES = { hour: 3_600_000, day: 86_400_000 };
type Size = keyof typeof SIZES;

/**
 * The simplest operator that freezes: counts rows by the hour (or day) in which the value of a column lies, and gives an
 * hour once, when the column's watermark has passed it. How many rows were late for their hour is kept as well.
 *
 *   in   Δ row
 *   out  Δ { hour, n }
 */
class Closing implements Operator {
  readonly timed = true;
  unfinished = false;

  constructor(
    readonly open: Keyed<Readonly<Record<string, number>>>,
    readonly node: ClosingNode,
  ) {}

  reads(): void {
    this.open.want('');
  }

  step([input]: readonly [Delta<Row>], time: Time): Delta<Row> {
    const { column, size, dueMax } = this.node;
    const endOf = (start: string): number => (Number(start) + 1) * SIZES[size];
    const open = { ...this.open.get('') };
    for (let index = 0; index < input.size; index++) {
      const start = String(Math.floor(Date.parse(input.rows[index]![column.name] as string) / SIZES[size]));
      const counted = endOf(start) <= (input.lates?.[index] ?? -Infinity) ? 'late' : start;
      open[counted] = (open[counted] ?? 0) + input.weights[index]!;
    }
    const due = Object.keys(open)
      .filter((start) => start !== 'late' && endOf(start) <= columnWatermark(time, column.time))
      .sort();
    const output = new Delta<Row>();
    for (const start of due.slice(0, dueMax)) {
      output.push({ [size]: new Date(Number(start) * SIZES[size]).toISOString(), n: open[start]! }, 1);
      delete open[start];
    }
    this.unfinished = due.length > dueMax;
    this.open.set('', open);
    return output;
  }

  discard(): void {
    this.unfinished = false;
  }
}

/** A plan node that no declaration makes, in the place of another kind's. */
interface ClosingNode extends DistinctNode {
  readonly column: { readonly name: string; readonly time: ColumnTime };
  readonly size: Size;
  readonly dueMax: number;
}

/** The closed hours or days of a relation, by the first column that has a watermark. The column they are in is named so. */
export function closing(input: PlanNode, size: Size, dueMax = 2): PlanNode {
  const watermark = input.relation.watermarks[0]!;
  const node: ClosingNode = {
    op: 'distinct',
    input,
    column: { name: watermark.column, time: watermark.time },
    size,
    dueMax,
    place: null,
    relation: {
      ...input.relation,
      columns: columnsOf(z.object({ [size]: instant(), n: z.int() }))!.columns,
      uniqueKey: [size],
      log: null,
      partitionedBy: input.relation.partitions === 1 ? [] : [size],
      watermarks: [
        {
          column: size,
          time: watermark.time.map(({ source, delayMs }) => ({ source, delayMs: delayMs + SIZES[size] - 1 })),
        },
      ],
      lates: false,
    },
  };
  return node;
}

const compileDistinct = distinct.compile.bind(distinct);
distinct.compile = (node: DistinctNode | ClosingNode, compiler: PlanCompiler): number => {
  if (!('dueMax' in node)) return compileDistinct(node, compiler);
  const input = compiler.vertexOf(node.input);
  compiler.needsTime(node.column.time);
  return compiler.add('closing', new Closing(compiler.keyed('open', json), node), [input]);
};
