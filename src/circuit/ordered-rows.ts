import type { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';

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
  readonly #rows = new Map<string, Row>();

  add(member: string, row: Row, weight: number): void {
    const net = (this.nets.get(member) ?? 0) + weight;
    if (net === 0) this.nets.delete(member);
    else this.nets.set(member, net);
    this.#rows.set(member, row);
  }

  /** The row a member stands for. */
  rowOf(member: string): Row {
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

/** How rows are grouped and made members; `order` is the row's place in the log, where the plan asked for it. */
export interface OrderedRows {
  readonly groupKeyOf: (row: Row) => string;
  readonly memberOf: (row: Row, order: string | undefined) => string;
}

/** The changes of a delta by group. */
export function groupChanges(
  input: Delta<Row>,
  { groupKeyOf, memberOf }: OrderedRows,
): Map<string, GroupChanges> {
  const groups = new Map<string, GroupChanges>();
  for (let index = 0; index < input.size; index++) {
    const row = input.rows[index]!;
    const key = groupKeyOf(row);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = new GroupChanges()));
    group.add(memberOf(row, input.orders?.[index]), row, input.weights[index]!);
  }
  return groups;
}
