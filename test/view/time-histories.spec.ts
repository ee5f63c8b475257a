import {
  avg,
  collect,
  count,
  countDistinct,
  cumulating,
  hopping,
  instant,
  denseRank,
  lag,
  lead,
  max,
  min,
  session,
  rank,
  rolling,
  rowNumber,
  sliding,
  stream,
  sum,
  table,
  tumbling,
  view,
} from 'stillwater';
import { z } from 'zod';
import { instantMs } from '../../src/zset/instant-text.js';
import { at, Timed } from '../support/timed.js';
import { Random } from '../support/random.js';

/**
 * Random histories with disorder and late rows, each cut in many ways: a view has the same rows, and its circuit the same
 * state, however the log is cut, however time advances, with caches that hold nothing, ticks computed in vain and
 * workers that take over. And what it has is what the log says, computed from scratch.
 */
const MINUTE = 60_000;
const LATENESS = 30 * MINUTE;

const events = stream('events', {
  schema: z.object({ at: instant(), until: instant().nullable(), key: z.string(), n: z.int() }),
  eventTime: 'at',
  lateness: '30m',
});
const places = table('places', { schema: z.object({ key: z.string(), name: z.string() }), key: 'key' });

interface Event {
  at: string;
  until: string | null;
  key: string;
  n: number;
}
/** An event, a heartbeat, or a record of the table. */
type Entry =
  | { event: Event; clock?: never; place?: never }
  | { clock: string; event?: never; place?: never }
  | { place: { key: string; name: string }; deleted: boolean; event?: never; clock?: never };

/** Times are whole multiples of `grain`. */
function historyOf(random: Random, size: number, grain = 1): Entry[] {
  let now = 10 * 60 * MINUTE;
  return Array.from({ length: size }, (): Entry => {
    if (random.chance(0.04)) now += random.below(600 * MINUTE);
    now += random.below(6 * MINUTE);
    if (random.chance(0.05)) return { clock: at(now) };
    if (random.chance(0.1))
      return {
        place: { key: random.of(['a', 'b']), name: random.of(['x', 'y', 'z']) },
        deleted: random.chance(0.3),
      };
    const time = floor(now - (random.chance(0.3) ? random.below(90 * MINUTE) : 0), grain);
    const until = random.chance(0.2) ? null : at(time + random.below(120 * MINUTE));
    return { event: { at: at(time), until, key: random.of(['a', 'b', '']), n: random.below(5) } };
  });
}

const hourly = events.window(tumbling('1h')).groupBy('key');
const everything = {
  n: count(),
  most: max<Event, 'n'>('n'),
  mean: avg<Event, 'n'>('n'),
  each: collect<Event, 'n'>('n'),
  kinds: countDistinct<Event, 'n'>('n'),
};

/** The events that are not late for windows that end here, or for their own time; and the clock at the end. */
function told(history: readonly Entry[]): { event: Event; late: number }[] & { clock: number } {
  let clock = -Infinity;
  const found: { event: Event; late: number }[] = [];
  for (const { event, clock: heartbeat } of history) {
    if (heartbeat) clock = Math.max(clock, instantMs(heartbeat));
    if (!event) continue;
    found.push({ event, late: clock - LATENESS });
    clock = Math.max(clock, instantMs(event.at));
  }
  return Object.assign(found, { clock });
}
const floor = (ms: number, size: number) => Math.floor(ms / size) * size;
const text = (ms: number) => new Date(ms).toISOString();

function windowsExpected(
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
function sessionsExpected(
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

const results = { n: count(), total: sum<Event, 'n'>('n'), least: min<Event, 'n'>('n') };

interface Case {
  /** Late rows are left out at several places: which of them was seen first is a matter of the cut. */
  readonly severalLate?: true;
  view: any;
  expected?: (history: readonly Entry[]) => object[];
  grain?: number;
}

/** Windows that end with an event, and those that begin just behind one and have any; of the events that were not late for them. */
function slidesExpected(
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

const inSlides = events.window(sliding('10m')).groupBy('key');
const SIZE = { size: 10 * MINUTE, over: Infinity };
const inSessions = events.window(session('10m')).groupBy('key');
const GAP = { gap: 10 * MINUTE, over: Infinity };
const NEVER_LATE = { late: -Infinity };

/** The events of each window and key that are not late for it. */
function inWindows(history: readonly Entry[]): (Event & { windowStart: string; windowEnd: string })[][] {
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
const byText = (left: object, right: object): number =>
  JSON.stringify(left) < JSON.stringify(right) ? -1 : 1;
const inWindow = events.window(tumbling('1h')).rows();
const ofWindow = { per: ['windowStart', 'key'] } as const;

/** Of the events of a key that were not late, in order, what each sees of the others. */
const placesExpected =
  (told_: (group: Event[], place: number) => object) =>
  (history: readonly Entry[]): object[] => {
    const rows = told(history)
      .filter(({ event, late }) => instantMs(event.at) >= late)
      .map(({ event }) => event);
    return [...new Set(rows.map(({ key }) => key))].flatMap((key) => {
      const group = rows
        .filter((event) => event.key === key)
        .sort((left, right) => instantMs(left.at) - instantMs(right.at) || byText(left, right));
      return group.map((event, place) => ({ ...event, ...told_(group, place) }));
    });
  };
const totalOf = (rows: readonly Event[]) => rows.reduce((total, { n }) => total + n, 0);
const byTime = { per: 'key', order: 'at' } as const;
const key = ['at', 'key', 'n', 'until'] as [string, ...string[]];

const some = events.where(({ n }) => n < 3).select({ at: 'at', key: 'key' });
const many = events.where(({ n }) => n >= 3).select({ at: 'at', key: 'key' });
/** The times and keys of the events that were not late, as texts. */
function onTime(history: readonly Entry[]): { few: string[]; more: string[] } {
  const rows = told(history).filter(({ event, late }) => instantMs(event.at) >= late);
  const textsOf = (is: (n: number) => boolean): string[] =>
    rows
      .filter(({ event }) => is(event.n))
      .map(({ event: { at: time, key } }) => JSON.stringify({ at: time, key }));
  return { few: textsOf((n) => n < 3), more: textsOf((n) => n >= 3) };
}

const cases: Record<string, Case> = {
  'sessions, on update': {
    view: view('v', { from: inSessions.aggregate(results) }),
    expected: (history) => sessionsExpected(told(history), GAP),
    grain: 5 * MINUTE,
  },
  'sessions, final': {
    view: view('v', { from: inSessions.aggregate(results).final() }),
    expected: (history) => sessionsExpected(told(history), { ...GAP, over: told(history).clock - LATENESS }),
    grain: 5 * MINUTE,
  },
  'sessions with all kinds of aggregates, final': {
    view: view('v', { from: inSessions.aggregate(everything).final() }),
    grain: 5 * MINUTE,
  },
  'sessions with all kinds of aggregates, kept apart from the view’s rows': {
    view: view('v', {
      from: inSessions.aggregate(everything).where(({ n }) => n > 1),
      key: ['key', 'windowStart', 'n'],
    }),
    grain: 5 * MINUTE,
  },
  'sessions of rows that go': {
    view: view('v', {
      from: events.last('2h').window(session('10m'), { on: 'at' }).groupBy('key').aggregate(results),
    }),
    expected(history) {
      const { clock } = told(history);
      const left = told(history).filter(({ event }) => instantMs(event.at) + 120 * MINUTE > clock);
      return sessionsExpected(
        left.map(({ event }) => ({ event, ...NEVER_LATE })),
        GAP,
      );
    },
    grain: 5 * MINUTE,
  },
  'sessions of results that are retracted, final': {
    view: view('v', {
      from: hourly
        .aggregate(results)
        .select({ key: 'key', hour: 'windowStart', n: 'n' })
        .window(session('1h'))
        .groupBy('key')
        .aggregate({ n: count(), total: sum('n'), least: min('n') })
        .final(),
    }),
    expected(history) {
      const shown = { size: 60 * MINUTE, every: 60 * MINUTE, final: false };
      const hours = windowsExpected(history, shown).map(({ key, windowStart, n }) => ({
        event: { key, at: windowStart, n },
        ...NEVER_LATE,
      }));
      // The hour before the watermark may still get rows.
      const over = told(history).clock - LATENESS - 60 * MINUTE + 1;
      return sessionsExpected(hours, { gap: 60 * MINUTE, over });
    },
  },
  'sliding windows, on update': {
    view: view('v', { from: inSlides.aggregate(results) }),
    expected: (history) => slidesExpected(told(history), SIZE),
  },
  'sliding windows, final': {
    view: view('v', { from: inSlides.aggregate(results).final() }),
    expected: (history) => slidesExpected(told(history), { ...SIZE, over: told(history).clock - LATENESS }),
    grain: 2.5 * MINUTE,
  },
  'sliding windows with all kinds of aggregates, kept apart from the view’s rows': {
    view: view('v', {
      from: inSlides.aggregate(everything).where(({ n }) => n > 1),
      key: ['key', 'windowStart', 'n'],
    }),
    grain: 2.5 * MINUTE,
  },
  'sliding windows of rows that go': {
    view: view('v', {
      from: events.last('2h').window(sliding('10m'), { on: 'at' }).groupBy('key').aggregate(results),
    }),
    expected(history) {
      const { clock } = told(history);
      const left = told(history).filter(({ event }) => instantMs(event.at) + 120 * MINUTE > clock);
      return slidesExpected(
        left.map(({ event }) => ({ event, ...NEVER_LATE })),
        SIZE,
      );
    },
    grain: 2.5 * MINUTE,
  },
  'sliding windows of results that are retracted, final': {
    view: view('v', {
      from: hourly
        .aggregate(results)
        .select({ key: 'key', hour: 'windowStart', n: 'n' })
        .window(sliding('3h'))
        .groupBy('key')
        .aggregate({ n: count(), total: sum('n'), least: min('n') })
        .final(),
    }),
    expected(history) {
      const shown = { size: 60 * MINUTE, every: 60 * MINUTE, final: false };
      const hours = windowsExpected(history, shown).map(({ key, windowStart, n }) => ({
        event: { key, at: windowStart, n },
        ...NEVER_LATE,
      }));
      const over = told(history).clock - LATENESS - 60 * MINUTE + 1;
      return slidesExpected(hours, { size: 180 * MINUTE, over });
    },
  },
  'tumbling windows, on update': {
    view: view('v', { from: hourly.aggregate(results) }),
    expected: (history) => windowsExpected(history, { size: 60 * MINUTE, every: 60 * MINUTE, final: false }),
  },
  'tumbling windows, final': {
    view: view('v', { from: hourly.aggregate(results).final() }),
    expected: (history) => windowsExpected(history, { size: 60 * MINUTE, every: 60 * MINUTE, final: true }),
  },
  'hopping windows that are no multiple of their hop, final': {
    view: view('v', {
      from: events
        .window(hopping('25m', { every: '10m' }))
        .groupBy('key')
        .aggregate(results)
        .final(),
    }),
    expected: (history) => windowsExpected(history, { size: 25 * MINUTE, every: 10 * MINUTE, final: true }),
  },
  'cumulating windows of a zone’s days': {
    view: view('v', {
      from: events
        .window(cumulating('1d', { every: '6h', timeZone: 'America/New_York' }))
        .groupBy('key')
        .aggregate(results)
        .final(),
    }),
  },
  'all kinds of aggregates, final, with members to free': {
    view: view('v', { from: hourly.aggregate(everything).final() }),
  },
  'all kinds of aggregates on update, kept apart from the view’s rows': {
    view: view('v', {
      from: hourly.aggregate(everything).where(({ n }) => n > 1),
      key: ['key', 'windowStart', 'n'],
    }),
  },
  'windows of windows, over results that are retracted': {
    view: view('v', {
      from: hourly
        .aggregate(results)
        .groupBy('windowEnd')
        .aggregate({ keys: count(), most: max('n'), least: min('least'), each: collect('n') }),
    }),
  },
  'windows of windows, final': {
    view: view('v', {
      from: hourly
        .aggregate(results)
        .groupBy('windowEnd')
        .aggregate({ most: max('n'), each: collect('n') })
        .final(),
    }),
  },
  'events held back until they are final': {
    view: view('v', { from: events.final(), key: ['at', 'key', 'n', 'until'] }),
    expected(history) {
      const { clock } = told(history);
      const rows = told(history)
        .filter(({ event, late }) => instantMs(event.at) >= late && instantMs(event.at) < clock - LATENESS)
        .map(({ event }) => JSON.stringify(event));
      return [...new Set(rows)].map((row) => JSON.parse(row));
    },
  },
  'events each once': {
    view: view('v', { from: events.distinct(), key: ['at', 'key', 'n', 'until'] }),
    expected(history) {
      const rows = told(history)
        .filter(({ event, late }) => instantMs(event.at) >= late)
        .map(({ event }) => JSON.stringify(event));
      return [...new Set(rows)].map((row) => JSON.parse(row));
    },
  },
  'times with events of both kinds, copy by copy': {
    severalLate: true,
    view: view('v', {
      from: some.intersect(many, { all: true }).groupBy('at', 'key').aggregate({ n: count() }),
    }),
    expected(history) {
      const { few, more } = onTime(history);
      return [...new Set(few)].flatMap((row) => {
        const n = Math.min(few.filter((one) => one === row).length, more.filter((one) => one === row).length);
        return n === 0 ? [] : [{ ...JSON.parse(row), n }];
      });
    },
    grain: 5 * MINUTE,
  },
  'what events have of those before them, in the order of time': {
    view: view('v', {
      from: events.over(byTime, {
        before: lag('n', { default: -1, offset: 2 }),
        lately: rolling(sum('n'), { range: '10m' }),
        few: rolling(max('n'), { rows: 3 }),
      }),
      key,
    } as never),
    expected: placesExpected((group, place) => ({
      before: group[place - 2]?.n ?? -1,
      lately: totalOf(
        group.filter(({ at: other }) => {
          const ms = instantMs(group[place]!.at) - instantMs(other);
          return ms >= 0 && ms <= 10 * MINUTE;
        }),
      ),
      few: Math.max(...group.slice(Math.max(0, place - 2), place + 1).map(({ n }) => n)),
    })),
  },
  'what events have of those around them, in the order of time': {
    view: view('v', {
      from: events.over(byTime, {
        next: lead('n', { default: -1 }),
        around: rolling(sum('n'), { rows: { before: 2, after: 1 } }),
        near: rolling(count(), { range: { before: '5m', after: '10m' } }),
      }),
      key,
    } as never),
    expected: placesExpected((group, place) => ({
      next: group[place + 1]?.n ?? -1,
      around: totalOf(group.slice(Math.max(0, place - 2), place + 2)),
      near: group.filter(({ at: other }) => {
        const ms = instantMs(other) - instantMs(group[place]!.at);
        return ms >= -5 * MINUTE && ms <= 10 * MINUTE;
      }).length,
    })),
    grain: 2.5 * MINUTE,
  },
  'numbers and running totals in the order of time': {
    view: view('v', {
      from: events.over(byTime, {
        number: rowNumber(),
        rank: rank(),
        dense: denseRank(),
        soFar: rolling(sum('n'), { rows: 'all' }),
        least: rolling(min('n'), { range: 'all' }),
      }),
      key,
    } as never),
    expected: placesExpected((group, place) => {
      const upTo = group.filter(({ at: other }) => other <= group[place]!.at);
      return {
        number: place + 1,
        rank: 1 + group.findIndex(({ at: other }) => other === group[place]!.at),
        dense: new Set(upTo.map(({ at: other }) => other)).size,
        soFar: totalOf(group.slice(0, place + 1)),
        least: Math.min(...upTo.map(({ n }) => n)),
      };
    }),
    grain: 2.5 * MINUTE,
  },
  'hours that differ from those of other results, final': {
    severalLate: true,
    view: view('v', {
      from: hourly
        .aggregate({ n: count() })
        .except(hourly.aggregate({ n: sum('n') }))
        .final(),
      key: ['key', 'windowStart'],
    }),
    expected: (history) =>
      windowsExpected(history, { size: 60 * MINUTE, every: 60 * MINUTE, final: true })
        .filter(({ n, total }) => n !== total)
        .map(({ key, windowStart, windowEnd, n }) => ({ key, windowStart, windowEnd, n })),
  },
  'the last hour, counted': {
    view: view('v', { from: events.last('1h').groupBy('key').aggregate(results) }),
    expected(history) {
      const { clock } = told(history);
      const groups = new Map<string, { key: string; n: number; total: number; least: number }>();
      for (const { event } of told(history)) {
        if (instantMs(event.at) + 60 * MINUTE <= clock) continue;
        const group = groups.get(event.key) ?? { key: event.key, n: 0, total: 0, least: Infinity };
        group.n++;
        group.total += event.n;
        group.least = Math.min(group.least, event.n);
        groups.set(event.key, group);
      }
      return [...groups.values()];
    },
  },
  'what is shown between two times, joined to rows that change': {
    view: view('v', {
      from: events
        .leftJoin({ place: places }, { on: { key: 'key' } })
        .during({ from: 'at', until: 'until' })
        .select({ key: 'key', at: 'at', n: 'n', until: 'until', name: 'place.name' }),
      key: ['key', 'at', 'n', 'until'],
    }),
    expected(history) {
      const { clock } = told(history);
      const names = new Map<string, string>();
      for (const entry of history)
        if (entry.place && entry.deleted) names.delete(entry.place.key);
        else if (entry.place) names.set(entry.place.key, entry.place.name);
      const rows = told(history)
        .filter(
          ({ event }) =>
            instantMs(event.at) <= clock && (event.until === null || clock < instantMs(event.until)),
        )
        .map(({ event: { key, at: time, n, until } }) =>
          JSON.stringify({ key, at: time, n, until, name: names.get(key) ?? null }),
        );
      return [...new Set(rows)].map((row) => JSON.parse(row));
    },
  },
  'windows that go when they are old': {
    view: view('v', { from: hourly.aggregate(results), retain: '3h' }),
    expected(history) {
      const { clock } = told(history);
      const all = windowsExpected(history, { size: 60 * MINUTE, every: 60 * MINUTE, final: false });
      return all.filter(({ windowEnd }) => instantMs(windowEnd) + 180 * MINUTE > clock);
    },
  },
  'windows of a column without a watermark': {
    view: view('v', {
      from: events
        .where(({ until }) => until !== null)
        .window(tumbling('1h'), { on: 'until' })
        .groupBy('key')
        .aggregate(everything),
    }),
  },
};

/** Views that keep nothing of what is behind the watermark, but for the rows they show. */
const freed: typeof cases = {
  'times with few events and none with many': {
    severalLate: true,
    view: view('v', { from: some.except(many), key: ['at', 'key'] }),
    expected(history) {
      const { few, more } = onTime(history);
      return [...new Set(few)].filter((row) => !more.includes(row)).map((row) => JSON.parse(row));
    },
    grain: 5 * MINUTE,
  },
  'the first of each window': {
    view: view('v', { from: inWindow.top(2, { ...ofWindow, order: 'n.desc', rank: 'place' }) }),
    expected: (history) =>
      inWindows(history).flatMap((group) =>
        group
          .sort((left, right) => right.n - left.n || byText(left, right))
          .slice(0, 2)
          .map((event, at) => ({ ...event, place: at + 1 })),
      ),
  },
  'what the rows of a window have of their place': {
    view: view('v', {
      from: inWindow.over(
        { ...ofWindow, order: 'at' },
        {
          number: rowNumber(),
          rank: rank(),
          before: lag('n'),
          lately: rolling(sum('n'), { range: '10m' }),
          most: rolling(max('n'), { rows: 2 }),
        },
      ),
      key: ['windowStart', 'key', 'number'],
    }),
    expected: (history) =>
      inWindows(history).flatMap((group) =>
        group
          .sort((left, right) => instantMs(left.at) - instantMs(right.at) || byText(left, right))
          .map((event, place) => ({
            ...event,
            number: place + 1,
            rank: 1 + group.findIndex((other) => other.at === event.at),
            before: group[place - 1]?.n ?? null,
            lately: group
              .filter((other) => other.at <= event.at)
              .filter((other) => instantMs(event.at) - instantMs(other.at) <= 10 * MINUTE)
              .reduce((total, other) => total + other.n, 0),
            most: Math.max(event.n, group[place - 1]?.n ?? 0),
          })),
      ),
  },
  'without what repeats an event of the last twenty minutes': {
    view: view('v', {
      from: events.dedupe({ by: 'key', within: '20m', on: 'at' }),
      key: ['at', 'key', 'n', 'until'],
    }),
    expected(history) {
      const there = told(history)
        .filter(({ event, late }) => instantMs(event.at) >= late)
        .map(({ event }) => event)
        .sort((left, right) => instantMs(left.at) - instantMs(right.at) || byText(left, right));
      return there.filter(
        (event, place) =>
          !there
            .slice(0, place)
            .some(
              (other) => other.key === event.key && instantMs(event.at) - instantMs(other.at) <= 20 * MINUTE,
            ),
      );
    },
  },
  'the first event of each window': {
    view: view('v', { from: inWindow.dedupe({ by: ['windowStart', 'key'], on: 'at' }) }),
    expected: (history) =>
      inWindows(history).map(
        (group) =>
          group.sort((left, right) => instantMs(left.at) - instantMs(right.at) || byText(left, right))[0]!,
      ),
  },
};

/** Maintains a view over a history, cut at random or not at all. */
function maintained(declared: any, history: readonly Entry[], random: Random | null): Timed {
  const kept = new Timed(declared.declaration, random?.chance(0.5) ? 1 : 10_000);
  for (let from = 0; from < history.length;) {
    // A heartbeat is a tick of its own, or comes with what was read before it.
    const size = random === null ? 1 : 1 + random.below(random.of([1, 5, 60]));
    const taken: Entry[] = [];
    for (const entry of history.slice(from, from + size)) {
      if (entry.clock && taken.length > 0) break;
      taken.push(entry);
      if (entry.clock) break;
    }
    from += taken.length;
    if (taken[0]!.clock) {
      kept.clock('stream:events', taken[0]!.clock);
      continue;
    }
    const inputs = {
      'stream:events': taken.flatMap(({ event }) => (event ? [event as never] : [])),
      'table:places': taken.flatMap((entry) =>
        entry.place ? [[entry.place, entry.deleted ? -1 : 1] as never] : [],
      ),
    };
    if (random?.chance(0.2)) kept.tick(inputs, true);
    kept.tick(inputs);
    if (random?.chance(0.2)) kept.restart();
  }
  return kept;
}

const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();

describe.each<[string, Case]>(Object.entries({ ...cases, ...freed }))(
  '%s',
  (_, { view: declared, expected, grain, severalLate }) => {
    it.each([1, 2, 3])('are the same however the log is cut (history %i)', (seed) => {
      const random = new Random(seed * 977);
      const history = historyOf(random, 120, grain);
      const whole = maintained(declared, history, null);
      if (expected) expect(sorted(whole.rows)).toEqual(sorted(expected(history)));
      for (let cut = 0; cut < 4; cut++) {
        const other = maintained(declared, history, random);
        expect(other.rows).toEqual(whole.rows);
        if (severalLate) for (const { store } of [whole, other]) store.keyed.delete('lates');
        expect(other.store.toString()).toBe(whole.store.toString());
        expect(other.late).toBe(whole.late);
        expect(other.errors).toBe(0);
      }
    });
  },
);

describe.each(Object.entries(freed))('%s', (_, { view: declared }) => {
  it('keeps nothing when the watermark has passed it, and shows its rows on', () => {
    const kept = maintained(declared, historyOf(new Random(5), 120), null);
    const { rows } = kept;
    const held = kept.kept;
    kept.clock('stream:events', '2001-03-01T00:00:00.000Z');
    expect([held > 0, kept.kept]).toEqual([true, 0]);
    expect(kept.rows).toEqual(rows);
    expect(rows.length).toBeGreaterThan(10);
  });

  it('goes in steps where much is due at once', () => {
    const kept = new Timed(declared.declaration);
    kept.tick({
      'stream:events': Array.from({ length: 2_400 }, (_unused, n) => ({
        at: at(n * 500),
        until: null,
        key: n % 2 === 0 ? String(n) : 'a',
        n: n % 7,
      })),
    });
    kept.clock('stream:events', '2001-03-01T00:00:00.000Z');
    expect([kept.kept, kept.steps > 1]).toEqual([0, true]);
  });
});

describe('rows in the order of a time that the watermark has passed', () => {
  const event = (n: number, second = n) => ({ at: at(second * 1_000), until: null, key: 'a', n: 1 });
  const passed = (columns: object): Timed => {
    const from = events.over(byTime, columns as { number: ReturnType<typeof rowNumber> });
    const kept = new Timed(view('v', { from, key } as never).declaration);
    for (let tick = 0; tick < 4; tick++)
      kept.tick({
        'stream:events': Array.from({ length: 700 }, (_unused, n) => event(0, tick * 700 + n)),
      });
    kept.clock('stream:events', at('23:00'));
    return kept;
  };

  it('are forgotten, but for one that says what they come to, which later ones go on from', () => {
    const kept = passed({
      number: rowNumber(),
      rank: rank(),
      dense: denseRank(),
      soFar: rolling(sum('n'), { rows: 'all' }),
    });
    // A mark for each of them.
    expect(kept.kept).toBe(4);
    kept.tick({ 'stream:events': [event(1, 23 * 3_600 + 60), event(1, 23 * 3_600)] });
    expect(kept.rows.slice(-2)).toMatchObject([
      { number: 2_801, rank: 2_801, dense: 2_801, soFar: 2_801 },
      { number: 2_802, rank: 2_802, dense: 2_802, soFar: 2_802 },
    ]);
    expect(kept.rows[0]).toMatchObject({ number: 1, soFar: 1 });
  });

  it('are forgotten, but for as many as later ones look back to', () => {
    const kept = passed({ before: lag('at', { offset: 2 }), next: lead('at') });
    expect(kept.kept).toBe(3);
    kept.tick({ 'stream:events': [event(1, 23 * 3_600)] });
    expect(kept.rows.slice(-2)).toMatchObject([
      { at: at(2_799_000), before: at(2_797_000), next: at('23:00') },
      { at: at('23:00'), before: at(2_798_000), next: null },
    ]);
  });

  it('are forgotten when they are out of the range of those that may come', () => {
    const kept = passed({ lately: rolling(count(), { range: { before: '10m', after: '5m' } }) });
    expect(kept.kept).toBe(0);
    const [watermark] = (kept.view.plan.relation.watermarks ?? []).map(({ time }) => time);
    expect(watermark).toEqual([{ source: 'stream:events', delayMs: 5 * MINUTE }]);
  });
});
