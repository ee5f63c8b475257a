import { z } from 'zod';
import type { RecordSource } from '../../runtime/placement.js';
import { count, countDistinct } from '../../view/aggregates.js';
import { declarationOf } from '../../view/declaration-of.js';
import { instant } from '../../view/instant.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { stream } from '../../view/stream.js';
import { view } from '../../view/view.js';
import { tumbling } from '../../view/window.js';
import { BUYERS, SHOPS } from './sales.js';
import { appended, type Shape, type Shown, type Subject } from './subject.js';

/** Rows that move, with time: what is over anywhere must have come from everywhere. */
export function movedInTime({ partitions, buckets, retain }: Shape): Subject {
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
  const perWindow = view('per-window', { from: perBuyer, partitions: partitions === 1 ? 2 : 3, buckets });
  const final = view('final', { from: perBuyer.final(), buckets });
  return {
    name: `moved in time to ${perWindow.declaration.partitions}`,
    views: [perWindow, final].map((each) => declarationOf(each) as ViewDeclaration),
    final: ['final'],
    sources: [
      appended(declarationOf(visits) as RecordSource, (random, now) => ({
        at: new Date(now).toISOString(),
        shop: random.of(SHOPS),
        buyer: random.of(BUYERS),
      })),
    ],
    expected(log) {
      const shops = new Map<string, string[]>();
      for (const entries of log.values())
        for (const [, [, data]] of entries) {
          const { at, shop, buyer } = JSON.parse(data!) as Record<'at' | 'shop' | 'buyer', string>;
          const start = new Date(Math.floor(Date.parse(at) / 2_000) * 2_000).toISOString();
          const key = `${buyer} ${start}`;
          shops.set(key, [...(shops.get(key) ?? []), shop]);
        }
      const shown: Shown = new Map(
        [...shops].map(([key, of]) => {
          const [buyer, windowStart] = key.split(' ') as [string, string];
          const windowEnd = new Date(Date.parse(windowStart) + 2_000).toISOString();
          return [key, { buyer, windowStart, windowEnd, visits: of.length, shops: new Set(of).size }];
        }),
      );
      return new Map([
        ['per-window', shown],
        ['final', new Map(shown)],
      ]);
    },
  };
}
