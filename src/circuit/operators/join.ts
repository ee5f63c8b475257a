import { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import { type Kept, retractionsIn, type Weighted } from '../arrangement.js';
import type { FrozenKeys } from '../frozen-keys.js';
import type { Operator } from '../operator.js';
import { type Change, type PairWork, SideChanges, type SideName } from '../pair-work.js';
import type { PairWorks } from '../pair-works.js';
import { otherSide, Pairing, type PairOptions, type PairSide, type Shown } from '../pairing.js';
import { pure } from '../pure.js';
import type { Time } from '../time.js';

export interface JoinSide extends PairSide {
  readonly shown: Shown | null;
}

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
 *
 * Where a joined column has a watermark on both sides, what is kept of a key below both of them goes, of whatever kind the join
 * is: such a key's rows neither come nor go any more, and so neither do its pairs nor who of it is alone.
 */
export class Join implements Operator {
  unfinished = false;
  #resumes = false;
  readonly #sides: { readonly left: JoinSide; readonly right: JoinSide };
  readonly #pairing: Pairing;
  #inputs: readonly Delta<Row>[] | null = null;
  #alone: { shown: Shown; rows: readonly Weighted[] }[] = [];

  constructor(
    left: JoinSide,
    right: JoinSide,
    readonly options: PairOptions,
    readonly works: PairWorks,
    /** Rows that are late for it are left out before they come here. */
    readonly frozen: FrozenKeys | null = null,
  ) {
    this.#sides = { left, right };
    this.#pairing = new Pairing(this.#sides, options);
  }

  get timed(): boolean {
    return this.frozen !== null;
  }

  get resumes(): boolean | undefined {
    return this.works.queue === null ? undefined : this.#resumes;
  }

  reads(inputs: readonly [Delta<Row>, Delta<Row>], time: Time): void {
    if (!this.works.want()) return;
    if (this.#inputs?.[0] !== inputs[0] || this.#inputs[1] !== inputs[1]) {
      this.discard();
      this.#inputs = inputs;
      this.works.begin(() => this.#worksOf(inputs));
    }
    for (const work of this.works) this.#want(work);
    if (this.#looksForPairs)
      this.works.wantPages((work, count) =>
        this.#pairing.want(work, count, this.works.retracted(otherSide(work.side), work.key)),
      );
    this.frozen?.want(time, this.works, this.#sides);
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    const advance = (): void => this.works.step((work) => this.#advance(work, output));
    if (this.options.condition === null) advance();
    else pure(advance);
    for (const { shown, rows } of this.#alone)
      for (const { row, weight } of rows) output.push(shown.as(row), weight);
    this.unfinished = this.#resumes = this.works.areLeft;
    // Rows that wait to be paired are to find all that was there when they came.
    if (this.frozen !== null && !this.unfinished) {
      this.frozen.free(this.#sides);
      this.unfinished = this.frozen.unfinished;
    }
    this.discard();
    return output;
  }

  discard(): void {
    this.#inputs = null;
    this.#alone = [];
    this.works.discard();
    this.frozen?.discard();
  }

  #worksOf([left, right]: readonly [Delta<Row>, Delta<Row>]): PairWork[] {
    const works: PairWork[] = [];
    this.#addWorks('right', right, works);
    this.#addWorks('left', left, works);
    return works;
  }

  #addWorks(side: SideName, input: Delta<Row>, works: PairWork[]): void {
    const { keyOf, rows, shown } = this.#sides[side];
    const { byKey, withoutKey } = new SideChanges(input, { keyOf, textOf: (row) => rows.textOf(row) });
    if (shown?.when === 'alone') this.#alone.push({ shown, rows: withoutKey });
    for (const [key, changes] of byKey) works.push({ side, key, changes, from: '', to: null });
  }

  #want(work: PairWork): void {
    const { side, key, changes } = work;
    const { [side]: own, [otherSide(side)]: other } = this.#sides;
    const retracted = this.works.retracted(otherSide(side), key);
    own.rows.wantChanges(key, changes);
    if (own.shown !== null && own.matches === null) other.rows.wantAny(key, retracted);
    const turned =
      other.shown !== null &&
      other.matches === null &&
      own.rows.wantAny(key, retractionsIn(changes)) &&
      !this.#looksForPairs &&
      this.#turn(work) !== 0;
    if (turned) other.rows.wantPage(key, { ...work, count: this.works.count }, retracted);
  }

  /** Goes on with a work by a page. What is left of it; null when it is done. */
  #advance(work: PairWork, output: Delta<Row>): PairWork | null {
    const { side, key, changes } = work;
    const { [side]: own, [otherSide(side)]: other } = this.#sides;
    const { shown, matches } = other;
    const turn = shown === null || matches !== null ? 0 : this.#turn(work);
    const met =
      shown &&
      ((kept: Kept, change: number): void => {
        if (matches === null) return turn === 0 ? undefined : showAgain(shown, kept, turn < 0, output);
        if (change === 0) return;
        const text = kept.text ?? other.rows.textOf(kept.row);
        const before = matches.weight(key, text);
        matches.add(key, text, change);
        if ((before === 0) !== (before + change === 0)) showAgain(shown, kept, before + change === 0, output);
      });
    let next: string | null = null;
    if (this.#looksForPairs) next = this.#pairing.step(work, this.works.count, output, met);
    else if (turn !== 0) {
      const page = other.rows.page(key, { ...work, count: this.works.count });
      for (const kept of page.rows) met!(kept, 0);
      next = page.next;
    }
    if (next !== null) return { ...work, from: next };
    if (own.shown !== null)
      for (const change of changes) this.#finish(own, own.shown, key, change, other, output);
    own.rows.apply(key, changes);
    this.frozen?.changed(work);
    return null;
  }

  /** Shows a changed row, and keeps how much matches it while it is there. */
  #finish(
    { matches, rows }: JoinSide,
    shown: Shown,
    key: string,
    change: Change,
    other: JoinSide,
    output: Delta<Row>,
  ): void {
    const { text, weight, matched: met } = change;
    let isAlone: boolean;
    if (matches === null) isAlone = !other.rows.any(key);
    else {
      const before = rows.weight(key, text);
      const matched = before > 0 ? matches.weight(key, text) : met;
      if (before === 0) matches.add(key, text, matched);
      else if (before + weight === 0) matches.add(key, text, -matched);
      isAlone = matched === 0;
    }
    if (isAlone === (shown.when === 'alone')) output.push(shown.as(change.row), weight);
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
}

/** A row that has come to be alone, or to be matched, appears or goes. */
function showAgain({ when, as }: Shown, { row, weight }: Kept, isAlone: boolean, output: Delta<Row>): void {
  output.push(as(row), isAlone === (when === 'alone') ? weight : -weight);
}
