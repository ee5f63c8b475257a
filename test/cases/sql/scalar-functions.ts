import { createHash } from 'node:crypto';
import { unsupported } from '../unsupported.js';
import { dialect, SqlError } from './dialect.js';
import { binned, field, toChar, TRUNC } from './times.js';
import { baseOf, dateOf, elementOf, instantOf, isNumber, msOf } from './types.js';

/** A function of SQL: the type of its result by those of its arguments, and its value. Null in, null out unless `nulls`. */
export interface ScalarFunction {
  readonly type: (types: readonly string[]) => string;
  readonly call: (...args: any[]) => any;
  readonly nulls?: boolean;
  /** The type that texts and nulls without one take here. */
  readonly takes?: string;
}

const first = (types: readonly string[]): string => types[0] ?? 'unknown';
/** The widest of the types that have one. */
export function commonType(types: readonly string[]): string {
  const known = types.filter((type) => type !== 'unknown');
  const bases = known.map(baseOf);
  for (const type of ['float', 'numeric', 'int'])
    if (bases.includes(type) && bases.every((other) => ['int', 'numeric', 'float'].includes(other)))
      return type;
  if (bases.includes('timestamptz')) return 'timestamptz';
  if (bases.includes('timestamp')) return 'timestamp';
  return known[0] ?? 'text';
}

const is =
  (type: string): (() => string) =>
  () =>
    type;
const text = (call: (...args: any[]) => any): ScalarFunction => ({ type: is('text'), call, takes: 'text' });
const int = (call: (...args: any[]) => any): ScalarFunction => ({ type: is('int'), call });
const number = (call: (...args: any[]) => any): ScalarFunction => ({
  type: (types) => (baseOf(first(types)) === 'float' ? 'float' : 'numeric'),
  call,
});

/** Half away from zero, as numeric rounds; what a double is a little short of counts as a half. */
export function rounded(value: number, places = 0): number {
  const scaled = Math.abs(value) * 10 ** places;
  return (Math.sign(value) * Math.round(scaled * (1 + 2 * Number.EPSILON))) / 10 ** places;
}

/** A half to the even neighbour, as doubles are rounded. */
export function evenly(value: number): number {
  const below = Math.floor(value);
  const over = value - below;
  return over < 0.5 || (over === 0.5 && below % 2 === 0) ? below : below + 1;
}

/** Kinds of JSON, the least first. */
const RANKS = ['string', 'number', 'boolean', 'array', 'object'];
const rankOf = (value: unknown): number => RANKS.indexOf(Array.isArray(value) ? 'array' : typeof value);
/** The text of an object, whatever order its members are in. */
const jsonOf = (value: object): string =>
  JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([l], [r]) => (l < r ? -1 : 1)))
      : part,
  );

/** Compares two values that are not null. */
export function compare(left: any, right: any): number {
  if (Array.isArray(left) && Array.isArray(right)) {
    for (let at = 0; at < Math.min(left.length, right.length); at++) {
      const [l, r] = [left[at], right[at]];
      if (l === null || r === null) {
        if (l !== r) return l === null ? 1 : -1;
        continue;
      }
      const order = compare(l, r);
      if (order !== 0) return order;
    }
    return left.length - right.length;
  }
  if (typeof left !== typeof right || Array.isArray(left) !== Array.isArray(right))
    return rankOf(left) - rankOf(right);
  if (typeof left === 'object') {
    const [l, r] = [jsonOf(left), jsonOf(right)];
    return l < r ? -1 : l > r ? 1 : 0;
  }
  return left < right ? -1 : left > right ? 1 : 0;
}

const commonDivisor = (left: number, right: number): number =>
  right === 0 ? Math.abs(left) : commonDivisor(right, left % right);

const once = (list: readonly any[]): any[] => [...new Set(list)];
const inOrder = (list: readonly any[]): any[] =>
  [...list].sort((l, r) =>
    l === null || r === null ? Number(r === null) - Number(l === null) : compare(l, r),
  );
const notNull = (values: readonly any[]): any[] => values.filter((value) => value !== null);
const extreme = (sign: 1 | -1, overNull = false): ScalarFunction => ({
  type: commonType,
  nulls: true,
  call: (...args) =>
    dialect().extremesOfNull && !overNull && args.includes(null)
      ? null
      : notNull(args).reduce(
          (best, value) => (best === null || sign * compare(value, best) > 0 ? value : best),
          null,
        ),
});

const part = (value: string, separator: string, place: number): string => {
  const parts = value.split(separator);
  return parts[place > 0 ? place - 1 : parts.length + place] ?? '';
};

const substring = (value: string, from: any, length?: number): string | null => {
  if (typeof from === 'string') {
    const found = new RegExp(from).exec(value);
    return found ? (found[1] ?? found[0]) : null;
  }
  const characters = [...value];
  const start = Math.max(0, from - 1);
  return characters
    .slice(start, length === undefined ? undefined : Math.max(start, from - 1 + length))
    .join('');
};

const trimmed =
  (atStart: boolean, atEnd: boolean) =>
  (value: string, characters = ' '): string => {
    const all = [...value];
    let [from, to] = [0, all.length];
    while (atStart && from < to && characters.includes(all[from]!)) from++;
    while (atEnd && to > from && characters.includes(all[to - 1]!)) to--;
    return all.slice(from, to).join('');
  };

const regexReplaced = (value: string, pattern: string, by: string, flags = ''): string =>
  value.replace(
    new RegExp(pattern, flags.replaceAll(/[^gi]/g, '')),
    by
      .replaceAll('$', '$$$$')
      .replaceAll(/\\(\d)/g, '$$$1')
      .replaceAll('\\&', '$$&'),
  );

/** %s, %I and %L of format(); `%%` is a percent sign. */
const formatted = (template: string | null, ...args: any[]): string | null =>
  template === null
    ? null
    : template.replace(/%([%s])/g, (_, kind: string) => (kind === '%' ? '%' : String(args.shift() ?? '')));

const SIZE = new TextEncoder();

const padded = (value: string, size: number, fill = ' ', atStart = true): string => {
  const characters = [...value];
  if (characters.length >= size) return characters.slice(0, size).join('');
  return atStart ? value.padStart(size, fill) : value.padEnd(size, fill);
};

const isTimeOrText = (type: string | undefined): string =>
  type === 'timestamptz' ? 'timestamptz' : 'timestamp';

const timePart = (name: string): ScalarFunction => int((time: string) => field(name, time));

export const scalarFunctions: Readonly<Record<string, ScalarFunction>> = {
  if: {
    type: (types) => commonType(types.slice(1)),
    nulls: true,
    call: (condition, then, otherwise) => (condition === true ? then : otherwise),
  },
  year: timePart('year'),
  quarter: timePart('quarter'),
  month: timePart('month'),
  hour: timePart('hour'),
  minute: timePart('minute'),
  second: timePart('second'),
  dayofmonth: timePart('day'),
  dayofyear: timePart('doy'),
  week: timePart('week'),
  coalesce: { type: commonType, nulls: true, call: (...args) => notNull(args)[0] ?? null },
  nullif: {
    type: first,
    nulls: true,
    call: (left, right) => (left !== null && right !== null && compare(left, right) === 0 ? null : left),
  },
  greatest: extreme(1),
  least: extreme(-1),
  greatest_ignore_nulls: extreme(1, true),
  least_ignore_nulls: extreme(-1, true),
  ifnull: { type: commonType, nulls: true, call: (value, otherwise) => value ?? otherwise },
  nvl: { type: commonType, nulls: true, call: (value, otherwise) => value ?? otherwise },
  abs: { type: first, call: Math.abs },
  log10: number(Math.log10),
  log: number((first: number, second?: number) =>
    second === undefined ? Math.log10(first) : Math.log(second) / Math.log(first),
  ),
  atan2: { type: is('float'), call: Math.atan2 },
  gcd: int((left: number, right: number) => commonDivisor(left, right)),
  lcm: int((left: number, right: number) =>
    left === 0 || right === 0 ? 0 : Math.abs(left * right) / commonDivisor(left, right),
  ),
  cbrt: number(Math.cbrt),
  sin: number(Math.sin),
  cos: number(Math.cos),
  tan: number(Math.tan),
  pi: { type: is('float'), call: () => Math.PI },
  degrees: number((value: number) => (value * 180) / Math.PI),
  radians: number((value: number) => (value * Math.PI) / 180),
  div: {
    type: commonType,
    call: (left: number, right: number) => {
      if (right === 0) throw new SqlError('division by zero');
      return Math.trunc(left / right) + 0;
    },
  },
  round: {
    type: (types) => (baseOf(first(types)) === 'float' ? 'float' : 'numeric'),
    call: (value: number, places = 0) => rounded(value, places),
  },
  floor: number(Math.floor),
  ceil: number(Math.ceil),
  ceiling: number(Math.ceil),
  trunc: number((value: number, places = 0) => Math.trunc(value * 10 ** places) / 10 ** places),
  mod: {
    type: (types) =>
      types.every((type) => isNumber(type)) ? commonType(types) : unsupported('SQL: mod() of texts'),
    call: (left: number, right: number) => {
      if (right === 0) throw new SqlError('division by zero');
      return left % right;
    },
  },
  power: number((base: number, exponent: number) => base ** exponent),
  pow: number((base: number, exponent: number) => base ** exponent),
  sqrt: number(Math.sqrt),
  exp: number(Math.exp),
  ln: number(Math.log),
  sign: number(Math.sign),
  length: int((value: string) => [...value].length),
  char_length: int((value: string) => [...value].length),
  lower: text((value: string) => value.toLowerCase()),
  upper: text((value: string) => value.toUpperCase()),
  initcap: text((value: string) =>
    value.toLowerCase().replace(/[a-z0-9]+/g, (word) => word[0]!.toUpperCase() + word.slice(1)),
  ),
  reverse: text((value: string) => [...value].reverse().join('')),
  repeat: text((value: string, count: number) => value.repeat(Math.max(0, count))),
  replace: text((value: string, from: string, to: string) =>
    from === '' ? value : value.replaceAll(from, to),
  ),
  split_part: text(part),
  substr: text(substring),
  substring: text(substring),
  left: text((value: string, count: number) => [...value].slice(0, count).join('')),
  right: text((value: string, count: number) => (count === 0 ? '' : [...value].slice(-count).join(''))),
  overlay: text((value: string, by: string, from: number, count = [...by].length) => {
    const all = [...value];
    return [...all.slice(0, from - 1), by, ...all.slice(from - 1 + count)].join('');
  }),
  translate: text((value: string, from: string, to: string) =>
    [...value]
      .map((one) => {
        const at = [...from].indexOf(one);
        return at === -1 ? one : ([...to][at] ?? '');
      })
      .join(''),
  ),
  md5: text((value: string) => createHash('md5').update(value).digest('hex')),
  chr: text((code: number) => String.fromCodePoint(code)),
  to_hex: text((value: number) => value.toString(16)),
  regexp_replace: text(regexReplaced),
  format: { type: is('text'), nulls: true, takes: 'text', call: formatted },
  quote_literal: text((value: string) => `'${value.replaceAll("'", "''")}'`),
  octet_length: int((value: string) => SIZE.encode(value).length),
  bit_length: int((value: string) => 8 * SIZE.encode(value).length),
  character_length: int((value: string) => [...value].length),
  lpad: text((value: string, size: number, fill?: string) => padded(value, size, fill)),
  rpad: text((value: string, size: number, fill?: string) => padded(value, size, fill, false)),
  trim: text(trimmed(true, true)),
  btrim: text(trimmed(true, true)),
  ltrim: text(trimmed(true, false)),
  rtrim: text(trimmed(false, true)),
  concat: { type: is('text'), nulls: true, takes: 'text', call: (...args) => notNull(args).join('') },
  concat_ws: {
    type: is('text'),
    nulls: true,
    takes: 'text',
    call: (mark, ...args) => notNull(args).join(mark),
  },
  position: int((what: string, within: string) => within.indexOf(what) + 1),
  strpos: int((within: string, what: string) => within.indexOf(what) + 1),
  starts_with: { type: is('bool'), call: (value: string, start: string) => value.startsWith(start) },
  ascii: int((value: string) => value.codePointAt(0) ?? 0),
  regexp_match: {
    type: is('text[]'),
    call: (value: string, pattern: string) => {
      const found = new RegExp(pattern).exec(value);
      return found && (found.length > 1 ? found.slice(1).map((group) => group ?? null) : [found[0]]);
    },
  },
  to_char: { type: is('text'), call: toChar },
  to_timestamp: { type: is('timestamptz'), call: (seconds: number) => instantOf(seconds * 1_000) },
  date_trunc: {
    type: (types) => isTimeOrText(types[1]),
    call: (unit: string, time: string) =>
      instantOf((TRUNC[unit.toLowerCase()] ?? unsupported(`date_trunc ${unit}`))(msOf(time))),
  },
  date_part: { type: is('float'), call: (name: string, time: any) => field(name.toLowerCase(), time) },
  date_bin: { type: (types) => isTimeOrText(types[1]), call: binned },
  timezone: {
    type: (types) => (types[1] === 'timestamptz' ? 'timestamp' : 'timestamptz'),
    call: (zone: string, time: string) => (zone.toUpperCase() === 'UTC' ? time : unsupported('time zones')),
  },
  array_length: int((list: any[]) => (list.length === 0 ? null : list.length)),
  cardinality: int((list: any[]) => list.length),
  array_to_string: text((list: any[], mark: string, forNull?: string) =>
    (forNull === undefined ? notNull(list) : list.map((one) => one ?? forNull)).join(mark),
  ),
  array_sort: { type: first, call: inOrder },
  array_min: {
    type: (types) => elementOf(first(types)),
    call: (list: any[]) => inOrder(notNull(list))[0] ?? null,
  },
  array_max: {
    type: (types) => elementOf(first(types)),
    call: (list: any[]) => inOrder(notNull(list)).at(-1) ?? null,
  },
  array_sum: {
    type: (types) => elementOf(first(types)),
    call: (list: number[]) =>
      notNull(list).length === 0 ? null : notNull(list).reduce((sum, value) => sum + value, 0),
  },
  array_replace: {
    type: first,
    nulls: true,
    call: (list: any[] | null, from: any, to: any) => list && list.map((one) => (one === from ? to : one)),
  },
  regexp_split_to_array: {
    type: is('text[]'),
    call: (value: string, mark: string) => value.split(new RegExp(mark)),
  },
  regexp_count: int((value: string, pattern: string) => [...value.matchAll(new RegExp(pattern, 'g'))].length),
  array_position: int((list: any[], value: any) => {
    const at = list.findIndex((element) => element !== null && compare(element, value) === 0);
    return at === -1 ? null : at + 1;
  }),
  array_append: {
    type: first,
    nulls: true,
    call: (list: any[] | null, value: any) => [...(list ?? []), value],
  },
  array_prepend: {
    type: (types) => types[1]!,
    nulls: true,
    call: (value: any, list: any[] | null) => [value, ...(list ?? [])],
  },
  array_cat: {
    type: first,
    nulls: true,
    call: (left: any[] | null, right: any[] | null) =>
      left === null || right === null ? (left ?? right) : [...left, ...right],
  },
  array_remove: { type: first, call: (list: any[], value: any) => list.filter((one) => one !== value) },
  array_except: {
    type: first,
    call: (left: any[], right: any[]) => inOrder(once(left).filter((one) => !right.includes(one))),
  },
  array_intersect: {
    type: first,
    call: (left: any[], right: any[]) => inOrder(once(left).filter((one) => right.includes(one))),
  },
  array_distinct: { type: first, call: (list: any[]) => once(list) },
  /** list[from:to] */
  '(slice)': {
    type: first,
    call: (list: any[], from: number, to: number) => list.slice(Math.max(0, from - 1), Math.max(0, to)),
  },
  string_to_array: {
    type: is('text[]'),
    call: (value: string, mark: string) => (value === '' ? [] : value.split(mark)),
  },
  array_upper: int((list: any[]) => (list.length === 0 ? null : list.length)),
  jsonb_typeof: text((value: any) =>
    value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value,
  ),
  jsonb_array_length: int((value: any) => value.length),
  make_date: {
    type: is('date'),
    call: (year: number, month: number, day: number) => dateOf(Date.UTC(year, month - 1, day)),
  },
  make_timestamp: {
    type: is('timestamp'),
    call: (year: number, month: number, day: number, hour: number, minute: number, second: number) =>
      instantOf(Date.UTC(year, month - 1, day, hour, minute, 0) + Math.round(second * 1_000)),
  },
  date: { type: is('date'), call: (time: string) => dateOf(msOf(time)) },
};

/** What is another function of doubles. */
export const ofDoubles: Readonly<Record<string, ScalarFunction>> = {
  round: {
    type: is('float'),
    call: (value: number, places = 0) => (places === 0 ? evenly(value) + 0 : rounded(value, places)),
  },
};
