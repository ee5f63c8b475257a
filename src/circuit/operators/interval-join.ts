import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import { INSTANT_WIDTH, instantMs, instantText } from '../../zset/instant-text.js';
import type { Row } from '../../zset/value.js';
import { type Kept, OrderedArrangement, retractionsIn } from '../arrangement.js';
import { DUE_MAX, type DueTimes } from '../due-times.js';
import type { TextRange } from '../known-group.js';
import type { Operator, Ordered } from '../operator.js';
import { type Change, type PairWork, SideChanges, type SideName } from '../pair-work.js';
import type { PairWorks } from '../pair-works.js';
import { otherSide, Pairing, type PairOptions, type PairSide } from '../pairing.js';
import { pure } from '../pure.js';
import { type ColumnTime, columnWatermark, type Time } from '../time.js';

export interface IntervalSide {
  readonly keyOf: (row: Row) => string | null;
  /** The row's time: an instant. */
  readonly timeOf: (row: Row) => string;
  /** Its rows by key and time, and their matches where rows that have none are shown. */
  readonly rows: Ordered;
  readonly matches: Ordered | null;
  /** What a row is shown as that has no match; null where such rows are not shown. */
  readonly aloneAs: ((row: Row) => Row) | null;
  /** How far before and after a row's time its matches lie. */
  readonly belowMs: number;
  readonly aboveMs: number;
  /** By which the *other* side's watermark tells that a row has no more matches to come; null where nothing does. */
  readonly freed: { readonly due: DueTimes; readonly time: ColumnTime } | null;
}

/** So many of the disjoint intervals of a key are looked up apart; more are looked up as greater ones. */
const RANGES_MAX = 16;
/** At least so many rows of a key are freed at once. */
const FREED_MIN = 8;

/** Behind all members of an instant: what follows the instant is JSON of a row. */
const BEHIND = '~';

/**
 * Pairs of rows with equal keys whose times lie near each other, and rows that can have none any more.
 *
 *   in   Δ left, Δ right     without those that are late for their side's time
 *   out  Δ pair              as in any join: Δ(l ⋈ r) = l ⋈ Δr + Δl ⋈ (r + Δr)
 *        Δ of the rows shown alone, when the other side's watermark has passed the last time that could match
 *
 * A row is kept until then, and no longer: a time-ordered index finds it. What comes for a row that is no longer kept (it is
 * below the one watermark, not below its own side's: its retraction, or an equal row) still finds all its partners kept,
 * since none of those can be freed before this side's watermark has passed the row. So pairs and rows alone are right
 * whenever they come, and depend on the rows alone, not on which side was read first.
 *
 * Rows are kept in the order of their times, a member of their key each: its instant, then its JSON. Of a row that may be
 * shown alone the weight of its matches is kept beside it, for its partners may be freed before it.
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
    const { count } = this.works;
    const changed = { left: new Map<string, number>(), right: new Map<string, number>() };
    for (const work of this.works) {
      const { side, key, changes } = work;
      this.#sides[side].want(key, changes);
      this.#pairing.want(work, count, this.works.retracted(otherSide(side), key));
      changed[side].set(key, (changed[side].get(key) ?? 0) + retractionsIn(changes));
    }
    for (const side of ['left', 'right'] as const)
      this.#sides[side].wantDue(time, (key) => changed[side].get(key) ?? 0);
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
    const { aloneAs } = side.options;
    if (aloneAs !== null) for (const { row, weight } of withoutKey) this.#alone.push([aloneAs(row), weight]);
    return [...byKey].flatMap(([key, changes]) =>
      side.rangesOf(changes).map((range): PairWork => ({ side: name, key, ...range })),
    );
  }

  #advance(work: PairWork, output: Delta<Row>): PairWork | null {
    const { [work.side]: own, [otherSide(work.side)]: other } = this.#sides;
    const next = this.#pairing.step(work, this.works.count, output, (kept, change) =>
      other.met(work.key, kept, change),
    );
    if (next !== null) return { ...work, from: next };
    for (const [text, change] of work.changes) own.finish(work.key, text, change, output);
    return null;
  }
}

/** One side: what is kept of it, and what of that is over. */
class Side implements PairSide {
  readonly rows: OrderedArrangement;
  /** The rows before this time are over. */
  #bound = '';
  /** The keys that have rows which are over, as far as a tick comes to them. */
  #due: readonly string[] = [];
  #more = false;
  /** Rows that came in this tick and are over by it. */
  #overAtOnce: { readonly key: string; readonly text: string; readonly row: Row }[] = [];
  /** How many of the rows of one key go at once. */
  #page = 0;

  constructor(readonly options: IntervalSide) {
    this.rows = new OrderedArrangement(options.rows, { of: options.timeOf, width: INSTANT_WIDTH });
  }

  get keyOf(): IntervalSide['keyOf'] {
    return this.options.keyOf;
  }

  get matches(): Ordered | null {
    return this.options.matches;
  }

  /** The members of the other side that a row of this side can be paired with. */
  reach(row: Row): TextRange & { to: string } {
    const { belowMs, aboveMs } = this.options;
    const time = instantMs(this.options.timeOf(row));
    return { from: instantText(time - belowMs), to: instantText(time + aboveMs) + BEHIND };
  }

  /** Changes whose intervals meet are looked up together. */
  rangesOf(changes: ReadonlyMap<string, Change>): (Pick<PairWork, 'changes' | 'from'> & { to: string })[] {
    const ranges: { changes: Map<string, Change>; from: string; to: string }[] = [];
    const sorted = [...changes].sort(([left], [right]) => (left < right ? -1 : 1));
    for (const [text, change] of sorted) {
      const reach = this.reach(change.row);
      const last = ranges.at(-1);
      if (last !== undefined && (reach.from <= last.to || ranges.length === RANGES_MAX)) {
        last.changes.set(text, change);
        last.to = reach.to;
      } else ranges.push({ ...reach, changes: new Map([[text, change]]) });
    }
    return ranges;
  }

  want(key: string, changes: ReadonlyMap<string, Change>): void {
    this.rows.wantChanges(key, changes);
    for (const text of changes.keys()) this.options.freed?.due.want(timeOf(text), key);
  }

  /** A row that is kept has come to match more or less. */
  met(key: string, { text }: Kept, change: number): void {
    this.options.matches?.add(key, text!, change);
  }

  /** Applies a change that has been paired, or shows the row where it is no longer kept. */
  finish(key: string, text: string, change: Change, output: Delta<Row>): void {
    const { aloneAs, matches, freed } = this.options;
    const { row, weight, matched } = change;
    const before = this.rows.weight(key, text);
    const isOver = freed !== null && timeOf(text) < this.#bound;
    if (isOver && before === 0 && weight < 0) {
      if (matched === 0 && aloneAs !== null) output.push(aloneAs(row), weight);
      return;
    }
    if (before + weight < 0)
      assert(
        false,
        `A row of a join would have the weight ${before + weight}: ${text}. A row was retracted that had not been inserted.`,
      );
    if (isOver) this.#overAtOnce.push({ key, text, row });
    this.options.rows.add(key, text, weight);
    if (before === 0) this.#keep(key, text, 1, matched);
    else if (before + weight === 0) this.#keep(key, text, -1, -(matches?.weight(key, text) ?? 0));
  }

  #keep(key: string, text: string, weight: number, matched: number): void {
    this.options.freed?.due.add(timeOf(text), key, weight);
    this.options.matches?.add(key, text, matched);
  }

  /** Asks for what is over by now. */
  wantDue(time: Time, retracted: (key: string) => number): void {
    const { freed, aboveMs, matches } = this.options;
    if (freed === null) return;
    this.#bound = instantText(columnWatermark(time, freed.time) - aboveMs);
    if (!freed.due.wantDue(this.#bound)) return;
    const { due, more } = freed.due.due(this.#bound);
    this.#due = [...new Set(due.map(({ key }) => key))];
    this.#more = more;
    this.#page = Math.max(FREED_MIN, Math.ceil(DUE_MAX / this.#due.length));
    for (const key of this.#due) {
      const page = { from: '', to: this.#bound, count: this.#page };
      if (!this.rows.wantPage(key, page, retracted(key))) continue;
      const reach = this.rows.reach(key, page, retracted(key));
      matches?.wantBetween(key, '', reach);
      for (const [text] of this.options.rows.between(key, '', reach)) freed.due.want(timeOf(text), key);
    }
  }

  /** Frees what is over, and shows what of it is alone. Whether there is more. */
  free(output: Delta<Row>): boolean {
    let more = this.#more;
    for (const key of this.#due) {
      const { rows, next } = this.rows.page(key, { from: '', to: this.#bound, count: this.#page });
      for (const { text, row } of rows) this.#free(key, text!, row, output);
      if (next !== null) more = true;
    }
    for (const { key, text, row } of this.#overAtOnce) this.#free(key, text, row, output);
    return more;
  }

  #free(key: string, text: string, row: Row, output: Delta<Row>): void {
    const { aloneAs, matches } = this.options;
    const weight = this.rows.weight(key, text);
    if (weight === 0) return;
    const matched = matches?.weight(key, text) ?? 0;
    if (matched === 0 && aloneAs !== null) output.push(aloneAs(row), weight);
    this.options.rows.add(key, text, -weight);
    this.#keep(key, text, -1, -matched);
  }

  forget(): void {
    this.#due = [];
    this.#overAtOnce = [];
    this.#more = false;
  }
}

const timeOf = (text: string): string => text.slice(0, INSTANT_WIDTH);
