import type { KeptError } from '../circuit/error-collection.js';
import type { Time } from '../circuit/time.js';
import { shownRows } from '../zset/row-block.js';
import { type Clocks, leastClocks, type PartitionClocks, raised } from '../runtime/clocks.js';
import { ViewTime } from '../runtime/view-time.js';
import { compileView } from '../view/compile-plan.js';
import type { CompiledView } from '../view/compiled-stage.js';
import type { ViewDeclaration } from '../view/declarations.js';
import { Checksum } from '../zset/checksum.js';
import { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import { MemoryStates } from './memory-states.js';
import type { Brought } from './view-run.js';

/** So few that the caches of nearly every view pack values: what a test sees has gone through that. */
const OBJECTS_MAX = 8;

/** One view and its state, stepped and committed in memory. */
export class MaintainedView {
  readonly compiled: CompiledView;
  readonly checksum = new Checksum();
  conflicts = 0;
  late = 0;
  readonly #states = new MemoryStates();
  readonly #time: ViewTime;
  #clocks: Clocks;
  /** What all operators have acted on. */
  #applied: Time;

  constructor(
    readonly declaration: ViewDeclaration,
    cacheEntriesMax: number,
  ) {
    this.compiled = compileView(declaration, {
      budget: { entriesMax: cacheEntriesMax, objectsMax: OBJECTS_MAX },
    });
    this.compiled.circuit.beginEmpty();
    this.#time = new ViewTime(this.compiled);
    this.#clocks = this.#time.unknown;
    this.#applied = this.#time.at(this.#clocks);
  }

  /** One tick, and as many without input as it takes until nothing more is due. What the view's rows changed by. */
  tick({ deltas, errors, clocks: brought }: Brought, inVain: boolean): Delta {
    const { circuit, errors: collection, inputs } = this.compiled;
    const taken = new Map<string, Delta>();
    let clocks = this.#clocks;
    for (const input of inputs) {
      const { name } = input;
      clocks = raised(clocks, name, brought.get(name));
      const delta = deltas.get(name);
      if (delta === undefined) continue;
      const lates = this.#time.isBroughtBy(input) ? delta.lates : undefined;
      const orders = input.order === null ? undefined : delta.orders;
      taken.set(name, new Delta(delta.rows, delta.weights, orders, lates));
      const sink = collection.sink('entry');
      for (const { reason, raw } of errors.get(name) ?? []) sink.add(raw, 1, reason);
    }
    const changes = new Delta<Row>();
    const time = this.#time.at(clocks, this.#applied);
    if (taken.size > 0 || time !== this.#applied) {
      this.#step(taken, time, changes, inVain);
      while (!inVain && circuit.unfinished) this.#step(new Map(), time, changes, false);
    }
    if (!inVain) {
      this.#clocks = clocks;
      this.#applied = time;
    }
    return changes;
  }

  #step(taken: ReadonlyMap<string, Delta>, time: Time, changes: Delta<Row>, inVain: boolean): void {
    const { circuit, output, errors, lates } = this.compiled;
    this.#states.step(circuit, taken, time, this.#applied);
    const result = output.takeResult();
    errors.takeResult();
    const { late } = lates?.takeResult() ?? { late: 0 };
    for (const { before, after } of result.changes) {
      if (before) changes.push(before, -1);
      if (after) changes.push(after, 1);
    }
    if (inVain) return circuit.discard();
    this.#states.commit(circuit);
    this.checksum.merge(result.checksum);
    this.conflicts += result.conflicts;
    this.late += late;
  }

  /** What comes with the rows to who reads them. */
  get clocks(): PartitionClocks {
    return leastClocks(this.#clocks);
  }

  takeOver(): void {
    this.compiled.circuit.drop();
  }

  rows(): Map<string, Row> {
    const rows = new Map<string, Row>();
    for (const [at, stored] of this.#states.keyed.get('rows') ?? [])
      for (const { key, text } of shownRows(at, stored)) rows.set(key, JSON.parse(text) as Row);
    return rows;
  }

  errors(): KeptError[] {
    return [...(this.#states.keyed.get('errors') ?? [])]
      .map(([, text]) => JSON.parse(text) as KeptError)
      .sort((left, right) => left.seen - right.seen);
  }
}
