import { Delta } from '../../zset/delta.js';
import { instantText } from '../../zset/instant-text.js';
import type { Row, Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import type { DueTimes } from '../due-times.js';
import type { Group } from '../group.js';
import { compareWindows, haveAny, KeptPanes, type PaneFound } from '../kept-panes.js';
import type { Keyed, Operator, Ordered } from '../operator.js';
import { sameRow } from '../same-row.js';
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
  readonly #kept: KeptPanes;

  constructor(
    panes: Keyed<Group>,
    index: Ordered,
    readonly options: PanedAggregateOptions,
  ) {
    this.#kept = new KeptPanes(panes, index, options.windows, options.aggregators);
    this.timed = options.closing !== null;
  }

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) this.#group(input);
    let loaded = true;
    for (const { group, panes } of this.#touched.values())
      if (!this.#kept.wantEach(group, panes.keys())) loaded = false;
    this.#wantDue(time);
    if (!loaded) return;
    for (const touched of this.#touched.values()) {
      touched.windows = this.#windowsMet(touched);
      this.#kept.want(touched.group, touched.windows, !this.options.final);
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
      const pane = `${startOf(row) as string}${fromOf(row) as string}`;
      let touched = this.#touched.get(group);
      if (touched === undefined)
        this.#touched.set(group, (touched = { group, panes: new Map(), windows: [] }));
      const places = touched.panes.get(pane);
      if (places === undefined) touched.panes.set(pane, [index]);
      else places.push(index);
      if (input.weights[index]! < 0) touched.retracts = true;
    }
    this.#input = input;
  }

  /** The windows whose results change, in their order; where results wait, those that may come or go. */
  #windowsMet({ group, panes, retracts = false }: Touched): WindowText[] {
    const { final } = this.options;
    const met = [...panes.keys()].filter((pane) => !final || retracts || !this.#kept.isThere(group, pane));
    const windows: WindowText[] = [];
    let late = false;
    for (const pane of met.sort()) {
      const last = windows.at(-1);
      if (this.#kept.isLate(pane)) late = true;
      for (const window of this.#kept.windowsOf(pane))
        if (last === undefined || late || compareWindows(last, window) < 0) windows.push(window);
    }
    return late ? distinct(windows.sort(compareWindows)) : windows;
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
    const known = { groups: 0, panes: 0 };
    let panes = 0;
    for (const [group, windows] of this.#due) {
      if (panes >= PANES_DUE_MAX) {
        this.#due.delete(group);
        this.unfinished = true;
        continue;
      }
      const found = this.#kept.want(group, windows, final);
      if (found !== null) {
        known.groups++;
        known.panes += found;
      }
      // One whose panes are not listed yet may have as many as there can be; as many as the others, once those are known.
      panes += found ?? (known.groups > 0 ? known.panes / known.groups : this.#kept.mostOf(windows));
    }
  }

  #change(input: Delta<Row>, { group, panes, windows }: Touched, output: Delta<Row>): void {
    const { final } = this.options;
    const before = this.#kept.of(group, windows, !final);
    const shown = final ? [] : this.#results(group, windows, before);
    for (const [pane, places] of panes) this.#kept.fold(input, group, pane, places);
    const after = this.#kept.of(group, windows, !final);
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

  #close(group: string, over: readonly WindowText[], output: Delta<Row>): void {
    const { due } = this.options.closing!;
    const windows = over.filter(([start, end]) => due.weight(end, start + group) > 0);
    if (this.options.final) {
      const results = this.#results(group, windows, this.#kept.of(group, windows, true));
      for (const row of results) output.push(row!, 1);
    }
    this.#kept.free(group, windows);
    for (const [start, end] of windows) due.add(end, start + group, -1);
  }

  #results(group: string, windows: readonly WindowText[], panes: readonly PaneFound[]): (Row | null)[] {
    const { aggregators, rowOf } = this.options;
    return this.#kept.merged(group, windows, panes).map((merged, at) => {
      if (merged === null) return null;
      const results = aggregators.map((one, slot) => one.result(merged.accumulators[slot], group));
      return rowOf(group, windows[at]!, results);
    });
  }
}

interface Touched {
  readonly group: string;
  /** The rows of each pane, as their places in the input. */
  readonly panes: Map<string, number[]>;
  windows: readonly WindowText[];
  retracts?: boolean;
}

const distinct = (windows: readonly WindowText[]): WindowText[] =>
  windows.filter((window, at) => at === 0 || compareWindows(windows[at - 1]!, window) < 0);

/** A window that is due is named by its start before the text of its group. */
const INSTANT_LENGTH = 24;
const windowStartIn = (key: string): string => key.slice(0, INSTANT_LENGTH);
export const groupIn = (key: string): string => key.slice(INSTANT_LENGTH);
