import { Delta } from '../../zset/delta.js';
import { instantText } from '../../zset/instant-text.js';
import type { Row } from '../../zset/value.js';
import { type Kept, retractionsIn } from '../arrangement.js';
import type { Operator } from '../operator.js';
import { type Change, type PairWork, SideChanges } from '../pair-work.js';
import type { PairWorks } from '../pair-works.js';
import { type ColumnTime, columnWatermark, type Time } from '../time.js';
import { instantOf, type TimedRows } from '../timed-rows.js';
import type { NewVersion, VersionChange, VersionRecord, Versions } from '../versions.js';

export interface AsOfOptions {
  /** The text of a left row's join key, and of a record's key; null where a column of it is null. */
  readonly keyOf: { readonly left: (row: Row) => string | null; readonly right: (row: Row) => string | null };
  /** The time of a record: since when it holds. */
  readonly sinceOf: (record: Row) => string;
  readonly pairOf: (left: Row, version: Row) => Row;
  /** What a row without a version is shown as; null where it is not. */
  readonly aloneAs: ((row: Row) => Row) | null;
  /** The left's watermark and the table's; empty where there is none. */
  readonly time: { readonly left: ColumnTime; readonly right: ColumnTime };
}

/**
 * Each left row with the version that the table's row of its key had at the left row's time.
 *
 *   in   Δ left, without rows that are late for its time; records of the table, in the order of the log: weight 1 says what
 *        the row of a key is from a time on, weight −1 (a tombstone) that there is none
 *   out  Δ [left, version]
 *
 * With v(t) the version at the time of a left row, the change is
 *
 *     Δ(l ⋈ v)  =  Δl ⋈ v  +  (l + Δl) ⋈ Δv
 *
 * where a record changes the versions of the times from its own up to the next record's of its key: of the left rows of
 * those times the old pair goes and the new one comes. They come in pages if they are many.
 *
 * A left row is kept until the table's watermark has passed it: then no record changes its version any more. Versions are
 * kept down to the newest at or before both watermarks: no row before that is still to come or go, and none is kept.
 */
export class AsOfJoin implements Operator {
  readonly timed = true;
  unfinished = false;
  #resumes = false;
  #inputs: readonly Delta<Row>[] | null = null;
  #lefts = new Map<string, readonly Change[]>();
  #alone: (readonly [row: Row, weight: number])[] = [];
  #records = new Map<string, VersionRecord[]>();
  /** What the records change, once all that says so is loaded. */
  #versions: Map<string, readonly NewVersion[]> | null = null;

  constructor(
    readonly rows: TimedRows,
    readonly versions: Versions,
    readonly options: AsOfOptions,
    readonly works: PairWorks,
  ) {}

  get resumes(): boolean | undefined {
    return this.works.queue === null ? undefined : this.#resumes;
  }

  reads(inputs: readonly [Delta<Row>, Delta<Row>], time: Time): void {
    if (!this.works.want()) return;
    if (this.#inputs?.[0] !== inputs[0] || this.#inputs[1] !== inputs[1]) this.#begin(inputs);
    let loaded = true;
    for (const [key, changes] of this.#lefts) {
      this.rows.want(key, changes);
      for (const { text } of changes) if (!this.versions.wantAt(key, instantOf(text))) loaded = false;
    }
    for (const [key, records] of this.#records) if (!this.versions.want(key, records)) loaded = false;
    if (loaded && this.#versions === null) this.works.begin(() => this.#made());
    this.#wantOver(time);
    if (!loaded) return;
    for (const { key, from, to } of this.works)
      this.rows.rows.wantPage(key, { from, to, count: this.works.count }, this.#retractions(key));
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    for (const [key, changes] of this.#lefts)
      for (const change of changes) this.#stepLeft(key, change, output);
    for (const [key, versions] of this.#versions ?? []) this.versions.apply(key, versions);
    this.works.step((work) => this.#page(work, output));
    for (const [row, weight] of this.#alone) output.push(row, weight);
    this.unfinished = this.works.areLeft;
    if (!this.unfinished) {
      // What waits for a page is to find all that was there when its record came.
      const rowsLeft = this.rows.free(() => {});
      const versionsLeft = this.versions.forget();
      this.unfinished = rowsLeft || versionsLeft;
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
    this.#lefts = new Map();
    this.#alone = [];
    this.#records = new Map();
    this.#versions = null;
    this.works.discard();
    this.rows.forget();
    this.versions.discard();
  }

  #begin(inputs: readonly [Delta<Row>, Delta<Row>]): void {
    this.#forget();
    this.#inputs = inputs;
    const [left, right] = inputs;
    const { keyOf, sinceOf, aloneAs } = this.options;
    const textOf = (row: Row): string => this.rows.rows.textOf(row);
    const { byKey, withoutKey } = new SideChanges(left, { keyOf: keyOf.left, textOf });
    this.#lefts = byKey;
    if (aloneAs !== null) for (const { row, weight } of withoutKey) this.#alone.push([aloneAs(row), weight]);
    for (let index = 0; index < right.size; index++) {
      const record = right.rows[index]!;
      const key = keyOf.right(record);
      if (key === null) continue;
      const at = sinceOf(record);
      const watermark = instantText(right.lates?.[index] ?? Number.NEGATIVE_INFINITY);
      const said = {
        at,
        row: right.weights[index]! > 0 ? record : null,
        late: at < watermark ? watermark : null,
      };
      const records = this.#records.get(key);
      if (records) records.push(said);
      else this.#records.set(key, [said]);
    }
  }

  #made(): PairWork[] {
    this.#versions = new Map();
    const works: PairWork[] = [];
    for (const [key, records] of this.#records) {
      const { versions, changes } = this.versions.changesOf(key, records);
      this.#versions.set(key, versions);
      for (const change of changes) works.push(workOf(key, change));
    }
    return works;
  }

  #wantOver(time: Time): void {
    const left = columnWatermark(time, this.options.time.left);
    const right = columnWatermark(time, this.options.time.right);
    this.rows.wantOver(right, (key) => this.#retractions(key));
    this.versions.wantForgotten(Math.min(left, right), this.#versions ?? new Map());
  }

  #retractions(key: string): number {
    const changes = this.#lefts.get(key);
    return changes === undefined ? 0 : retractionsIn(changes);
  }

  /** A left row with the version before the records of the tick; it is among the rows when these are paired. */
  #stepLeft(key: string, change: Change, output: Delta<Row>): void {
    const { text, row, weight } = change;
    this.#show(row, this.versions.at(key, instantOf(text)), weight, output);
    if (!this.rows.isGone(key, text, weight)) this.rows.add(key, change);
  }

  #show(left: Row, version: Row | null, weight: number, output: Delta<Row>): void {
    const { pairOf, aloneAs } = this.options;
    if (version !== null) output.push(pairOf(left, version), weight);
    else if (aloneAs !== null) output.push(aloneAs(left), weight);
  }

  #page(work: PairWork, output: Delta<Row>): PairWork | null {
    const { key, changes, from, to } = work;
    const { rows, next } = this.rows.rows.page(key, { from, to, count: this.works.count });
    const [before, after] = [rowIn(changes, 'before'), rowIn(changes, 'after')];
    for (const { row, weight } of rows as readonly Kept[]) {
      this.#show(row, before, -weight, output);
      this.#show(row, after, weight, output);
    }
    return next === null ? null : { ...work, from: next };
  }
}

/** The left rows of the times whose version has changed, with the two versions. */
function workOf(key: string, { from, to, before, after }: VersionChange): PairWork {
  const changes: Change[] = [];
  if (before !== null) changes.push({ text: 'before', row: before, weight: -1, matched: 0 });
  if (after !== null) changes.push({ text: 'after', row: after, weight: 1, matched: 0 });
  return { side: 'right', key, changes, from, to };
}

const rowIn = (changes: readonly Change[], text: 'before' | 'after'): Row | null =>
  changes.find((change) => change.text === text)?.row ?? null;
