import { hash32 } from '../zset/checksum.js';
import { compareText } from '../zset/text-order.js';
import type { Row } from '../zset/value.js';
import type { Aggregator } from './aggregator.js';
import type { Gone } from './freed-members.js';
import { emptyGroup, Group, groupCodec, settle } from './group.js';
import { justAbove } from './known-group.js';
import { END } from './neighbourhoods.js';
import type { Ordered } from './operator.js';
import { GroupChanges, type Member } from './ordered-rows.js';
import type { Span } from './spans.js';

/** One of how many members says what all rows up to it make. */
const MEMBERS_PER_MARK = 64;

/** Between a member and what is said of it: no member has one behind its JSON. */
const SEPARATOR = '\0';

/**
 * What all rows of a group make together up to each of them, without reading those before.
 *
 * `marks` says it of one in so many members: the member, and the aggregators' accumulators of all rows up to and with it. What
 * changes at one place changes the marks behind it, which are fewer than the rows there, whose totals it changes too.
 * Marks are chosen by the members' texts, so that one multiset of rows has one set of marks.
 */
export class RunningTotals {
  readonly #codec: ReturnType<typeof groupCodec>;

  constructor(
    readonly rows: Ordered,
    readonly marks: Ordered,
    /** Of rows that are not retracted: each total is made anew from the one before. */
    readonly aggregators: readonly Aggregator[],
  ) {
    this.#codec = groupCodec(aggregators);
  }

  /** Asks for all that the totals from a span's beginning on follow from; those behind its first change are to be all. */
  want(group: string, { from }: Span): void {
    this.marks.wantBetween(group, from, END);
    if (this.marks.wantFrom(group, from, 'down', 1, 0))
      this.rows.wantBetween(group, this.#markBelow(group, from).behind, from);
  }

  /** The accumulators of all rows below a text, to be folded on. */
  below(group: string, text: string, changes: GroupChanges): unknown[] {
    const { behind, accumulators } = this.#markBelow(group, text);
    for (const [member, weight] of this.rows.between(group, behind, text))
      this.#fold(accumulators, changes.rowOf(member), weight, group);
    return accumulators;
  }

  /** The marks as the members of a span, which is the group's last, make them. */
  apply(group: string, { from }: Span, members: readonly Member[], changes: GroupChanges): void {
    const marks = new Map<string, 1 | -1>();
    for (const [mark] of this.marks.between(group, from, END)) marks.set(mark, -1);
    const accumulators = this.below(group, from, changes);
    for (const [member, weight] of members) {
      this.#fold(accumulators, changes.rowOf(member), weight, group);
      if (hash32(member) % MEMBERS_PER_MARK !== 0) continue;
      const mark = this.#markOf(member, accumulators, group);
      if (!marks.delete(mark)) marks.set(mark, 1);
    }
    for (const [mark, weight] of marks) this.marks.add(group, mark, weight);
  }

  /** Asks for the marks up to a member that goes. */
  wantForgotten(group: string, last: string): void {
    this.marks.wantBetween(group, '', `${last}\u0001`);
  }

  /** The first rows of the group go, and add up on: one mark stays for all of them. It is to be before the rows go. */
  forget(group: string, { members }: Gone): void {
    const rows = new GroupChanges();
    const [last] = members.at(-1)!;
    const { accumulators } = this.#markBelow(group, members[0]![0]);
    for (const [member, weight] of members) this.#fold(accumulators, rows.rowOf(member), weight, group);
    const mark = this.#markOf(last, accumulators, group);
    for (const [known] of [...this.marks.between(group, '', `${last}\u0001`)])
      if (known !== mark) this.marks.add(group, known, -1);
    if (this.marks.weight(group, mark) === 0) this.marks.add(group, mark, 1);
  }

  #markOf(member: string, accumulators: unknown[], group: string): string {
    settle(accumulators, this.aggregators, group);
    return member + SEPARATOR + this.#codec.encode(new Group(0, accumulators));
  }

  /** The total at the last mark below a text, and where the members behind it begin. */
  #markBelow(group: string, text: string): { accumulators: unknown[]; behind: string } {
    const [found] = this.marks.from(group, text, 'down', 1);
    if (found === undefined || compareText(found[0], text) >= 0)
      return { accumulators: emptyGroup(this.aggregators).accumulators, behind: '' };
    const [mark] = found;
    const end = mark.lastIndexOf(SEPARATOR);
    const { accumulators } = this.#codec.decode(mark.slice(end + 1));
    return { accumulators, behind: justAbove(mark.slice(0, end)) };
  }

  #fold(accumulators: unknown[], row: Row, weight: number, group: string): void {
    this.aggregators.forEach((aggregator, slot) => {
      accumulators[slot] = aggregator.fold(accumulators[slot], row, weight, undefined, group);
    });
  }
}
