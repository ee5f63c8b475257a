import { z } from 'zod';
import { partitionKeys, type RecordSource } from '../../runtime/placement.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import { declarationOf } from '../../view/declaration-of.js';
import type { TableDeclaration } from '../../view/declarations.js';
import { stream } from '../../view/stream.js';
import { appended, type Shape, type SimulatedSource } from './subject.js';

/** Sales of shops to buyers, and tables of the cities where either are: what is appended of them, and what a log says. */

export const SHOPS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
export const BUYERS = ['x', 'y', 'z', 'é'];

export interface Sale {
  shop: string;
  buyer: string;
  amount: number;
}

export const saleStream = (partitions: number, retain: Shape['retain']) =>
  stream('sales', {
    schema: z.object({ shop: z.string(), buyer: z.string(), amount: z.number() }),
    partitions,
    partitionBy: 'shop',
    ...(retain && { retain }),
  });

export const saleSource = (sales: ReturnType<typeof saleStream>): SimulatedSource =>
  appended(declarationOf(sales) as RecordSource, (random): Sale => ({
    shop: random.of(SHOPS),
    buyer: random.of(BUYERS),
    amount: random.below(20) / 4,
  }));

export const salesIn = (log: ReadonlyMap<string, readonly RawEntry[]>): Sale[] =>
  [...log].flatMap(([key, entries]) =>
    key.startsWith('sales') ? entries.map(([, [, data]]) => JSON.parse(data!) as Sale) : [],
  );

/** A table of the cities of these, which are its keys. */
export const citySource = (
  table: TableDeclaration,
  of: readonly string[],
  deletions: number,
): SimulatedSource =>
  appended(
    table,
    (random) => ({ [table.key[0]!]: random.of(of), city: `city ${random.below(5)}` }),
    deletions,
  );

export function citiesIn(
  log: ReadonlyMap<string, readonly RawEntry[]>,
  table: TableDeclaration,
): Map<string, string> {
  const cities = new Map<string, string>();
  for (const redisKey of partitionKeys(table))
    for (const [, fields] of log.get(redisKey) ?? []) {
      const row = JSON.parse(fields[fields.indexOf('data') + 1]!) as Record<string, string>;
      if (fields.includes('delete')) cities.delete(row[table.key[0]!]!);
      else cities.set(row[table.key[0]!]!, row['city']!);
    }
  return cities;
}
