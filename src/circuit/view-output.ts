import { assert } from '../assert.js';
import { bucketOf } from '../zset/bucket-of.js';
import { Checksum } from '../zset/checksum.js';
import { Delta } from '../zset/delta.js';
import { RowBlock } from '../zset/row-block.js';
import { compareText, escapeText } from '../zset/text-order.js';
import type { Row } from '../zset/value.js';
import type { KeyedState } from './keyed-state.js';
import type { Operator } from './operator.js';
import type { RowIndex } from './row-index.js';
import { ViewRecord } from './view-record.js';

/** A change of what a view shows under one key. */
export interface ViewChange {
  key: string;
  before: Row | null;
  after: Row | null;
}

/** One whose row before is made of its text when it is asked for: few are. */
class ShownChange implements ViewChange {
  constructor(
    readonly key: string,
    readonly beforeText: string,
    readonly after: Row | null,
  ) {}

  get before(): Row | null {
    return this.beforeText === '' ? null : (JSON.parse(this.beforeText) as Row);
  }
}

/** An index: where its members are kept, and the order text of a row's indexed columns. */
export interface OutputIndex {
  index: RowIndex;
  orderOf: (row: Row) => string;
}

export interface ViewOutputOptions {
  keyOf: (row: Row) => string;
  /** `JSON.stringify`, made for the view's columns. */
  textOf: (row: Row) => string;
  indexes: readonly OutputIndex[];
  /** Rows only come, each under a key of its own. */
  appended: boolean;
  /** Where rows come in the order of their log too, the first keys of the blocks they are stored in; else null. */
  blocks: RowIndex | null;
  /** In how many hashes a partition's rows lie; index members name the one their row is in. */
  buckets: number;
}

/** So many rows of a block take Redis as long as a field of its own. */
const ROWS_A_WRITE = 8;

/** The member of an index: order text, NUL, bucket, NUL, key. The key is escaped, so that the last NUL is before it. */
export const indexMember = (orderText: string, bucket: number, key: string): string =>
  `${orderText}\0${bucket}\0${escapeText(key)}`;

/**
 * The end of a circuit: keeps a view's rows by key.
 *
 * A row is shown while its weight is positive. Where a key holds several different rows the least by its text
 * is shown and the key counts as a conflict, until all but one are gone. `takeResult` says what a tick changed.
 */
export class ViewOutput implements Operator {
  #result = new OutputResult();
  #delta: Delta<Row> | null = null;
  /** The changes of the tick by key. */
  #touched = new Map<string, Touched>();

  constructor(
    readonly records: KeyedState<ViewRecord<any>>,
    readonly options: ViewOutputOptions,
  ) {}

  reads([delta]: readonly [Delta<Row>]): void {
    if (this.options.appended) return;
    if (this.#delta !== delta) this.#group(delta);
    for (const key of this.#touched.keys()) this.records.want(key);
  }

  step([delta]: readonly [Delta<Row>]): Delta<Row> {
    if (this.options.appended) this.#append(delta);
    for (const [key, change] of this.#touched) this.#apply(key, change);
    this.#forget();
    return delta;
  }

  /**
   * What is shown under a key is this row from now on, or nothing: for the aggregate whose groups lie in the view's own
   * records. The record was wanted.
   */
  show(key: string, row: Row | null): void {
    const record = this.records.edit(key);
    const beforeText = record?.text ?? '';
    const text = row === null ? '' : this.options.textOf(row);
    if (record === undefined || text === beforeText) return;
    record.text = text;
    if (beforeText !== '') this.#result.checksum.add(beforeText, -1);
    if (text !== '') this.#result.checksum.add(text, 1);
    this.#changed(new ShownChange(key, beforeText, row), beforeText !== '');
  }

  discard(): void {
    this.#forget();
    this.#result = new OutputResult();
  }

  /** What changed since the last call. */
  takeResult(): OutputResult {
    const result = this.#result;
    this.#result = new OutputResult();
    return result;
  }

  #group(delta: Delta<Row>): void {
    const { keyOf } = this.options;
    const touched = new Map<string, Touched>();
    let lastKey: string | null = null;
    let last: Touched | undefined;
    for (let index = 0; index < delta.size; index++) {
      const key = keyOf(delta.rows[index]!);
      // Mostly a row's successor follows it.
      if (key !== lastKey) {
        last = touched.get(key);
        if (last === undefined) touched.set(key, (last = new Touched()));
        lastKey = key;
      }
      last!.push(delta.rows[index]!, delta.weights[index]!);
    }
    this.#touched = touched;
    this.#delta = delta;
  }

  #append({ rows, weights }: Delta<Row>): void {
    const { keyOf, textOf, blocks } = this.options;
    let block: RowBlock | null = null;
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      if (weights[index] !== 1)
        assert(
          false,
          `A row came with the weight ${weights[index]} to a view to which rows are only appended.`,
        );
      const key = keyOf(row);
      const text = textOf(row);
      if (blocks === null) this.records.put(key, text);
      else block = this.#inBlock(block, key, text);
      this.#result.checksum.add(text, 1);
      this.#changed({ key, before: null, after: row }, false);
    }
    this.#store(block);
  }

  #inBlock(block: RowBlock | null, key: string, text: string): RowBlock {
    if (block?.take(key, text)) return block;
    this.#store(block);
    return new RowBlock(key, text);
  }

  #store(block: RowBlock | null): void {
    if (block === null) return;
    this.records.put(block.key, block.stored, Math.ceil(block.rows / ROWS_A_WRITE));
    if (block.rows > 1) this.options.blocks!.insert(block.key);
  }

  #forget(): void {
    this.#delta = null;
    this.#touched = new Map();
  }

  #apply(key: string, change: Touched): void {
    const { textOf } = this.options;
    const stored = this.records.get(key);
    const beforeText = stored?.text ?? '';
    const simple =
      change.more === null &&
      !stored?.others &&
      (change.minus === null ? '' : textOf(change.minus)) === beforeText;
    const afterText = simple && change.plus !== null ? textOf(change.plus) : '';
    if (simple && afterText === beforeText) return;

    const before = simple ? change.minus : (stored?.row ?? null);
    let record = stored && this.records.edit(key);
    if (record === undefined) this.records.set(key, (record = new ViewRecord('', undefined, null)));
    if (simple) {
      record.text = afterText;
      if (before) this.#result.checksum.add(beforeText, -1);
      if (change.plus) this.#result.checksum.add(afterText, 1);
    } else this.#applyWeights(key, record, change);

    if (record.text === '' && record.side === undefined && record.others === null) this.records.delete(key);
    if (record.text === beforeText) return;
    this.#changed({ key, before, after: simple ? change.plus : record.row }, before !== null);
  }

  #changed(change: ViewChange, wasShown: boolean): void {
    const { key, after } = change;
    const { indexes, buckets } = this.options;
    this.#result.rows += (after ? 1 : 0) - (wasShown ? 1 : 0);
    this.#result.changes.push(change);
    if (indexes.length === 0) return;
    const { before } = change;
    const bucket = bucketOf(key, buckets);
    for (const { index, orderOf } of indexes) {
      const gone = before && indexMember(orderOf(before), bucket, key);
      const come = after && indexMember(orderOf(after), bucket, key);
      if (gone === come) continue;
      if (gone) index.remove(gone);
      if (come) index.insert(come);
    }
  }

  /** The general case: rows with weights under one key. */
  #applyWeights(key: string, record: ViewRecord, change: Touched): void {
    const weights = new Map<string, number>(record.others ?? (record.text ? [[record.text, 1]] : []));
    const conflictBefore = weights.size > 1;
    for (const [row, weight] of change.all()) {
      const text = JSON.stringify(row);
      const sum = (weights.get(text) ?? 0) + weight;
      this.#result.checksum.add(text, weight);
      if (sum === 0) weights.delete(text);
      else weights.set(text, sum);
    }
    const rows = [...weights].sort(([left], [right]) => compareText(left, right));
    for (const [text, weight] of rows)
      if (weight < 0)
        assert(
          false,
          `A row of the view would have the weight ${weight}: ${text}. A row was retracted that had not been inserted: ` +
            `either a function of the view gave two answers for one row, or an operator did, which is a defect of Stillwater.`,
        );
    record.text = rows[0]?.[0] ?? '';
    record.others = rows.length > 1 || (rows[0]?.[1] ?? 1) > 1 ? rows : null;
    this.#result.conflicts += Number(weights.size > 1) - Number(conflictBefore);
  }
}

/** What one tick did to a view. */
export class OutputResult {
  readonly changes: ViewChange[] = [];
  readonly checksum = new Checksum();
  /** By how much the number of rows, and of keys with several different rows, changed. */
  rows = 0;
  conflicts = 0;
}

/** The changes of one key within a tick; mostly one row for another. */
class Touched {
  plus: Row | null = null;
  minus: Row | null = null;
  more: [Row, number][] | null = null;

  push(row: Row, weight: number): void {
    if (this.more === null && weight === 1 && this.plus === null) this.plus = row;
    else if (this.more === null && weight === -1 && this.minus === null) this.minus = row;
    else (this.more ??= []).push([row, weight]);
  }

  *all(): IterableIterator<[Row, number]> {
    if (this.minus) yield [this.minus, -1];
    if (this.plus) yield [this.plus, 1];
    if (this.more) yield* this.more;
  }
}
