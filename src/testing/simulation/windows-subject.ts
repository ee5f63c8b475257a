import { partitionKeys, type RecordSource } from '../../runtime/placement.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import { approxCountDistinct, approxPercentile } from '../../view/approximate-aggregates.js';
import { count, sum } from '../../view/aggregates.js';
import { declarationOf } from '../../view/declaration-of.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { max } from '../../view/ordered-aggregates.js';
import { view } from '../../view/view.js';
import { hopping, session } from '../../view/window.js';
import type { Heartbeats, Shape, Shown, Subject } from './subject.js';
import { disorderedFlights, type Flight, LATENESS_MS, ms, ORIGINS, takeInOrder } from './time-in-log.js';

const SIZE_MS = 6_000;
const EVERY_MS = 1_000;
const GAP_MS = 1_500;

/** Windows that overlap, which are kept by panes, and windows that rows make and part: sessions. Each as they go and final. */
export function windows(
  shape: Shape,
  /** By anything but the origin: then flights move before they are put into windows. Of those in sessions no log alone tells. */
  partitionBy: 'origin' | 'delay' = 'origin',
): Subject {
  const { partitions, buckets } = shape;
  const { flights, source, entries } = disorderedFlights(shape, partitionBy);
  const overlapping = flights.window(hopping(`${SIZE_MS}ms`, { every: `${EVERY_MS}ms` })).groupBy('origin');
  const results = { departures: count(), total: sum('delay'), worst: max('delay') };
  const sketches = {
    delays: approxCountDistinct('delay'),
    middle: approxPercentile('delay', 0.5),
  };
  const stays = flights
    .window(session(`${GAP_MS}ms`))
    .groupBy('origin')
    .aggregate(results);
  const views = [
    view('sketched', { from: overlapping.aggregate(sketches), buckets }),
    view('merged', { from: overlapping.aggregate({ ...results, ...sketches }).final(), buckets }),
    ...(partitionBy === 'origin'
      ? [view('stays', { from: stays, buckets }), view('stayed', { from: stays.final(), buckets })]
      : []),
  ].map((each) => declarationOf(each) as ViewDeclaration);
  const names = views.map(({ name }) => name);
  return {
    name: `windows over ${partitions} by ${partitionBy}`,
    views,
    onlyAdded: names,
    sources: [entries],
    expected: (log, heartbeats) =>
      new Map([...shownOf(source, log, heartbeats)].filter(([name]) => names.includes(name))),
  };
}

interface Window {
  readonly origin: string;
  readonly start: number;
  readonly end: number;
  readonly delays: number[];
}

function shownOf(
  source: RecordSource,
  log: ReadonlyMap<string, readonly RawEntry[]>,
  heartbeats: Heartbeats,
): Map<string, Shown> {
  const hops = new Map<string, Window>();
  const stays = ORIGINS.map((origin) => new Stays(origin));
  const clocks = partitionKeys(source).map((key) =>
    takeInOrder<Flight>(log.get(key) ?? [], heartbeats.get(key) ?? new Map(), (flight, clock) => {
      hop(hops, flight, clock - LATENESS_MS);
      stays[ORIGINS.indexOf(flight.origin)]!.come(flight, clock - LATENESS_MS);
    }),
  );
  const watermark = Math.min(...clocks) - LATENESS_MS;
  const all = [...hops.values()];
  const sessions = stays.flatMap((each) => each.all);
  const shown = (windows: readonly Window[], results: (delays: readonly number[]) => object): Shown =>
    new Map(windows.map((window) => [keyOf(window), { ...rowOf(window), ...results(window.delays) }]));
  return new Map([
    ['sketched', shown(all, sketched)],
    [
      'merged',
      shown(
        all.filter(({ end }) => end <= watermark),
        (delays) => ({ ...exact(delays), ...sketched(delays) }),
      ),
    ],
    ['stays', shown(sessions, exact)],
    [
      'stayed',
      shown(
        sessions.filter(({ end }) => end < watermark),
        exact,
      ),
    ],
  ]);
}

/** A flight in each of its windows that was not over when it came. */
function hop(hops: Map<string, Window>, { at, origin, delay }: Flight, watermark: number): void {
  const last = Math.floor(ms(at) / EVERY_MS) * EVERY_MS;
  for (let start = last; start > last - SIZE_MS; start -= EVERY_MS) {
    if (start + SIZE_MS <= watermark) continue;
    const window: Window = { origin, start, end: start + SIZE_MS, delays: [] };
    const known = hops.get(keyOf(window)) ?? window;
    known.delays.push(delay);
    hops.set(keyOf(known), known);
  }
}

/** The sessions of an origin: those that are over, and the flights of which more may come. */
class Stays {
  readonly #over: Window[] = [];
  #open: Flight[] = [];

  constructor(readonly origin: string) {}

  come(flight: Flight, watermark: number): void {
    if (ms(flight.at) + GAP_MS < watermark) return;
    const open = this.#sessions();
    this.#over.push(...open.filter(({ end }) => end < watermark));
    const first = Math.min(...open.filter(({ end }) => end >= watermark).map(({ start }) => start));
    this.#open = this.#open.filter(({ at }) => ms(at) >= first);
    this.#open.push(flight);
  }

  get all(): Window[] {
    return [...this.#over, ...this.#sessions()];
  }

  #sessions(): Window[] {
    const sessions: Window[] = [];
    for (const { at, delay } of [...this.#open].sort((l, r) => ms(l.at) - ms(r.at))) {
      const last = sessions.at(-1);
      const end = ms(at) + GAP_MS;
      if (last === undefined || last.end < ms(at))
        sessions.push({ origin: this.origin, start: ms(at), end, delays: [delay] });
      else sessions[sessions.length - 1] = { ...last, end, delays: [...last.delays, delay] };
    }
    return sessions;
  }
}

const keyOf = ({ origin, start }: Window): string => `${origin} ${new Date(start).toISOString()}`;
const rowOf = ({ origin, start, end }: Window) => ({
  origin,
  windowStart: new Date(start).toISOString(),
  windowEnd: new Date(end).toISOString(),
});
const exact = (delays: readonly number[]) => ({
  departures: delays.length,
  total: delays.reduce((sum, delay) => sum + delay, 0),
  worst: Math.max(...delays),
});
/** What sketches say of few values: what they are. */
const sketched = (delays: readonly number[]) => ({
  delays: new Set(delays).size,
  middle: [...delays].sort((l, r) => l - r)[Math.ceil(delays.length / 2) - 1]!,
});
