import type { z } from 'zod';
import { placeOfDeclaration } from './place.js';
import type { StorableValue, Stored } from './row-type.js';
import type { NotAsync, ViewTypeError } from './view-type-error.js';

declare const computes: unique symbol;

/** A column that a function makes of a row; its schema says what the function gives. */
export interface Computed<in Row, out Value> {
  readonly [computes]: (row: Row) => Value;
}

/** What `computed` really gives. */
export interface ComputedColumn {
  readonly kind: 'computed';
  readonly schema: z.core.$ZodType;
  readonly call: (row: any) => unknown;
  readonly place: string | null;
}

/**
 * A column computed from a row: `busy: computed(z.boolean(), (row) => row.flights > 100)`. The function sees
 * nothing but the row: the same row must always give the same value, without a clock or randomness.
 */
export function computed<Row, S extends z.core.$ZodType>(
  schema: S & StorableValue<S>,
  fn: (row: Row) => z.input<S> | ViewTypeError<NotAsync>,
): Computed<Row, Stored<z.output<S>>> {
  return Object.freeze({
    kind: 'computed',
    schema,
    call: fn,
    place: placeOfDeclaration(),
  } satisfies ComputedColumn) as never;
}

export const isComputed = (value: unknown): value is ComputedColumn =>
  typeof value === 'object' && value !== null && (value as ComputedColumn).kind === 'computed';
