import { Delta } from '../../zset/delta.js';
import { compareText } from '../../zset/text-order.js';
import type { Row } from '../../zset/value.js';
import type { FreedMembers } from '../freed-members.js';
import { membersAround, type Neighbourhood, neighbourhoods } from '../neighbourhoods.js';
import type { Operator, Ordered } from '../operator.js';
import { groupChanges, type GroupChanges, type Member, type OrderedRows } from '../ordered-rows.js';
import type { Time } from '../time.js';

/** An instant is a text of 24 characters; members begin with it. */
const INSTANT_LENGTH = 24;

export interface DedupeOptions extends OrderedRows {
  readonly withinMs: number;
  /** Where the rows' time has a watermark. Late rows are left out before they come here. */
  readonly freed?: FreedMembers;
}

/**
 * Leaves out the rows that repeat one of their group shortly before them.
 *
 *   in   Δ row
 *   out  Δ row     once, while no other of its group lies at most `withinMs` before it
 *
 * A row is judged by the one just before it in its group, kept or not: by its time, then by the rest of its member. So a row
 * that comes or goes decides of itself and of the one just behind it and of no other, whatever order they come in. Of equal
 * rows each but the first has one just before it.
 *
 * Where their time has a watermark, rows go that lie further below it than `withinMs`: none that still comes is judged by them.
 */
export class Dedupe implements Operator {
  #input: Delta<Row> | null = null;
  #groups = new Map<string, GroupChanges>();

  constructor(
    /** Each group's rows: their instant, what orders those of one instant, and the row. */
    readonly members: Ordered,
    readonly options: DedupeOptions,
  ) {}

  get timed(): boolean {
    return this.options.freed !== undefined;
  }

  get unfinished(): boolean {
    return this.options.freed?.unfinished ?? false;
  }

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) {
      this.#input = input;
      this.#groups = groupChanges(input, this.options);
    }
    const { freed } = this.options;
    for (const [group, changes] of this.#groups) {
      neighbourhoods(this.members, group, changes, 1);
      freed?.wantFirst(group, changes.retracted);
    }
    freed?.reads(time, (group) => this.#groups.get(group)?.retracted ?? 0);
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    for (const [group, changes] of this.#groups) this.#step(group, changes, output);
    this.options.freed?.free();
    this.#forget();
    return output;
  }

  discard(): void {
    this.#forget();
    this.options.freed?.discard();
  }

  #forget(): void {
    this.#input = null;
    this.#groups = new Map();
  }

  #step(group: string, changes: GroupChanges, output: Delta<Row>): void {
    for (const near of neighbourhoods(this.members, group, changes, 1)!) {
      const { before, after } = membersAround(this.members, group, near, changes.within(near));
      const weights = new Map<string, number>();
      for (const member of this.#kept(before, near)) weights.set(member, -1);
      for (const member of this.#kept(after, near)) weights.set(member, (weights.get(member) ?? 0) + 1);
      for (const [member, weight] of weights) if (weight !== 0) output.push(changes.rowOf(member), weight);
    }
    const apply = (): void => {
      for (const [member, net] of changes.nets) this.members.add(group, member, net);
    };
    if (this.options.freed === undefined) apply();
    else this.options.freed.change(group, apply);
  }

  /** Of these members those that are kept, from the first that is changed on. */
  *#kept(members: readonly Member[], { start }: Neighbourhood): Iterable<string> {
    let last: number | null = null;
    for (const [member] of members) {
      const ms = Date.parse(member.slice(0, INSTANT_LENGTH));
      const isKept = last === null || ms - last > this.options.withinMs;
      if (isKept && compareText(member, start) >= 0) yield member;
      last = ms;
    }
  }
}
