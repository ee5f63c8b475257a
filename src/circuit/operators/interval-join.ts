import { Delta } from '../../zset/delta.js';
import { instantMs, instantText } from '../../zset/instant-text.js';
import type { Row } from '../../zset/value.js';
import { type Kept, retractionsIn } from '../arrangement.js';
import type { OrderedArrangement } from '../ordered-arrangement.js';
import type { DueTimes } from '../due-times.js';
import type { TextRange } from '../known-group.js';
import type { Operator, Ordered } from '../operator.js';
import { type Change, type PairWork, SideChanges, type SideName } from '../pair-work.js';
import type { PairWorks } from '../pair-works.js';
import { otherSide, Pairing, type PairOptions, type PairSide, type Shown } from '../pairing.js';
import { pure } from '../pure.js';
import { BEHIND, TimedRows } from '../timed-rows.js';
import { type ColumnTime, columnWatermark, type Time } from '../time.js';

export interface IntervalSide {
  readonly keyOf: (row: Row) => string | null;
  /** The row's time: an instant. */
  readonly timeOf: (row: Row) => string;
  /** Its rows by key and time, and their matches where it depends on them what is shown. */
  readonly rows: Ordered;
  readonly matches: Ordered | null;
  /** Its rows that are shown by themselves: as soon as they have a match, or once they can have none. */
  readonly shown: Shown | null;
  /** How far before and after a row's time its matches lie. */
  readonly belowMs: number;
  readonly aboveMs: number;
  /** By which the *other* side's watermark tells that a row has no more matches to come; null where nothing does. */
  readonly freed: { readonly due: DueTimes; readonly time: ColumnTime } | null;
}

/** So many of the disjoint intervals of a key are looked up apart; more are looked up as greater ones. */
const RANGES_MAX = 16;
/**
 * Pairs of rows with equal keys whose times lie near each other, and rows that have any, or can have none any more: inner,
 * left, right, full, semi and anti joins.
 *
 *   in   Δ left, Δ right     without those that are late for their side's time
 *   out  Δ pair              as in any join: Δ(l ⋈ r) = l ⋈ Δr + Δl ⋈ (r + Δr)
 *        Δ of the rows shown alone, when the other side's watermark has passed the last time that could match
 *        Δ of the rows shown as matched, while they have a match
 *
 * A row is kept until then, and no longer: a time-ordered index finds it. What comes for a row that is no longer kept (it is
 * below the one watermark, not below its own side's: its retraction, or an equal row) still finds all its partners kept,
 * since none of those can be freed before this side's watermark has passed the row. So what is shown is right
 * whenever it comes, and depends on the rows alone, not on which side was read first.
 *
 * Rows are kept in the order of their times, a member of their key each: its instant, then its JSON. Of a row that may be
 * shown by itself the weight of its matches is kept beside it, for its partners may be freed before it.
 */
export class IntervalJoin implements Operator {
  readonly timed = true;
  unfinished = false;
  #resumes = false;
  readonly #sides: { readonly left: Side; readonly right: Side };
  readonly #pairing: Pairing;
  #inputs: readonly Delta<Row>[] | null = null;
  /** Rows without a key, which match nothing. */
  #alone: (readonly [row: Row, weight: number])[] = [];
  readonly #condition: boolean;

  constructor(
    left: IntervalSide,
    right: IntervalSide,
    options: PairOptions,
    readonly works: PairWorks,
  ) {
    this.#sides = { left: new Side(left), right: new Side(right) };
    this.#condition = options.condition !== null;
    this.#pairing = new Pairing(this.#sides, {
      ...options,
      reach: (side, row) => this.#sides[side].reach(row),
    });
  }

  get resumes(): boolean | undefined {
    return this.works.queue === null ? undefined : this.#resumes;
  }

  reads(inputs: readonly [Delta<Row>, Delta<Row>], time: Time): void {
    if (!this.works.want()) return;
    if (this.#inputs?.[0] !== inputs[0] || this.#inputs[1] !== inputs[1]) {
      this.discard();
      this.#inputs = inputs;
      this.works.begin(() => [...this.#worksOf('right', inputs[1]), ...this.#worksOf('left', inputs[0])]);
    }
    const changed = { left: new Map<string, number>(), right: new Map<string, number>() };
    for (const work of this.works) {
      const { side, key, changes } = work;
      this.#sides[side].want(key, changes);
      changed[side].set(key, (changed[side].get(key) ?? 0) + retractionsIn(changes));
    }
    this.works.wantPages((work, count) =>
      this.#pairing.want(work, count, this.works.retracted(otherSide(work.side), work.key)),
    );
    for (const side of ['left', 'right'] as const)
      this.#sides[side].wantOver(time, (key) => changed[side].get(key) ?? 0);
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    const advance = (): void => this.works.step((work) => this.#advance(work, output));
    if (this.#condition) pure(advance);
    else advance();
    for (const [row, weight] of this.#alone) output.push(row, weight);
    const { left, right } = this.#sides;
    // Rows that wait to be paired are to find all that was there when they came.
    this.unfinished = this.works.areLeft;
    if (!this.unfinished) {
      for (const side of [left, right]) if (side.free(output)) this.unfinished = true;
      if (this.unfinished) this.works.comeBack();
    }
    this.#resumes = this.works.areLeft;
    this.#forget();
    return output;
  }

  discard(): void {
    this.#forget();
    this.unfinished = false;
    this.#resumes = false;
  }

  #forget(): void {
    this.#inputs = null;
    this.#alone = [];
    this.works.discard();
    this.#sides.left.forget();
    this.#sides.right.forget();
  }

  #worksOf(name: SideName, input: Delta<Row>): PairWork[] {
    const side = this.#sides[name];
    const { byKey, withoutKey } = new SideChanges(input, {
      keyOf: side.keyOf,
      textOf: (row) => side.rows.textOf(row),
    });
    const { shown } = side.options;
    if (shown?.when === 'alone')
      for (const { row, weight } of withoutKey) this.#alone.push([shown.as(row), weight]);
    return [...byKey].flatMap(([key, changes]) =>
      side.rangesOf(changes).map((range): PairWork => ({ side: name, key, ...range })),
    );
  }

  #advance(work: PairWork, output: Delta<Row>): PairWork | null {
    const { [work.side]: own, [otherSide(work.side)]: other } = this.#sides;
    const next = this.#pairing.step(work, this.works.count, output, (kept, change) =>
      other.met(work.key, kept, change, output),
    );
    if (next !== null) return { ...work, from: next };
    for (const change of work.changes) own.finish(work.key, change, output);
    return null;
  }
}

/** One side: what is kept of it, and what of that is over. */
class Side implements PairSide {
  readonly #kept: TimedRows;

  constructor(readonly options: IntervalSide) {
    this.#kept = new TimedRows(options.rows, options.timeOf, options.freed?.due ?? null);
  }

  get keyOf(): IntervalSide['keyOf'] {
    return this.options.keyOf;
  }

  get rows(): OrderedArrangement {
    return this.#kept.rows;
  }

  get matches(): Ordered | null {
    return this.options.matches;
  }

  /** The members of the other side that a row of this side can be paired with. */
  reach(row: Row): TextRange & { to: string } {
    const { belowMs, aboveMs, timeOf } = this.options;
    const time = instantMs(timeOf(row));
    return { from: instantText(time - belowMs), to: instantText(time + aboveMs) + BEHIND };
  }

  /** Changes whose intervals meet are looked up together. */
  rangesOf(changes: readonly Change[]): (Pick<PairWork, 'changes' | 'from'> & { to: string })[] {
    const ranges: { changes: Change[]; from: string; to: string }[] = [];
    const sorted = [...changes].sort(({ text: left }, { text: right }) => (left < right ? -1 : 1));
    for (const change of sorted) {
      const reach = this.reach(change.row);
      const last = ranges.at(-1);
      if (last !== undefined && (reach.from <= last.to || ranges.length === RANGES_MAX)) {
        last.changes.push(change);
        last.to = reach.to;
      } else ranges.push({ ...reach, changes: [change] });
    }
    return ranges;
  }

  want(key: string, changes: readonly Change[]): void {
    this.#kept.want(key, changes);
  }

  /** A row that is kept has come to match more or less. */
  met(key: string, { text, row, weight }: Kept, change: number, output: Delta<Row>): void {
    const { shown, matches } = this.options;
    if (matches === null || change === 0) return;
    const before = matches.weight(key, text!);
    matches.add(key, text!, change);
    if (shown?.when !== 'matched') return;
    if (before === 0) output.push(shown.as(row), weight);
    else if (before + change === 0) output.push(shown.as(row), -weight);
  }

  /** Applies a change that has been paired, or shows the row where it is no longer kept. */
  finish(key: string, change: Change, output: Delta<Row>): void {
    const { shown, matches } = this.options;
    const { text, row, weight, matched } = change;
    if (this.#kept.isGone(key, text, weight)) {
      if (shown !== null && (matched === 0) === (shown.when === 'alone')) output.push(shown.as(row), weight);
      return;
    }
    const before = this.#kept.add(key, change);
    const known = before === 0 ? matched : (matches?.weight(key, text) ?? 0);
    if (shown?.when === 'matched' && known !== 0) output.push(shown.as(row), weight);
    if (before === 0) matches?.add(key, text, matched);
    else if (before + weight === 0) matches?.add(key, text, -known);
  }

  /** Asks for what is over by now. */
  wantOver(time: Time, retracted: (key: string) => number): void {
    const { freed, aboveMs, matches } = this.options;
    if (freed === null) return;
    this.#kept.wantOver(columnWatermark(time, freed.time) - aboveMs, retracted, (key, to) =>
      matches?.wantBetween(key, '', to),
    );
  }

  /** Frees what is over, and shows what of it is alone. Whether there is more. */
  free(output: Delta<Row>): boolean {
    const { shown, matches } = this.options;
    return this.#kept.free((key, text, { row, weight }) => {
      const matched = matches?.weight(key, text) ?? 0;
      if (matched === 0 && shown?.when === 'alone') output.push(shown.as(row), weight);
      matches?.add(key, text, -matched);
    });
  }

  forget(): void {
    this.#kept.forget();
  }
}
