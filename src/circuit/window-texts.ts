import { hasInstant, instantMs, instantText } from '../zset/instant-text.js';
import type { WindowsOf } from './windows.js';

export type WindowText = readonly [start: string, end: string];

/** The windows of a time as texts, in the order of their ends; the times from `from` up to `to` have the same. */
export interface TimeWindows {
  readonly from: string;
  readonly to: string;
  /** Null where one of them has an edge that no instant is. */
  readonly windows: readonly WindowText[] | null;
}

/** How many are remembered: mostly many rows fall into few windows. */
const REMEMBERED_MAX = 1_000;
const NONE: TimeWindows = { from: '', to: '', windows: [] };

/** Windows as rows hold them. */
export class WindowTexts {
  /** By where they begin. */
  readonly #known = new Map<string, TimeWindows>();
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

  #find(at: string): TimeWindows {
    const { windows, from: fromMs, to } = this.windowsOf(instantMs(at));
    const from = instantText(fromMs);
    let known = this.#known.get(from);
    if (known === undefined) {
      if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
      const texts = windows.every(({ start, end }) => hasInstant(start) && hasInstant(end))
        ? windows.map(({ start, end }) => [instantText(start), instantText(end)] as const)
        : null;
      known = { from, to: instantText(to), windows: texts };
      this.#known.set(from, known);
    }
    return known;
  }
}
