import type { Aggregate, AggregateRequest } from './aggregates.js';
import type { Duration } from './duration.js';
import type { PathTo, ValueAt } from './path-type.js';
import { placeOfDeclaration } from './place.js';
import type { ViewTypeError } from './view-type-error.js';

declare const rowFunctions: unique symbol;

/** A column that a row has of its place among the others of its group, in their order. */
export interface RowFunction<in Row, out Result> {
  readonly [rowFunctions]: (row: Row) => Result;
}

/** What the functions below really give: `over-nodes.ts` checks it against the rows it is used on. */
export type RowFunctionRequest = NumberRequest | NeighbourRequest | RollingRequest | EdgeRequest;

interface NumberRequest {
  readonly kind: 'rowNumber' | 'rank' | 'denseRank';
  readonly place: string | null;
}
interface NeighbourRequest {
  readonly kind: 'lag' | 'lead';
  readonly value: unknown;
  readonly offset: unknown;
  readonly otherwise: unknown;
  /** The options as they were written. */
  readonly given: unknown;
  readonly place: string | null;
}
interface RollingRequest {
  readonly kind: 'rolling';
  readonly aggregate: AggregateRequest;
  readonly frame: unknown;
  readonly place: string | null;
}

interface EdgeRequest {
  readonly kind: 'firstValue' | 'lastValue';
  readonly value: unknown;
  /** Undefined: the whole group. */
  readonly frame: unknown;
  readonly place: string | null;
}

/** Which rows are looked at from a row; the row itself is always among them. */
export type Frame =
  /** So many rows, the last of them itself; or so many before it and behind it. */
  | { readonly rows: number | 'all' | Around<number> }
  /** By the one column of the order: what differs by no more, and all of its own order. `'all'` and 0 by any order. */
  | { readonly range: Duration | number | 'all' | Around<Duration | number> };

/** `all`: to the beginning of the group. */
interface Around<Distance> {
  readonly before?: Distance | 'all';
  readonly after?: Distance;
}

/** The row's place, counted from 1. Rows of equal order follow one another by their texts. */
export const rowNumber = (): RowFunction<unknown, number> =>
  request({ kind: 'rowNumber', place: placeOfDeclaration() });

/** The place of the first row of equal order: 1, 1, 3. */
export const rank = (): RowFunction<unknown, number> =>
  request({ kind: 'rank', place: placeOfDeclaration() });

/** How many different orders there are up to the row's: 1, 1, 2. */
export const denseRank = (): RowFunction<unknown, number> =>
  request({ kind: 'denseRank', place: placeOfDeclaration() });

interface NeighbourOptions<Row, C extends string, Default> {
  /** How many rows away; 1, if not said. */
  readonly offset?: number;
  /** What is shown where there is no such row; null, if not said. */
  readonly default?: [Default] extends [ValueAt<Row, C> | null]
    ? Default
    : ViewTypeError<`The default is no value of the column "${C}".`>;
}

/** A column of the row before. */
export function lag<
  Row,
  const C extends string,
  const Default extends string | number | boolean | null = null,
>(
  column: PathTo<Row, C, 'look back to'>,
  options?: NeighbourOptions<Row, C, Default>,
): RowFunction<Row, ValueAt<Row, C> | Widened<Default>> {
  return neighbour('lag', column, options);
}

/** A column of the row behind. */
export function lead<
  Row,
  const C extends string,
  const Default extends string | number | boolean | null = null,
>(
  column: PathTo<Row, C, 'look ahead to'>,
  options?: NeighbourOptions<Row, C, Default>,
): RowFunction<Row, ValueAt<Row, C> | Widened<Default>> {
  return neighbour('lead', column, options);
}

/** A default is a value of its column's type, which says it already. */
type Widened<Default> = Extract<Default, null>;

/**
 * `count`, `countIf`, `sum`, `sumIf`, `avg`, `min`, `max`, `every`, `some`, `variance`, `stddev` or `histogram` of the rows in a frame: `{ rows: 3 }` is the last three, this one included,
 * `{ range: '10m' }` those from so much before it on; `{ rows: 'all' }` is all up to it, a running total.
 */
export function rolling<Row, Result>(
  aggregate: Aggregate<Row, Result>,
  frame: Frame,
): RowFunction<Row, Result> {
  const place = placeOfDeclaration();
  return request({ kind: 'rolling', aggregate: aggregate as unknown as AggregateRequest, frame, place });
}

/** A column of the first row of the group, or of a frame. */
export function firstValue<Row, const C extends string>(
  column: PathTo<Row, C, 'look back to'>,
  frame?: Frame,
): RowFunction<Row, ValueAt<Row, C>> {
  return request({ kind: 'firstValue', value: column, frame, place: placeOfDeclaration() });
}

/** A column of the last row of the group, or of a frame. */
export function lastValue<Row, const C extends string>(
  column: PathTo<Row, C, 'look ahead to'>,
  frame?: Frame,
): RowFunction<Row, ValueAt<Row, C>> {
  return request({ kind: 'lastValue', value: column, frame, place: placeOfDeclaration() });
}

const neighbour = (
  kind: 'lag' | 'lead',
  value: unknown,
  options: { readonly offset?: unknown; readonly default?: unknown } = {},
): RowFunction<any, any> =>
  request({
    kind,
    value,
    offset: options?.offset ?? 1,
    otherwise: options?.default ?? null,
    given: options,
    place: placeOfDeclaration(),
  });

const request = (made: RowFunctionRequest): RowFunction<any, any> => Object.freeze(made) as never;
