import { z } from 'zod';
import { decimalScale, isScale } from './decimal.js';
import { isInstantText } from './instant.js';
import { type Column, type ColumnType, kindOf, nullable } from './column.js';

/** What a schema says of its values, and what of them a row cannot hold (`a Date`), if anything. */
export interface Described {
  readonly type: ColumnType;
  readonly unstorable: readonly string[];
}

/** The columns of a row's schema, in its order; null where the schema is not one of an object. */
export function columnsOf(
  schema: z.core.$ZodType,
): { columns: readonly Column[]; unstorable: readonly string[] } | null {
  const { type, unstorable } = describe(schema, 0);
  return type.kind === 'object' ? { columns: type.columns, unstorable } : null;
}

/** Modules are compiled without their types being checked: anything may stand where a schema should. */
export const isSchema = (value: unknown): value is z.core.$ZodType =>
  typeof value === 'object' && value !== null && '_zod' in value;

/** The column of this name that values of a schema make: null stands for undefined. */
export function columnOf(
  name: string,
  schema: z.core.$ZodType,
): Column & { readonly unstorable: readonly string[] } {
  const { type, unstorable } = describe(schema, 0);
  return { name, schema: storedSchema(schema), type, unstorable };
}

const DEPTH_MAX = 12;
const json = (isNullable = false): ColumnType => ({ kind: 'json', nullable: isNullable });
const storable = (type: ColumnType): Described => ({ type, unstorable: [] });
const unstorable = (what: string): Described => ({ type: json(), unstorable: [what] });

/** Schemas are read by their definitions, the part of zod that libraries may rely on. */
function describe(schema: z.core.$ZodType, depth: number): Described {
  const def = schema._zod.def as any;
  if (depth > DEPTH_MAX) return storable(json(true));
  const inner = (of: z.core.$ZodType): Described => describe(of, depth + 1);
  switch (def.type as string) {
    case 'string': {
      const scale = decimalScale(schema);
      if (scale !== null && !isScale(scale))
        return unstorable(`decimal(${scale}), whose scale is not a whole number up to 100`);
      return storable({ kind: 'string', nullable: false, ...formatOf(schema, def) });
    }
    case 'template_literal':
      return storable({ kind: 'string', nullable: false });
    case 'number':
    case 'int':
      return storable({ kind: 'number', integer: isInteger(def), nullable: false });
    case 'boolean':
    case 'success':
      return storable({ kind: 'boolean', nullable: false });
    case 'enum':
    case 'literal':
      return ofValues([...(schema._zod.values ?? def.values ?? Object.values(def.entries))]);
    case 'null':
      return storable(json(true));
    case 'nullable':
    case 'optional':
      return isNull(inner(def.innerType));
    case 'exact_optional':
      return isNull(inner(def.innerType));
    case 'default':
    case 'prefault':
      return def.innerType._zod.def.type === 'optional'
        ? isNotNull(inner(def.innerType))
        : inner(def.innerType);
    case 'nonoptional':
      return def.innerType._zod.def.type === 'optional'
        ? inner(def.innerType._zod.def.innerType)
        : inner(def.innerType);
    case 'catch':
    case 'readonly':
      return inner(def.innerType);
    case 'pipe':
      return def.out._zod.def.type === 'transform' ? storable(json(true)) : inner(def.out);
    case 'lazy':
      return inner(def.getter());
    case 'array': {
      const element = inner(def.element);
      return {
        type: { kind: 'array', element: element.type, nullable: false },
        unstorable: element.unstorable,
      };
    }
    case 'tuple':
      return storable({ kind: 'array', element: json(true), nullable: false });
    case 'object':
      return ofObject(def.shape, inner);
    case 'union':
      return ofUnion(def, inner);
    case 'intersection':
      return ofIntersection(inner(def.left), inner(def.right));
    case 'record':
      return storable(json());
    case 'any':
    case 'unknown':
    case 'custom':
    case 'transform':
      return storable(json(true));
    case 'undefined':
    case 'void':
      return unstorable('nothing but undefined');
    case 'date':
      return unstorable('a Date');
    default:
      return unstorable(`a ${def.type}`);
  }
}

const isNull = ({ type, unstorable }: Described): Described => ({
  type: { ...type, nullable: true },
  unstorable,
});
const isNotNull = ({ type, unstorable }: Described): Described => ({
  type: { ...type, nullable: false },
  unstorable,
});

function formatOf(
  schema: z.core.$ZodType,
  def: any,
): { format?: 'instant' | 'date' | 'uuid' } | { format: 'decimal'; scale: number } {
  const scale = decimalScale(schema);
  if (scale !== null) return { format: 'decimal', scale };
  if (isInstantText(schema)) return { format: 'instant' };
  const formats = [def.format, ...(def.checks ?? []).map((check: any) => check._zod?.def?.format)];
  if (formats.includes('uuid') || formats.includes('guid')) return { format: 'uuid' };
  return formats.includes('date') ? { format: 'date' } : {};
}

const INTEGERS = ['safeint', 'int32', 'uint32'];
const isInteger = (def: any): boolean =>
  INTEGERS.includes(def.format) ||
  (def.checks ?? []).some((check: any) => INTEGERS.includes(check._zod?.def?.format));

function ofValues(values: readonly unknown[]): Described {
  const known = values.filter((value) => value !== null && value !== undefined);
  const isNullable = known.length < values.length;
  if (known.some((value) => typeof value === 'bigint')) return unstorable('a bigint');
  if (known.length === 0) return storable(json(true));
  if (known.every((value) => typeof value === 'boolean'))
    return storable({ kind: 'boolean', nullable: isNullable });
  if (known.every((value) => typeof value === 'string' || typeof value === 'number'))
    return storable({ kind: 'enum', values: known as (string | number)[], nullable: isNullable });
  return storable(json(isNullable));
}

function ofObject(
  shape: Record<string, z.core.$ZodType>,
  inner: (of: z.core.$ZodType) => Described,
): Described {
  const described = Object.entries(shape).map(([name, schema]) => ({ name, schema, ...inner(schema) }));
  return {
    type: {
      kind: 'object',
      nullable: false,
      columns: described.map(({ name, schema, type }) => ({ name, schema: storedSchema(schema), type })),
    },
    unstorable: described.flatMap(({ name, unstorable }) =>
      unstorable.map((what) => (what.startsWith('"') ? what : `"${name}" holds ${what}`)),
    ),
  };
}

/** The one type that all options have, else json; objects give all their fields, null where an option has none. */
function ofUnion(def: any, inner: (of: z.core.$ZodType) => Described): Described {
  const all = def.options as z.core.$ZodType[];
  const options = all.filter((option) => !isNothing(option)).map(inner);
  const unstorable = options.flatMap((option) => option.unstorable);
  const isNullable = options.length < all.length || options.some(({ type }) => type.nullable);
  const types = options.map(({ type }) => type);
  const kinds = new Set(types.map(kindOf));
  if (kinds.size !== 1) return { type: json(isNullable), unstorable };
  const [first] = types as [ColumnType, ...ColumnType[]];
  if (first.kind === 'object')
    return { type: { kind: 'object', columns: mergedColumns(types), nullable: isNullable }, unstorable };
  if (types.every((type) => type.kind === 'enum')) {
    const values = [...new Set(types.flatMap((type) => type.values))];
    return { type: { kind: 'enum', values, nullable: isNullable }, unstorable };
  }
  if (first.kind === 'number') {
    const integer = types.every((type) => type.kind === 'number' && type.integer);
    return { type: { kind: 'number', integer, nullable: isNullable }, unstorable };
  }
  if (types.length === 1 || types.every((type) => isOneFormat(type, first)))
    return { type: { ...first, nullable: isNullable }, unstorable };
  if (kindOf(first) === 'text') return { type: { kind: 'string', nullable: isNullable }, unstorable };
  if (kindOf(first) === 'numbers')
    return { type: { kind: 'number', integer: false, nullable: isNullable }, unstorable };
  if (first.kind === 'boolean') return { type: { kind: 'boolean', nullable: isNullable }, unstorable };
  return { type: json(isNullable), unstorable };
}

/** Texts of the same form: they are ordered, compared and read alike. */
const isOneFormat = (type: ColumnType, other: ColumnType): boolean =>
  type.kind === 'string' && other.kind === 'string' && type.format === other.format;

/** As an option of a union it says only that null is allowed. */
const isNothing = (schema: z.core.$ZodType): boolean =>
  ['null', 'undefined', 'void'].includes(schema._zod.def.type);

/** The columns of rows that are one of these: null where one of them has not such a column. */
export function mergedColumns(types: readonly ColumnType[]): Column[] {
  const merged = new Map<string, Column[]>();
  for (const type of types)
    if (type.kind === 'object')
      for (const column of type.columns)
        merged.set(column.name, [...(merged.get(column.name) ?? []), column]);
  return [...merged.values()].map((columns) => {
    const [first] = columns as [Column, ...Column[]];
    const schema =
      columns.length === 1 ? first.schema : z.union(columns.map((column) => column.schema) as never);
    const { type } = describe(schema, 0);
    const column = { name: first.name, schema, type };
    return columns.length < types.length ? nullable(column) : column;
  });
}

function ofIntersection(left: Described, right: Described): Described {
  const unstorable = [...left.unstorable, ...right.unstorable];
  if (left.type.kind !== 'object' || right.type.kind !== 'object') return { type: json(), unstorable };
  const names = new Set(right.type.columns.map((column) => column.name));
  const columns = [...left.type.columns.filter((column) => !names.has(column.name)), ...right.type.columns];
  return { type: { kind: 'object', columns, nullable: false }, unstorable };
}

/** Rows hold null where a value is missing: an optional schema, as a column, is a nullable one. */
function storedSchema(schema: z.core.$ZodType): z.core.$ZodType {
  const def = schema._zod.def as any;
  if (def.type !== 'optional' && def.type !== 'exact_optional') return schema;
  return def.innerType._zod.def.type === 'nullable' ? def.innerType : z.nullable(def.innerType);
}

/** The schema of an array's elements. */
export function elementSchema(schema: z.core.$ZodType): z.core.$ZodType {
  let def = schema._zod.def as any;
  while (def.element === undefined && (def.innerType ?? def.out) !== undefined)
    def = (def.innerType ?? def.out)._zod.def;
  return def.element ?? schema;
}
