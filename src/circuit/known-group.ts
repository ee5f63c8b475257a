import { compareText } from '../zset/text-order.js';
import type { GroupWrites } from './group-writes.js';
import { SortedTexts } from './sorted-texts.js';
import { TextWeights } from './text-weights.js';

/** Texts from `from` on up to but not including `to`; null: without an end. Everything begins at ''. */
export interface TextRange {
  readonly from: string;
  readonly to: string | null;
}

export const EVERYTHING: TextRange = { from: '', to: null };

/** The least text above this one: what ends a range that is to include it. */
export const justAbove = (text: string): string => `${text}\0`;

/**
 * What is known of one group of an ordered state. `weights` holds every member we have met, with 0 for one known to be
 * absent; `sorted` those of positive weight, once somebody asks for an order. Of a member we have not met we know only if a
 * known range holds it: then it is absent.
 */
export class KnownGroup {
  readonly weights = new TextWeights();
  /** What the tick that is being made has changed of it, and the one that is being committed. */
  current: GroupWrites | null = null;
  pending: GroupWrites | null = null;
  #sorted: SortedTexts | null = null;
  /** Apart from each other, in order. */
  #ranges: readonly TextRange[];

  constructor(known: 'nothing' | 'everything' = 'nothing') {
    this.#ranges = known === 'everything' ? ALL : NONE;
  }

  /** `before`: its weight, where that is at hand; 0 of one that was not known. */
  set(member: string, weight: number, before = this.weights.get(member) ?? 0): void {
    this.weights.set(member, weight);
    if (this.#sorted === null) return;
    if (before === 0 && weight > 0) this.#sorted.add(member);
    else if (before > 0 && weight === 0) this.#sorted.delete(member);
  }

  /** The same of a member that was not met: in order it is not found either, whatever its weight was. */
  meet(member: string, weight: number): void {
    this.weights.add(member, weight);
    if (weight > 0) this.#sorted?.add(member);
  }

  /** The weight, or undefined where it is not known. */
  weight(member: string): number | undefined {
    return this.weights.get(member) ?? (this.isAbsent(member) ? 0 : undefined);
  }

  /** Whether a member that was not met is known not to be there. */
  isAbsent(member: string): boolean {
    return this.isWhole || this.#rangeAt(member) !== undefined;
  }

  /** Whether everything is known: quicker than asking for a range. */
  get isWhole(): boolean {
    return this.#ranges === ALL;
  }

  /** Whether the weight is known; quicker than asking for it where everything is. */
  knows(member: string): boolean {
    return this.isWhole || this.weight(member) !== undefined;
  }

  /** An absent member need not be remembered where a known range says that it is absent. Whether it was. */
  forgetAbsent(member: string): boolean {
    return (
      this.weights.get(member) === 0 && this.#rangeAt(member) !== undefined && this.weights.delete(member)
    );
  }

  /** All members in a range are known from now on. */
  learn({ from, to }: TextRange): void {
    if (this.#ranges === ALL) return;
    // Of the ranges known before, those that meet this one become one with it.
    let first = this.#lastFrom(from);
    if (first < 0 || isBelow(this.#ranges[first]!.to, from)) first++;
    let last = first;
    let least = from;
    let most = to;
    for (; last < this.#ranges.length; last++) {
      const range = this.#ranges[last]!;
      if (isBelow(most, range.from)) break;
      if (compareText(range.from, least) < 0) least = range.from;
      most = later(range.to, most);
    }
    const one = { from: least, to: most };
    this.#ranges = least === '' && most === null ? ALL : this.#ranges.toSpliced(first, last - first, one);
  }

  covers({ from, to }: TextRange): boolean {
    if (this.isWhole) return true;
    if (to !== null && compareText(from, to) >= 0) return true; // Nothing lies in it.
    const range = this.#rangeAt(from);
    return range !== undefined && !isBelow(range.to, to);
  }

  /** How many members are known without a gap upwards from `start`, not counted much further than `most`. */
  reachUp(start: string, most: number): number {
    const range = this.#rangeAt(start);
    return range === undefined ? 0 : this.#inOrder.count(start, range.to, most);
  }

  /** The same downwards from just below `end`; null: from the greatest. */
  reachDown(end: string | null, most: number): number {
    const range = this.#rangeBelow(end);
    return range === undefined ? 0 : this.#inOrder.count(range.from, end, most);
  }

  /** What is left of a range behind what is known from the end on that it is read from. */
  unknownOf<R extends TextRange & { readonly direction: 'up' | 'down' }>(range: R): R {
    return range.direction === 'up'
      ? { ...range, from: this.#rangeAt(range.from)?.to ?? range.from }
      : { ...range, to: this.#rangeBelow(range.to)?.from ?? range.to };
  }

  /** How many members a known range has, not counted much further than `most`. */
  count({ from, to }: TextRange, most: number): number {
    return this.weights.size === 0 ? 0 : this.#inOrder.count(from, to, most);
  }

  /** The members of a known range, the least first. */
  up({ from, to }: TextRange, most = Infinity): string[] {
    return this.weights.size === 0 ? [] : this.#inOrder.up(from, to, most);
  }

  /** The greatest first. */
  down({ from, to }: TextRange, most = Infinity): string[] {
    return this.#inOrder.down(from, to, most);
  }

  get #inOrder(): SortedTexts {
    return (this.#sorted ??= SortedTexts.of(this.weights.present()));
  }

  #rangeAt(text: string): TextRange | undefined {
    if (this.#ranges === ALL) return EVERYTHING;
    const range = this.#ranges[this.#lastFrom(text)];
    return range !== undefined && (range.to === null || compareText(text, range.to) < 0) ? range : undefined;
  }

  /** The range that holds what lies just below an end. */
  #rangeBelow(end: string | null): TextRange | undefined {
    let at = end === null ? this.#ranges.length - 1 : this.#lastFrom(end);
    if (end !== null && this.#ranges[at]?.from === end) at--;
    const range = this.#ranges[at];
    return range !== undefined && !isBelow(range.to, end) ? range : undefined;
  }

  /** The last range that begins at a text or before it; −1: none does. */
  #lastFrom(text: string): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareText(this.#ranges[middle]!.from, text) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

const NONE: readonly TextRange[] = [];
const ALL: readonly TextRange[] = [EVERYTHING];

/** Whether an end lies before another; null is behind all. */
const isBelow = (end: string | null, other: string | null): boolean =>
  end !== null && (other === null || compareText(end, other) < 0);

const later = (left: string | null, right: string | null): string | null =>
  isBelow(left, right) ? right : left;
