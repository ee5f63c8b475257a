import type { Row } from '../zset/value.js';
import {
  ABOVE_ALL,
  type Arrangement,
  type Changes,
  type Page,
  type PageOf,
  retractionsIn,
} from './arrangement.js';
import { justAbove } from './known-group.js';
import type { Ordered } from './operator.js';
import { TwoGenerations } from './two-generations.js';

const NO_ROWS: Page = { rows: [], next: null };

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
