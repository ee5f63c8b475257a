import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import { type Kept, retractionsIn, type Weighted } from '../arrangement.js';
import type { Operator } from '../operator.js';
import { type Change, type PairWork, SideChanges } from '../pair-work.js';
import { otherSide, Pairing, type PairOptions, type PairSide } from '../pairing.js';
import { pure } from '../pure.js';
import type { WorkQueue } from '../work-queue.js';

/** Rows that are shown by themselves: where none of the other side matches, or where any does; and as what. */
export interface Shown {
  readonly when: 'alone' | 'matched';
  readonly as: (row: Row) => Row;
}

export interface JoinSide extends PairSide {
  readonly shown: Shown | null;
}

/** How much one step does of what is to be done. */
export interface PageLimits {
  /** About how many pairs it makes; more of a key wait for the next steps. */
  readonly pairsMax: number;
  /** So many are made of each key, however many keys a tick changes: it is the tick that is too great then. */
  readonly pairsMin: number;
  /** So many of the works that wait are gone on with together. */
  readonly worksMax: number;
}

const PAGE_LIMITS: PageLimits = { pairsMax: 2_000, pairsMin: 64, worksMax: 32 };

/**
 * Pairs of rows with equal keys that fulfil a condition, and rows that have none (or any) to match: inner, left, right,
 * full, semi and anti joins.
 *
 *   in   Δ left, Δ right
 *   out  Δ pair, Δ of the rows of a side that are shown alone (or matched)
 *
 * A join is linear in each side, so the change of the pairs is
 *
 *     Δ(l ⋈ r)  =  l ⋈ Δr  +  Δl ⋈ (r + Δr)
 *
 * with both sides kept by key. A row is alone while the weight of the rows that match it is 0. Without a condition its key
 * says so: it is whether the key has rows on the other side. With one the weight is kept for each row.
 *
 * The pairs of a key with many rows come in pages, in several ticks: what is left of them waits in a queue, which is
 * state. The changes of a key are applied to their side when their last page is through, the right side's before the
 * first page of the left's; no rows come in between. So each page is of the same two collections, wherever it is cut.
 */
export class Join implements Operator {
  unfinished = false;
  readonly #sides: { readonly left: JoinSide; readonly right: JoinSide };
  readonly #pairing: Pairing;
  #inputs: readonly Delta<Row>[] | null = null;
  /** What the tick does: the right side's changes first. `number`: its place in the queue, where it waited there. */
  #works: { work: PairWork; number: string | null }[] = [];
  /** How many rows the tick takes away from the right side of a key. */
  #retracted = new Map<string, number>();
  #alone: { shown: Shown; rows: readonly Weighted[] }[] = [];

  constructor(
    left: JoinSide,
    right: JoinSide,
    readonly options: PairOptions,
    /** Null: every tick pairs all that it changes, as where no key can have many rows on either side. */
    readonly queue: WorkQueue<PairWork> | null,
    readonly limits: PageLimits = PAGE_LIMITS,
  ) {
    this.#sides = { left, right };
    this.#pairing = new Pairing(this.#sides, options);
  }

  reads(inputs: readonly [Delta<Row>, Delta<Row>]): void {
    if (this.queue !== null && !this.queue.want(this.limits.worksMax)) return;
    if (this.#inputs?.[0] !== inputs[0] || this.#inputs[1] !== inputs[1]) this.#begin(inputs);
    for (const { work } of this.#works) this.#want(work);
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    if (this.options.condition === null) this.#step(output);
    else pure(() => this.#step(output));
    this.unfinished = this.queue !== null && !this.queue.isEmpty;
    this.discard();
    return output;
  }

  get resumes(): boolean | undefined {
    return this.queue === null ? undefined : this.unfinished;
  }

  discard(): void {
    this.#inputs = null;
    this.#works = [];
    this.#retracted = new Map();
    this.#alone = [];
  }

  #begin(inputs: readonly [Delta<Row>, Delta<Row>]): void {
    this.discard();
    this.#inputs = inputs;
    const waiting = this.queue?.take(this.limits.worksMax) ?? [];
    if (waiting.length > 0) {
      assert(
        inputs[0].size === 0 && inputs[1].size === 0,
        'A join was given rows before it had finished with those before.',
      );
      this.#works = waiting.map(([number, work]) => ({ number, work: copyOf(work) }));
    } else for (const side of ['right', 'left'] as const) this.#take(side, inputs[side === 'left' ? 0 : 1]);
    for (const { work } of this.#works)
      if (work.side === 'right') this.#retracted.set(work.key, retractionsIn(work.changes));
  }

  #take(side: 'left' | 'right', input: Delta<Row>): void {
    const { keyOf, rows, shown } = this.#sides[side];
    const { byKey, withoutKey } = new SideChanges(input, { keyOf, textOf: (row) => rows.textOf(row) });
    for (const [key, changes] of byKey)
      this.#works.push({ number: null, work: { side, key, changes, from: '', to: null } });
    if (shown?.when === 'alone') this.#alone.push({ shown, rows: withoutKey });
  }

  #want(work: PairWork): void {
    const { side, key, changes } = work;
    const { [side]: own, [otherSide(side)]: other } = this.#sides;
    const retracted = (side === 'left' && this.#retracted.get(key)) || 0;
    own.rows.wantChanges(key, changes);
    if (own.shown !== null && own.matches === null) other.rows.wantAny(key, retracted);
    const turned =
      other.shown !== null &&
      other.matches === null &&
      own.rows.wantAny(key, retractionsIn(changes)) &&
      !this.#looksForPairs &&
      this.#turn(work) !== 0;
    if (this.#looksForPairs) this.#pairing.want(work, this.#countFor(work), retracted);
    else if (turned) other.rows.wantPage(key, { ...work, count: this.#countFor(work) }, retracted);
  }

  #step(output: Delta<Row>): void {
    const waiting = new Set<string>();
    for (const { work, number } of this.#works) {
      const left = waiting.has(work.key) ? work : this.#advance(work, output);
      if (left !== null && work.side === 'right') waiting.add(work.key);
      if (left !== null && number === null) this.#later(left);
      else if (left === null && number !== null) this.queue!.done(number);
      else if (left !== null && left !== work) this.queue!.put(number!, left);
    }
    this.queue?.settle(this.limits.worksMax);
    for (const { shown, rows } of this.#alone)
      for (const { row, weight } of rows) output.push(shown.as(row), weight);
  }

  #later(work: PairWork): void {
    assert(this.queue !== null, 'A join left work that nothing keeps.');
    this.queue.push(work);
  }

  /** Goes on with a work by a page. What is left of it; null when it is done. */
  #advance(work: PairWork, output: Delta<Row>): PairWork | null {
    const { side, key, changes } = work;
    const { [side]: own, [otherSide(side)]: other } = this.#sides;
    const { shown, matches } = other;
    const turn = shown === null || matches !== null ? 0 : this.#turn(work);
    const met = (kept: Kept, change: number): void => {
      if (shown === null) return;
      if (matches === null) return turn === 0 ? undefined : showAgain(shown, kept, turn < 0, output);
      if (change === 0) return;
      const text = kept.text ?? other.rows.textOf(kept.row);
      const before = matches.weight(key, text);
      matches.add(key, text, change);
      if ((before === 0) !== (before + change === 0)) showAgain(shown, kept, before + change === 0, output);
    };
    let next: string | null = null;
    if (this.#looksForPairs) next = this.#pairing.step(work, this.#countFor(work), output, met);
    else if (turn !== 0) {
      const page = other.rows.page(key, { ...work, count: this.#countFor(work) });
      for (const kept of page.rows) met(kept, 0);
      next = page.next;
    }
    if (next !== null) return { ...work, from: next };
    for (const [text, change] of changes) this.#finish(own, key, text, change, other, output);
    own.rows.apply(key, changes);
    return null;
  }

  /** Shows a changed row, and keeps how much matches it while it is there. */
  #finish(
    { shown, matches, rows }: JoinSide,
    key: string,
    text: string,
    change: Change,
    other: JoinSide,
    output: Delta<Row>,
  ): void {
    if (shown === null) return;
    let isAlone: boolean;
    if (matches === null) isAlone = !other.rows.any(key);
    else {
      const before = rows.weight(key, text);
      const matched = before > 0 ? matches.weight(key, text) : change.matched;
      if (before === 0) matches.add(key, text, matched);
      else if (before + change.weight === 0) matches.add(key, text, -matched);
      isAlone = matched === 0;
    }
    if (isAlone === (shown.when === 'alone')) output.push(shown.as(change.row), change.weight);
  }

  /** Whether pairs must be looked at: they are given, or the condition is asked of each. */
  get #looksForPairs(): boolean {
    return this.options.givesPairs || this.options.condition !== null;
  }

  /** Whether its key's rows come to be there by a change (1), cease to be (−1), or neither (0). */
  #turn({ side, key, changes }: PairWork): number {
    const { rows } = this.#sides[side];
    return Number(rows.anyAfter(key, changes)) - Number(rows.any(key));
  }

  /** How many rows of the other side one page has. */
  #countFor({ changes }: PairWork): number {
    if (this.queue === null) return Infinity;
    const { pairsMin, pairsMax } = this.limits;
    const pairs = Math.max(pairsMin, Math.floor(pairsMax / this.#works.length));
    return Math.max(1, Math.floor(pairs / changes.size));
  }
}

/** A row that has come to be alone, or to be matched, appears or goes. */
function showAgain({ when, as }: Shown, { row, weight }: Kept, isAlone: boolean, output: Delta<Row>): void {
  output.push(as(row), isAlone === (when === 'alone') ? weight : -weight);
}

/** As the tick's own: what waits in the queue stays as it is until it is put back. */
const copyOf = (work: PairWork): PairWork => ({
  ...work,
  changes: new Map([...work.changes].map(([text, change]) => [text, { ...change }])),
});
