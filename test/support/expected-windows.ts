import { instantMs } from '../../src/zset/instant-text.js';
import { type Entry, type Event, floor, LATENESS, MINUTE, text, told } from './histories.js';

/** What windows show of a history, computed from scratch: of the events that were not late for them. */

export function windowsExpected(
  history: readonly Entry[],
  { size, every, final }: { size: number; every: number; final: boolean },
) {
  const groups = new Map<
    string,
    { key: string; start: number; end: number; n: number; sum: number; min: number }
  >();
  const { clock } = told(history);
  for (const { event, late } of told(history)) {
    const ms = instantMs(event.at);
    for (let start = floor(ms, every); start + size > ms; start -= every) {
      const end = start + size;
      if (end <= late) continue;
      const group = groups.get(`${event.key}|${start}`) ?? {
        key: event.key,
        start,
        end,
        n: 0,
        sum: 0,
        min: Infinity,
      };
      group.n++;
      group.sum += event.n;
      group.min = Math.min(group.min, event.n);
      groups.set(`${event.key}|${start}`, group);
    }
  }
  return [...groups.values()]
    .filter(({ end }) => !final || end <= clock - LATENESS)
    .map(({ key, start, end, n, sum: total, min: least }) => ({
      key,
      windowStart: text(start),
      windowEnd: text(end),
      n,
      total,
      least,
    }));
}

/** Sessions with gaps of more than `gap`, formed event by event, as far as they end before `over`. */
export function sessionsExpected(
  rows: readonly { event: Omit<Event, 'until'>; late: number }[],
  { gap, over }: { gap: number; over: number },
) {
  interface Known {
    key: string;
    first: number;
    last: number;
    each: number[];
  }
  let sessions: Known[] = [];
  for (const { event, late } of rows) {
    const ms = instantMs(event.at);
    if (ms + gap < late) continue;
    const joined = sessions.filter(
      ({ key, first, last }) =>
        key === event.key && first - gap <= ms && ms <= last + gap && late <= last + gap,
    );
    sessions = sessions.filter((one) => !joined.includes(one));
    sessions.push({
      key: event.key,
      first: Math.min(ms, ...joined.map(({ first }) => first)),
      last: Math.max(ms, ...joined.map(({ last }) => last)),
      each: [event.n, ...joined.flatMap(({ each }) => each)],
    });
  }
  return sessions
    .filter(({ last }) => last + gap < over)
    .map(({ key, first, last, each }) => ({
      key,
      windowStart: text(first),
      windowEnd: text(last + gap),
      n: each.length,
      total: each.reduce((total, n) => total + n, 0),
      least: Math.min(...each),
    }));
}

/** Windows that end with an event, and those that begin just behind one and have any; of the events that were not late for them. */
export function slidesExpected(
  rows: readonly { event: Omit<Event, 'until'>; late: number }[],
  { size, over }: { size: number; over: number },
) {
  return [...new Set(rows.map(({ event }) => event.key))].flatMap((key) => {
    const own = rows
      .filter(({ event }) => event.key === key)
      .map(({ event, late }) => ({ ms: instantMs(event.at), n: event.n, late }));
    const ends = own.flatMap(({ ms, late }) => [
      ...(ms >= late ? [ms] : []),
      ...(ms + size >= late ? [ms + 1 + size] : []),
    ]);
    return [...new Set(ends)].flatMap((end) => {
      const held = own.filter(({ ms, late }) => end - size <= ms && ms <= end && late <= end);
      if (held.length === 0 || end >= over) return [];
      const n = held.map((one) => one.n);
      const [windowStart, windowEnd] = [text(end - size), text(end)];
      return [
        {
          key,
          windowStart,
          windowEnd,
          n: n.length,
          total: n.reduce((left, right) => left + right),
          least: Math.min(...n),
        },
      ];
    });
  });
}

/** The events of each window and key that are not late for it. */
export function inWindows(
  history: readonly Entry[],
): (Event & { windowStart: string; windowEnd: string })[][] {
  const groups = new Map<string, (Event & { windowStart: string; windowEnd: string })[]>();
  for (const { event, late } of told(history)) {
    const start = floor(instantMs(event.at), 60 * MINUTE);
    if (start + 60 * MINUTE <= late) continue;
    const group = groups.get(`${start} ${event.key}`) ?? [];
    groups.set(`${start} ${event.key}`, group);
    group.push({ ...event, windowStart: text(start), windowEnd: text(start + 60 * MINUTE) });
  }
  return [...groups.values()];
}
