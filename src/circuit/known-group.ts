import { compareText } from '../zset/text-order.js';

/** Texts from `from` on up to but not including `to`; null: without an end. Everything begins at ''. */
export interface TextRange {
  readonly from: string;
  readonly to: string | null;
}

/** The least text above this one: what ends a range that is to include it. */
export const justAbove = (text: string): string => `${text}\0`;

/** Ranges known of one group; beyond so many all are forgotten rather than searched. */
const RANGES_MAX = 64;

/**
 * What is known of one group of an ordered state. `weights` holds every member we have met, with 0 for one known to be
 * absent; `sorted` those of positive weight. Of a member we have not met we know only if a known range holds it: then it
 * is absent.
 */
export class KnownGroup {
  readonly weights = new Map<string, number>();
  readonly sorted: string[] = [];
  /** Apart from each other, in order. */
  #ranges: TextRange[] = [];

  set(member: string, weight: number): void {
    const before = this.weights.get(member) ?? 0;
    this.weights.set(member, weight);
    if (before === 0 && weight > 0) this.sorted.splice(this.indexOf(member), 0, member);
    else if (before > 0 && weight === 0) this.sorted.splice(this.indexOf(member), 1);
  }

  /** The weight, or undefined where it is not known. */
  weight(member: string): number | undefined {
    return this.weights.get(member) ?? (this.#rangeAt(member) ? 0 : undefined);
  }

  /** The index of `member` among the sorted, or where it would be. */
  indexOf(member: string): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareText(this.sorted[middle]!, member) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** All members in a range are known from now on. */
  learn({ from, to }: TextRange): void {
    let least = from;
    let most = to;
    const apart: TextRange[] = [];
    for (const range of this.#ranges) {
      const before = range.to !== null && compareText(range.to, least) < 0;
      const behind = most !== null && compareText(most, range.from) < 0;
      if (before || behind) apart.push(range);
      else {
        if (compareText(range.from, least) < 0) least = range.from;
        most = later(range.to, most);
      }
    }
    if (apart.length >= RANGES_MAX) apart.length = 0;
    apart.push({ from: least, to: most });
    this.#ranges = apart.sort((left, right) => compareText(left.from, right.from));
  }

  covers({ from, to }: TextRange): boolean {
    if (to !== null && compareText(from, to) >= 0) return true; // Nothing lies in it.
    const range = this.#rangeAt(from);
    return range !== undefined && !isBelow(range.to, to);
  }

  /** How many members are known without a gap upwards from `start`, and whether there are no others. */
  up(start: string): { count: number; all: boolean } {
    const range = this.#rangeAt(start);
    if (range === undefined) return { count: 0, all: false };
    const end = range.to === null ? this.sorted.length : this.indexOf(range.to);
    return { count: end - this.indexOf(start), all: range.to === null };
  }

  /** The same downwards from just below `end`; null: from the greatest. */
  down(end: string | null): { count: number; all: boolean } {
    const range = this.#ranges.find(
      ({ from, to }) => !isBelow(to, end) && (end === null || compareText(from, end) < 0),
    );
    if (range === undefined) return { count: 0, all: false };
    const top = end === null ? this.sorted.length : this.indexOf(end);
    return { count: top - this.indexOf(range.from), all: range.from === '' };
  }

  #rangeAt(text: string): TextRange | undefined {
    return this.#ranges.find(
      ({ from, to }) => compareText(from, text) <= 0 && (to === null || compareText(text, to) < 0),
    );
  }
}

/** Whether an end lies before another; null is behind all. */
const isBelow = (end: string | null, other: string | null): boolean =>
  end !== null && (other === null || compareText(end, other) < 0);

const later = (left: string | null, right: string | null): string | null =>
  isBelow(left, right) ? right : left;
