import { z } from 'zod';

export interface Column {
  readonly name: string;
  readonly schema: z.core.$ZodType;
  readonly type: ColumnType;
}

/** What a column holds, read from its schema. */
export type ColumnType = TypeOfColumn<Column>;

/** The same, of columns that say of those within them what `Within` does. */
export type TypeOfColumn<Within> = { readonly nullable: boolean } & (
  | { readonly kind: 'string'; readonly format?: 'instant' | 'date' | 'uuid' }
  /** Exact decimals as texts, with so many digits behind the point. */
  | { readonly kind: 'string'; readonly format: 'decimal'; readonly scale: number }
  | { readonly kind: 'number'; readonly integer: boolean }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'enum'; readonly values: readonly (string | number)[] }
  | { readonly kind: 'array'; readonly element: TypeOfColumn<Within> }
  | { readonly kind: 'object'; readonly columns: readonly Within[] }
  | { readonly kind: 'json' }
);

export const nullable = (column: Column): Column =>
  column.type.nullable
    ? column
    : { name: column.name, schema: z.nullable(column.schema), type: { ...column.type, nullable: true } };

export const notNull = (column: Column): Column => {
  const inner = column.schema._zod.def as { type: string; innerType?: z.core.$ZodType };
  return {
    name: column.name,
    schema: inner.type === 'nullable' ? inner.innerType! : column.schema,
    type: { ...column.type, nullable: false },
  };
};

export const renamed = (column: Column, name: string): Column =>
  column.name === name ? column : { name, schema: column.schema, type: column.type };

/** A column that holds rows of these columns. */
export function objectColumn(name: string, columns: readonly Column[]): Column {
  const schema = z.object(Object.fromEntries(columns.map((column) => [column.name, column.schema])));
  return { name, schema, type: { kind: 'object', columns, nullable: false } };
}

export const arrayColumn = (name: string, element: Column): Column => ({
  name,
  schema: z.array(element.schema),
  type: { kind: 'array', element: element.type, nullable: false },
});

/** Follows a path through object columns; null where it leads nowhere. Nullable if anything on the way is. */
export function columnAt(columns: readonly Column[], path: string): Column | null {
  const [head, ...rest] = path.split('.');
  let column = columns.find((candidate) => candidate.name === head);
  if (column === undefined) return null;
  for (const step of rest) {
    const type: ColumnType = column.type;
    if (type.kind === 'json')
      return { name: path, schema: z.unknown(), type: { kind: 'json', nullable: true } };
    if (type.kind !== 'object') return null;
    const next: Column | undefined = type.columns.find((candidate: Column) => candidate.name === step);
    if (next === undefined) return null;
    column = type.nullable ? nullable(next) : next;
  }
  return renamed(column, path);
}

/** What kind of values equality compares, in a word. Two columns can be joined where the words are equal. */
export function kindOf(
  type: TypeOfColumn<unknown>,
): 'text' | `decimals(${number})` | 'numbers' | 'booleans' | 'objects' | 'arrays' | 'anything' {
  switch (type.kind) {
    case 'string':
      return type.format === 'decimal' ? `decimals(${type.scale})` : 'text';
    case 'number':
      return 'numbers';
    case 'boolean':
      return 'booleans';
    case 'enum':
      return type.values.every((value) => typeof value === 'string')
        ? 'text'
        : type.values.every((value) => typeof value === 'number')
          ? 'numbers'
          : 'anything';
    case 'array':
      return 'arrays';
    case 'object':
      return 'objects';
    case 'json':
      return 'anything';
  }
}

/** Values that have an order and an equality a key can use. */
export const isScalar = (type: ColumnType): boolean =>
  type.kind === 'string' || type.kind === 'number' || type.kind === 'boolean' || type.kind === 'enum';

/** A column that holds nothing but strings: the text of such a key is the string itself. */
export const holdsOnlyStrings = (type: TypeOfColumn<unknown>): boolean =>
  !type.nullable && (type.kind === 'string' || kindOf(type) === 'text');

/** Texts that are ordered as numbers are, and summed as such. */
export const isDecimal = (type: { readonly kind: string; readonly format?: string }): boolean =>
  type.kind === 'string' && type.format === 'decimal';

/** Points in time, in the one form of their texts. */
export const isInstant = (type: TypeOfColumn<unknown>): boolean =>
  type.kind === 'string' && type.format === 'instant';

/** Two columns hold the same kind of values, at every depth; one may be null where the other is not. */
export function sameKind(left: ColumnType, right: ColumnType): boolean {
  if (left.kind === 'array' && right.kind === 'array') return sameKind(left.element, right.element);
  if (left.kind === 'object' && right.kind === 'object')
    return (
      left.columns.length === right.columns.length &&
      left.columns.every(
        (column, index) =>
          column.name === right.columns[index]!.name && sameKind(column.type, right.columns[index]!.type),
      )
    );
  return kindOf(left) === kindOf(right);
}

/** `text`, `text?`, `numbers[]`, for messages. */
export function typeText(type: ColumnType): string {
  const text =
    type.kind === 'array'
      ? `${typeText(type.element)}[]`
      : type.kind === 'object'
        ? `{ ${type.columns.map((column) => `${column.name}: ${typeText(column.type)}`).join(', ')} }`
        : kindOf(type);
  return type.nullable ? `${text} or null` : text;
}
