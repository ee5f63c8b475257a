import { hashAgain, hashHalves } from '../../zset/checksum.js';
import { compareText } from '../../zset/text-order.js';
import { compareValues, textOf, type Row, type Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import { refuseRetraction } from './appended.js';

/** How often values occur, about. */
interface Frequencies {
  /** Candidates by the text of their value. `count` is exact while there are no counters, and not kept after. */
  candidates: Map<string, Candidate>;
  /** Null while all values there are are candidates. */
  counters: number[] | null;
  /** No value whose lot is greater can still become a candidate. */
  lotMax: number;
}

interface Candidate {
  lot: number;
  count: number;
}

/** Rows of counters. In each, a count is too great by more than e / width of all with probability 1 / e at the most. */
const ROWS = 4;

/** How many candidates there are, and how many counters in a row, for this error. */
export const sketchSize = (error: number): { candidates: number; width: number } => ({
  candidates: Math.ceil(4 / error),
  width: Math.ceil(2.718281828459045 / error),
});

/**
 * `approxTopK(column, k)`: the values that occur most often, about, and how often.
 *
 * Every row draws a lot: a number that follows from its value and its place in the log. A value has the least lot of its
 * rows, and those with the least lots are candidates: as if all rows had been put into a random order and the first different
 * values taken. A value that makes up a part s of the rows is missed with a probability of e^(−s · candidates) at the most.
 * How often a candidate occurs is asked of a count-min sketch (G. Cormode and S. Muthukrishnan, 2005), which never says too
 * little. While all values are candidates they are counted exactly.
 *
 * Lots are minima and counters are sums: neither depends on the order in which rows come, or on how they are cut.
 */
export function approxTopK(options: {
  value: (row: Row) => Value;
  k: number;
  error: number;
}): Aggregator<Frequencies> {
  const { value, k } = options;
  const { candidates: most, width } = sketchSize(options.error);

  return {
    initial: () => ({ candidates: new Map(), counters: null, lotMax: Infinity }),
    fold(frequencies, row, weight, order = '') {
      if (weight <= 0) refuseRetraction();
      const held = value(row);
      if (held === null) return frequencies;
      const text = textOf(held);
      take(frequencies, text, lotOf(text, order), weight);
      return frequencies;
    },
    settle(frequencies) {
      thin(frequencies);
      return frequencies;
    },
    merge(into, other) {
      if (other.counters === null)
        for (const [text, { lot, count }] of other.candidates) take(into, text, lot, count);
      else {
        if (into.counters === null) spill(into);
        for (let at = 0; at < into.counters!.length; at++) into.counters![at]! += other.counters[at]!;
        for (const [text, { lot }] of other.candidates) draw(into, text, lot, 0);
      }
      return into;
    },
    result({ candidates, counters }) {
      const counted = [...candidates].map(([text, { count }]) => ({
        value: JSON.parse(text) as Value,
        count: counters === null ? count : countOf(counters, text),
      }));
      counted.sort((left, right) => right.count - left.count || compareValues(left.value, right.value));
      return counted.slice(0, k);
    },
    codec: { encode, decode: (text) => revive(JSON.parse(text)) },
    revive,
  };

  /** A row with its lot, or all the rows of a value with the least of theirs. */
  function take(frequencies: Frequencies, text: string, lot: number, count: number): void {
    if (frequencies.counters !== null) mark(frequencies.counters, text, count);
    draw(frequencies, text, lot, count);
  }

  function draw(frequencies: Frequencies, text: string, lot: number, count: number): void {
    const { candidates } = frequencies;
    const known = candidates.get(text);
    if (known !== undefined) {
      if (lot < known.lot) known.lot = lot;
      known.count += count;
      return;
    }
    if (lot > frequencies.lotMax) return;
    candidates.set(text, { lot, count });
    if (frequencies.counters === null && candidates.size > most) spill(frequencies);
    // Sorted now and then, so that it costs little for a row.
    if (candidates.size > 2 * most) thin(frequencies);
  }

  /** All values are counted together from now on. */
  function spill(frequencies: Frequencies): void {
    const counters = new Array<number>(ROWS * width).fill(0);
    for (const [text, { count }] of frequencies.candidates) mark(counters, text, count);
    frequencies.counters = counters;
  }

  /** Only the candidates of the least lots stay. */
  function thin(frequencies: Frequencies): void {
    if (frequencies.candidates.size <= most) return;
    const sorted = [...frequencies.candidates].sort(byLot).slice(0, most);
    frequencies.candidates = new Map(sorted);
    frequencies.lotMax = sorted[most - 1]![1].lot;
  }

  function mark(counters: number[], text: string, count: number): void {
    const halves = hashHalves(text);
    for (let row = 0; row < ROWS; row++) counters[placeOf(row, halves)]! += count;
  }

  function countOf(counters: readonly number[], text: string): number {
    const halves = hashHalves(text);
    let least = Infinity;
    for (let row = 0; row < ROWS; row++) least = Math.min(least, counters[placeOf(row, halves)]!);
    return least;
  }

  function placeOf(row: number, halves: readonly [number, number]): number {
    return row * width + (hashAgain(halves, row) % width);
  }

  function encode({ candidates, counters }: Frequencies): string {
    const sorted = [...candidates].sort(([left], [right]) => compareText(left, right));
    if (counters === null) return JSON.stringify(sorted.map(([text, { lot, count }]) => [text, lot, count]));
    return JSON.stringify([counters, ...sorted.map(([text, { lot }]) => [text, lot])]);
  }

  function revive(stored: readonly unknown[]): Frequencies {
    const [first] = stored;
    const counters = Array.isArray(first) && typeof first[0] === 'number' ? (first as number[]) : null;
    const listed = (counters === null ? stored : stored.slice(1)) as [string, number, number?][];
    const candidates = new Map(listed.map(([text, lot, count = 0]) => [text, { lot, count }]));
    const full = counters !== null && candidates.size >= most;
    return { candidates, counters, lotMax: full ? Math.max(...listed.map(([, lot]) => lot)) : Infinity };
  }
}

/** 53 bits, so that JSON holds them. */
function lotOf(text: string, order: string): number {
  const [high, low] = hashHalves(`${order}\0${text}`);
  return high * 2 ** 21 + (low >>> 11);
}

/** Equal lots, which hardly ever are, by the text. */
const byLot = (
  [text, { lot }]: [string, Candidate],
  [other, { lot: otherLot }]: [string, Candidate],
): number => lot - otherLot || compareText(text, other);
