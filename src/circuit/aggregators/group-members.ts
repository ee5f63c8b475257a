import type { Row } from '../../zset/value.js';

/**
 * What a tick changes of each group's members: rows made members, and the weights of equal ones added up, since state
 * takes no weight below zero while rows may come in any order.
 *
 * Made when the aggregator is first asked what it wants, used until the group is settled.
 */
export class GroupMembers {
  readonly #groups = new Map<string, { rows: readonly Row[]; nets: Map<string, number> }>();

  constructor(readonly memberOf: (row: Row) => string | null) {}

  /** The net weights of the group's members in this tick, those of 0 left out. */
  of(group: string, rows: readonly Row[], weights: readonly number[]): ReadonlyMap<string, number> {
    const known = this.#groups.get(group);
    if (known?.rows === rows) return known.nets;
    const nets = new Map<string, number>();
    for (let index = 0; index < rows.length; index++) {
      const member = this.memberOf(rows[index]!);
      if (member === null) continue;
      const net = (nets.get(member) ?? 0) + weights[index]!;
      if (net === 0) nets.delete(member);
      else nets.set(member, net);
    }
    this.#groups.set(group, { rows, nets });
    return nets;
  }

  take(group: string): ReadonlyMap<string, number> {
    const nets = this.#groups.get(group)?.nets ?? new Map<string, number>();
    this.#groups.delete(group);
    return nets;
  }
}
