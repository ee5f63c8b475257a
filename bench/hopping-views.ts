import { z } from 'zod';
import {
  approxCountDistinct,
  approxPercentile,
  count,
  hopping,
  instant,
  stream,
  sum,
  view,
  type View,
} from '../src/index.js';
import type { ViewSpec } from './declared-views.js';

const AGGREGATES = {
  'count, sum': { n: count(), total: sum('value') },
  approxCountDistinct: { values: approxCountDistinct('value') },
  approxPercentile: { most: approxPercentile('value', 0.9) },
} as const;

/**
 * Each with its results on update or final, as the product keeps it, and by windows, which a condition on rows in windows
 * brings about.
 */
export const hoppingSubjects = Object.keys(AGGREGATES).flatMap((aggregates) =>
  ['final', 'update'].flatMap((results) =>
    [2, 5, 60].flatMap((hops) =>
      ['by windows', 'as kept'].map((kept) => `${aggregates}, ${results}, in ${hops}, ${kept}`),
    ),
  ),
);

export function hoppingView({ name: viewName, stream: events }: ViewSpec): View<any, any> {
  const name = hoppingSubjects.find((one) => viewNameOf(one) === viewName)!;
  const [, aggregates, results, hops, kept] = /^(.*), (final|update), in (\d+), (by windows|as kept)$/.exec(
    name,
  )!;
  const byWindows = kept === 'by windows';
  const rows: any = stream(events, {
    schema: z.object({ at: instant(), key: z.string(), value: z.int() }),
    eventTime: 'at',
    lateness: '1m',
  }).window(hopping(`${Number(hops)}m`, { every: '1m' }));
  const grouped = byWindows ? rows.rows().where((row: any) => row.value >= 0) : rows;
  const windows = grouped
    .groupBy('key', ...(byWindows ? ['windowStart', 'windowEnd'] : []))
    .aggregate(AGGREGATES[aggregates as keyof typeof AGGREGATES]);
  return view(viewName, { from: results === 'final' ? windows.final() : windows } as never) as never;
}

export const viewNameOf = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
