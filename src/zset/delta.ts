/**
 * A change of a collection: rows with integer weights, positive for insertions and negative for retractions
 * (a Z-set). Two parallel arrays, because that is the fastest form to build and to walk. Not consolidated: a
 * row may occur several times, and its weights add.
 *
 * `orders`, where present, gives each row its place in the log (event time, then position) as an
 * order-preserving text; only deltas that come straight from one stream have it, and only when asked for.
 *
 * `lates`, where present, says which rows were late when they came: the watermark of their partition then, in ms, and
 * −Infinity for those that were not. Operators that keep nothing pass both on; what frees or finishes by time leaves
 * late rows out.
 */
export class Delta<R = any> {
  constructor(
    readonly rows: R[] = [],
    readonly weights: number[] = [],
    readonly orders?: string[],
    readonly lates?: number[],
  ) {}

  static readonly empty: Delta = new Delta();

  static of<R>(...entries: readonly (readonly [row: R, weight: number])[]): Delta<R> {
    return new Delta(
      entries.map(([row]) => row),
      entries.map(([, weight]) => weight),
    );
  }

  get size(): number {
    return this.rows.length;
  }

  push(row: R, weight: number, order?: string, late?: number): void {
    this.rows.push(row);
    this.weights.push(weight);
    if (this.orders) this.orders.push(order!);
    if (this.lates) this.lates.push(late ?? Number.NEGATIVE_INFINITY);
  }

  /** An empty delta that keeps `orders` and `lates` if this one has them. */
  blank<S = R>(): Delta<S> {
    return new Delta<S>([], [], this.orders && [], this.lates && []);
  }

  /** Its first entries, with these rows if others take their places. */
  beginning(size: number): Delta<R>;
  beginning<S>(size: number, rows: readonly S[]): Delta<S>;
  beginning(size: number, rows: readonly unknown[] = this.rows): Delta<unknown> {
    return new Delta(
      rows.slice(0, size),
      this.weights.slice(0, size),
      this.orders?.slice(0, size),
      this.lates?.slice(0, size),
    );
  }

  append(other: Delta<R>): void {
    for (let index = 0; index < other.rows.length; index++)
      this.push(other.rows[index]!, other.weights[index]!, other.orders?.[index], other.lates?.[index]);
  }

  *[Symbol.iterator](): IterableIterator<[row: R, weight: number]> {
    for (let index = 0; index < this.rows.length; index++) yield [this.rows[index]!, this.weights[index]!];
  }

  /** Equal rows added up, rows of weight 0 gone; `textOf` says what equal means. Drops `orders` and `lates`. */
  consolidate(textOf: (row: R) => string = (row) => JSON.stringify(row)): Delta<R> {
    if (this.rows.length <= 1) return this.weights[0] === 0 ? new Delta() : this;
    const at = new Map<string, number>();
    const rows: R[] = [];
    const weights: number[] = [];
    for (let index = 0; index < this.rows.length; index++) {
      const text = textOf(this.rows[index]!);
      const known = at.get(text);
      if (known === undefined) {
        at.set(text, rows.length);
        rows.push(this.rows[index]!);
        weights.push(this.weights[index]!);
      } else weights[known]! += this.weights[index]!;
    }
    const out = new Delta<R>();
    for (let index = 0; index < rows.length; index++)
      if (weights[index] !== 0) out.push(rows[index]!, weights[index]!);
    return out;
  }
}
