import { z } from 'zod';
import type { RecordSource } from '../../runtime/placement.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import { count, countDistinct, sum } from '../../view/aggregates.js';
import { declarationOf } from '../../view/declaration-of.js';
import { instant } from '../../view/instant.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { stream } from '../../view/stream.js';
import { view } from '../../view/view.js';
import { tumbling } from '../../view/window.js';
import { BUYERS, SHOPS } from './sales.js';
import { appended, type Shape, type Shown, type Subject } from './subject.js';

/** Rows that move once, with time: what is over anywhere must have come from everywhere. */
export function movedInTime(shape: Shape): Subject {
  const { source, perBuyer, windowsIn } = visitsOf(shape);
  const { partitions, buckets } = shape;
  const perWindow = view('per-window', { from: perBuyer, partitions: partitions === 1 ? 2 : 3, buckets });
  const final = view('final', { from: perBuyer.final(), buckets });
  return {
    name: `moved in time to ${perWindow.declaration.partitions}`,
    views: [perWindow, final].map((each) => declarationOf(each) as ViewDeclaration),
    final: ['final'],
    sources: [source],
    expected(log) {
      const shown: Shown = new Map(windowsIn(log).map((row) => [`${row.buyer} ${row.windowStart}`, row]));
      return new Map([
        ['per-window', shown],
        ['final', new Map(shown)],
      ]);
    },
  };
}

/** The same twice: of what is over in all partitions there is all or nothing. */
export function movedTwiceInTime(shape: Shape): Subject {
  const { source, perBuyer, windowsIn } = visitsOf(shape);
  const perTime = view('per-time', {
    from: perBuyer
      .final()
      .groupBy('windowStart', 'windowEnd')
      .aggregate({ buyers: count(), visits: sum('visits') }),
    buckets: shape.buckets,
  });
  return {
    name: 'moved twice in time',
    views: [declarationOf(perTime) as ViewDeclaration],
    final: ['per-time'],
    sources: [source],
    expected(log) {
      const shown: Shown = new Map();
      for (const { windowStart, windowEnd, visits } of windowsIn(log)) {
        const key = `${windowStart} ${windowEnd}`;
        const known = shown.get(key) ?? { windowStart, windowEnd, buyers: 0, visits: 0 };
        const [buyers, all] = [Number(known['buyers']) + 1, Number(known['visits']) + visits];
        shown.set(key, { windowStart, windowEnd, buyers, visits: all });
      }
      return new Map([['per-time', shown]]);
    },
  };
}

/** Visits to shops, none of them late; and what is made of them by two seconds and by buyers. */
export function visitsOf({ retain }: Shape) {
  const visits = stream('visits', {
    schema: z.object({ at: instant(), shop: z.string(), buyer: z.string() }),
    partitions: 3,
    partitionBy: 'shop',
    eventTime: 'at',
    lateness: '1s',
    ...(retain && { retain }),
  });
  const perBuyer = visits
    .window(tumbling('2s'))
    .groupBy('buyer')
    .aggregate({ visits: count(), shops: countDistinct('shop') });
  const source = appended(declarationOf(visits) as RecordSource, (random, now) => ({
    at: new Date(now).toISOString(),
    shop: random.of(SHOPS),
    buyer: random.of(BUYERS),
  }));
  const visitsIn = (log: ReadonlyMap<string, readonly RawEntry[]>) =>
    [...log.values()].flatMap((entries) =>
      entries.map(([, [, data]]) => JSON.parse(data!) as Record<'at' | 'shop' | 'buyer', string>),
    );
  /** What `perBuyer` says of all that was appended. */
  const windowsIn = (log: ReadonlyMap<string, readonly RawEntry[]>) => {
    const shops = new Map<string, string[]>();
    for (const { at, shop, buyer } of visitsIn(log)) {
      const start = new Date(Math.floor(Date.parse(at) / 2_000) * 2_000).toISOString();
      const key = `${buyer} ${start}`;
      shops.set(key, [...(shops.get(key) ?? []), shop]);
    }
    return [...shops].map(([key, of]) => {
      const [buyer, windowStart] = key.split(' ') as [string, string];
      const windowEnd = new Date(Date.parse(windowStart) + 2_000).toISOString();
      return { buyer, windowStart, windowEnd, visits: of.length, shops: new Set(of).size };
    });
  };
  return { source, visits, perBuyer, visitsIn, windowsIn };
}
