import { Delta } from '../../src/zset/delta.js';
import type { Row } from '../../src/zset/value.js';
import type { Random } from './random.js';
import type { Stepped } from './stepped.js';

/** Rows by their texts, and how often each is there. */
export type Bag = ReadonlyMap<string, number>;

export const add = (bag: Map<string, number>, text: string, weight: number): void => {
  const after = (bag.get(text) ?? 0) + weight;
  if (after === 0) bag.delete(text);
  else bag.set(text, after);
};

export const sorted = (bag: Bag): [text: string, weight: number][] => [...bag].sort();

/**
 * What an operator has shown is what all rows together say, after every tick of a random history: rows that come and go, ticks
 * that are given up, caches that forget. And what it keeps says nothing of how it came to be.
 */
export function keepsUp(
  random: Random,
  operatorOf: (entriesMax?: number) => Stepped,
  made: () => Row,
  recomputed: (bag: Bag) => Bag,
): void {
  const operator = operatorOf(random.of([1, 10_000]));
  const input = new Map<string, number>();
  const output = new Map<string, number>();
  for (let tick = 0; tick < 60; tick++) {
    const delta: (readonly [row: Row, weight: number])[] = [];
    for (let change = random.below(random.of([2, 4, 12])); change >= 0; change--) {
      const there = [...input].filter(([, weight]) => weight > 0);
      if (there.length > 0 && random.chance(0.45)) {
        const [text, weight] = random.of(there);
        const gone = random.chance(0.5) ? weight : 1;
        delta.push([JSON.parse(text) as Row, -gone]);
        add(input, text, -gone);
      } else {
        const one = made();
        const weight = 1 + random.below(2);
        delta.push([one, weight]);
        add(input, JSON.stringify(one), weight);
      }
    }
    if (random.chance(0.5)) delta.reverse();
    if (random.chance(0.3)) {
      operator.store.step(operator.circuit, new Map([['in0', Delta.of(...delta)]]));
      operator.circuit.discard();
    }
    if (random.chance(0.3)) for (const state of operator.states) state.drop();
    for (const [one, weight] of operator.step(delta)) add(output, JSON.stringify(one), weight);
    expect(sorted(output)).toEqual(sorted(recomputed(input)));
  }
  const rows = [...input].map(([text, weight]) => [JSON.parse(text) as Row, weight] as const);
  const anew = operatorOf();
  anew.step(rows);
  expect(operator.store.toString()).toBe(anew.store.toString());
  operator.step(rows.map(([one, weight]) => [one, -weight] as const));
  expect(operator.store.toString()).toBe(operatorOf().store.toString());
}
