import type { CircuitBuilder } from '../../src/circuit/circuit-builder.js';
import type { Operator } from '../../src/circuit/operator.js';
import { Delta } from '../../src/zset/delta.js';
import type { Row } from '../../src/zset/value.js';
import { Random } from './random.js';
import { Stepped } from './stepped.js';

export interface Recomputed {
  make: (builder: CircuitBuilder) => Operator;
  /** How many inputs it has; one, if not said. */
  inputs?: number;
  rowOf: (random: Random, input: number) => Row;
  /** What the operator gives of all that is there, written as plainly as can be: each row as often as it is there. */
  expected: (...inputs: Row[][]) => Row[];
  /** Rows are never retracted. */
  appendOnly?: boolean;
  ticks?: number;
}

/**
 * Runs an operator through a random history and compares what it has given in all with what the rows that are there give,
 * after every tick: with weights above 1, changes in any order, caches that forget, ticks that are given up, commits that
 * are answered late. In the end all rows go, and so does all state.
 */
export function checkHistory(seed: number, operator: Recomputed): void {
  const history = new History(new Random(seed), operator);
  try {
    history.run();
  } catch (failure) {
    throw new Error(`seed ${seed}, ${history.ticks} ticks: ${(failure as Error).message}`, {
      cause: failure,
    });
  }
}

type Held = Map<string, { row: Row; weight: number }>;

class History {
  ticks = 0;
  readonly #stepped: Stepped;
  readonly #held: Held[];
  readonly #given = new Map<string, number>();
  readonly #all: Delta[];
  #commit: (() => void) | null = null;

  constructor(
    readonly random: Random,
    readonly operator: Recomputed,
  ) {
    const inputs = operator.inputs ?? 1;
    this.#stepped = new Stepped(operator.make, { inputs, entriesMax: random.of([1, 20, 1_000]) });
    this.#held = Array.from({ length: inputs }, () => new Map());
    this.#all = this.#held.map(() => new Delta());
  }

  run(): void {
    for (let tick = this.operator.ticks ?? 30; tick > 0; tick--) {
      this.#tick(this.#held.map((held, input) => this.#changes(held, input)));
      this.#compare();
    }
    this.#settle();
    this.#compareReplay();
    if (this.operator.appendOnly) return;
    this.#tick(
      this.#held.map((held) =>
        Delta.of(...[...held.values()].map(({ row, weight }) => [row, -weight] as const)),
      ),
    );
    this.#settle();
    this.#compare();
    expect(this.#stepped.store.toString()).toBe(
      new Stepped(this.operator.make, { inputs: this.#held.length }).store.toString(),
    );
  }

  /** A few rows more and a few less, in any order, some of them twice. */
  #changes(held: Held, input: number): Delta {
    const { random, operator } = this;
    const changes: [Row, number][] = [];
    for (let count = random.below(random.of([2, 8])); count > 0; count--)
      changes.push([operator.rowOf(random, input), random.of([1, 1, 1, 2])]);
    if (!operator.appendOnly)
      for (const { row, weight } of held.values())
        if (random.chance(0.15)) changes.push([row, -1 - random.below(weight)]);
    for (let index = changes.length - 1; index > 0; index--) {
      const other = random.below(index + 1);
      [changes[index], changes[other]] = [changes[other]!, changes[index]!];
    }
    return Delta.of(...changes);
  }

  #tick(deltas: Delta[]): void {
    this.ticks++;
    const { circuit, store } = this.#stepped;
    const inputs = new Map(deltas.map((delta, index) => [`in${index}`, delta]));
    let output = store.step(circuit, inputs);
    if (this.random.chance(0.2)) {
      circuit.discard();
      output = store.step(circuit, inputs);
    }
    for (const [row, weight] of output) {
      const text = JSON.stringify(row);
      const sum = (this.#given.get(text) ?? 0) + weight;
      if (sum === 0) this.#given.delete(text);
      else this.#given.set(text, sum);
    }
    deltas.forEach((delta, input) => {
      this.#all[input]!.append(delta);
      for (const [row, weight] of delta) {
        const text = JSON.stringify(row);
        const before = this.#held[input]!.get(text)?.weight ?? 0;
        this.#held[input]!.set(text, { row, weight: before + weight });
        if (before + weight === 0) this.#held[input]!.delete(text);
      }
    });
    this.#commit?.();
    this.#commit = store.seal(circuit);
    if (this.random.chance(0.5)) this.#settle();
    if (this.#commit === null && this.random.chance(0.3)) for (const state of circuit.states) state.drop();
  }

  #settle(): void {
    this.#commit?.();
    this.#commit = null;
  }

  #compare(): void {
    const rows = this.#held.map((held) =>
      [...held.values()].flatMap(({ row, weight }) => Array<Row>(weight).fill(row)),
    );
    const given = [...this.#given].flatMap(([text, weight]) =>
      Array<string>(weight < 0 ? 0 : weight).fill(text),
    );
    const expected = this.operator.expected(...rows).map((row) => JSON.stringify(row));
    expect(Math.min(0, ...this.#given.values())).toBe(0);
    // The matcher is slow where there is nothing to show.
    if (given.sort().join() !== expected.sort().join()) expect(given).toEqual(expected);
  }

  /** All of the history in one tick leaves the same state, text by text. */
  #compareReplay(): void {
    const replay = new Stepped(this.operator.make, { inputs: this.#held.length });
    replay.raw(...this.#all);
    expect(replay.store.toString()).toBe(this.#stepped.store.toString());
  }
}
