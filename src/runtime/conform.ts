import { z } from 'zod';
import { messageOf } from '../errors/stillwater-error.js';
import type { Column, ColumnType } from '../view/column.js';
import { canonical, type Value } from '../zset/value.js';

/** Why a value is not a row: where in it, and what is wrong there. The path is empty for the whole. */
export interface RowIssue {
  readonly path: string;
  readonly message: string;
}

/** What a row is decoded by: any stream or table declaration. */
export interface RowShape {
  readonly schema: z.core.$ZodType;
  readonly columns: readonly Column[];
}

/** The schema of a column of records that arrive: the column's own has null where this one may have nothing at all. */
export function arrivingSchema({ schema }: RowShape, column: Column): z.core.$ZodType {
  const { shape } = schema._zod.def as { shape?: Readonly<Record<string, z.core.$ZodType>> };
  return shape !== undefined && Object.hasOwn(shape, column.name) ? shape[column.name]! : column.schema;
}

/** What zod says of a value. A schema that throws, or would have to wait, accepts nothing. */
export function applySchema(
  schema: z.core.$ZodType,
  value: unknown,
): { value: unknown } | { issues: RowIssue[] } {
  try {
    const parsed = z.core.safeParse(schema, value);
    if (parsed.success) return { value: parsed.data };
    return {
      issues: parsed.error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message })),
    };
  } catch (thrown) {
    if (thrown instanceof z.core.$ZodAsyncError)
      return {
        issues: [{ path: '', message: 'The schema has an asynchronous check, and decoding cannot wait.' }],
      };
    return { issues: [{ path: '', message: `The schema threw: ${messageOf(thrown)}` }] };
  }
}

/**
 * A value in the canonical form of its column: declared fields in declared order, null for missing ones; objects of no
 * declared fields as `canonical` has them.
 * @throws UncanonicalValue
 */
export function conform(value: unknown, type: ColumnType, path: string): Value {
  if (value === null || value === undefined) return null;
  if (type.kind === 'object' && isFields(value)) {
    const out: Record<string, Value> = {};
    for (const column of type.columns) setField(out, column.name, conformField(value, column, path));
    return out;
  }
  if (type.kind === 'array' && Array.isArray(value))
    return value.map((element, index) => conform(element, type.element, `${path}[${index}]`));
  return canonical(value, path);
}

export const isFields = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A column's value out of an object's own fields. @throws UncanonicalValue */
export const conformField = (fields: Record<string, unknown>, { name, type }: Column, path: string): Value =>
  Object.hasOwn(fields, name) ? conform(fields[name], type, path ? `${path}.${name}` : name) : null;

/** Sets a field whatever its name: a plain assignment of `__proto__` sets no field. */
export function setField(fields: Record<string, Value>, name: string, value: Value): void {
  if (name === '__proto__')
    Object.defineProperty(fields, name, { value, enumerable: true, writable: true, configurable: true });
  else fields[name] = value;
}
