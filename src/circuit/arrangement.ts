import { assert } from '../assert.js';
import { compareText } from '../zset/text-order.js';
import type { Row } from '../zset/value.js';
import { justAbove } from './known-group.js';
import type { Codec, Keyed, Ordered } from './operator.js';
import { TwoGenerations } from './two-generations.js';

/** A row and how often it is there, or by how much that changes. */
export interface Weighted {
  row: Row;
  weight: number;
}

/** A row as an arrangement keeps it. `text`: its member, from which on a page of its key can be asked for; where there are pages. */
export interface Kept extends Weighted {
  readonly text?: string;
}

/** By how much a row's weight changes. `text`: what the row is known by (`Arrangement.textOf`). */
export interface RowChange extends Weighted {
  readonly text: string;
}

/** The changes of one key, each of another row. */
export type Changes = readonly RowChange[];

/** Which rows of a key: members from `from` on up to but not including `to` (null: to the end), `count` at the most. */
export interface PageOf {
  readonly from: string;
  readonly to: string | null;
  readonly count: number;
}

export interface Page {
  readonly rows: readonly Kept[];
  /** Where the next page begins; null where this is the last. */
  readonly next: string | null;
}

/**
 * A collection kept by a key, so that a join finds the rows of a key. What is asked for must have been wanted.
 * Changes of a key are applied all at once: in between, weights might be negative.
 */
export interface Arrangement {
  /** What a row is known by among the rows of its key; also their order. */
  textOf(row: Row): string;
  /** A page will be asked for, after as many rows of the key as `retracted` were taken away. Whether it is loaded already. */
  wantPage(key: string, page: PageOf, retracted: number): boolean;
  page(key: string, page: PageOf): Page;
  /** How many rows a page has that is loaded. */
  rowsIn(key: string, page: PageOf): number;
  /** The end, exclusive, of the members that such a page can come to hold; of a page that is loaded. */
  reach(key: string, page: PageOf, retracted: number): string;
  /** Whether there is any row will be asked for, before and after as many as `retracted` were taken away. Whether that is loaded. */
  wantAny(key: string, retracted: number): boolean;
  any(key: string): boolean;
  /** Whether there will be any once these changes, which were wanted, are applied. */
  anyAfter(key: string, changes: Changes): boolean;
  wantChanges(key: string, changes: Changes): void;
  /** How often a row is there of which a change was wanted. */
  weight(key: string, text: string): number;
  apply(key: string, changes: Changes): void;
  /** The first `count` rows of a key will be freed, after as many as `retracted` were taken away. */
  wantFreed(key: string, count: number, retracted: number): void;
  /** Takes the first `count` rows of a key away. How often they were there. */
  free(key: string, count: number): number;
}

const NONE: readonly Weighted[] = [];
const NO_ROWS: Page = { rows: NONE, next: null };

/** Above all members: they are JSON, or begin with a time. */
const ABOVE_ALL = '~';

export function retractionsIn(changes: Changes): number {
  let retracted = 0;
  for (const { weight } of changes) if (weight < 0) retracted++;
  return retracted;
}

/** The order text of rows, which has one width. */
export interface RowOrder {
  readonly of: (row: Row) => string;
  readonly width: number;
}

/**
 * Any number of rows under a key, each a member of the key's multiset: its JSON, behind an order text where the rows are
 * to lie in an order (of a fixed width: it is cut off again).
 */
export class OrderedArrangement implements Arrangement {
  readonly #jsonOf: (row: Row) => string;
  readonly #order: RowOrder | null;
  /** Rows of members that were met lately: those of one key are met again with each row that has it. */
  readonly #rows: TwoGenerations<Row>;

  constructor(
    readonly state: Ordered,
    {
      jsonOf = JSON.stringify,
      order = null,
    }: { jsonOf?: (row: Row) => string; order?: RowOrder | null } = {},
  ) {
    this.#jsonOf = jsonOf;
    this.#order = order;
    this.#rows = new TwoGenerations(state.budget);
  }

  textOf(row: Row): string {
    const json = this.#jsonOf(row);
    return this.#order === null ? json : this.#order.of(row) + json;
  }

  wantPage(key: string, { from, to, count }: PageOf, retracted: number): boolean {
    return this.state.wantFrom(key, from, 'up', count, retracted, to);
  }

  page(key: string, { from, to, count }: PageOf): Page {
    const found = this.state.from(key, from, 'up', count, to);
    if (found.length === 0) return NO_ROWS;
    const rows = found.map(([text, weight]) => ({ row: this.#rowOf(text), weight, text }));
    return { rows, next: found.length < count ? null : justAbove(found[found.length - 1]![0]) };
  }

  rowsIn(key: string, { from, to, count }: PageOf): number {
    return this.state.count(key, from, count, to);
  }

  reach(key: string, { from, to, count }: PageOf, retracted: number): string {
    const found = this.state.from(key, from, 'up', count + retracted, to);
    return found.length < count + retracted ? (to ?? ABOVE_ALL) : justAbove(found[found.length - 1]![0]);
  }

  wantAny(key: string, retracted: number): boolean {
    return this.state.wantEnd(key, 'least', 1, retracted);
  }

  any(key: string): boolean {
    return this.state.end(key, 'least', 1).length > 0;
  }

  anyAfter(key: string, changes: Changes): boolean {
    for (const { text, weight } of changes) if (this.state.weight(key, text) + weight > 0) return true;
    const changed = new Set(changes.map(({ text }) => text));
    // Whatever of these does not change stays.
    return this.state.end(key, 'least', 1 + retractionsIn(changes)).some(([member]) => !changed.has(member));
  }

  wantChanges(key: string, changes: Changes): void {
    for (const { text } of changes) this.state.wantMember(key, text);
  }

  weight(key: string, text: string): number {
    return this.state.weight(key, text);
  }

  apply(key: string, changes: Changes): void {
    for (const { text, weight } of changes) this.state.add(key, text, weight);
  }

  wantFreed(key: string, count: number, retracted: number): void {
    this.state.wantEnd(key, 'least', count, retracted);
  }

  free(key: string, count: number): number {
    let freed = 0;
    for (const [text, weight] of this.state.end(key, 'least', count)) {
      this.state.add(key, text, -weight);
      freed += weight;
    }
    return freed;
  }

  #rowOf(text: string): Row {
    let row = this.#rows.get(text);
    if (row === undefined) {
      row = JSON.parse(this.#order === null ? text : text.slice(this.#order.width)) as Row;
      this.#rows.set(text, row);
      // Also within a tick: what is forgotten is read from its text again.
      this.#rows.settle();
    }
    return row;
  }
}

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

/** How many rows a key has, for those who need not know which. */
export class CountedArrangement implements Arrangement {
  constructor(readonly state: Keyed<number>) {}

  textOf(row: Row): string {
    return JSON.stringify(row);
  }

  wantPage(): never {
    assert(false, 'Rows that are only counted were asked for.');
  }

  page(): never {
    return this.wantPage();
  }

  rowsIn(): never {
    return this.wantPage();
  }

  reach(): never {
    return this.wantPage();
  }

  wantAny(key: string): boolean {
    return this.state.want(key);
  }

  any(key: string): boolean {
    return this.state.get(key) !== undefined;
  }

  anyAfter(key: string, changes: Changes): boolean {
    return this.#after(key, changes) > 0;
  }

  wantChanges(key: string): void {
    this.state.want(key);
  }

  weight(): never {
    return this.wantPage();
  }

  apply(key: string, changes: Changes): void {
    const after = this.#after(key, changes);
    if (after < 0)
      assert(
        false,
        `A key of a join would have ${after} rows: a row was retracted that had not been inserted.`,
      );
    if (after === 0) {
      if (this.state.get(key) !== undefined) this.state.delete(key);
    } else if (after !== this.state.get(key)) this.state.set(key, after);
  }

  wantFreed(key: string): void {
    this.state.want(key);
  }

  free(key: string): number {
    const freed = this.state.get(key) ?? 0;
    if (freed > 0) this.state.delete(key);
    return freed;
  }

  #after(key: string, changes: Changes): number {
    let count = this.state.get(key) ?? 0;
    for (const { weight } of changes) count += weight;
    return count;
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
