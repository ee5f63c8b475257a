import { assert } from '../assert.js';
import { bucketOf } from '../zset/bucket-of.js';
import { Checksum } from '../zset/checksum.js';
import { Delta } from '../zset/delta.js';
import { RowBlocks } from '../zset/row-block.js';
import { compareText, escapeText } from '../zset/text-order.js';
import type { Row } from '../zset/value.js';
import type { WriteRow } from './generated-row.js';
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
  /** `JSON.stringify`, made for the view's columns; and the same, written behind other texts. */
  textOf: (row: Row) => string;
  write: WriteRow;
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
    const { keyOf, textOf, indexes } = this.options;
    const { checksum } = this.#result;
    const blocks = this.#blocks();
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      if (weights[index] !== 1)
        assert(
          false,
          `A row came with the weight ${weights[index]} to a view to which rows are only appended.`,
        );
      const key = keyOf(row);
      if (blocks === null) {
        const text = textOf(row);
        this.records.put(key, text);
        checksum.add(text, 1);
      } else {
        const text = blocks.add(key, row);
        checksum.addWritten(blocks.bytes, text);
      }
      if (indexes.length > 0) this.#index(key, null, row);
    }
    blocks?.end();
    this.#result.came(rows, keyOf);
  }

  /** Where rows are stored in blocks, what makes them. */
  #blocks(): RowBlocks | null {
    const { records, options } = this;
    const { write, blocks } = options;
    if (blocks === null) return null;
    return new RowBlocks(write, (key, stored, rows) => {
      records.put(key, stored, Math.ceil(rows / ROWS_A_WRITE));
      if (rows > 1) blocks.insert(key);
    });
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
    this.#result.rows += (after ? 1 : 0) - (wasShown ? 1 : 0);
    this.#result.changed(change);
    if (this.options.indexes.length > 0) this.#index(key, change.before, after);
  }

  #index(key: string, before: Row | null, after: Row | null): void {
    const { indexes, buckets } = this.options;
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
  readonly checksum = new Checksum();
  /** By how much the number of rows, and of keys with several different rows, changed. */
  rows = 0;
  conflicts = 0;
  readonly #changes: ViewChange[] = [];
  /** Rows that came under keys of their own: mostly nobody asks what changed, and of these nothing else need be known. */
  readonly #came: { readonly rows: readonly Row[]; readonly keyOf: (row: Row) => string }[] = [];
  #size = 0;

  /** How many changes there are. */
  get size(): number {
    return this.#size;
  }

  get changes(): ViewChange[] {
    return [
      ...this.#changes,
      ...this.#came.flatMap(({ rows, keyOf }) =>
        rows.map((row) => ({ key: keyOf(row), before: null, after: row })),
      ),
    ];
  }

  changed(change: ViewChange): void {
    this.#changes.push(change);
    this.#size += 1;
  }

  came(rows: readonly Row[], keyOf: (row: Row) => string): void {
    this.#came.push({ rows, keyOf });
    this.#size += rows.length;
    this.rows += rows.length;
  }
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
