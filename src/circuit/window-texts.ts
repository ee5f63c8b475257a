import { hasInstant, instantMs, instantText } from '../zset/instant-text.js';
import type { Span, WindowsOf } from './windows.js';

export type WindowText = readonly [start: string, end: string];

/** The windows of a time as texts, in the order of their ends; the times from `from` up to `to` have the same. */
export interface TimeWindows {
  readonly from: string;
  readonly to: string;
  /** Null where one of them has an edge that no instant is. */
  readonly windows: readonly WindowText[] | null;
}

/** How many times are remembered, and windows of all of them: mostly many rows fall into few windows. */
const REMEMBERED_MAX = 1_000;
const WINDOWS_REMEMBERED_MAX = 100_000;
/** Of how many it is remembered when they are over: more than a group is looked at in a tick, mostly, and each is little. */
const ENDS_REMEMBERED_MAX = 20_000;

/** How many windows are remembered as texts by themselves: the windows of one time are mostly those of the next, too. */
const TEXTS_REMEMBERED_MAX = 20_000;

/** When the first and the last of the windows of a time are over. */
export interface WindowEnds {
  readonly first: string;
  readonly last: string;
}
const NONE: TimeWindows = { from: '', to: '', windows: [] };

/** Windows as rows hold them. */
export class WindowTexts {
  /** By where they begin. */
  readonly #known = new Map<string, TimeWindows>();
  #windowsKnown = 0;
  readonly #ends = new Map<string, WindowEnds>();
  /** By their ends. */
  readonly #texts = new Map<number, { readonly startMs: number; readonly text: WindowText }>();
  #last = NONE;

  constructor(readonly windowsOf: WindowsOf) {}

  at(at: string): TimeWindows {
    if (at < this.#last.from || at >= this.#last.to) this.#last = this.#find(at);
    return this.#last;
  }

  /** The same of a time that is known to be the first of those with the same windows. */
  from(from: string): TimeWindows {
    return this.#known.get(from) ?? this.#find(from);
  }

  /** The ends of the same, which there must be. */
  ends(from: string): WindowEnds {
    let ends = this.#ends.get(from);
    if (ends === undefined) {
      const windows = this.from(from).windows!;
      if (this.#ends.size >= ENDS_REMEMBERED_MAX) this.#ends.clear();
      this.#ends.set(from, (ends = { first: windows[0]![1], last: windows.at(-1)![1] }));
    }
    return ends;
  }

  #find(at: string): TimeWindows {
    const { windows, from: fromMs, to } = this.windowsOf(instantMs(at));
    const from = instantText(fromMs);
    let known = this.#known.get(from);
    if (known === undefined) {
      this.#windowsKnown += windows.length;
      if (this.#known.size >= REMEMBERED_MAX || this.#windowsKnown > WINDOWS_REMEMBERED_MAX) {
        this.#known.clear();
        this.#windowsKnown = windows.length;
      }
      const isSaid = windows.every(({ start, end }) => hasInstant(start) && hasInstant(end));
      const texts = isSaid ? windows.map((window) => this.#textOf(window)) : null;
      known = { from, to: instantText(to), windows: texts };
      this.#known.set(from, known);
    }
    return known;
  }

  #textOf({ start, end }: Span): WindowText {
    let known = this.#texts.get(end);
    if (known?.startMs !== start) {
      if (this.#texts.size >= TEXTS_REMEMBERED_MAX) this.#texts.clear();
      this.#texts.set(end, (known = { startMs: start, text: [instantText(start), instantText(end)] }));
    }
    return known.text;
  }
}
