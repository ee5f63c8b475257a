import { hash32 } from '../zset/checksum.js';
import type { Ordered } from './operator.js';

/** How much of what is due one tick takes, about: an advance of time is cut into steps of so many rows or groups. */
export const DUE_MAX = 1_000;

/** Over how many groups of an ordered state one index is spread: none of them becomes as large as the whole. */
const SPREAD = 32;
const PAGE = Math.ceil(DUE_MAX / SPREAD);
/** Where the keys of few groups are due that are found together, their spreads may take what the others leave. */
const pageOf = (full: readonly string[], others: number): number =>
  Math.max(PAGE, Math.ceil((DUE_MAX - others) / full.length));
const SPREADS = Array.from({ length: SPREAD }, (_, number) => String(number));

/** An instant is a text of 24 characters; what stands behind it in a member is the key. */
const INSTANT_LENGTH = 24;

export interface Due {
  readonly at: string;
  readonly key: string;
  readonly weight: number;
}

/**
 * A time-ordered index: keys, with weights, each at an instant. What is to happen at a time is found by the time, never
 * by waiting for the key to come back.
 *
 * In a tick first what is due is named (`wantDue`) and taken (`due`), then the index is changed.
 */
export class DueTimes {
  constructor(
    readonly state: Ordered,
    /** Keys that are equal in this are found in the order of their instants, also where more is due than one tick takes. */
    readonly togetherBy: (key: string) => string = (key) => key,
  ) {}

  want(at: string, key: string): void {
    this.state.wantMember(this.#spreadOf(key), at + key);
  }

  weight(at: string, key: string): number {
    return this.state.weight(this.#spreadOf(key), at + key);
  }

  add(at: string, key: string, weight: number): void {
    this.state.add(this.#spreadOf(key), at + key, weight);
  }

  /** As `add`, of a key whose weight is known from elsewhere and need not have been wanted. */
  addTo(known: number, at: string, key: string, weight: number): void {
    this.state.addTo(known, this.#spreadOf(key), at + key, weight);
  }

  /** All that is before `bound` will be asked for, as far as a tick takes it. Whether it is loaded already. */
  wantDue(bound: string): boolean {
    let loaded = true;
    let others = 0;
    const full: string[] = [];
    for (const spread of SPREADS) {
      // Mostly nothing is due, and the first says so.
      if (!this.state.wantEnd(spread, 'least', 1, 0)) loaded = false;
      else if (!this.#first(spread, bound)) continue;
      else if (!this.state.wantEnd(spread, 'least', PAGE, 0)) loaded = false;
      else {
        const { length } = this.#page(spread, PAGE, bound);
        if (length === PAGE) full.push(spread);
        else others += length;
      }
    }
    if (!loaded) return false;
    const size = pageOf(full, others);
    for (const spread of full) if (!this.state.wantEnd(spread, 'least', size, 0)) loaded = false;
    return loaded;
  }

  /** What is before `bound`, and whether there is more of it than one tick takes. */
  due(bound: string): { due: Due[]; more: boolean } {
    const pages = SPREADS.map((spread) =>
      this.#first(spread, bound) ? this.#page(spread, PAGE, bound) : [],
    );
    const full = SPREADS.filter((_, at) => pages[at]!.length === PAGE);
    const others = pages.reduce((sum, { length }) => sum + (length === PAGE ? 0 : length), 0);
    const size = pageOf(full, others);
    const due: Due[] = [];
    let more = false;
    SPREADS.forEach((spread, at) => {
      const members = pages[at]!.length === PAGE ? this.#page(spread, size, bound) : pages[at]!;
      if (members.length === size) more = true;
      for (const [member, weight] of members)
        due.push({ at: member.slice(0, INSTANT_LENGTH), key: member.slice(INSTANT_LENGTH), weight });
    });
    return { due, more };
  }

  #page(spread: string, size: number, bound: string): readonly (readonly [member: string, weight: number])[] {
    return this.state.end(spread, 'least', size).filter(([member]) => member < bound);
  }

  #first(spread: string, bound: string): boolean {
    const [first] = this.state.end(spread, 'least', 1);
    return first !== undefined && first[0] < bound;
  }

  #spreadOf(key: string): string {
    return SPREADS[hash32(this.togetherBy(key)) % SPREAD]!;
  }
}
