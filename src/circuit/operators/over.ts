import { Delta } from '../../zset/delta.js';
import { compareText } from '../../zset/text-order.js';
import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import type { FreedMembers } from '../freed-members.js';
import type { FrozenGroups } from '../frozen-groups.js';
import { type GroupEdge, groupEdge } from '../group-edge.js';
import { END, membersAround } from '../neighbourhoods.js';
import type { Operator, Ordered } from '../operator.js';
import {
  groupChanges,
  type GroupChanges,
  type Member,
  type OrderedRows,
  orderOfMember,
} from '../ordered-rows.js';
import { type EdgeColumn, framed, neighbourValues, type OverColumn } from '../over-columns.js';
import { foldedFrame } from '../rolling.js';
import { type PlaceChange, RowNumbers, type Numbering } from '../row-numbers.js';
import { RunningTotals } from '../running-totals.js';
import { differences, type Shown } from '../shown-rows.js';
import { type Near, Sights } from '../sights.js';
import { type Span, united } from '../spans.js';
import type { Time } from '../time.js';

export interface OverOptions extends OrderedRows {
  readonly columns: readonly OverColumn[];
  /** What running columns add up, each in its slot. */
  readonly running: readonly Aggregator[];
  /** Where a column of the group has a watermark. Its late rows are left out before they come here. */
  readonly frozen?: FrozenGroups;
  /** The instant a row's group is at. */
  readonly frozenAt?: (row: Row) => string;
  /**
   * Where the first column of the order has a watermark, and ascends: the end of rows that neither change any more nor are
   * seen by those that may. Late rows are left out before they come here.
   */
  readonly freed?: FreedMembers;
  /** The row with these values behind its own. */
  readonly extended: (row: Row, values: readonly Value[]) => Row;
  /** What spans are measured by. */
  readonly near: Near | null;
}

/** What a tick makes of one group. */
interface Work {
  readonly changes: GroupChanges;
  readonly spans: readonly Span[];
  readonly places: readonly (readonly PlaceChange[])[];
  /** Of the columns that show an edge of the group. */
  readonly edges: readonly GroupEdge[];
}

/** What a span's members are before the changes, or after them, beside themselves. */
interface Seen {
  readonly span: Span;
  /** Of each kind, of the first copy of each member. */
  readonly numbers: readonly (readonly number[])[];
  readonly when: 'before' | 'after';
}

/**
 * Every row with what it has of its place among the others of its group: its number, a neighbour's value, a summary of
 * those near it or of all up to it.
 *
 *   in   Δ row
 *   out  Δ row with these columns     for the rows that come and go, and for those that see it
 *
 * A group is an ordered multiset; the copies of a row follow one another. A tick looks at spans of it, before its changes
 * and after them, and gives what differs: at the rows that see a change, or whose number it moves, and at all that those see
 * themselves. The other rows in a span see nothing that is changed, so that they are the same before and after, though
 * they do not see all. The first number of a span comes from `RowNumbers`, what all before it add up to from `RunningTotals`.
 *
 * Where a column of the group has a watermark, a group below it is frozen: its state goes, and its rows stay as they are shown.
 */
export class Over implements Operator {
  #input: Delta<Row> | null = null;
  #groups = new Map<string, GroupChanges>();
  /** Of each group that has rows to go the last of them, as it was before the tick. */
  #lastGoing: ReadonlyMap<string, string> = new Map();
  readonly #numbers: readonly RowNumbers[];
  readonly #running: RunningTotals | null;
  readonly #edges: readonly EdgeColumn[];
  readonly #sights: Sights;

  constructor(
    /** Each group's rows: what orders them, and the row. */
    readonly rows: Ordered,
    /** The state of the marks of each kind of number that there is, and of running totals. */
    marksOf: (kind: Numbering | 'running') => Ordered,
    readonly options: OverOptions,
  ) {
    const { columns, running, near } = options;
    const kinds = new Set(columns.map(({ kind }) => kind));
    const numberings = (['rowNumber', 'rank', 'denseRank'] as const).filter((kind) => kinds.has(kind));
    this.#numbers = numberings.map((kind) => new RowNumbers(kind, rows, marksOf(kind)));
    this.#running = running.length === 0 ? null : new RunningTotals(rows, marksOf('running'), running);
    this.#edges = columns.filter(
      (column): column is EdgeColumn => column.kind === 'first' || column.kind === 'last',
    );
    this.#sights = new Sights(rows, columns, near);
  }

  get timed(): boolean {
    return this.options.frozen !== undefined || this.options.freed !== undefined;
  }

  get unfinished(): boolean {
    return this.options.frozen?.unfinished ?? this.options.freed?.unfinished ?? false;
  }

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) {
      this.#input = input;
      this.#groups = groupChanges(input, this.options);
    }
    for (const [group, changes] of this.#groups) {
      if (changes.nets.size === 0) continue;
      if (this.options.frozen) this.rows.wantEnd(group, 'least', 1, changes.retracted);
      this.options.freed?.wantFirst(group, changes.retracted);
      const work = this.#work(group, changes);
      if (work === null) continue;
      this.#numbers.forEach((numbers, index) => numbers.wantMarks(group, work.places[index]!));
      for (const span of work.spans) {
        this.rows.wantBetween(group, span.from, span.to);
        for (const numbers of this.#numbers) numbers.want(group, span);
        this.#running?.want(group, span);
      }
    }
    const retracted = (group: string): number => this.#groups.get(group)?.retracted ?? 0;
    this.options.frozen?.reads(time, retracted);
    if (this.options.freed) this.#readGoing(this.options.freed, time, retracted);
  }

  #readGoing(freed: FreedMembers, time: Time, retracted: (group: string) => number): void {
    freed.reads(time, retracted);
    this.#lastGoing = new Map(freed.lastGoing());
    for (const [group, last] of this.#lastGoing) {
      for (const numbers of this.#numbers) numbers.wantForgotten(group, last);
      this.#running?.wantForgotten(group, last);
    }
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    const { frozen, freed } = this.options;
    for (const [group, changes] of this.#groups) {
      const [member] = changes.nets.keys();
      if (member === undefined) continue;
      const wasEmpty = frozen && this.#isEmpty(group);
      const step = (): void => this.#step(group, this.#work(group, changes)!, output);
      if (freed === undefined) step();
      else freed.change(group, step);
      if (wasEmpty) frozen.add(group, this.options.frozenAt!(changes.rowOf(member)));
      else if (frozen && this.#isEmpty(group))
        frozen.remove(group, this.options.frozenAt!(changes.rowOf(member)));
    }
    for (const due of frozen?.due ?? []) if (frozen!.isStill(due)) frozen!.free(due);
    freed?.free((group, gone) => {
      for (const numbers of this.#numbers) numbers.forget(group, gone);
      this.#running?.forget(group, gone);
    }, this.#lastGoing);
    this.#forget();
    return output;
  }

  #isEmpty(group: string): boolean {
    return this.rows.end(group, 'least', 1).length === 0;
  }

  discard(): void {
    this.#forget();
    this.options.frozen?.discard();
    this.options.freed?.discard();
  }

  #forget(): void {
    this.#input = null;
    this.#groups = new Map();
    this.#lastGoing = new Map();
  }

  /** Null while some of what says how far it reaches is not loaded: it is asked for then. */
  #work(group: string, changes: GroupChanges): Work | null {
    const edges = this.#edges.map(({ kind }) => groupEdge(this.rows, group, kind, changes));
    const touched = this.#sights.of(group, changes);
    const places = this.#numbers.map((numbers) => numbers.changes(group, changes));
    if (touched === null || !isLoaded(edges) || !isLoaded(places)) return null;
    this.#numbers.forEach((numbers, index) => touched.push(...numbers.moved(places[index]!)));
    if (this.#edges.some(({ value }, index) => isOther(edges[index]!, (of) => value(changes.rowOf(of)))))
      touched.push({ from: '', to: END });
    const seen = united(touched).map((span) => this.#sights.from(group, span, changes));
    const first = this.#first(group, changes);
    if (!isLoaded(seen) || first === null) return null;
    const spans = united(seen.flat()).map(({ from, to }) =>
      compareText(from, first) < 0 ? { from: first, to } : { from, to },
    );
    return { changes, spans, places, edges };
  }

  /** Where what is kept of the group begins: rows before it are gone, and count on. Null while it is not loaded. */
  #first(group: string, { sorted }: GroupChanges): string | null {
    if (this.options.freed === undefined) return '';
    if (!this.rows.wantEnd(group, 'least', 1, 0)) return null;
    const [kept] = this.rows.end(group, 'least', 1);
    const [comes] = sorted[0]!;
    return kept === undefined || compareText(comes, kept[0]) < 0 ? comes : kept[0];
  }

  #step(group: string, work: Work, output: Delta<Row>): void {
    const { changes, spans, places } = work;
    /** Of each changed member how many rows there are up to and with it, once it is changed. */
    const countedTo = new Map<string, number>();
    for (const span of spans) {
      const changed = changes.within(span);
      const { before, after } = membersAround(this.rows, group, span, changed);
      const numbersOf = (members: readonly Member[], isChanged: boolean): number[][] =>
        this.#numbers.map((numbers, index) =>
          numbers.numbers(group, span, members, isChanged ? places[index]! : []),
        );
      const numbered = numbersOf(after, true);
      const were = this.#shown(group, before, work, {
        span,
        numbers: numbersOf(before, false),
        when: 'before',
      });
      const are = this.#shown(group, after, work, { span, numbers: numbered, when: 'after' });
      differences(were, are, output);
      const rowNumbers = numbered[this.#numbers.findIndex(({ kind }) => kind === 'rowNumber')];
      if (rowNumbers !== undefined)
        after.forEach(([member, weight], index) => {
          if (changes.nets.has(member)) countedTo.set(member, rowNumbers[index]! + weight - 1);
        });
      // What is changed is in the last span, which goes on to the end of the group.
      if (changed.length > 0) this.#running?.apply(group, span, after, changes);
    }
    this.#numbers.forEach((numbers, index) =>
      numbers.apply(group, places[index]!, (member) => countedTo.get(member)),
    );
    for (const [member, net] of changes.nets) this.rows.add(group, member, net);
  }

  /** A span's members as they are shown. */
  #shown(
    group: string,
    members: readonly Member[],
    { changes, edges }: Work,
    { span, numbers, when }: Seen,
  ): Shown {
    const { columns, extended, near, running } = this.options;
    const copies: string[] = [];
    const rows: Row[] = [];
    for (const [member, weight] of members)
      for (let copy = 0; copy < weight; copy++) {
        copies.push(member);
        rows.push(changes.rowOf(member));
      }
    const orderOf = (at: number): string => orderOfMember(copies[at]!);
    const below = this.#running?.below(group, span.from, changes);
    const values = columns.map((column): readonly Value[] => {
      switch (column.kind) {
        case 'rolling':
          return framed(column.frame(), column.reach, rows, { measure: near, orderOf });
        case 'running': {
          const { slot, reach } = column;
          return framed(foldedFrame(running[slot]!, below![slot]), reach, rows, { measure: near, orderOf });
        }
        case 'lag':
        case 'lead':
          return neighbourValues(column, rows);
        case 'first':
        case 'last': {
          const edge = edges[this.#edges.indexOf(column)]![when];
          return edge === null ? [] : new Array<Value>(rows.length).fill(column.value(changes.rowOf(edge)));
        }
        default: {
          const own = numbers[this.#numbers.findIndex(({ kind }) => kind === column.kind)]!;
          const step = column.kind === 'rowNumber' ? 1 : 0;
          return members.flatMap(([, weight], index) =>
            Array.from({ length: weight }, (_, copy) => own[index]! + copy * step),
          );
        }
      }
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

const isLoaded = <T>(parts: (T | null)[]): parts is T[] => !parts.includes(null);

/** Whether the edge of a group that stays shows something else. */
const isOther = ({ before, after }: GroupEdge, shown: (member: string) => Value): boolean =>
  before !== null && after !== null && JSON.stringify(shown(before)) !== JSON.stringify(shown(after));
