import { partitionKeys, type RecordSource } from '../../runtime/placement.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import { count, sum } from '../../view/aggregates.js';
import { declarationOf } from '../../view/declaration-of.js';
import { max } from '../../view/ordered-aggregates.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { view } from '../../view/view.js';
import { tumbling } from '../../view/window.js';
import type { Heartbeats, Shape, Shown, Subject } from './subject.js';
import { disorderedFlights, type Flight, LATENESS_MS, ms, takeInOrder } from './time-in-log.js';

const WINDOW_MS = 4_000;

/** Windows as they go and when they are final, and windows over those: what they show depends on when heartbeats came. */
export function timed(
  shape: Shape,
  /** By anything but the origin: then the rows of a window move to where they meet. */
  partitionBy: 'origin' | 'delay' = 'origin',
): Subject {
  const { partitions, buckets } = shape;
  const { flights, source, entries } = disorderedFlights(shape, partitionBy);
  const perWindow = flights
    .window(tumbling(`${WINDOW_MS}ms`))
    .groupBy('origin')
    .aggregate({ departures: count(), worst: max('delay') });
  const open = view('open', { from: perWindow, indexes: ['worst.desc'], buckets });
  const closed = view('closed', { from: perWindow.final(), buckets });
  const long = view('long', {
    from: closed
      .select({ origin: 'origin', start: 'windowStart', departures: 'departures' })
      .window(tumbling(`${4 * WINDOW_MS}ms`), { on: 'start' })
      .groupBy('origin')
      .aggregate({ departures: sum('departures') })
      .final(),
    buckets,
  });
  return {
    name: `time over ${partitions} by ${partitionBy}`,
    views: [open, closed, long].map((each) => declarationOf(each) as ViewDeclaration),
    onlyAdded: ['open', 'closed', 'long'],
    sources: [entries],
    expected: (log, heartbeats) => shownOf(source, log, heartbeats),
  };
}

function shownOf(
  source: RecordSource,
  log: ReadonlyMap<string, readonly RawEntry[]>,
  heartbeats: Heartbeats,
): Map<string, Shown> {
  const open: Shown = new Map();
  const clocks = partitionKeys(source).map((key) =>
    takeInOrder<Flight>(log.get(key) ?? [], heartbeats.get(key) ?? new Map(), (flight, clock) => {
      // Left out if its window was over when it came.
      const end = endOf(ms(flight.at));
      if (end > clock - LATENESS_MS) add(open, flight, end);
    }),
  );
  const watermark = Math.min(...clocks) - LATENESS_MS;
  const closed: Shown = new Map([...open].filter(([, { windowEnd }]) => ms(windowEnd) <= watermark));
  const long: Shown = new Map();
  for (const { origin, windowStart, departures } of closed.values()) {
    const start = Math.floor(ms(windowStart) / (4 * WINDOW_MS)) * 4 * WINDOW_MS;
    // The start of a window lags behind its end by the window.
    if (start + 4 * WINDOW_MS > watermark - WINDOW_MS + 1) continue;
    const row = windowRow(origin, start, 4 * WINDOW_MS);
    const known = long.get(keyOf(row));
    long.set(keyOf(row), {
      ...row,
      departures: Number(known?.['departures'] ?? 0) + Number(departures),
    });
  }
  return new Map([
    ['open', open],
    ['closed', closed],
    ['long', long],
  ]);
}

const endOf = (at: number): number => (Math.floor(at / WINDOW_MS) + 1) * WINDOW_MS;
const windowRow = (origin: unknown, start: number, sizeMs: number) => ({
  origin,
  windowStart: new Date(start).toISOString(),
  windowEnd: new Date(start + sizeMs).toISOString(),
});
const keyOf = ({ origin, windowStart }: { origin: unknown; windowStart: string }): string =>
  `${String(origin)} ${windowStart}`;

function add(open: Shown, { origin, delay }: Flight, end: number): void {
  const row = windowRow(origin, end - WINDOW_MS, WINDOW_MS);
  const known = open.get(keyOf(row));
  open.set(keyOf(row), {
    ...row,
    departures: Number(known?.['departures'] ?? 0) + 1,
    worst: Math.max(Number(known?.['worst'] ?? -Infinity), delay),
  });
}
