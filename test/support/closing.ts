import { CircuitBuilder } from '../../src/circuit/circuit-builder.js';
import { json, type Keyed, type Operator } from '../../src/circuit/operator.js';
import { type Time, watermarkOf } from '../../src/circuit/time.js';
import { ViewOutput } from '../../src/circuit/view-output.js';
import { viewRecordCodec } from '../../src/circuit/view-record.js';
import { type CompiledInput, type CompiledView, inputNameOf } from '../../src/view/compile-plan.js';
import type { SourceDeclaration } from '../../src/view/plan.js';
import { Delta } from '../../src/zset/delta.js';
import type { Row } from '../../src/zset/value.js';

const HOUR_MS = 3_600_000;

/**
 * The simplest operator that freezes: counts rows by the hour of their column `at`, and gives an hour once, when the
 * watermark has passed it.
 *
 *   in   Δ row
 *   out  Δ { hour, n, late }     late: how many rows had been left out of all hours until then
 */
class Closing implements Operator {
  readonly timed = true;
  unfinished = false;

  constructor(
    readonly open: Keyed<Readonly<Record<string, number>>>,
    readonly source: string,
    readonly dueMax: number,
  ) {}

  reads(): void {
    this.open.want('');
  }

  step([input]: readonly [Delta<Row>], time: Time): Delta<Row> {
    const open = { ...this.open.get('') };
    for (let index = 0; index < input.size; index++) {
      const hour = String(Math.floor(Date.parse(input.rows[index]!.at as string) / HOUR_MS));
      const late = endOf(hour) <= (input.lates?.[index] ?? -Infinity);
      const counted = late ? 'late' : hour;
      open[counted] = (open[counted] ?? 0) + input.weights[index]!;
    }
    const due = Object.keys(open)
      .filter((hour) => hour !== 'late' && endOf(hour) <= watermarkOf(time, this.source))
      .sort();
    const output = new Delta<Row>();
    for (const hour of due.slice(0, this.dueMax)) {
      output.push({ hour: new Date(Number(hour) * HOUR_MS).toISOString(), n: open[hour]! }, 1);
      delete open[hour];
    }
    this.unfinished = due.length > this.dueMax;
    this.open.set('', open);
    return output;
  }

  discard(): void {
    this.unfinished = false;
  }
}

const endOf = (hour: string): number => (Number(hour) + 1) * HOUR_MS;

/** A view of the closed hours of `source`, as it would be compiled; rows are { hour, n }, by hour. */
export function closingView(
  source: SourceDeclaration,
  timedBy = inputNameOf(source),
  dueMax = 2,
): CompiledView {
  const builder = new CircuitBuilder({ entriesMax: 100 });
  const name = inputNameOf(source);
  const input = builder.source(name);
  const operator = new Closing(builder.keyed('open', json), timedBy, dueMax);
  const closing = builder.vertex('closing', operator, [input]);
  const output = new ViewOutput(builder.keyed('rows', viewRecordCodec(null)), {
    keyOf: (row) => row.hour as string,
    textOf: (row) => JSON.stringify(row),
    buckets: 1,
    indexes: [],
  });
  builder.vertex('view', output, [closing]);
  const circuit = builder.build();
  const inputs: CompiledInput[] = [{ name, source, needsOrder: false }];
  return {
    circuit,
    output,
    errors: builder.errorCollection,
    inputs,
    timed: new Set([timedBy]),
    states: circuit.states.map((state) => ({ name: state.name, kind: state.kind })),
  };
}
