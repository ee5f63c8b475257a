import { assert } from '../assert.js';
import type { Delta } from '../zset/delta.js';
import { compareText } from '../zset/text-order.js';
import type { Row } from '../zset/value.js';
import type { Aggregator } from './aggregator.js';
import { emptyGroup, folding, type Group, settle, type Take } from './group.js';
import { mergedPanes, type Pane } from './merged-panes.js';
import type { Keyed, Ordered } from './operator.js';
import { type Span, united } from './spans.js';
import type { WindowText, WindowTexts } from './window-texts.js';

/** A pane of a group, and what is folded of its rows where that was named. */
export type PaneFound = Omit<Pane, 'group'> & { readonly group: Group | null };

/**
 * What is folded of the rows of each pane. A pane is named by where it starts and where the first of the windows ends that its
 * rows count in: that is another one for rows that were late for some of them.
 */
export class KeptPanes {
  readonly #take: Take;

  constructor(
    /** By pane and group: what is folded of its rows. */
    readonly panes: Keyed<Group>,
    /** By group: the panes it has, in the order of their starts. */
    readonly index: Ordered,
    readonly windows: WindowTexts,
    readonly aggregators: readonly Aggregator[],
  ) {
    this.#take = folding(aggregators);
  }

  /** The windows that the rows of a pane count in, in their order. */
  windowsOf(pane: string): readonly WindowText[] {
    const windows = this.windows.from(startIn(pane)).windows!;
    const from = fromIn(pane);
    return from === windows[0]![1] ? windows : windows.filter(([, end]) => end >= from);
  }

  /** Whether the rows of a pane were late for some of the windows they would be in. */
  isLate(pane: string): boolean {
    return fromIn(pane) !== this.windows.ends(startIn(pane)).first;
  }

  isThere(group: string, pane: string): boolean {
    return this.panes.get(pane + group) !== undefined;
  }

  wantEach(group: string, panes: Iterable<string>): boolean {
    return this.panes.wantEach(Array.from(panes, (pane) => pane + group));
  }

  /** Names the panes of windows, and what they hold if that is asked for. How many there are; null while that is not known. */
  want(group: string, windows: readonly WindowText[], contents: boolean): number | null {
    let known = true;
    for (const { from, to } of spansOf(windows)) if (!this.index.wantBetween(group, from, to)) known = false;
    if (!known) return null;
    const found = this.#names(group, windows);
    if (contents) this.wantEach(group, found);
    return found.length;
  }

  /** How many panes windows that follow one another may have. */
  mostOf(windows: readonly WindowText[]): number {
    // Of the first it may be in windows that begin before all instants.
    const ofOne = this.windows.from(windows[0]![0]).windows?.length ?? windows.length;
    return ofOne + windows.length - 1;
  }

  /** The panes of windows, with what they hold where that was named. */
  of(group: string, windows: readonly WindowText[], contents: boolean): PaneFound[] {
    return this.#names(group, windows).map((pane) => ({
      start: startIn(pane),
      from: fromIn(pane),
      late: this.isLate(pane),
      group: contents ? this.panes.get(pane + group)! : null,
    }));
  }

  /** What the panes of each window are merged to; null of one that has none. */
  merged(group: string, windows: readonly WindowText[], panes: readonly PaneFound[]): (Group | null)[] {
    const merged = mergedPanes(windows, panes as readonly Pane[], this.aggregators);
    for (const one of merged) if (one !== null) settle(one.accumulators, this.aggregators, group);
    return merged;
  }

  /** Rows of a group's pane: those at these places of the input. */
  fold({ rows, weights, orders }: Delta<Row>, group: string, pane: string, places: readonly number[]): void {
    const key = pane + group;
    let folded = this.panes.edit(key);
    const isNew = folded === undefined;
    if (folded === undefined) this.panes.set(key, (folded = emptyGroup(this.aggregators)));
    for (const at of places) this.#take(folded, rows[at]!, weights[at]!, orders?.[at], group);
    if (folded.count < 0)
      assert(
        false,
        `A pane of the group ${JSON.stringify(group)} would have ${folded.count} rows: a row was retracted that had not been inserted.`,
      );
    settle(folded.accumulators, this.aggregators, group);
    const isGone = folded.count === 0;
    if (isGone) this.panes.delete(key);
    if (isNew === isGone) return;
    this.index.addTo(isNew ? 0 : 1, group, pane, isNew ? 1 : -1);
  }

  /** Of windows that are over: the panes go of which one was the last window. */
  free(group: string, windows: readonly WindowText[]): void {
    const ends = new Set(windows.map(([, end]) => end));
    for (const pane of this.#names(group, windows)) {
      if (!ends.has(this.windows.ends(startIn(pane)).last)) continue;
      this.panes.delete(pane + group);
      this.index.add(group, pane, -1);
    }
  }

  #names(group: string, windows: readonly WindowText[]): string[] {
    return spansOf(windows).flatMap(({ from, to }) =>
      Array.from(this.index.between(group, from, to), ([pane]) => pane),
    );
  }
}

export const compareWindows = ([start, end]: WindowText, [otherStart, otherEnd]: WindowText): number =>
  compareText(start, otherStart) || compareText(end, otherEnd);

/** Which windows have a pane; both in their order. */
export function haveAny(windows: readonly WindowText[], panes: readonly PaneFound[]): boolean[] {
  let first = 0;
  return windows.map(([start, end]) => {
    while (first < panes.length && panes[first]!.start < start) first++;
    for (let at = first; at < panes.length && panes[at]!.start < end; at++)
      if (panes[at]!.from <= end) return true;
    return false;
  });
}

/** What windows cover: of two that are far apart nothing between them is looked at. */
const spansOf = (windows: readonly WindowText[]): Span[] =>
  united(windows.map(([from, to]) => ({ from, to })));

const INSTANT_LENGTH = 24;
const startIn = (pane: string): string => pane.slice(0, INSTANT_LENGTH);
const fromIn = (pane: string): string => pane.slice(INSTANT_LENGTH);
