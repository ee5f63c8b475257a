import { unsupported } from '../unsupported.js';
import { type Compiled, constant, nullsOut } from './compiled.js';
import { dialect, SqlError } from './dialect.js';
import { evenly, rounded } from './scalar-functions.js';
import {
  baseOf,
  dateOf,
  instantOf,
  intervalOf,
  isList,
  isNumber,
  isTime,
  msOf,
  placesOf,
  shown,
  stored,
  timeOf,
} from './types.js';

/** The same value as another type, where SQL makes it so by itself. `loose`: only texts without a type. */
export function coerced(e: Compiled, type: string, loose = false): Compiled {
  if (e.type === type || e.type === 'row') return e;
  if (loose && e.type !== 'unknown') return e;
  if (baseOf(e.type) === baseOf(type)) return e;
  if (isNumber(e.type) && isNumber(type)) return { type, of: e.of };
  return casted(e, type);
}

export function casted(e: Compiled, type: string): Compiled {
  const from = baseOf(e.type);
  const to = baseOf(type);
  const by = (convert: (value: any) => any): Compiled => ({ type, of: nullsOut([e], convert) });
  if (from === to && !/\(/.test(type)) return { type, of: e.of };
  if (to === 'text' && from === 'interval' && dialect().wholeParts)
    return unsupported('SQL: the text of an interval');
  if (to === 'text')
    return from === 'unknown'
      ? { type, of: e.of }
      : { ...by((value) => textOf(e.type, value)), open: from === 'numeric' && placesOf(e.type) === null };
  if (to === 'int')
    return by((value) => {
      if (typeof value === 'boolean') return Number(value);
      const number = typeof value === 'string' ? Number(value) : value;
      if (!Number.isFinite(number)) throw new SqlError(`"${value}" is no integer`);
      if (dialect().cutsCasts) return Math.trunc(number) + 0;
      return (from === 'float' ? evenly(number) : rounded(number, 0)) + 0;
    });
  if (to === 'numeric') {
    const places = placesOf(type);
    return by((value) => (places === null ? Number(value) : rounded(Number(value), places)));
  }
  if (to === 'float') return by(Number);
  if (to === 'bool')
    return by((value) => (typeof value === 'string' ? /^(t|true|yes|on|1)$/i.test(value) : Boolean(value)));
  if (to === 'interval' && (from === 'unknown' || from === 'text')) {
    const parsed = e.of({});
    if (typeof parsed === 'string') return constant(type, intervalOf(parsed));
    return by(intervalOf);
  }
  if (['date', 'timestamp', 'timestamptz'].includes(to) && isNumber(from))
    return unsupported(`SQL: a cast of ${e.type} to ${type}`);
  if (to === 'date') return by((value) => (value.length === 10 ? value : dateOf(timeOf(value))));
  if (to === 'timestamp' || to === 'timestamptz')
    return by((value) => (value.length === 24 ? value : instantOf(timeOf(value))));
  if (to === 'time' && isTime(from)) return by((value) => instantOf(msOf(value)).slice(11, 23));
  if (to === 'json')
    return by((value) => (from === 'unknown' || from === 'text' ? JSON.parse(value) : value));
  if (isList(to)) return by((value) => stored(to, value));
  if (from === 'unknown') return by((value) => stored(type, value));
  return unsupported(`SQL: a cast of ${e.type} to ${type}`);
}

const textOf = (type: string, value: any): string =>
  type === 'bool'
    ? String(value)
    : type === 'json' && typeof value === 'string'
      ? JSON.stringify(value)
      : shown(type, value)!;
