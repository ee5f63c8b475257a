import type { Row, Value } from './value.js';

/**
 * The canonical text of a key: what identifies a row or a group, in memory, in Redis and for placement.
 *
 *   one column that only holds strings    the string itself            ORD
 *   one other column                      its JSON                     7   null   "7"
 *   several columns                       a JSON array                 ["ORD","2001-01-01T05:00:00.000Z"]
 */
export type KeyText = string;

/** Reads a value out of a row: a column or a path into nested objects; null where something on the way is null. */
export type Read = (row: any) => Value;

export function readPath(path: string): Read {
  const steps = path.split('.');
  if (steps.length === 1) return (row) => row[path] ?? null;
  return (row) => {
    let value = row;
    for (const step of steps) {
      if (value === null || value === undefined) return null;
      value = value[step];
    }
    return value ?? null;
  };
}

/** The values of a key text whose parts are of this description. */
export function keyValues(text: KeyText, parts: readonly { onlyStrings: boolean }[]): Value[] {
  if (parts.length === 0) return [];
  if (parts.length === 1) return [parts[0]!.onlyStrings ? text : JSON.parse(text)];
  return JSON.parse(text);
}

/** The key text of values given one by one, in the order of the parts. */
export function keyTextOfValues(
  values: readonly Value[],
  parts: readonly { onlyStrings: boolean }[],
): KeyText {
  if (parts.length === 1) return parts[0]!.onlyStrings ? (values[0] as string) : JSON.stringify(values[0]);
  return JSON.stringify(values);
}

const PLAIN = /^[^"\\\u0000-\u001f\ud800-\udfff]*$/;

/** `JSON.stringify`, quicker for numbers and for the short plain strings that keys and names mostly are. */
export function jsonOf(value: Value): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string' && value.length < 64 && PLAIN.test(value)) return `"${value}"`;
  return JSON.stringify(value);
}

export type { Row };
