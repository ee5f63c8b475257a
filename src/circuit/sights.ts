import { compareText } from '../zset/text-order.js';
import type { Row } from '../zset/value.js';
import { justAbove } from './known-group.js';
import { beyond, END, neighbourhoods } from './neighbourhoods.js';
import type { Ordered } from './operator.js';
import { type GroupChanges, membersOfOrder, orderOfMember } from './ordered-rows.js';
import { type Measure, type OverColumn, rowsAway } from './over-columns.js';
import type { Span } from './spans.js';

/**
 * A measure that says which members are near: `around` goes from the first that may be seen by a row that looks so far, up to but
 * not including what is behind the last that may see it.
 */
export interface Near extends Measure {
  readonly around: (row: Row, span: number) => Span;
}

/** Which rows of a group see which others, by what its columns look at. */
export class Sights {
  readonly #away: number;
  /** How far columns look before a row and behind it by what orders them, at most; null: none does. */
  readonly #span: { readonly before: number; readonly after: number } | null;
  /** Whether columns look at rows of equal order. */
  readonly #peers: boolean;
  /** A row is seen by all that come behind it. */
  readonly #running: boolean;

  constructor(
    readonly rows: Ordered,
    columns: readonly OverColumn[],
    readonly near: Near | null,
  ) {
    this.#away = Math.max(0, ...columns.map(rowsAway));
    const spans = columns.flatMap((column) =>
      'reach' in column && column.reach.unit === 'span' ? [column.reach] : [],
    );
    const most = (of: 'before' | 'after'): number => Math.max(...spans.map((reach) => reach[of] ?? 0));
    this.#span = spans.length === 0 ? null : { before: most('before'), after: most('after') };
    this.#peers = columns.some((column) => 'reach' in column && column.reach.unit === 'peers');
    this.#running = columns.some(({ kind }) => kind === 'running');
  }

  /** The rows that see a change, and the changes; null while they are not loaded. */
  of(group: string, changes: GroupChanges): Span[] | null {
    const touched: Span[] = [];
    if (this.#away > 0) {
      const near = neighbourhoods(this.rows, group, changes, this.#away);
      if (near === null) return null;
      touched.push(...near);
    } else for (const [member] of changes.sorted) touched.push({ from: member, to: justAbove(member) });
    if (this.#span !== null)
      for (const [member] of changes.sorted) {
        const row = changes.rowOf(member);
        const { from } = this.near!.around(row, this.#span.after);
        touched.push({ from, to: this.near!.around(row, this.#span.before).to });
      }
    if (this.#peers)
      for (const [member] of changes.sorted) {
        const [from, to] = membersOfOrder(orderOfMember(member));
        touched.push({ from, to });
      }
    if (this.#running) touched.push({ from: changes.sorted[0]![0], to: END });
    return touched;
  }

  /** A span and what its rows see; null while that is not loaded. */
  from(group: string, span: Span, changes: GroupChanges): Span[] | null {
    const seen = [span];
    if (this.#away > 0) {
      const { nets } = changes;
      const from = beyond(this.rows, group, span, 'down', { count: this.#away, nets });
      const to = beyond(this.rows, group, span, 'up', { count: this.#away, nets });
      if (from === null || to === null) return null;
      seen.push({ from, to });
    }
    if (this.#span !== null) {
      const ends = this.#ends(group, span, changes);
      if (ends === null) return null;
      const [first, last] = ends.map((member) => changes.rowOf(member));
      const { from } = this.near!.around(first!, this.#span.before);
      seen.push({ from, to: this.near!.around(last!, this.#span.after).to });
      seen.push({ from, to: membersOfOrder(orderOfMember(ends[1]))[1] });
    }
    if (this.#peers) {
      const ends = this.#ends(group, span, changes);
      if (ends === null) return null;
      const [[from], [, to]] = ends.map((member) => membersOfOrder(orderOfMember(member)));
      seen.push({ from, to });
    }
    return seen;
  }

  /** The first and the last member of a span, those that come among them. Null while they are not loaded. */
  #ends(group: string, span: Span, changes: GroupChanges): [string, string] | null {
    const { from, to } = span;
    const isLoaded = [
      this.rows.wantFrom(group, from, 'up', 1, 0, to),
      this.rows.wantFrom(group, to, 'down', 2, 0),
    ];
    if (isLoaded.includes(false)) return null;
    const changed = changes.within(span);
    const ends = [
      ...this.rows.from(group, from, 'up', 1, to),
      ...this.rows.from(group, to, 'down', 2),
      ...changed.slice(0, 1),
      ...changed.slice(-1),
    ].filter(([member]) => compareText(from, member) <= 0 && compareText(member, to) < 0);
    ends.sort(([left], [right]) => compareText(left, right));
    return [ends[0]![0], ends.at(-1)![0]];
  }
}
