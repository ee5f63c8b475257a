import { assert } from '../assert.js';
import { compareText } from '../zset/text-order.js';
import type { Row } from '../zset/value.js';
import { ABOVE_ALL, type Arrangement, type Changes, type Page, type Weighted } from './arrangement.js';
import type { Codec, Keyed } from './operator.js';

const NONE: readonly OnlyRow[] = [];

/** A row that a key is expected to have, with its JSON where that is at hand. */
interface OnlyRow extends Weighted {
  readonly json?: string;
}

/** Rows of which a key is expected to have one: a value for each key, which is that row's JSON. Always one page. */
export class KeyedArrangement implements Arrangement {
  constructor(
    readonly state: Keyed<readonly OnlyRow[]>,
    readonly textOf: (row: Row) => string = JSON.stringify,
  ) {}

  wantPage(key: string): boolean {
    return this.state.want(key);
  }

  page(key: string): Page {
    return { rows: this.#rows(key), next: null };
  }

  rowsIn(key: string): number {
    return this.#rows(key).length;
  }

  reach(): string {
    return ABOVE_ALL;
  }

  wantAny(key: string): boolean {
    return this.state.want(key);
  }

  any(key: string): boolean {
    return this.#rows(key).length > 0;
  }

  anyAfter(key: string, changes: Changes): boolean {
    return this.#after(key, changes).length > 0;
  }

  wantChanges(key: string): void {
    this.state.want(key);
  }

  weight(key: string, text: string): number {
    return this.#rows(key).find((held) => this.#jsonOf(held) === text)?.weight ?? 0;
  }

  apply(key: string, changes: Changes): void {
    const rows = this.#after(key, changes);
    if (rows.length > 1) rows.sort((left, right) => compareText(this.#jsonOf(left), this.#jsonOf(right)));
    if (rows.length > 0) this.state.set(key, rows);
    else if (this.state.get(key) !== undefined) this.state.delete(key);
  }

  wantFreed(key: string): void {
    this.state.want(key);
  }

  free(key: string): number {
    let freed = 0;
    for (const { weight } of this.#rows(key)) freed += weight;
    if (freed > 0) this.state.delete(key);
    return freed;
  }

  #rows(key: string): readonly OnlyRow[] {
    return this.state.get(key) ?? NONE;
  }

  #jsonOf({ json, row }: OnlyRow): string {
    return json ?? this.textOf(row);
  }

  /** The rows there will be, in no order. */
  #after(key: string, changes: Changes): OnlyRow[] {
    const rows = [...this.#rows(key)];
    for (const { text, row, weight } of changes) {
      const at = rows.findIndex((held) => this.#jsonOf(held) === text);
      const sum = (at === -1 ? 0 : rows[at]!.weight) + weight;
      if (sum < 0)
        assert(
          false,
          `A row of a join would have the weight ${sum}: ${text}. A row was retracted that had not been inserted.`,
        );
      if (sum === 0) rows.splice(at, 1);
      else rows.splice(at === -1 ? rows.length : at, 1, { row, weight: sum, json: text });
    }
    return rows;
  }
}

/** One row once is its JSON, an object; anything else a list of rows and weights. */
export const keyedArrangementCodec: Codec<readonly OnlyRow[]> = {
  encode: (rows) =>
    rows.length === 1 && rows[0]!.weight === 1
      ? (rows[0]!.json ?? JSON.stringify(rows[0]!.row))
      : JSON.stringify(rows.map(({ row, weight }) => [row, weight])),
  decode: (text) => {
    const stored = JSON.parse(text) as Row | [Row, number][];
    return Array.isArray(stored)
      ? stored.map(([row, weight]) => ({ row, weight }))
      : [{ row: stored as Row, weight: 1 }];
  },
};
