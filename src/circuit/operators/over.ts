import { Delta } from '../../zset/delta.js';
import { compareText } from '../../zset/text-order.js';
import type { Row, Value } from '../../zset/value.js';
import type { FrozenGroups } from '../frozen-groups.js';
import { justAbove } from '../known-group.js';
import { beyond, type Member, membersAround, neighbourhoods } from '../neighbourhoods.js';
import type { Operator, Ordered } from '../operator.js';
import {
  groupChanges,
  type GroupChanges,
  membersOfOrder,
  orderOfMember,
  type OrderedRows,
} from '../ordered-rows.js';
import { type Measure, neighbourValues, type OverColumn, rollingValues, rowsAway } from '../over-columns.js';
import { type PlaceChange, RowNumbers, type Numbering } from '../row-numbers.js';
import { sameRow } from '../same-row.js';
import type { Time } from '../time.js';
import { type Span, united } from '../spans.js';

export interface OverOptions extends OrderedRows {
  readonly columns: readonly OverColumn[];
  /** Where a column of the group has a watermark. Its late rows are left out before they come here. */
  readonly frozen?: FrozenGroups;
  /** The instant a row's group is at. */
  readonly frozenAt?: (row: Row) => string;
  /** The row with these values behind its own. */
  readonly extended: (row: Row, values: readonly Value[]) => Row;
  /**
   * For spans: the column they are measured by. `around`: from the first member that may be seen by a row that looks so far, up
   * to but not including what is behind the last that sees it.
   */
  readonly measure: (Measure & { readonly around: (row: Row, span: number) => Span }) | null;
}

/** What a tick makes of one group. */
interface Work {
  readonly changes: GroupChanges;
  readonly spans: readonly Span[];
  readonly places: readonly (readonly PlaceChange[])[];
}

/** Copies of members, as they are shown. */
interface Shown {
  readonly members: string[];
  readonly rows: Row[];
}

/**
 * Every row with what it has of its place among the others of its group: its number, a neighbour's value, a summary of
 * the last ones.
 *
 *   in   Δ row
 *   out  Δ row with these columns     for the rows that come and go, and for those that see it
 *
 * A group is an ordered multiset; the copies of a row follow one another. A tick looks at spans of it, before its changes
 * and after them, and gives what differs: at the rows that see a change, or whose number it moves, and at all that those see
 * themselves. The other rows in a span see nothing that is changed, so that they are the same before and after, though
 * they do not see all. The first number of a span comes from `RowNumbers`.
 *
 * Where a column of the group has a watermark, a group below it is frozen: its state goes, and its rows stay as they are shown.
 */
export class Over implements Operator {
  #input: Delta<Row> | null = null;
  #groups = new Map<string, GroupChanges>();
  readonly #numbers: readonly RowNumbers[];
  readonly #away: number;
  /** The longest span that a column looks back; null: none does. */
  readonly #span: number | null;

  constructor(
    /** Each group's rows: what orders them, and the row. */
    readonly rows: Ordered,
    /** The state of the marks of each kind of number that there is. */
    marksOf: (kind: Numbering) => Ordered,
    readonly options: OverOptions,
  ) {
    const kinds = new Set(options.columns.map(({ kind }) => kind));
    const numberings = (['rowNumber', 'rank', 'denseRank'] as const).filter((kind) => kinds.has(kind));
    this.#numbers = numberings.map((kind) => new RowNumbers(kind, rows, marksOf(kind)));
    this.#away = Math.max(0, ...options.columns.map(rowsAway));
    const spans = options.columns.flatMap((column) =>
      column.kind === 'rolling' && 'span' in column.reach ? [column.reach.span] : [],
    );
    this.#span = spans.length > 0 ? Math.max(...spans) : null;
  }

  get timed(): boolean {
    return this.options.frozen !== undefined;
  }

  get unfinished(): boolean {
    return this.options.frozen?.unfinished ?? false;
  }

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) {
      this.#input = input;
      this.#groups = groupChanges(input, this.options);
    }
    for (const [group, changes] of this.#groups) {
      if (changes.nets.size === 0) continue;
      if (this.options.frozen) this.rows.wantEnd(group, 'least', 1, changes.retracted);
      const work = this.#work(group, changes);
      if (work === null) continue;
      this.#numbers.forEach((numbers, index) => numbers.wantMarks(group, work.places[index]!));
      for (const span of work.spans) {
        this.rows.wantBetween(group, span.from, span.to);
        for (const numbers of this.#numbers) numbers.want(group, span);
      }
    }
    this.options.frozen?.reads(time, (group) => this.#groups.get(group)?.retracted ?? 0);
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    const { frozen } = this.options;
    for (const [group, changes] of this.#groups) {
      const [member] = changes.nets.keys();
      if (member === undefined) continue;
      const wasEmpty = frozen && this.#isEmpty(group);
      this.#step(group, this.#work(group, changes)!, output);
      if (wasEmpty) frozen.add(group, this.options.frozenAt!(changes.rowOf(member)));
      else if (frozen && this.#isEmpty(group))
        frozen.remove(group, this.options.frozenAt!(changes.rowOf(member)));
    }
    for (const due of frozen?.due ?? []) if (frozen!.isStill(due)) frozen!.free(due);
    this.#forget();
    return output;
  }

  #isEmpty(group: string): boolean {
    return this.rows.end(group, 'least', 1).length === 0;
  }

  discard(): void {
    this.#forget();
    this.options.frozen?.discard();
  }

  #forget(): void {
    this.#input = null;
    this.#groups = new Map();
  }

  /** Null while some of what says how far it reaches is not loaded: it is asked for then. */
  #work(group: string, changes: GroupChanges): Work | null {
    const { nets } = changes;
    const touched: Span[] = [];
    let loaded = true;
    if (this.#away > 0) {
      const near = neighbourhoods(this.rows, group, nets, this.#away);
      if (near === null) loaded = false;
      else touched.push(...near);
    } else for (const member of nets.keys()) touched.push({ from: member, to: justAbove(member) });
    if (this.#span !== null)
      for (const member of nets.keys()) {
        const { to } = this.options.measure!.around(changes.rowOf(member), this.#span);
        touched.push({ from: membersOfOrder(orderOfMember(member))[0], to });
      }
    const places = this.#numbers.map((numbers) => {
      const changed = numbers.changes(group, nets);
      if (changed === null) loaded = false;
      else touched.push(...numbers.moved(changed));
      return changed;
    });
    if (!loaded) return null;
    const spans: Span[] = [];
    for (const span of united(touched)) {
      const seen = this.#seenFrom(group, span, changes);
      if (seen === null) loaded = false;
      else spans.push(...seen);
    }
    return loaded ? { changes, spans: united(spans), places: places as PlaceChange[][] } : null;
  }

  /** A span and what its rows see; null while that is not loaded. */
  #seenFrom(group: string, span: Span, changes: GroupChanges): readonly Span[] | null {
    const seen = [span];
    const { nets } = changes;
    if (this.#away > 0) {
      const from = beyond(this.rows, group, span, 'down', { count: this.#away, nets });
      const to = beyond(this.rows, group, span, 'up', { count: this.#away, nets });
      if (from === null || to === null) return null;
      seen.push({ from, to });
    }
    if (this.#span !== null) {
      const ends = this.#ends(group, span, nets);
      if (ends === null) return null;
      const [first, last] = ends;
      const { from } = this.options.measure!.around(changes.rowOf(first), this.#span);
      seen.push({ from, to: membersOfOrder(orderOfMember(last))[1] });
    }
    return seen;
  }

  /** The first and the last member of a span, those that come among them. Null while they are not loaded. */
  #ends(group: string, { from, to }: Span, nets: ReadonlyMap<string, number>): [string, string] | null {
    const isLoaded = [
      this.rows.wantFrom(group, from, 'up', 1, 0, to),
      this.rows.wantFrom(group, to, 'down', 2, 0),
    ];
    if (isLoaded.includes(false)) return null;
    const ends = [...this.rows.from(group, from, 'up', 1, to), ...this.rows.from(group, to, 'down', 2)];
    const members = [...ends.map(([member]) => member), ...nets.keys()]
      .filter((member) => compareText(from, member) <= 0 && compareText(member, to) < 0)
      .sort(compareText);
    return [members[0]!, members.at(-1)!];
  }

  #step(group: string, { changes, spans, places }: Work, output: Delta<Row>): void {
    const netsOf = netsBySpan(changes.nets, spans);
    /** Of each changed member how many rows there are up to and with it, once it is changed. */
    const countedTo = new Map<string, number>();
    spans.forEach((span, at) => {
      const nets = netsOf[at]!;
      const { before, after } = membersAround(this.rows, group, span, nets);
      const numbersOf = (members: readonly Member[], changed: boolean): number[][] =>
        this.#numbers.map((numbers, index) =>
          numbers.numbers(group, span, members, changed ? places[index]! : []),
        );
      const numbered = numbersOf(after, true);
      const were = this.#shown(before, numbersOf(before, false), changes);
      differences(were, this.#shown(after, numbered, changes), output);
      const rowNumbers = numbered[this.#numbers.findIndex(({ kind }) => kind === 'rowNumber')];
      if (rowNumbers !== undefined)
        after.forEach(([member, weight], index) => {
          if (nets.has(member)) countedTo.set(member, rowNumbers[index]! + weight - 1);
        });
    });
    this.#numbers.forEach((numbers, index) =>
      numbers.apply(group, places[index]!, (member) => countedTo.get(member)),
    );
    for (const [member, net] of changes.nets) this.rows.add(group, member, net);
  }

  /** A span's members as they are shown; `numbers`: of each kind, of the first copy of each member. */
  #shown(members: readonly Member[], numbers: readonly number[][], changes: GroupChanges): Shown {
    const { columns, extended, measure } = this.options;
    const copies: string[] = [];
    const rows: Row[] = [];
    for (const [member, weight] of members)
      for (let copy = 0; copy < weight; copy++) {
        copies.push(member);
        rows.push(changes.rowOf(member));
      }
    const values = columns.map((column): readonly Value[] => {
      if (column.kind === 'rolling') return rollingValues(column, rows, measure);
      if (column.kind === 'lag' || column.kind === 'lead') return neighbourValues(column, rows);
      const own = numbers[this.#numbers.findIndex(({ kind }) => kind === column.kind)]!;
      const step = column.kind === 'rowNumber' ? 1 : 0;
      return members.flatMap(([, weight], index) =>
        Array.from({ length: weight }, (_, copy) => own[index]! + copy * step),
      );
    });
    return {
      members: copies,
      rows: rows.map((row, at) =>
        extended(
          row,
          values.map((column) => column[at]!),
        ),
      ),
    };
  }
}

/** The changes in each of the spans that they made. */
function netsBySpan(nets: ReadonlyMap<string, number>, spans: readonly Span[]): Map<string, number>[] {
  const found = spans.map(() => new Map<string, number>());
  let at = 0;
  for (const member of [...nets.keys()].sort(compareText)) {
    while (compareText(spans[at]!.to, member) <= 0) at++;
    found[at]!.set(member, nets.get(member)!);
  }
  return found;
}

/** What was shown goes and what is shown comes, but for the copies that are shown as they were. */
function differences(were: Shown, are: Shown, output: Delta<Row>): void {
  for (let was = 0, is = 0; was < were.members.length || is < are.members.length;) {
    const order =
      was === were.members.length
        ? 1
        : is === are.members.length
          ? -1
          : compareText(were.members[was]!, are.members[is]!);
    const same = order === 0 && sameRow(were.rows[was]!, are.rows[is]!);
    if (order <= 0) {
      if (!same) output.push(were.rows[was]!, -1);
      was++;
    }
    if (order >= 0) {
      if (!same) output.push(are.rows[is]!, 1);
      is++;
    }
  }
}
