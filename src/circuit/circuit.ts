import { assert } from '../assert.js';
import { Delta } from '../zset/delta.js';
import type { ErrorCollection } from './error-collection.js';
import type { KeyedState } from './keyed-state.js';
import type { LateRows } from './late-rows.js';
import type { Keyed, Operator } from './operator.js';
import type { OrderedRead, OrderedState } from './ordered-state.js';
import type { RowIndex } from './row-index.js';
import { NO_TIME, type Time } from './time.js';

/** What an operator wants to look up and no cache holds. The driver answers by `load` on each state, then goes on. */
export interface Fetch {
  keyed: { state: KeyedState<any>; keys: string[] }[];
  ordered: { state: OrderedState; reads: OrderedRead[] }[];
}

/** One vertex: what computes it and which vertices it reads. A source has no operator. */
export interface Vertex {
  /** For people: the operator's name in `explain` and errors. */
  name: string;
  operator: Operator | null;
  inputs: readonly number[];
}

export type State = KeyedState<any> | OrderedState | RowIndex;

/**
 * Operators, connected, with their states: a pure function from the deltas of a tick to a delta and changed
 * state. Vertices are in topological order; the last one is the output.
 */
export class Circuit {
  #unfinished = false;

  constructor(
    readonly vertices: readonly Vertex[],
    /** Input name → vertex. */
    readonly sources: ReadonlyMap<string, number>,
    readonly states: readonly State[],
    /** Where the operators put rows that cannot be used; brought up to date when all of them have stepped. */
    readonly errors: ErrorCollection | null = null,
    /** Under `''` the numbers of the vertices that left work in their states for the next tick; kept with what they left. */
    readonly resuming: Keyed<readonly number[]> | null = null,
    /** The same for rows that came too late. */
    readonly lates: LateRows | null = null,
  ) {}

  /**
   * One tick. Runs until done, or yields what must be fetched before it can go on. Nothing is stored: the
   * states hold the tick's changes until they are sealed or discarded.
   *
   * `time` is what is known after the tick's rows, `before` what all operators have acted on: the same object where no
   * time has passed. While the circuit is `unfinished`, `before` stays what it was.
   *
   * Where operators have left work in their states, the last of them goes on first, and those before it wait: what they
   * still have to say is input to it, and it takes none before it has finished. Nobody sees new time meanwhile.
   */
  *step(
    inputs: ReadonlyMap<string, Delta>,
    time: Time = NO_TIME,
    before: Time = time,
  ): Generator<Fetch, Delta, void> {
    const waiting = yield* this.#waiting();
    const resumed = waiting.at(-1) ?? -1;
    this.#unfinished = waiting.length > 1 || (resumed >= 0 && time !== before);
    const left: number[] = waiting.slice(0, -1);
    const outputs: Delta[] = new Array<Delta>(this.vertices.length).fill(Delta.empty);
    for (const [name, vertex] of this.sources) outputs[vertex] = inputs.get(name) ?? Delta.empty;
    if (resumed >= 0)
      assert(
        outputs.every(({ size }) => size === 0),
        `Rows came before the operator "${this.vertices[resumed]!.name}" had finished with those before.`,
      );
    for (let index = Math.max(0, resumed); index < this.vertices.length; index++) {
      const { operator, inputs: from } = this.vertices[index]!;
      if (operator === null) continue;
      const deltas = from.map((input) => outputs[input]!);
      // What an operator before it has still to say must not come after the time it says it of.
      const seen = this.#unfinished ? before : time;
      const timePassed = operator.timed === true && seen !== before;
      if (!timePassed && index !== resumed && deltas.every((delta) => delta.size === 0)) continue;
      if (operator.reads) yield* this.#load(this.vertices[index]!.name, () => operator.reads!(deltas, seen));
      outputs[index] = operator.step(deltas, seen);
      if (!operator.unfinished) continue;
      this.#unfinished = true;
      if (operator.resumes) left.push(index);
    }
    if (left.join() !== waiting.join()) {
      if (left.length === 0) this.resuming!.delete('');
      else this.resuming!.set('', left);
    }
    for (const aside of [this.errors, this.lates])
      if (aside !== null) {
        yield* this.#load('errors and late rows', () => aside.reads());
        aside.step();
      }
    return outputs[outputs.length - 1] ?? Delta.empty;
  }

  /** There was more to do than the tick came to. */
  get unfinished(): boolean {
    return this.#unfinished;
  }

  /** The operators that have left work, in their order. */
  *#waiting(): Generator<Fetch, readonly number[], void> {
    const { resuming } = this;
    if (resuming === null) return [];
    yield* this.#load('circuit', () => void resuming.want(''));
    return resuming.get('') ?? [];
  }

  /** Has `reads` name what it wants, and wants fetched, until it has all. */
  *#load(name: string, reads: () => void): Generator<Fetch, void, void> {
    for (let round = 0; ; round++) {
      assert(round < 16, `The operator "${name}" does not come to an end of what it reads.`);
      reads();
      const fetch = this.#missing();
      if (fetch === null) return;
      yield fetch;
    }
  }

  /** How many fields and members the tick would write. */
  get changed(): number {
    let changed = 0;
    for (const state of this.states) changed += state.changed;
    return changed;
  }

  /** How many entries the caches hold, of those they share a budget for. */
  get cached(): number {
    let cached = 0;
    for (const state of this.states) cached += state.cached;
    return cached;
  }

  /** Nothing was ever stored: what the states do not hold themselves they need not look for. */
  beginEmpty(): void {
    for (const state of this.states) if (state.kind !== 'index') state.beginEmpty();
  }

  seal(): void {
    for (const state of this.states) state.seal();
  }

  /** Lets the caches forget. Only between ticks. */
  settle(): void {
    for (const state of this.states) state.settle();
  }

  acknowledge(): void {
    for (const state of this.states) state.acknowledge();
  }

  discard(): void {
    for (const state of this.states) state.discard();
    this.#forget();
  }

  drop(): void {
    for (const state of this.states) state.drop();
    this.#forget();
  }

  #forget(): void {
    for (const { operator } of this.vertices) operator?.discard?.();
    this.errors?.discard();
    this.lates?.discard();
  }

  #missing(): Fetch | null {
    let fetch: Fetch | null = null;
    for (const state of this.states) {
      if (state.kind === 'keyed') {
        const keys = state.takeMissing();
        if (keys.length > 0) (fetch ??= { keyed: [], ordered: [] }).keyed.push({ state, keys });
      } else if (state.kind === 'ordered') {
        const reads = state.takeMissing();
        if (reads.length > 0) (fetch ??= { keyed: [], ordered: [] }).ordered.push({ state, reads });
      }
    }
    return fetch;
  }
}
