import { z } from 'zod';
import type { RecordSource } from '../../runtime/placement.js';
import { declarationOf } from '../../view/declaration-of.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { instant } from '../../view/instant.js';
import { stream } from '../../view/stream.js';
import { view } from '../../view/view.js';
import type { Random } from '../random.js';
import { appended, type Shape, type Shown, type Subject } from './subject.js';
import { disordered, type Flight, LATENESS_MS, ms, onTime, ORIGINS } from './time-in-log.js';

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
  const interval = { on: { origin: 'origin' }, within: { before: '0s', after: `${AFTER_MS}ms` } } as const;
  const pairs = { origin: 'origin', flight: 'delay', gate: 'gate.gate' } as const;
  const of = { key: ['flight', 'gate'], indexes: ['gate'], buckets } as const;
  const opened = view('opened', { from: flights.leftJoin({ gate: gates }, interval).select(pairs), ...of });
  const either = view('either', { from: flights.fullJoin({ gate: gates }, interval).select(pairs), ...of });
  const met = view('met', { from: flights.semiJoin(gates, interval), key: 'delay', buckets });
  const missed = view('missed', { from: flights.antiJoin(gates, interval), key: 'delay', buckets });
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
    views: [opened, either, met, missed].map((each) => declarationOf(each) as ViewDeclaration),
    onlyAdded: ['opened', 'either', 'met', 'missed'],
    sources: [appended(left, eventOf('delay')), appended(right, eventOf('gate'))],
    expected(log, heartbeats) {
      const [ours, theirs] = [onTime<Flight>(left, log, heartbeats), onTime<Gate>(right, log, heartbeats)];
      const [opened, either, met, missed] = Array.from({ length: 4 }, (): Shown => new Map());
      const paired = new Set<number>();
      for (const flight of ours.events) {
        const { at, origin, delay } = flight;
        const near = theirs.events.filter(
          (gate) => gate.origin === origin && gate.at >= at && ms(gate.at) <= ms(at) + AFTER_MS,
        );
        for (const { gate } of near) {
          opened!.set(`${delay} ${gate}`, { origin, flight: delay, gate });
          paired.add(gate);
        }
        const isAlone = near.length === 0 && ms(at) + AFTER_MS < theirs.watermark;
        if (isAlone) opened!.set(`${delay} `, { origin, flight: delay, gate: null });
        if (isAlone) missed!.set(`${delay}`, { ...flight });
        if (near.length > 0) met!.set(`${delay}`, { ...flight });
      }
      for (const [key, row] of opened!) either!.set(key, row);
      for (const { at, gate } of theirs.events)
        if (!paired.has(gate) && ms(at) < ours.watermark)
          either!.set(` ${gate}`, { origin: null, flight: null, gate });
      return new Map(Object.entries({ opened, either, met, missed }) as [string, Shown][]);
    },
  };
}
