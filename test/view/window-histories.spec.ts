import {
  approxContains,
  approxCountDistinct,
  approxPercentile,
  approxTopK,
  avg,
  collect,
  count,
  countDistinct,
  cumulating,
  first,
  hopping,
  last,
  max,
  min,
  session,
  type SessionWindow,
  sliding,
  type SlidingWindow,
  sum,
  tumbling,
  view,
} from 'stillwater';
import { instantMs } from '../../src/zset/instant-text.js';
import { sessionsExpected, slidesExpected, windowsExpected } from '../support/expected-windows.js';
import {
  type Case,
  describeFreed,
  describeHistories,
  type Event,
  events,
  LATENESS,
  MINUTE,
  NEVER_LATE,
  text,
  told,
} from '../support/histories.js';

const hourly = events.window(tumbling('1h')).groupBy('key');
const everything = {
  n: count(),
  most: max<Event, 'n'>('n'),
  mean: avg<Event, 'n'>('n'),
  each: collect<Event, 'n'>('n'),
  kinds: countDistinct<Event, 'n'>('n'),
};

const results = { n: count(), total: sum<Event, 'n'>('n'), least: min<Event, 'n'>('n') };

const inSlides = events.window(sliding('10m')).groupBy('key');
const SIZE = { size: 10 * MINUTE, over: Infinity };
const inSessions = events.window(session('10m')).groupBy('key');
const GAP = { gap: 10 * MINUTE, over: Infinity };

type GroupWindows = SessionWindow | SlidingWindow;
type Expected = (rows: readonly { event: Omit<Event, 'until'>; late: number }[]) => object[];

/** Windows of events that go after two hours. */
const ofRowsThatGo = (window: GroupWindows, expected: Expected, grain: number): Case => ({
  view: view('v', { from: events.last('2h').window(window, { on: 'at' }).groupBy('key').aggregate(results) }),
  expected(history) {
    const { clock } = told(history);
    const left = told(history).filter(({ event }) => instantMs(event.at) + 120 * MINUTE > clock);
    return expected(left.map(({ event }) => ({ event, ...NEVER_LATE })));
  },
  grain,
});

/** Windows of the counts of each hour, which change as events come: as far as they are over. */
const ofResults = (window: GroupWindows, expected: (over: number) => Expected): Case => ({
  view: view('v', {
    from: hourly
      .aggregate(results)
      .select({ key: 'key', hour: 'windowStart', n: 'n' })
      .window(window)
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
    return expected(told(history).clock - LATENESS - 60 * MINUTE + 1)(hours);
  },
});

/** The windows of six hours, one each hour, that end before `over`. */
const hopsExpected =
  (over: number): Expected =>
  (rows) => {
    const hour = 60 * MINUTE;
    const windows = new Map<string, { key: string; start: number; each: number[] }>();
    for (const { event } of rows)
      for (let back = 0; back < 6; back++) {
        const start = instantMs(event.at) - back * hour;
        const name = `${event.key} ${start}`;
        const window = windows.get(name) ?? { key: event.key, start, each: [] };
        windows.set(name, window);
        window.each.push(event.n);
      }
    return [...windows.values()]
      .filter(({ start }) => start + 6 * hour < over)
      .map(({ key, start, each }) => ({
        key,
        windowStart: text(start),
        windowEnd: text(start + 6 * hour),
        n: each.length,
        total: each.reduce((total, n) => total + n, 0),
        least: Math.min(...each),
      }));
  };

describeHistories({
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
  'sketches of hopping windows of rows that go': {
    view: view('v', {
      from: events
        .last('2h')
        .window(hopping('60m', { every: '10m' }), { on: 'at' })
        .groupBy('key')
        .aggregate({ n: count(), slow: approxPercentile<Event, 'n'>('n', 0.5) }),
    }),
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
  'sessions of rows that go': ofRowsThatGo(session('10m'), (rows) => sessionsExpected(rows, GAP), 5 * MINUTE),
  'sessions of results that are retracted, final': ofResults(
    session('1h'),
    (over) => (rows) => sessionsExpected(rows, { gap: 60 * MINUTE, over }),
  ),
  'sliding windows of rows that go': ofRowsThatGo(
    sliding('10m'),
    (rows) => slidesExpected(rows, SIZE),
    2.5 * MINUTE,
  ),
  'sliding windows of results that are retracted, final': ofResults(
    sliding('3h'),
    (over) => (rows) => slidesExpected(rows, { size: 180 * MINUTE, over }),
  ),
});

describeFreed({
  'hopping windows by panes, final': {
    final: true,
    view: view('v', {
      from: events
        .window(hopping('60m', { every: '10m' }))
        .groupBy('key')
        .aggregate(results)
        .final(),
    }),
    expected: (history) => windowsExpected(history, { size: 60 * MINUTE, every: 10 * MINUTE, final: true }),
  },
  'hopping windows that are no multiple of their hop, by panes, final': {
    final: true,
    view: view('v', {
      from: events
        .window(hopping('45m', { every: '10m', offset: '3m' }))
        .groupBy('key')
        .aggregate(results)
        .final(),
    }),
  },
  'hopping windows of results that are retracted, by panes, final': {
    final: true,
    ...ofResults(hopping('6h', { every: '1h' }) as never, hopsExpected),
  },
  'hopping windows by panes, on update': {
    view: view('v', {
      from: events
        .window(hopping('60m', { every: '10m' }))
        .groupBy('key')
        .aggregate({ ...results, kinds: approxCountDistinct<Event, 'n'>('n') })
        .select({
          key: 'key',
          windowStart: 'windowStart',
          windowEnd: 'windowEnd',
          n: 'n',
          total: 'total',
          least: 'least',
        }),
    }),
    expected: (history) => windowsExpected(history, { size: 60 * MINUTE, every: 10 * MINUTE, final: false }),
  },
  'all sketches, and what is first and last in the log, by panes': {
    view: view('v', {
      from: events
        .window(cumulating('6h', { every: '30m' }))
        .groupBy('key')
        .aggregate({
          kinds: approxCountDistinct<Event, 'n'>('n', { error: 0.1 }),
          slow: approxPercentile<Event, 'n'>('n', 0.9),
          top: approxTopK<Event, 'n'>('n', 2, { error: 0.1 }),
          seen: approxContains<Event, 'n'>('n', { expected: 10 }),
          oldest: first<Event, 'n'>('n'),
          newest: last<Event, 'n'>('n'),
        }),
    }),
  },
});
