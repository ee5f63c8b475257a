import type { z } from 'zod';
import type { Column, ColumnType } from '../view/column.js';
import { applySchema, arrivingSchema, type RowShape } from './conform.js';

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * Reads the fields of an entry that are its columns, one by one, as `XADD flights * delay 3 origin ORD` writes them.
 * Redis holds texts only: numbers, `true` and `false` and JSON are read out of them where the column is of such a type.
 * A column that is not among the fields is missing, or null where its schema wants to be told so.
 */
export class FlatFields {
  readonly #columns: readonly { column: Column; schema: z.core.$ZodType; missing: undefined | null }[];

  constructor(shape: RowShape, columns: readonly Column[] = shape.columns) {
    this.#columns = columns.map((column) => {
      const schema = arrivingSchema(shape, column);
      return {
        column,
        schema,
        missing: !accepts(schema, undefined) && accepts(schema, null) ? null : undefined,
      };
    });
  }

  /** The record that the texts stand for; undeclared fields stay texts. */
  read(texts: ReadonlyMap<string, string>): Record<string, unknown> {
    const record: Record<string, unknown> = Object.fromEntries(texts);
    for (const { column, schema, missing } of this.#columns) {
      const text = texts.get(column.name);
      if (text !== undefined) record[column.name] = readText(text, column.type, schema);
      else if (missing === null) record[column.name] = null;
    }
    return record;
  }
}

/** A text as a value for a column; the text itself where it cannot be one, so that the schema says what is wrong. */
export function readText(text: string, type: ColumnType, schema: z.core.$ZodType): unknown {
  const value = valueIn(text, type);
  // A schema may want the text although what it makes of it is something else.
  return value === text || accepts(schema, value) || !accepts(schema, text) ? value : text;
}

function valueIn(text: string, type: ColumnType): unknown {
  switch (type.kind) {
    case 'string':
      return type.format === 'instant' && /^\d+$/.test(text) ? Number(text) : text;
    case 'number':
      return JSON_NUMBER.test(text) ? Number(text) : nullIn(text, type);
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : nullIn(text, type);
    case 'enum':
      return type.values.includes(text) || !JSON_NUMBER.test(text) || !type.values.includes(Number(text))
        ? text
        : Number(text);
    default:
      try {
        return JSON.parse(text);
      } catch {
        return text;
      }
  }
}

const nullIn = (text: string, type: ColumnType): string | null =>
  text === 'null' && type.nullable ? null : text;

const accepts = (schema: z.core.$ZodType, value: unknown): boolean => 'value' in applySchema(schema, value);
