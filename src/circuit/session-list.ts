/** A session by the times of its first and its last row, in ms. */
export interface Session {
  readonly start: number;
  readonly last: number;
}

/** Rows that go from one session to another: those of these times, first and last included. */
export interface Move extends Session {
  readonly from: number;
  readonly to: number;
}

/**
 * Sessions of one group, in order: no two of them share a time, and rows whose times are at most the gap apart are in
 * one. (Only a session that was over before such a row came stays apart from it.)
 */
export class SessionList {
  readonly #sessions: Session[];

  constructor(
    readonly gapMs: number,
    sessions: readonly Session[],
  ) {
    this.#sessions = [...sessions];
  }

  get all(): readonly Session[] {
    return this.#sessions;
  }

  /** The session that a time is in. */
  at(time: number): Session | undefined {
    const session = this.#sessions[this.#countFrom(time) - 1];
    return session !== undefined && session.last >= time ? session : undefined;
  }

  /** A row comes at this time: it joins all sessions it touches that were not over by the watermark it came under. */
  add(time: number, watermark: number): void {
    const least = Math.max(time, watermark) - this.gapMs;
    const end = this.#countFrom(time + this.gapMs);
    let first = end;
    while (first > 0 && this.#sessions[first - 1]!.last >= least) first--;
    const joined = this.#sessions.slice(first, end);
    const start = Math.min(time, joined[0]?.start ?? time);
    const last = Math.max(time, joined.at(-1)?.last ?? time);
    this.#sessions.splice(first, end - first, { start, last });
  }

  /** No row is left at this time; the nearest that are, before it and after it, where there are any. */
  remove(time: number, before: number | undefined, after: number | undefined): void {
    const session = this.at(time);
    if (session === undefined) return; // It went with another time.
    const { start, last } = session;
    const left = before !== undefined && before >= start ? before : undefined;
    const right = after !== undefined && after <= last ? after : undefined;
    const parts: Session[] = [];
    if (left !== undefined && right !== undefined && right - left <= this.gapMs) return;
    if (left !== undefined) parts.push({ start, last: left });
    if (right !== undefined) parts.push({ start: right, last });
    this.#sessions.splice(this.#countFrom(time) - 1, 1, ...parts);
  }

  /** The times at which rows of these sessions begin otherwise in the others. */
  static moves(before: SessionList, after: SessionList): Move[] {
    const moves: Move[] = [];
    for (const { start: from, last: lastBefore } of before.#sessions)
      for (let at = Math.max(0, after.#countFrom(from) - 1); at < after.#sessions.length; at++) {
        const { start: to, last: lastAfter } = after.#sessions[at]!;
        if (to > lastBefore) break;
        const [start, last] = [Math.max(from, to), Math.min(lastBefore, lastAfter)];
        if (from !== to && start <= last) moves.push({ start, last, from, to });
      }
    return moves;
  }

  /** How many sessions begin up to this time. */
  #countFrom(time: number): number {
    let low = 0;
    let high = this.#sessions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sessions[middle]!.start <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
