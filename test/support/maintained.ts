import { compileView } from '../../src/view/compile-plan.js';
import type { CompiledView } from '../../src/view/compiled-stage.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { shownRows } from '../../src/zset/row-block.js';
import { MemoryStates } from '../../src/testing/memory-states.js';
import { Delta } from '../../src/zset/delta.js';
import type { Row } from '../../src/zset/value.js';

export type Entries = readonly (readonly [row: Row, weight: number])[];

/** A view that is maintained over a store in memory: give it deltas, read its rows. */
export class Maintained {
  compiled: CompiledView;
  readonly store = new MemoryStates();
  errors = 0;
  conflicts = 0;
  rowCount = 0;

  constructor(
    readonly view: ViewDeclaration,
    readonly entriesMax = 1_000,
  ) {
    this.compiled = compileView(view, { budget: { entriesMax } });
  }

  /** One tick, and as many without input as it leaves work for. What they wrote. */
  tick(inputs: Record<string, Entries | Delta>): number {
    const deltas = new Map(
      Object.entries(inputs).map(([name, entries]) => [
        name,
        entries instanceof Delta ? entries : Delta.of(...entries),
      ]),
    );
    let writes = 0;
    for (let given: ReadonlyMap<string, Delta> = deltas; ; given = new Map()) {
      this.store.step(this.compiled.circuit, given);
      this.takeResult();
      writes += this.store.commit(this.compiled.circuit);
      if (!this.compiled.circuit.unfinished) return writes;
    }
  }

  /** Adds up what the circuit says of the tick that it has stepped. */
  takeResult(): void {
    const result = this.compiled.output.takeResult();
    this.rowCount += result.rows;
    this.conflicts += result.conflicts;
    this.errors += this.compiled.errors.takeResult().errors;
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

  get keptErrors(): { weight: number; operator: string; row: string; reason: string }[] {
    return [...(this.store.keyed.get('errors')?.values() ?? [])].map((text) => JSON.parse(text));
  }
}
