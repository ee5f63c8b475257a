import { PositionOrders } from '../../src/runtime/position.js';
import { NO_TIME, type SourceTime, type Time } from '../../src/circuit/time.js';
import { shownRows } from '../../src/zset/row-block.js';
import { MemoryStates } from '../../src/testing/memory-states.js';
import { compileView } from '../../src/view/compile-plan.js';
import type { CompiledView } from '../../src/view/compiled-stage.js';
import { declarationErrors } from '../../src/view/declaration-errors.js';
import { inputNameOf, type ViewDeclaration } from '../../src/view/declarations.js';
import { sourcesOf } from '../../src/view/plan-nodes.js';
import { Delta } from '../../src/zset/delta.js';
import { instantMs } from '../../src/zset/instant-text.js';
import type { Row } from '../../src/zset/value.js';

/** A time of day on the first of January 2001, as an instant: `at('10:30')`, `at('10:30:05.250')`; `at(ms)` of that day. */
export function at(time: string | number): string {
  const midnight = Date.UTC(2001, 0, 1);
  if (typeof time === 'number') return new Date(midnight + time).toISOString();
  const [hours, minutes, seconds = '0'] = time.split(':');
  return new Date(
    midnight + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000,
  ).toISOString();
}

/** What a tick brings: rows of each source, streams' in the order of the log; or pairs of rows and weights. */
export type Ticked = Record<string, readonly (Row | readonly [Row, number])[]>;

/**
 * A view over a store in memory that is told the time: as its streams' rows and heartbeats tell it, row by row, as a
 * worker does. Each stream has one partition.
 */
export class Timed {
  compiled: CompiledView;
  readonly store = new MemoryStates();
  readonly clocks = new Map<string, number>();
  late = 0;
  errors = 0;
  /** How many steps the last tick took: one, and as many as were due beyond it. */
  steps = 0;
  #before: Time = NO_TIME;
  #entries = 0;

  constructor(
    readonly view: ViewDeclaration,
    readonly entriesMax = 1_000,
  ) {
    const wrong = declarationErrors([view]);
    if (wrong.length > 0) throw new Error(wrong.map(({ message }) => message).join('\n'));
    this.compiled = compileView(view, { budget: { entriesMax } });
  }

  tick(inputs: Ticked, inVain = false): this {
    const clocks = new Map(this.clocks);
    const entries = this.#entries;
    const deltas = new Map<string, Delta>();
    for (const [name, rows] of Object.entries(inputs)) deltas.set(name, this.#deltaOf(name, rows));
    const time = this.#time();
    const { circuit, output, errors, lates } = this.compiled;
    if (inVain) {
      this.store.step(circuit, deltas, time, this.#before);
      circuit.discard();
      this.#entries = entries;
      this.clocks.clear();
      for (const [name, clock] of clocks) this.clocks.set(name, clock);
      return this;
    }
    this.steps = 0;
    for (let inputsOfStep = deltas; ; inputsOfStep = new Map()) {
      this.steps++;
      this.store.step(circuit, inputsOfStep, time, this.#before);
      output.takeResult();
      this.errors += errors.takeResult().errors;
      this.late += lates?.takeResult().late ?? 0;
      this.store.commit(circuit);
      if (!circuit.unfinished) break;
      if (this.steps > 10_000) throw new Error('The circuit does not come to an end of what is due.');
    }
    this.#before = time;
    return this;
  }

  /** A heartbeat: the clock of a source, nothing else. */
  clock(source: string, now: string): this {
    this.clocks.set(source, Math.max(this.clocks.get(source) ?? -Infinity, instantMs(now)));
    return this.tick({});
  }

  /** Another process takes over: nothing is left but what is stored. */
  restart(): void {
    this.compiled = compileView(this.view, { budget: { entriesMax: this.entriesMax } });
  }

  get rows(): Row[] {
    const texts = [...(this.store.keyed.get('rows') ?? [])].flatMap(([key, stored]) =>
      shownRows(key, stored).map(({ text }) => text),
    );
    return texts.sort().map((text) => JSON.parse(text) as Row);
  }

  /** How many fields and members the circuit's states hold; what is shown, rows, late ones and errors, apart. */
  get kept(): number {
    let kept = 0;
    for (const [name, keys] of this.store.keyed)
      for (const text of keys.values())
        if (!/^(lates|errors)/.test(name) && (name !== 'rows' || text.includes('\n'))) kept++;
    for (const groups of this.store.ordered.values())
      for (const members of groups.values()) kept += members.size;
    return kept;
  }

  #deltaOf(name: string, rows: Ticked[string]): Delta {
    const source = sourcesOf(this.view.plan).find((one) => inputNameOf(one) === name);
    const ordered = this.compiled.inputs.some((input) => input.name === name && input.order !== null);
    const delta = new Delta<Row>([], [], ordered ? [] : undefined, []);
    for (const given of rows) {
      const [row, weight] = Array.isArray(given) ? (given as unknown as [Row, number]) : [given as Row, 1];
      let late = -Infinity;
      if (source && source.kind !== 'view' && source.eventTime !== null) {
        const ms = instantMs(row[source.eventTime] as string);
        const clock = this.clocks.get(name) ?? -Infinity;
        if (source.latenessMs !== null && ms < clock - source.latenessMs) late = clock - source.latenessMs;
        this.clocks.set(name, Math.max(clock, ms));
      }
      const order = ordered ? at(0) + new PositionOrders().of(`${++this.#entries}-0`, 0) : undefined;
      delta.push(row, weight, order, late);
    }
    return delta.lates!.every((late) => late === -Infinity)
      ? new Delta(delta.rows, delta.weights, delta.orders)
      : delta;
  }

  #time(): Time {
    const time = new Map<string, SourceTime>();
    for (const [name, clock] of this.clocks) {
      const source = sourcesOf(this.view.plan).find((one) => inputNameOf(one) === name);
      const lateness = source && source.kind !== 'view' ? source.latenessMs : null;
      time.set(name, { clock, watermark: lateness === null ? -Infinity : clock - lateness });
    }
    const same =
      this.#before.size === time.size &&
      [...time].every(([name, { clock }]) => this.#before.get(name)?.clock === clock);
    return same ? this.#before : time;
  }
}
