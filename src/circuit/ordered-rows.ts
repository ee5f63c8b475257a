import type { Delta } from '../zset/delta.js';
import { compareText } from '../zset/text-order.js';
import type { Row } from '../zset/value.js';
import type { Span } from './spans.js';

/** A member and its weight. */
export type Member = readonly [member: string, weight: number];

/**
 * Rows as members of ordered state: what orders them, NUL, their JSON. JSON holds no NUL, so the last one is before it;
 * rows of equal order follow one another by the bytes of their JSON.
 */
export const memberOfRow = (order: string, json: string): string => `${order}\0${json}`;

export const orderOfMember = (member: string): string => member.slice(0, member.lastIndexOf('\0'));

/** The texts of the members of this order, and of no other: from the first up to but not including the second. */
export const membersOfOrder = (order: string): readonly [from: string, to: string] => [
  `${order}\0`,
  `${order}\u0001`,
];

/** What a tick changes of one group: members with their weights added up, and their rows. */
export class GroupChanges {
  readonly nets = new Map<string, number>();
  readonly #added: { readonly member: string; readonly row: Row }[] = [];
  /** Of them and of those that were asked for, by member; once any is asked for that is not found at once. */
  #rows: Map<string, Row> | null = null;
  #sorted: readonly Member[] | null = null;

  add(member: string, row: Row, weight: number): void {
    this.#sorted = null;
    const net = (this.nets.get(member) ?? 0) + weight;
    if (net === 0) this.nets.delete(member);
    else this.nets.set(member, net);
    this.#added.push({ member, row });
    this.#rows?.set(member, row);
  }

  /** The changed members with their nets, in order. */
  get sorted(): readonly Member[] {
    return (this.#sorted ??= [...this.nets].sort(([left], [right]) => compareText(left, right)));
  }

  /** Those of a span. */
  within({ from, to }: Span): readonly Member[] {
    return this.sorted.slice(this.#countBelow(from), this.#countBelow(to));
  }

  /** How many changed members lie below a text. */
  #countBelow(text: string): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareText(this.sorted[middle]![0], text) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The row a member stands for. */
  rowOf(member: string): Row {
    if (this.#rows === null) {
      const [first] = this.#added;
      if (first?.member === member) return first.row;
      this.#rows = new Map(this.#added.map((one) => [one.member, one.row]));
    }
    const known = this.#rows.get(member);
    if (known !== undefined) return known;
    const row = JSON.parse(member.slice(member.lastIndexOf('\0') + 1)) as Row;
    this.#rows.set(member, row);
    return row;
  }

  /** How many members may be gone when the tick is done. */
  get retracted(): number {
    let retracted = 0;
    for (const net of this.nets.values()) if (net < 0) retracted++;
    return retracted;
  }
}

/** How rows are grouped and made members. */
export interface OrderedRows {
  readonly groupKeyOf: (row: Row) => string;
  /** What orders a row among those of its group; `place`: where it is in the log, where the plan asked for it. */
  readonly orderOf: (row: Row, place: string | undefined) => string;
  /** The row's JSON. */
  readonly textOf: (row: Row) => string;
}

/** The changes of a delta by group. */
export function groupChanges(
  input: Delta<Row>,
  { groupKeyOf, orderOf, textOf }: OrderedRows,
): Map<string, GroupChanges> {
  const groups = new Map<string, GroupChanges>();
  for (let index = 0; index < input.size; index++) {
    const row = input.rows[index]!;
    const key = groupKeyOf(row);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = new GroupChanges()));
    group.add(memberOfRow(orderOf(row, input.orders?.[index]), textOf(row)), row, input.weights[index]!);
  }
  return groups;
}
