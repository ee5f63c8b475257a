import { compareText } from './text-order.js';

/**
 * What a row may hold. Values are *canonical* from the moment they enter a delta: no −0, no NaN or infinity,
 * no lone surrogates, no `undefined` (null stands for missing), fields in one order. Equal values therefore
 * have equal JSON texts, in memory and in Redis.
 */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [field: string]: Value };

/** An immutable row: its columns in the order of its schema. */
export interface Row {
  readonly [column: string]: Value;
}

/** Arrays and objects within one another. */
const DEPTH_MAX = 200;

/** Why a value cannot be held in a row. */
export class UncanonicalValue extends Error {
  override readonly name = 'UncanonicalValue';
}

/**
 * The canonical form of `value`. Objects keep only what JSON would, fields sorted by name. How deep a value may be is a
 * number, not the depth of a stack, which is another in every process.
 * @throws UncanonicalValue for what JSON cannot say without loss.
 */
export function canonical(value: unknown, path = '', depth = 0): Value {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new UncanonicalValue(`${path || 'value'} holds a lone surrogate`);
      return value;
    case 'number':
      if (!Number.isFinite(value))
        throw new UncanonicalValue(`${path || 'value'} is ${value}, not a finite number`);
      if (Math.abs(value) > Number.MAX_SAFE_INTEGER && Number.isInteger(value) && Math.abs(value) < 1e21)
        throw new UncanonicalValue(
          `${path || 'value'} is an integer beyond 2^53 and may have been rounded: send it as a string`,
        );
      return value + 0; // −0 becomes 0
    case 'boolean':
      return value;
    case 'undefined':
      return null;
    case 'object': {
      if (value === null) return null;
      if (depth === DEPTH_MAX)
        throw new UncanonicalValue(`${path.slice(0, 40)}… is nested deeper than ${DEPTH_MAX} levels`);
      if (Array.isArray(value))
        return value.map((item, index) => canonical(item, `${path}[${index}]`, depth + 1));
      if (Object.getPrototypeOf(value) !== Object.prototype && Object.getPrototypeOf(value) !== null)
        throw new UncanonicalValue(
          `${path || 'value'} is a ${value.constructor?.name ?? 'special object'}, which JSON cannot hold`,
        );
      const fields = value as Record<string, unknown>;
      const out: Record<string, Value> = {};
      for (const name of Object.keys(fields).sort(compareText)) {
        if (fields[name] === undefined) continue;
        if (!name.isWellFormed())
          throw new UncanonicalValue(`${path || 'value'} has a field whose name holds a lone surrogate`);
        Object.defineProperty(out, name, {
          value: canonical(fields[name], path ? `${path}.${name}` : name, depth + 1),
          enumerable: true,
          writable: true,
          configurable: true,
        });
      }
      return out;
    }
    default:
      throw new UncanonicalValue(`${path || 'value'} is a ${typeof value}, which JSON cannot hold`);
  }
}

/** The text of a canonical value: equal values, equal texts. */
export const textOf = (value: Value): string => JSON.stringify(value);

/**
 * The one order of values: booleans, numbers, strings (by UTF-8 bytes), arrays and objects by text, and null
 * after all, as PostgreSQL orders.
 */
export function compareValues(left: Value, right: Value): number {
  const kinds = kindRank(left) - kindRank(right);
  if (kinds !== 0) return kinds;
  if (typeof left === 'string') return compareText(left, right as string);
  if (typeof left === 'number') return left - (right as number);
  if (typeof left === 'boolean') return Number(left) - Number(right);
  if (left === null) return 0;
  return compareText(textOf(left), textOf(right));
}

function kindRank(value: Value): number {
  if (value === null) return 5;
  switch (typeof value) {
    case 'boolean':
      return 1;
    case 'number':
      return 2;
    case 'string':
      return 3;
    default:
      return 4;
  }
}
