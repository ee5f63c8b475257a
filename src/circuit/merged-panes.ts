import type { Aggregator } from './aggregator.js';
import { emptyGroup, Group } from './group.js';
import type { WindowText } from './window-texts.js';

/** What is folded of the rows of one group that are in the same windows. */
export interface Pane {
  readonly start: string;
  /** The end of the first window that its rows count in. */
  readonly from: string;
  /** Its rows were late for a window or more that it would be in. */
  readonly late: boolean;
  readonly group: Group;
}

/**
 * The panes of each window, merged; null of one that has none. Windows and panes are given in their order, and both ends of
 * windows move forward only: so panes go through a queue, in whose front lies, for each of its panes, what follows from
 * it up to the front's end, and whose back is merged as it comes. Three merges for each pane and two for each window, however
 * many panes a window has. Late panes do not come in this order; there are few, and they are merged window by window.
 */
export function mergedPanes(
  windows: readonly WindowText[],
  panes: readonly Pane[],
  aggregators: readonly Aggregator[],
): (Group | null)[] {
  const queue = new PaneQueue(aggregators);
  const onTime = panes.filter(({ late }) => !late);
  const late = panes.filter((pane) => pane.late);
  let next = 0;
  return windows.map(([start, end]) => {
    while (next < onTime.length && onTime[next]!.start < end) queue.push(onTime[next++]!);
    queue.dropBefore(start);
    const merged = queue.merged();
    for (const pane of late)
      if (start <= pane.start && pane.start < end && pane.from <= end)
        mergeInto(merged, pane.group, aggregators);
    return merged.count === 0 ? null : merged;
  });
}

class PaneQueue {
  /** From the front's last pane to its first: each with those behind it, up to the last. */
  #front: { readonly start: string; readonly group: Group }[] = [];
  #back: Pane[] = [];
  #merged: Group;

  constructor(readonly aggregators: readonly Aggregator[]) {
    this.#merged = emptyGroup(aggregators);
  }

  push(pane: Pane): void {
    this.#back.push(pane);
    mergeInto(this.#merged, pane.group, this.aggregators);
  }

  dropBefore(start: string): void {
    while (this.#front.length > 0 && this.#front.at(-1)!.start < start) this.#front.pop();
    if (this.#front.length > 0 || this.#back.length === 0 || this.#back[0]!.start >= start) return;
    const kept = this.#back.filter((pane) => pane.start >= start);
    let behind = emptyGroup(this.aggregators);
    for (const pane of kept.reverse()) {
      const group = emptyGroup(this.aggregators);
      mergeInto(group, behind, this.aggregators);
      mergeInto(group, pane.group, this.aggregators);
      this.#front.push({ start: pane.start, group: (behind = group) });
    }
    this.#back = [];
    this.#merged = emptyGroup(this.aggregators);
  }

  merged(): Group {
    const group = emptyGroup(this.aggregators);
    const first = this.#front.at(-1);
    if (first !== undefined) mergeInto(group, first.group, this.aggregators);
    mergeInto(group, this.#merged, this.aggregators);
    return group;
  }
}

function mergeInto(group: Group, other: Group, aggregators: readonly Aggregator[]): void {
  group.count += other.count;
  for (let slot = 0; slot < aggregators.length; slot++)
    group.accumulators[slot] = aggregators[slot]!.merge!(group.accumulators[slot], other.accumulators[slot]);
}
