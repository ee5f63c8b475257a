import { count, min, sum, tumbling, view } from 'stillwater';
import { instantMs } from '../../src/zset/instant-text.js';
import { windowsExpected } from '../support/expected-windows.js';
import {
  describeFreed,
  describeHistories,
  type Entry,
  type Event,
  events,
  LATENESS,
  MINUTE,
  places,
  told,
} from '../support/histories.js';

const hourly = events.window(tumbling('1h')).groupBy('key');
const results = { n: count(), total: sum<Event, 'n'>('n'), least: min<Event, 'n'>('n') };

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

describeHistories({
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
});

describeFreed({
  'times with few events and none with many': {
    severalLate: true,
    view: view('v', { from: some.except(many), key: ['at', 'key'] }),
    expected(history) {
      const { few, more } = onTime(history);
      return [...new Set(few)].filter((row) => !more.includes(row)).map((row) => JSON.parse(row));
    },
    grain: 5 * MINUTE,
  },
});
