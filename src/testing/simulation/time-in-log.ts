import { z } from 'zod';
import { partitionKeys, type RecordSource } from '../../runtime/placement.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import { comparePositions, type Position } from '../../runtime/position.js';
import { declarationOf } from '../../view/declaration-of.js';
import { instant } from '../../view/instant.js';
import { stream } from '../../view/stream.js';
import type { Random } from '../random.js';
import { appended, type Heartbeats, type Shape } from './subject.js';

/** Events whose times are in no order, and what a log says of the time when each of them came. */

export const ORIGINS = ['ORD', 'JFK', 'LAX', 'SFO', 'SEA'];
const FIRST = Date.parse('2001-01-01T00:00:00Z');
export const LATENESS_MS = 3_000;
/** How far behind the newest an event may be: some are late, and some of those for windows that are over. */
const DISORDER_MS = 12_000;
const STEP_MS = 400;

export interface Flight {
  at: string;
  origin: string;
  delay: number;
}

/** A stream of flights whose times are in no order, and what its producers append. */
export function disorderedFlights({ partitions, retain }: Shape, partitionBy: 'origin' | 'delay') {
  const flights = stream('flights', {
    schema: z.object({ at: instant(), origin: z.string(), delay: z.number() }),
    eventTime: 'at',
    lateness: `${LATENESS_MS}ms`,
    partitions,
    partitionBy,
    ...(retain && { retain }),
  });
  const time = disordered();
  const source = declarationOf(flights) as RecordSource;
  const entries = appended(source, (random): Flight => ({
    at: time(random),
    origin: random.of(ORIGINS),
    delay: random.below(90),
  }));
  return { flights, source, entries };
}

export const ms = (instantText: unknown): number => Date.parse(String(instantText));

/** Times that go on, and now and then lie behind. */
export function disordered(): (random: Random) => string {
  let newest = FIRST;
  return (random) => {
    newest += random.below(STEP_MS);
    const at = random.chance(0.3) ? newest - random.below(DISORDER_MS) : newest;
    return new Date(at).toISOString();
  };
}

/** The events that were not late, and the least watermark of all partitions in the end. */
export function onTime<Event extends { at: string }>(
  source: RecordSource,
  log: ReadonlyMap<string, readonly RawEntry[]>,
  heartbeats: Heartbeats,
): { events: Event[]; watermark: number } {
  const events: Event[] = [];
  const clocks = partitionKeys(source).map((key) =>
    takeInOrder<Event>(log.get(key) ?? [], heartbeats.get(key) ?? new Map(), (event, clock) => {
      if (ms(event.at) >= clock - LATENESS_MS) events.push(event);
    }),
  );
  return { events, watermark: Math.min(...clocks) - LATENESS_MS };
}

/**
 * Takes the events of a partition, each with the clock by which it is late or not: that before its entry, in which there may be others.
 * The clock after all of them, and after what it was raised to behind the entry that each heartbeat is anchored at.
 */
export function takeInOrder<Event extends { at: string }>(
  entries: readonly RawEntry[],
  heartbeats: ReadonlyMap<Position, number>,
  take: (event: Event, clock: number) => void,
): number {
  const left = [...heartbeats].sort(([one], [other]) => comparePositions(one, other));
  let clock = -Infinity;
  let [last, before] = ['', clock];
  for (const [id, [, data]] of entries) {
    while (left.length > 0 && comparePositions(left[0]![0], id) < 0)
      clock = Math.max(clock, left.shift()![1]);
    if (id !== last) [last, before] = [id, clock];
    const event = JSON.parse(data!) as Event;
    take(event, before);
    clock = Math.max(clock, ms(event.at));
  }
  return Math.max(clock, ...left.map(([, raised]) => raised));
}
