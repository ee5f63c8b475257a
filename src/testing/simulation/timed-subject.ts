import { z } from 'zod';
import { partitionKeys, type RecordSource } from '../../runtime/placement.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import { comparePositions, type Position } from '../../runtime/position.js';
import { count, sum } from '../../view/aggregates.js';
import { declarationOf } from '../../view/declaration-of.js';
import { instant } from '../../view/instant.js';
import { max } from '../../view/ordered-aggregates.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { stream } from '../../view/stream.js';
import { view } from '../../view/view.js';
import { tumbling } from '../../view/window.js';
import type { Random } from '../random.js';
import { appended, type Heartbeats, type Shape, type Shown, type Subject } from './subject.js';

const ORIGINS = ['ORD', 'JFK', 'LAX', 'SFO', 'SEA'];
const FIRST = Date.parse('2001-01-01T00:00:00Z');
const WINDOW_MS = 4_000;
const LATENESS_MS = 3_000;
/** How far behind the newest an event may be: some are late, and some of those for windows that are over. */
const DISORDER_MS = 12_000;
const STEP_MS = 400;

interface Flight {
  at: string;
  origin: string;
  delay: number;
}

/** Times that go on, and now and then lie behind. */
function disordered(): (random: Random) => string {
  let newest = FIRST;
  return (random) => {
    newest += random.below(STEP_MS);
    const at = random.chance(0.3) ? newest - random.below(DISORDER_MS) : newest;
    return new Date(at).toISOString();
  };
}

/** Windows as they go and when they are final, and windows over those: what they show depends on when heartbeats came. */
export function timed(
  { partitions, buckets, retain }: Shape,
  /** By anything but the origin: then the rows of a window move to where they meet. */
  partitionBy: 'origin' | 'delay' = 'origin',
): Subject {
  const flights = stream('flights', {
    schema: z.object({ at: instant(), origin: z.string(), delay: z.number() }),
    eventTime: 'at',
    lateness: `${LATENESS_MS}ms`,
    partitions,
    partitionBy,
    ...(retain && { retain }),
  });
  const perWindow = flights
    .window(tumbling(`${WINDOW_MS}ms`))
    .groupBy('origin')
    .aggregate({ departures: count(), worst: max('delay') });
  const open = view('open', { from: perWindow, indexes: ['worst.desc'], buckets });
  const closed = view('closed', { from: perWindow.final(), buckets });
  const long = view('long', {
    from: closed
      .window(tumbling(`${4 * WINDOW_MS}ms`), { on: 'windowStart' })
      .groupBy('origin')
      .aggregate({ departures: sum('departures') })
      .final(),
    buckets,
  });
  const source = declarationOf(flights) as RecordSource;
  const time = disordered();
  return {
    name: `time over ${partitions} by ${partitionBy}`,
    views: [open, closed, long].map((each) => declarationOf(each) as ViewDeclaration),
    sources: [
      appended(source, (random): Flight => ({
        at: time(random),
        origin: random.of(ORIGINS),
        delay: random.below(90),
      })),
    ],
    expected: (log, heartbeats) => shownOf(source, log, heartbeats),
  };
}

interface Gate {
  at: string;
  origin: string;
  gate: number;
}

const AFTER_MS = 2_500;

/** Events of two streams near each other, and those that nothing can be near to any more. */
export function near({ partitions, buckets, retain }: Shape): Subject {
  const options = {
    eventTime: 'at',
    lateness: `${LATENESS_MS}ms`,
    partitions,
    partitionBy: 'origin',
    ...(retain && { retain }),
  } as const;
  const flights = stream('flights', {
    ...options,
    schema: z.object({ at: instant(), origin: z.string(), delay: z.number() }),
  });
  const gates = stream('gates', {
    ...options,
    schema: z.object({ at: instant(), origin: z.string(), gate: z.number() }),
  });
  const opened = view('opened', {
    from: flights
      .leftJoin(
        { gate: gates },
        { on: { origin: 'origin' }, within: { before: '0s', after: `${AFTER_MS}ms` } },
      )
      .select({ origin: 'origin', flight: 'delay', gate: 'gate.gate' }),
    key: ['flight', 'gate'],
    indexes: ['gate'],
    buckets,
  });
  const [left, right] = [flights, gates].map((each) => declarationOf(each) as RecordSource) as [
    RecordSource,
    RecordSource,
  ];
  const time = disordered();
  let number = 0;
  const eventOf = (name: string) => (random: Random) => ({
    at: time(random),
    origin: random.of(ORIGINS),
    [name]: ++number,
  });
  return {
    name: `near over ${partitions}`,
    views: [declarationOf(opened) as ViewDeclaration],
    sources: [appended(left, eventOf('delay')), appended(right, eventOf('gate'))],
    expected(log, heartbeats) {
      const [ours, theirs] = [onTime<Flight>(left, log, heartbeats), onTime<Gate>(right, log, heartbeats)];
      const shown: Shown = new Map();
      for (const { at, origin, delay } of ours.events) {
        const near = theirs.events.filter(
          (gate) => gate.origin === origin && gate.at >= at && ms(gate.at) <= ms(at) + AFTER_MS,
        );
        for (const { gate } of near) shown.set(`${delay} ${gate}`, { origin, flight: delay, gate });
        if (near.length === 0 && ms(at) + AFTER_MS < theirs.watermark)
          shown.set(`${delay} `, { origin, flight: delay, gate: null });
      }
      return new Map([['opened', shown]]);
    },
  };
}

/** The events that were not late, and the least watermark of all partitions in the end. */
function onTime<Event extends { at: string }>(
  source: RecordSource,
  log: ReadonlyMap<string, readonly RawEntry[]>,
  heartbeats: Heartbeats,
): { events: Event[]; watermark: number } {
  const events: Event[] = [];
  const clocks = partitionKeys(source).map((key) => {
    let clock = -Infinity;
    for (const item of inOrder<Event>(log.get(key) ?? [], heartbeats.get(key) ?? new Map())) {
      if (typeof item !== 'number' && ms(item.at) >= clock - LATENESS_MS) events.push(item);
      clock = Math.max(clock, typeof item === 'number' ? item : ms(item.at));
    }
    return clock;
  });
  return { events, watermark: Math.min(...clocks) - LATENESS_MS };
}

function shownOf(
  source: RecordSource,
  log: ReadonlyMap<string, readonly RawEntry[]>,
  heartbeats: Heartbeats,
): Map<string, Shown> {
  const open: Shown = new Map();
  const clocks = partitionKeys(source).map((key) => {
    let clock = -Infinity;
    for (const item of inOrder<Flight>(log.get(key) ?? [], heartbeats.get(key) ?? new Map())) {
      if (typeof item === 'number') clock = Math.max(clock, item);
      else {
        // Left out if its window was over when it came.
        const end = endOf(Date.parse(item.at));
        if (end > clock - LATENESS_MS) add(open, item, end);
        clock = Math.max(clock, Date.parse(item.at));
      }
    }
    return clock;
  });
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

const ms = (instantText: unknown): number => Date.parse(String(instantText));
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

/** The entries of a partition, and what its clock was raised to behind the one they are anchored at. */
function* inOrder<Event>(
  entries: readonly RawEntry[],
  heartbeats: ReadonlyMap<Position, number>,
): Generator<Event | number> {
  const left = [...heartbeats].sort(([one], [other]) => comparePositions(one, other));
  for (const [id, [, data]] of entries) {
    while (left.length > 0 && comparePositions(left[0]![0], id) < 0) yield left.shift()![1];
    yield JSON.parse(data!) as Event;
  }
  for (const [, clock] of left) yield clock;
}
