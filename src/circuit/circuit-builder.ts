import { assert } from '../assert.js';
import { Circuit, type State, type Vertex } from './circuit.js';
import { ErrorCollection, errorCodec } from './error-collection.js';
import { KeyedState } from './keyed-state.js';
import { lateRowCodec, LateRows } from './late-rows.js';
import {
  type Codec,
  type ErrorSink,
  json,
  type LateSink,
  type Operator,
  type StateFactory,
} from './operator.js';
import { OrderedState } from './ordered-state.js';
import { RowIndex } from './row-index.js';
import type { CacheBudget } from './two-generations.js';

/** Collects vertices, inputs before what reads them, and the states they are given. */
export class CircuitBuilder implements StateFactory {
  readonly #vertices: Vertex[] = [];
  readonly #sources = new Map<string, number>();
  readonly #states: State[] = [];
  readonly errorCollection: ErrorCollection;
  /** Null while no operator leaves any out. */
  #lateRows: LateRows | null = null;

  constructor(readonly budget: CacheBudget) {
    this.errorCollection = new ErrorCollection(
      this.keyed('errors', errorCodec),
      this.keyed('errors.count', errorCodec),
    );
  }

  /** The number that the next vertex gets; its states are named by it. */
  get next(): number {
    return this.#vertices.length;
  }

  source(name: string): number {
    assert(!this.#sources.has(name), `The source "${name}" is in the circuit twice.`);
    this.#sources.set(name, this.next);
    return this.#vertices.push({ name, operator: null, inputs: [] }) - 1;
  }

  vertex(name: string, operator: Operator, inputs: readonly number[]): number {
    return this.#vertices.push({ name, operator, inputs }) - 1;
  }

  keyed<V>(name: string, codec: Codec<V>): KeyedState<V> {
    return this.#add(new KeyedState(name, codec, this.budget));
  }

  ordered(name: string): OrderedState {
    return this.#add(new OrderedState(name, this.budget));
  }

  index(name: string): RowIndex {
    return this.#add(new RowIndex(name));
  }

  errors(operator: string): ErrorSink {
    return this.errorCollection.sink(operator);
  }

  lates(operator: string): LateSink {
    this.#lateRows ??= new LateRows(this.keyed('lates', lateRowCodec), this.keyed('lates.seen', json));
    return this.#lateRows.sink(operator);
  }

  build(): Circuit {
    const resumes = this.#vertices.some(({ operator }) => operator?.resumes !== undefined);
    const resuming = resumes ? this.keyed<readonly number[]>('resuming', json) : null;
    return new Circuit(
      this.#vertices,
      this.#sources,
      this.#states,
      this.errorCollection,
      resuming,
      this.#lateRows,
    );
  }

  #add<S extends State>(state: S): S {
    assert(
      !this.#states.some(({ name }) => name === state.name),
      `The state "${state.name}" is in the circuit twice.`,
    );
    this.#states.push(state);
    return state;
  }
}
