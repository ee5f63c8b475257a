import { hash32 } from '../zset/checksum.js';
import { compareText } from '../zset/text-order.js';
import type { Gone } from './freed-members.js';
import { justAbove } from './known-group.js';
import { END } from './neighbourhoods.js';
import type { Ordered } from './operator.js';
import { type GroupChanges, type Member, membersOfOrder, orderOfMember } from './ordered-rows.js';
import type { Span } from './spans.js';

export type Numbering = 'rowNumber' | 'rank' | 'denseRank';

/** One of how many members says the number of rows up to it. */
const MEMBERS_PER_MARK = 64;

/** What is counted at one place, and how a tick changes that. A place: a member, or all rows of equal order. */
export interface PlaceChange {
  readonly place: string;
  /** Just behind its members. */
  readonly end: string;
  readonly net: number;
  /** Of this place and all before it. */
  readonly sum: number;
}

/**
 * The numbers of a group's rows, without reading the group: of each row one more than what is counted before its place.
 *
 *   rowNumber   counts rows; every row has a place of its own
 *   rank        counts rows; rows of equal order have one place
 *   denseRank   counts orders
 *
 * `marks` says of places how much is counted up to and with them: of every order, or of one in so many members, where the
 * rows between two marks are read. What a change puts before others moves the marks behind it, which are fewer than the
 * numbers that it moves. Marks are chosen by their texts, so that one multiset of rows has one set of marks.
 */
export class RowNumbers {
  constructor(
    readonly kind: Numbering,
    readonly rows: Ordered,
    readonly marks: Ordered,
  ) {}

  /** What a tick changes, in order. Null while some of it is not loaded: it is asked for then. */
  changes(group: string, { sorted }: GroupChanges): readonly PlaceChange[] | null {
    let sum = 0;
    if (this.kind === 'rowNumber')
      return sorted.map(([place, net]) => ({ place, end: justAbove(place), net, sum: (sum += net) }));
    const byOrder = new Map<string, Member[]>();
    for (const member of sorted) {
      const order = orderOfMember(member[0]);
      const members = byOrder.get(order);
      if (members === undefined) byOrder.set(order, [member]);
      else members.push(member);
    }
    const changes: PlaceChange[] = [];
    let loaded = true;
    for (const [place, members] of byOrder) {
      const net =
        this.kind === 'rank'
          ? members.reduce((all, [, weight]) => all + weight, 0)
          : this.#appears(group, place, members);
      if (net === null) loaded = false;
      else changes.push({ place, end: membersOfOrder(place)[1], net, sum: (sum += net) });
    }
    return loaded ? changes : null;
  }

  /** 1 where an order comes with these changes, −1 where it goes. */
  #appears(group: string, order: string, changes: readonly Member[]): number | null {
    const [from, to] = membersOfOrder(order);
    const count = changes.length + 1;
    if (!this.rows.wantFrom(group, from, 'up', count, 0, to)) return null;
    const members = this.rows.from(group, from, 'up', count, to);
    const weights = new Map(members);
    for (const [member, net] of changes) weights.set(member, (weights.get(member) ?? 0) + net);
    // Of more members than are changed one at least stays.
    const stays = members.length === count || [...weights.values()].some((weight) => weight > 0);
    return Number(stays) - Number(members.length > 0);
  }

  /** The members whose numbers are moved by others. */
  moved(changes: readonly PlaceChange[]): Span[] {
    const moved: Span[] = [];
    let from: string | null = null;
    for (const { end, sum } of changes)
      if (from === null && sum !== 0) from = end;
      else if (from !== null && sum === 0) {
        moved.push({ from, to: end });
        from = null;
      }
    if (from !== null) moved.push({ from, to: END });
    return moved;
  }

  /** Asks for the marks of changed places. */
  wantMarks(group: string, changes: readonly PlaceChange[]): void {
    for (const { place } of changes) if (this.#isMarked(place)) this.marks.wantMember(group, place);
  }

  /** Asks for all that the numbers of a span's members follow from. */
  want(group: string, { from, to }: Span): void {
    const loaded = this.marks.wantFrom(group, from, 'down', 2, 0);
    this.marks.wantBetween(group, from, to);
    if (loaded && this.kind === 'rowNumber')
      this.rows.wantBetween(group, this.#markBelow(group, from).behind, from);
  }

  /** The numbers of a span's members: of the first copy of each. `changes`: those that the members are changed by already. */
  numbers(
    group: string,
    { from }: Span,
    members: readonly Member[],
    changes: readonly PlaceChange[],
  ): number[] {
    if (this.kind === 'rowNumber') {
      let below = this.#rowsBelow(group, from) + movedBelow(changes, from);
      return members.map(([, weight]) => (below += weight) - weight + 1);
    }
    let known: string | null = null;
    let number = 0;
    return members.map(([member]) => {
      const place = orderOfMember(member);
      if (place !== known) {
        known = place;
        number = this.#markBelow(group, place).count + movedBelow(changes, place) + 1;
      }
      return number;
    });
  }

  /**
   * The marks as the changes make them. `countedTo`: of a changed member that is there then, the number of rows up to and with
   * it, which all rows of its span have been asked for.
   */
  apply(
    group: string,
    changes: readonly PlaceChange[],
    countedTo: (member: string) => number | undefined,
  ): void {
    const marks: Member[] = [];
    changes.forEach(({ place, end, net, sum }, index) => {
      if (this.#isMarked(place)) {
        const before = this.marks.weight(group, place);
        marks.push([place, (this.#upTo(group, place, { net, below: sum - net, countedTo }) ?? 0) - before]);
      }
      if (sum === 0) return;
      const next = changes[index + 1]?.place ?? END;
      if (compareText(end, next) < 0)
        for (const [mark] of this.marks.between(group, end, next)) marks.push([mark, sum]);
    });
    for (const [mark, change] of marks) this.marks.add(group, mark, change);
  }

  /** Asks for the marks up to a member that goes. */
  wantForgotten(group: string, last: string): void {
    this.marks.wantBetween(group, '', behind(this.#placeOf(last)));
  }

  /**
   * The first rows of the group go, and count on: one mark stays for all of them. It is to be before the rows go.
   */
  forget(group: string, { members, next }: Gone): void {
    if (this.kind === 'rowNumber') {
      const [last] = members.at(-1)!;
      const below = this.#markBelow(group, members[0]![0]).count;
      const count = members.reduce((sum, [, weight]) => sum + weight, below);
      for (const [mark, weight] of [...this.marks.between(group, '', last)])
        this.marks.add(group, mark, -weight);
      this.marks.add(group, last, count - this.marks.weight(group, last));
      return;
    }
    const stays = next === null ? null : orderOfMember(next);
    const kept = members.findLast(([member]) => orderOfMember(member) !== stays);
    if (kept === undefined) return;
    for (const [mark, weight] of [...this.marks.between(group, '', orderOfMember(kept[0]))])
      this.marks.add(group, mark, -weight);
  }

  #placeOf(member: string): string {
    return this.kind === 'rowNumber' ? member : orderOfMember(member);
  }

  /** What will be counted up to and with a changed place; undefined where nothing is left there. */
  #upTo(
    group: string,
    place: string,
    {
      net,
      below,
      countedTo,
    }: { net: number; below: number; countedTo: (member: string) => number | undefined },
  ): number | undefined {
    if (this.kind === 'rowNumber') return countedTo(place);
    const before = this.marks.weight(group, place);
    const start = this.#markBelow(group, place).count;
    const content = (before === 0 ? 0 : before - start) + net;
    return content === 0 ? undefined : start + below + content;
  }

  #isMarked(place: string): boolean {
    return this.kind !== 'rowNumber' || hash32(place) % MEMBERS_PER_MARK === 0;
  }

  /** What is counted up to the last mark below a place, and where the members behind it begin. */
  #markBelow(group: string, place: string): { count: number; behind: string } {
    const [last, next] = this.marks.from(group, place, 'down', 2);
    const mark = last?.[0] === place ? next : last;
    return mark === undefined ? { count: 0, behind: '' } : { count: mark[1], behind: justAbove(mark[0]) };
  }

  #rowsBelow(group: string, text: string): number {
    const mark = this.#markBelow(group, text);
    let { count } = mark;
    for (const [, weight] of this.rows.between(group, mark.behind, text)) count += weight;
    return count;
  }
}

/** Above a text and all that it is the beginning of a member for. */
const behind = (text: string): string => `${text}\u0001`;

/** By how much the changes before a place move its number. */
function movedBelow(changes: readonly PlaceChange[], place: string): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareText(changes[middle]!.place, place) < 0) low = middle + 1;
    else high = middle;
  }
  return changes[low - 1]?.sum ?? 0;
}
