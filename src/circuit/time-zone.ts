export const DAY_MS = 86_400_000;

/** No zone was ever further from UTC than this, nor is a local day longer by more. */
export const ZONE_OFFSET_MAX_MS = 16 * 3_600_000;

/** A time in which the clocks of a zone do not change: local time is UTC and `offset`. Ends at a day of UTC at the latest. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

/** How many days' spans are remembered. */
const DAYS_MAX = 4_096;

/**
 * The clocks of a time zone, through all their changes, in milliseconds: what `Intl` knows of them, which comes with
 * Node. Nothing here asks for the present.
 */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat;
  /** By day of UTC: one span, or two around a change of the clocks. */
  readonly #days = new Map<number, readonly Span[]>();

  /** @throws RangeError if there is no zone of this name. */
  constructor(readonly name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  }

  spanAt(ms: number): Span {
    const [first, second] = this.#spansOf(Math.floor(ms / DAY_MS)) as [Span, Span?];
    return second !== undefined && ms >= second.from ? second : first;
  }

  /** The first time at which the clocks show a local time or a later one. */
  firstAt(localMs: number): number {
    for (let span = this.spanAt(localMs - ZONE_OFFSET_MAX_MS); ; span = this.spanAt(span.to)) {
      const at = Math.max(span.from, localMs - span.offset);
      if (at < span.to) return at;
    }
  }

  #spansOf(day: number): readonly Span[] {
    let spans = this.#days.get(day);
    if (spans === undefined) {
      if (this.#days.size >= DAYS_MAX) this.#days.clear();
      this.#days.set(day, (spans = this.#spansBetween(day * DAY_MS, (day + 1) * DAY_MS)));
    }
    return spans;
  }

  #spansBetween(from: number, to: number): readonly Span[] {
    const before = this.#offsetAt(from);
    const after = this.#offsetAt(to - 1);
    if (before === after) return [{ from, to, offset: before }];
    let [low, high] = [from, to - 1];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    return [
      { from, to: high, offset: before },
      { from: high, to, offset: after },
    ];
  }

  /** `GMT-05:00`, `GMT+00:53:28`, `GMT`. */
  #offsetAt(ms: number): number {
    const text = this.#format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')!.value;
    const match = /^GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text)!;
    const [, sign = '+', hours = '0', minutes = '0', seconds = '0'] = match;
    return (sign === '-' ? -1_000 : 1_000) * (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds));
  }
}
