import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import { instantText } from '../../zset/instant-text.js';
import { compareText } from '../../zset/text-order.js';
import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import type { DueTimes } from '../due-times.js';
import { emptyGroup, folding, type Group, settle, type Take } from '../group.js';
import { mergedPanes, type Pane } from '../merged-panes.js';
import type { Keyed, Operator, Ordered } from '../operator.js';
import { sameRow } from '../same-row.js';
import { type Span, united } from '../spans.js';
import { type ColumnTime, columnWatermark, type Time } from '../time.js';
import type { WindowText, WindowTexts } from '../window-texts.js';

export interface PanedAggregateOptions {
  readonly windows: WindowTexts;
  /** Of what is grouped by beside the window. */
  readonly groupKeyOf: (row: Row) => string;
  /** Where a row's pane starts, and where the first of its windows ends. */
  readonly startOf: (row: Row) => Value;
  readonly fromOf: (row: Row) => Value;
  /** The result row of a group's window, from one result per aggregator. */
  readonly rowOf: (groupKey: string, window: WindowText, results: readonly Value[]) => Row;
  /** Their accumulators can be merged. */
  readonly aggregators: readonly Aggregator[];
  /** Where the ends of windows have a watermark: the windows there are. */
  readonly closing: { readonly due: DueTimes; readonly time: ColumnTime } | null;
  /** Results are given once, when their window is over. Else on every change. */
  readonly final: boolean;
}

/** How many panes are read and merged for windows that are over, in one tick, about. */
const PANES_DUE_MAX = 4_000;

/**
 * Keeps what is folded of each pane of a group, and merges the panes of a window when its result is asked for: a row is folded
 * and stored once, in however many windows it is.
 *
 *   in   Δ row with its pane (`Panes`)
 *   out  Δ result of a window     on update: the old one retracted, the new one inserted; final: once, when it is over
 *
 *   panes   group and pane → what is folded of its rows
 *   index   by group: the panes it has, in the order of their starts
 *   due     the windows with rows that are not over, at their ends
 *
 * A window exists while one of its panes has rows. When it is over, the panes go of which it was the last window.
 */
export class PanedAggregate implements Operator {
  readonly timed: boolean;
  unfinished = false;
  #input: Delta<Row> | null = null;
  #touched = new Map<string, Touched>();
  #bound = '';
  #due = new Map<string, WindowText[]>();
  readonly #take: Take;

  constructor(
    readonly panes: Keyed<Group>,
    readonly index: Ordered,
    readonly options: PanedAggregateOptions,
  ) {
    this.#take = folding(options.aggregators);
    this.timed = options.closing !== null;
  }

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) this.#group(input);
    let loaded = true;
    for (const { group, members } of this.#touched.values())
      if (!this.panes.wantEach([...members.keys()].map((member) => member + group))) loaded = false;
    this.#wantDue(time);
    if (!loaded) return;
    for (const touched of this.#touched.values()) {
      touched.windows = this.#windowsMet(touched);
      this.#wantPanes(touched.group, touched.windows, !this.options.final);
    }
  }

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const output = new Delta<Row>();
    for (const touched of this.#touched.values()) this.#change(input, touched, output);
    for (const [group, windows] of this.#due) this.#close(group, windows, output);
    this.#forget();
    return output;
  }

  discard(): void {
    this.#forget();
    this.unfinished = false;
  }

  #forget(): void {
    this.#input = null;
    this.#touched = new Map();
    this.#due = new Map();
  }

  #group(input: Delta<Row>): void {
    this.#touched = new Map();
    const { groupKeyOf, startOf, fromOf } = this.options;
    for (let index = 0; index < input.size; index++) {
      const row = input.rows[index]!;
      const group = groupKeyOf(row);
      const member = `${startOf(row) as string}${fromOf(row) as string}`;
      let touched = this.#touched.get(group);
      if (touched === undefined)
        this.#touched.set(group, (touched = { group, members: new Map(), windows: [] }));
      const places = touched.members.get(member);
      if (places === undefined) touched.members.set(member, [index]);
      else places.push(index);
      if (input.weights[index]! < 0) touched.retracts = true;
    }
    this.#input = input;
  }

  // ---- what a tick looks at

  /** The windows whose results change, in their order; where results wait, those that may come or go. */
  #windowsMet({ group, members, retracts = false }: Touched): WindowText[] {
    const { final } = this.options;
    const met = [...members.keys()].filter(
      (member) => !final || retracts || this.panes.get(member + group) === undefined,
    );
    const windows: WindowText[] = [];
    let late = false;
    for (const member of met.sort()) {
      const last = windows.at(-1);
      if (this.#isLate(member)) late = true;
      for (const window of this.#windowsOf(member))
        if (last === undefined || late || compareWindows(last, window) < 0) windows.push(window);
    }
    return late ? distinct(windows.sort(compareWindows)) : windows;
  }

  #isLate(member: string): boolean {
    return fromIn(member) !== this.options.windows.ends(startIn(member)).first;
  }

  #windowsOf(member: string): readonly WindowText[] {
    const windows = this.options.windows.from(startIn(member)).windows!;
    const from = fromIn(member);
    return from === windows[0]![1] ? windows : windows.filter(([, end]) => end >= from);
  }

  /** Names the panes of windows, and what they hold if that is asked for. How many there are; null while that is not known. */
  #wantPanes(group: string, windows: readonly WindowText[], contents: boolean): number | null {
    let known = true;
    for (const { from, to } of spansOf(windows)) if (!this.index.wantBetween(group, from, to)) known = false;
    if (!known) return null;
    const members = this.#members(group, windows);
    if (contents) this.panes.wantEach(members.map((member) => member + group));
    return members.length;
  }

  /** The panes that windows may have. */
  #members(group: string, windows: readonly WindowText[]): string[] {
    return spansOf(windows).flatMap(({ from, to }) =>
      Array.from(this.index.between(group, from, to), ([member]) => member),
    );
  }

  #wantDue(time: Time): void {
    const { closing, final } = this.options;
    this.#due = new Map();
    this.unfinished = false;
    if (closing === null) return;
    this.#bound = instantText(columnWatermark(time, closing.time));
    if (!closing.due.wantDue(this.#bound)) return;
    const { due, more } = closing.due.due(this.#bound);
    this.unfinished = more;
    for (const { at, key } of due) {
      const windows = this.#due.get(groupIn(key));
      if (windows === undefined) this.#due.set(groupIn(key), [[windowStartIn(key), at]]);
      else windows.push([windowStartIn(key), at]);
    }
    let panes = 0;
    for (const [group, windows] of this.#due) {
      if (panes < PANES_DUE_MAX) panes += this.#wantPanes(group, windows, final) ?? 0;
      else {
        this.#due.delete(group);
        this.unfinished = true;
      }
    }
  }

  // ---- what a tick changes

  #change(input: Delta<Row>, { group, members, windows }: Touched, output: Delta<Row>): void {
    const { final } = this.options;
    const before = this.#panesOf(group, windows, !final);
    const shown = final ? [] : this.#results(group, windows, before);
    for (const [member, places] of members) this.#fold(input, group, member, places);
    const after = this.#panesOf(group, windows, !final);
    this.#comeAndGo(group, windows, before, after);
    if (final) return;
    const shows = this.#results(group, windows, after);
    windows.forEach((_, at) => {
      const [old, row] = [shown[at]!, shows[at]!];
      if (old !== null && row !== null && sameRow(old, row)) return;
      if (old !== null) output.push(old, -1);
      if (row !== null) output.push(row, 1);
    });
  }

  #fold(
    { rows, weights, orders }: Delta<Row>,
    group: string,
    member: string,
    places: readonly number[],
  ): void {
    const { aggregators } = this.options;
    const key = member + group;
    let pane = this.panes.edit(key);
    const isNew = pane === undefined;
    if (pane === undefined) this.panes.set(key, (pane = emptyGroup(aggregators)));
    for (const at of places) this.#take(pane, rows[at]!, weights[at]!, orders?.[at], group);
    if (pane.count < 0)
      assert(
        false,
        `A pane of the group ${JSON.stringify(group)} would have ${pane.count} rows: a row was retracted that had not been inserted.`,
      );
    settle(pane.accumulators, aggregators, group);
    const isGone = pane.count === 0;
    if (isGone) this.panes.delete(key);
    if (isNew === isGone) return;
    this.index.addTo(isNew ? 0 : 1, group, member, isNew ? 1 : -1);
  }

  /** Windows are due from when they have a pane until they have none. */
  #comeAndGo(
    group: string,
    windows: readonly WindowText[],
    before: readonly PaneFound[],
    after: readonly PaneFound[],
  ): void {
    const { closing } = this.options;
    if (closing === null) return;
    const was = haveAny(windows, before);
    const is = haveAny(windows, after);
    windows.forEach(([start, end], at) => {
      if (was[at] === is[at]) return;
      closing.due.addTo(was[at] ? 1 : 0, end, start + group, was[at] ? -1 : 1);
      if (was[at] || end >= this.#bound) return;
      // It is over with the tick. No window of the group is closed before it, for that might take its panes.
      this.#due.delete(group);
      this.unfinished = true;
    });
  }

  #close(group: string, due: readonly WindowText[], output: Delta<Row>): void {
    const { final } = this.options;
    const closing = this.options.closing!;
    const windows = due.filter(([start, end]) => closing.due.weight(end, start + group) > 0);
    if (final) {
      const results = this.#results(group, windows, this.#panesOf(group, windows, true));
      for (const row of results) output.push(row!, 1);
    }
    const ends = new Set(windows.map(([, end]) => end));
    for (const member of this.#members(group, windows)) {
      if (!ends.has(this.options.windows.ends(startIn(member)).last)) continue;
      this.panes.delete(member + group);
      this.index.add(group, member, -1);
    }
    for (const [start, end] of windows) closing.due.add(end, start + group, -1);
  }

  /** The panes of windows, with what they hold where that was named. */
  #panesOf(group: string, windows: readonly WindowText[], contents: boolean): PaneFound[] {
    return this.#members(group, windows).map((member) => ({
      start: startIn(member),
      from: fromIn(member),
      late: this.#isLate(member),
      group: contents ? this.panes.get(member + group)! : null,
    }));
  }

  #results(group: string, windows: readonly WindowText[], panes: readonly PaneFound[]): (Row | null)[] {
    const { aggregators, rowOf } = this.options;
    return mergedPanes(windows, panes as readonly Pane[], aggregators).map((merged, at) => {
      if (merged === null) return null;
      settle(merged.accumulators, aggregators, group);
      const results = aggregators.map((one, slot) => one.result(merged.accumulators[slot], group));
      return rowOf(group, windows[at]!, results);
    });
  }
}

interface Touched {
  readonly group: string;
  /** The rows of each pane, as their places in the input. */
  readonly members: Map<string, number[]>;
  windows: readonly WindowText[];
  retracts?: boolean;
}

type PaneFound = Omit<Pane, 'group'> & { readonly group: Group | null };

const compareWindows = ([start, end]: WindowText, [otherStart, otherEnd]: WindowText): number =>
  compareText(start, otherStart) || compareText(end, otherEnd);

const distinct = (windows: readonly WindowText[]): WindowText[] =>
  windows.filter((window, at) => at === 0 || compareWindows(windows[at - 1]!, window) < 0);

/** What windows cover: of two that are far apart nothing between them is looked at. */
const spansOf = (windows: readonly WindowText[]): Span[] =>
  united(windows.map(([from, to]) => ({ from, to })));

/** Which windows have a pane; both in their order. */
function haveAny(windows: readonly WindowText[], panes: readonly PaneFound[]): boolean[] {
  let first = 0;
  return windows.map(([start, end]) => {
    while (first < panes.length && panes[first]!.start < start) first++;
    for (let at = first; at < panes.length && panes[at]!.start < end; at++)
      if (panes[at]!.from <= end) return true;
    return false;
  });
}

/** A pane is named by two instants, a window by its start before the text of its group. */
const INSTANT_LENGTH = 24;
const startIn = (member: string): string => member.slice(0, INSTANT_LENGTH);
const fromIn = (member: string): string => member.slice(INSTANT_LENGTH);
const windowStartIn = (key: string): string => key.slice(0, INSTANT_LENGTH);
export const groupIn = (key: string): string => key.slice(INSTANT_LENGTH);
