import { Circuit, type State } from '../../src/circuit/circuit.js';
import { CircuitBuilder } from '../../src/circuit/circuit-builder.js';
import type { ErrorSink, Operator } from '../../src/circuit/operator.js';
import { OrderedState } from '../../src/circuit/ordered-state.js';
import { MemoryStates } from '../../src/testing/memory-states.js';
import { Delta } from '../../src/zset/delta.js';

type Entries = readonly (readonly [row: any, weight: number])[];

/** One operator over a store in memory: deltas in, delta out. */
export class Stepped {
  readonly store = new MemoryStates();
  readonly circuit: Circuit;
  readonly #inputs: number;
  /** What the last step wrote. */
  writes = 0;

  constructor(
    make: (builder: CircuitBuilder) => Operator,
    options: { inputs?: number; entriesMax?: number } = {},
  ) {
    const builder = new CircuitBuilder({ entriesMax: options.entriesMax ?? 100 });
    this.#inputs = options.inputs ?? 1;
    const sources = Array.from({ length: this.#inputs }, (_, index) => builder.source(`in${index}`));
    builder.vertex('operator', make(builder), sources);
    this.circuit = builder.build();
  }

  /** The consolidated output of one tick. */
  step(...inputs: (Entries | Delta)[]): [any, number][] {
    return [...this.raw(...inputs).consolidate()];
  }

  raw(...inputs: (Entries | Delta)[]): Delta {
    const deltas = inputs.map(
      (input, index) => [`in${index}`, input instanceof Delta ? input : Delta.of(...input)] as const,
    );
    const output = this.store.step(this.circuit, new Map(deltas));
    this.writes = this.store.commit(this.circuit);
    return output;
  }

  /** A tick and all that it leaves for the next ones; `between` is called before each of those. */
  all(inputs: readonly (Entries | Delta)[], between: () => void = () => {}): Delta {
    const output = this.raw(...inputs);
    while (this.circuit.unfinished) {
      between();
      output.append(this.raw());
    }
    return output;
  }

  get states(): readonly State[] {
    return this.circuit.states;
  }
}

/** How many members of ordered states are read where the caches hold nothing. */
export function membersRead({ states }: Stepped, step: () => void): number {
  let members = 0;
  for (const state of states) {
    state.drop();
    if (state.kind === 'ordered')
      state.load = (read, found) => {
        members += found.length;
        OrderedState.prototype.load.call(state, read, found);
      };
  }
  step();
  return members;
}

/** Puts members into a group's ordered state as if they had been committed. */
export function fill({ store }: Stepped, state: string, group: string, members: Iterable<string>): void {
  store.ordered.set(state, new Map([[group, new Map([...members].map((member) => [member, 1]))]]));
}

/** A sink that remembers. */
export class Errors implements ErrorSink {
  readonly added: [row: unknown, weight: number, reason: string][] = [];

  add(row: unknown, weight: number, thrown: unknown): void {
    this.added.push([row, weight, thrown instanceof Error ? thrown.message : String(thrown)]);
  }
}
