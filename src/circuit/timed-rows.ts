import { assert } from '../assert.js';
import { INSTANT_WIDTH, instantText } from '../zset/instant-text.js';
import type { Row } from '../zset/value.js';
import type { Changes, RowChange, Weighted } from './arrangement.js';
import { OrderedArrangement } from './ordered-arrangement.js';
import { DUE_MAX, type DueTimes } from './due-times.js';
import type { Ordered } from './operator.js';

/** At least so many rows of a key are freed at once. */
const FREED_MIN = 8;

/** Behind all members of an instant: what follows the instant is JSON of a row, or a sign before it. */
export const BEHIND = '~';

/** The instant a member begins with. */
export const instantOf = (member: string): string => member.slice(0, INSTANT_WIDTH);

/**
 * Rows kept by key in the order of their times, each a member of its key: its instant, then its JSON; until they are over.
 * A time-ordered index finds those that are.
 *
 * Once told what time it is, a row that comes and is over is still there for the rest of the tick; one that goes and is not
 * there was over before.
 */
export class TimedRows {
  readonly rows: OrderedArrangement;
  /** The rows before this are over. */
  #bound = '';
  /** The keys that have rows which are over, as far as a tick comes to them. */
  #due: readonly string[] = [];
  #more = false;
  /** How many of the rows of one key go at once. */
  #page = 0;
  /** Rows that came in this tick and are over by it. */
  #overAtOnce: { readonly key: string; readonly text: string; readonly row: Row }[] = [];

  constructor(
    readonly state: Ordered,
    /** A row's time: an instant. */
    readonly timeOf: (row: Row) => string,
    /** Null where no row is ever over. */
    readonly due: DueTimes | null,
  ) {
    this.rows = new OrderedArrangement(state, { order: { of: timeOf, width: INSTANT_WIDTH } });
  }

  want(key: string, changes: Changes): void {
    this.rows.wantChanges(key, changes);
    for (const { text } of changes) this.due?.want(instantOf(text), key);
  }

  /** Asks for what is over at this time. `found` is told of the members of a key that may be: all before its second argument. */
  wantOver(
    boundMs: number,
    retracted: (key: string) => number,
    found: (key: string, to: string) => void = () => {},
  ): void {
    const { due } = this;
    if (due === null) return;
    this.#bound = instantText(boundMs);
    if (!due.wantDue(this.#bound)) return;
    const over = due.due(this.#bound);
    this.#due = [...new Set(over.due.map(({ key }) => key))];
    this.#more = over.more;
    this.#page = Math.max(FREED_MIN, Math.ceil(DUE_MAX / this.#due.length));
    for (const key of this.#due) {
      const page = { from: '', to: this.#bound, count: this.#page };
      if (!this.rows.wantPage(key, page, retracted(key))) continue;
      const to = this.rows.reach(key, page, retracted(key));
      found(key, to);
      for (const [text] of this.state.between(key, '', to)) due.want(instantOf(text), key);
    }
  }

  /** Whether a row goes that is no longer kept, since it was over. */
  isGone(key: string, text: string, weight: number): boolean {
    return weight < 0 && this.#isOver(text) && this.rows.weight(key, text) === 0;
  }

  /** Applies a change of a row that is not gone. How often it was there before. */
  add(key: string, { text, row, weight }: RowChange): number {
    const before = this.rows.weight(key, text);
    if (before + weight < 0)
      assert(
        false,
        `A row of a join would have the weight ${before + weight}: ${text}. A row was retracted that had not been inserted.`,
      );
    if (weight > 0 && this.#isOver(text)) this.#overAtOnce.push({ key, text, row });
    this.state.add(key, text, weight);
    if (before === 0) this.due?.add(instantOf(text), key, 1);
    else if (before + weight === 0) this.due?.add(instantOf(text), key, -1);
    return before;
  }

  /** Takes away what is over, and says so of each row. Whether there is more. */
  free(each: (key: string, text: string, kept: Weighted) => void): boolean {
    let more = this.#more;
    for (const key of this.#due) {
      const { rows, next } = this.rows.page(key, { from: '', to: this.#bound, count: this.#page });
      for (const { text, row } of rows) this.#free(key, text!, row, each);
      if (next !== null) more = true;
    }
    for (const { key, text, row } of this.#overAtOnce) this.#free(key, text, row, each);
    return more;
  }

  forget(): void {
    this.#due = [];
    this.#overAtOnce = [];
    this.#more = false;
  }

  #isOver(text: string): boolean {
    return this.due !== null && instantOf(text) < this.#bound;
  }

  #free(
    key: string,
    text: string,
    row: Row,
    each: (key: string, text: string, kept: Weighted) => void,
  ): void {
    const weight = this.rows.weight(key, text);
    if (weight === 0) return;
    each(key, text, { row, weight });
    this.state.add(key, text, -weight);
    this.due!.add(instantOf(text), key, -1);
  }
}
