import { z } from 'zod';
import { shortText } from '../circuit/row-function.js';
import { canonical, type Row, type Value } from '../zset/value.js';
import type { Column, ColumnType } from './column.js';

/** How many rows a function may make of one row. */
const FLAT_MAP_ROWS_MAX = 100_000;

/**
 * What a function gave, as a value of the column it is for: checked against its schema, canonical, fields in the
 * order of the schema.
 */
export function checkOf(column: Column): (given: unknown) => Value {
  const plain = plainCheck(column.schema, column.type);
  const slow = schemaCheck(column.schema, column.type);
  if (plain === null) return slow;
  return (given) => (plain(given) ? ((typeof given === 'number' ? given + 0 : given) as Value) : slow(given));
}

/** The same for a function that gives any number of rows. */
export function rowsCheckOf(
  schema: z.core.$ZodType,
  columns: readonly Column[],
): (given: unknown) => readonly Row[] {
  const check = schemaCheck(schema, { kind: 'object', columns, nullable: false });
  return (given) => {
    if (
      given === null ||
      typeof given !== 'object' ||
      typeof (given as Iterable<unknown>)[Symbol.iterator] !== 'function'
    )
      throw new TypeError(`The function gave ${shortText(given)}, not a list of rows.`);
    const rows: Row[] = [];
    for (const row of given as Iterable<unknown>) {
      if (rows.length === FLAT_MAP_ROWS_MAX)
        throw new RangeError(`The function made more than ${FLAT_MAP_ROWS_MAX} rows of one.`);
      rows.push(check(row) as Row);
    }
    return rows;
  };
}

/** The same for a function that gives a row, where null stands for a field that may be missing, as it does in rows. */
export function rowCheckOf(schema: z.core.$ZodType, columns: readonly Column[]): (given: unknown) => Row {
  const check = schemaCheck(schema, { kind: 'object', columns, nullable: false });
  const missing = missingNotNull(schema);
  if (missing.length === 0) return (given) => check(given) as Row;
  return (given) => {
    if (typeof given !== 'object' || given === null) return check(given) as Row;
    const fields: Record<string, unknown> = { ...given };
    for (const name of missing) if (fields[name] === null) delete fields[name];
    return check(fields) as Row;
  };
}

/** Fields that may be missing and must not be null. */
function missingNotNull(schema: z.core.$ZodType): string[] {
  const { shape = {} } = schema._zod.def as { shape?: Readonly<Record<string, z.core.$ZodType>> };
  return Object.keys(shape).filter(
    (name) => shape[name]!._zod.optin === 'optional' && !z.core.safeParse(shape[name]!, null).success,
  );
}

function schemaCheck(schema: z.core.$ZodType, type: ColumnType): (given: unknown) => Value {
  return (given) => {
    const parsed = z.core.safeParse(schema, given === undefined && type.nullable ? null : given);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const path = issue?.path.length ? ` at ${issue.path.join('.')}` : '';
      throw new TypeError(
        `The function gave ${shortText(given)}, which its schema refuses${path}: ${issue?.message ?? 'invalid'}.`,
      );
    }
    return arranged(canonical(parsed.data), type);
  };
}

/** A canonical value with the fields of its objects in the order of their columns, missing ones null. */
function arranged(value: Value, type: ColumnType): Value {
  if (value === null || typeof value !== 'object') return value;
  if (type.kind === 'array' && Array.isArray(value))
    return value.map((element: Value) => arranged(element, type.element));
  if (type.kind !== 'object' || Array.isArray(value)) return value;
  const fields = value as Row;
  return Object.fromEntries(
    type.columns.map((column) => [
      column.name,
      Object.hasOwn(fields, column.name) ? arranged(fields[column.name]!, column.type) : null,
    ]),
  );
}

/** What accepts only values that the schema takes as they are; null where only the schema itself can tell. */
function plainCheck(schema: z.core.$ZodType, type: ColumnType): ((given: unknown) => boolean) | null {
  const def = schema._zod.def as {
    type: string;
    checks?: readonly unknown[];
    format?: string;
    coerce?: boolean;
    innerType?: z.core.$ZodType;
  };
  if ((def.checks?.length ?? 0) > 0 || def.coerce) return null;
  switch (def.type) {
    case 'string':
      return def.format === undefined ? (given) => typeof given === 'string' && given.isWellFormed() : null;
    case 'number':
      if (def.format === 'safeint') return Number.isSafeInteger;
      return def.format === undefined
        ? (given) =>
            typeof given === 'number' &&
            Number.isFinite(given) &&
            (!Number.isInteger(given) || Number.isSafeInteger(given))
        : null;
    case 'boolean':
      return (given) => typeof given === 'boolean';
    case 'enum':
      if (type.kind !== 'enum') return null;
      return (given) =>
        (typeof given === 'string' || typeof given === 'number') && type.values.includes(given);
    case 'nullable': {
      const inner = plainCheck(def.innerType!, type);
      return inner && ((given) => given === null || inner(given));
    }
    default:
      return null;
  }
}
