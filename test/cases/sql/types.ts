import { unsupported } from '../unsupported.js';
import { dialect } from './dialect.js';

/**
 * SQL's types as far as values differ: `int numeric float text bool timestamp timestamptz date time interval json`,
 * `unknown` for a text or null that takes the type of what it meets, `…[]` for lists.
 *
 * In rows timestamps are instants (UTC text of one width), dates and times texts, intervals milliseconds.
 */
const NAMES: Readonly<Record<string, string>> = {
  smallint: 'int',
  integer: 'int',
  int: 'int',
  int2: 'int',
  int4: 'int',
  int8: 'int',
  bigint: 'int',
  serial: 'int',
  real: 'float',
  float: 'float',
  float4: 'float',
  float8: 'float',
  double: 'float',
  'double precision': 'float',
  numeric: 'numeric',
  decimal: 'numeric',
  text: 'text',
  varchar: 'text',
  char: 'text',
  character: 'text',
  'character varying': 'text',
  string: 'text',
  uuid: 'text',
  boolean: 'bool',
  bool: 'bool',
  timestamp: 'timestamp',
  'timestamp without time zone': 'timestamp',
  timestamptz: 'timestamptz',
  'timestamp with time zone': 'timestamptz',
  date: 'date',
  time: 'time',
  'time without time zone': 'time',
  interval: 'interval',
  json: 'json',
  jsonb: 'json',
};

/** Decimals of a numeric or length of a text are kept: `numeric(10,2)`. */
export function typeNamed(text: string): string {
  const [, name, size = '', list = ''] = /^([^([]+)(\([^)]*\))?((?:\[\])*)$/.exec(text) ?? [];
  const type = NAMES[name?.trim() ?? ''];
  if (type === undefined) return `opaque ${text}`;
  return (type === 'numeric' ? type + size : type) + list;
}

export const isList = (type: string): boolean => type.endsWith('[]');
export const elementOf = (type: string): string => type.slice(0, -2);
export const baseOf = (type: string): string =>
  type.startsWith('numeric') && !isList(type) ? 'numeric' : type;
export const isNumber = (type: string): boolean => ['int', 'numeric', 'float'].includes(baseOf(type));
/** How many digits behind the point all values of a type have; null where each has its own. */
export const placesOf = (type: string): number | null =>
  type === 'int'
    ? 0
    : (/^numeric\((?:\d+)(?:,\s*(\d+))?\)$/
        .exec(type)
        ?.slice(1)
        .map((places = '0') => Number(places))[0] ?? null);
export const numericOf = (places: number | null): string =>
  places === null ? 'numeric' : `numeric(1000,${places})`;
/** Decimals are doubles here: what a calculation leaves behind their fifteen digits is none of theirs. */
export const exactly = (value: number): number => Number(value.toPrecision(15));

export const isTime = (type: string): boolean => ['timestamp', 'timestamptz', 'date'].includes(type);

export const DAY_MS = 86_400_000;

/** A time as milliseconds from the text of a timestamp or a date; without a zone it is UTC. */
export function timeOf(text: string): number {
  const match =
    /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/i.exec(
      text.trim(),
    );
  if (!match) return unsupported(`the time "${text}"`);
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match;
  if (fraction.replace(/0+$/, '').length > 3) unsupported('times finer than a millisecond');
  const utc = Date.UTC(
    +year!,
    +month! - 1,
    +day!,
    +hour,
    +minute,
    +second,
    +fraction.padEnd(3, '0').slice(0, 3),
  );
  const offset = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone);
  if (!offset) return utc;
  const ms = (+offset[2]! * 60 + +(offset[3] ?? 0)) * 60_000;
  return offset[1] === '+' ? utc - ms : utc + ms;
}

export const instantOf = (ms: number): string => new Date(ms).toISOString();
export const dateOf = (ms: number): string => instantOf(ms).slice(0, 10);
export const msOf = (text: string): number =>
  Date.parse(text.length === 10 ? `${text}T00:00:00.000Z` : text[2] === ':' ? `1970-01-01T${text}Z` : text);

const UNIT_MS: Readonly<Record<string, number>> = {
  week: 7 * DAY_MS,
  day: DAY_MS,
  hour: 3_600_000,
  minute: 60_000,
  min: 60_000,
  second: 1_000,
  sec: 1_000,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: DAY_MS,
  millisecond: 1,
};

/** Milliseconds, or months beside them: only what is added to a time may have months. */
export type Interval = number | { readonly months: number; readonly ms: number };

export function intervalOf(text: string): Interval {
  let ms = 0;
  let months = 0;
  const rest = text
    .toLowerCase()
    .replace(/([+-]?\d+(?:\.\d+)?)\s*([a-z]+)/g, (_, count: string, word: string) => {
      const unit = word.length > 1 ? word.replace(/s$/, '') : word;
      if (['year', 'yr', 'y'].includes(unit)) months += 12 * Number(count);
      else if (['month', 'mon'].includes(unit)) months += Number(count);
      else if (UNIT_MS[unit] !== undefined) ms += Number(count) * UNIT_MS[unit]!;
      else unsupported(`the interval "${text}"`);
      return '';
    })
    .replace(/([+-]?)(\d+):(\d{2})(?::(\d{2}(?:\.\d+)?))?/, (_, sign: string, hour, minute, second = '0') => {
      ms += (sign === '-' ? -1 : 1) * ((+hour * 60 + +minute) * 60_000 + Number(second) * 1_000);
      return '';
    });
  if (rest.trim() !== '') {
    if (!/^\s*[+-]?\d+(\.\d+)?\s*$/.test(rest)) return unsupported(`the interval "${text}"`);
    ms += Number(rest) * 1_000;
  }
  return months === 0 ? ms : { months, ms };
}

/** A time some months and milliseconds later; a day that the month has not is its last. */
export function later(ms: number, interval: Interval, sign: 1 | -1): number {
  if (typeof interval === 'number') return ms + sign * interval;
  const date = new Date(ms);
  const month = date.getUTCMonth() + sign * interval.months;
  const last = new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const day = Math.min(date.getUTCDate(), last);
  return Date.UTC(date.getUTCFullYear(), month, day) + (ms % DAY_MS) + sign * interval.ms;
}

/** A value of a case's file as it lies in a row. */
export function stored(type: string, value: unknown): any {
  if (value === null || value === undefined) return null;
  if (isList(type)) {
    const list = Array.isArray(value) ? value : listOf(String(value));
    return list.map((element) => stored(elementOf(type), element));
  }
  switch (baseOf(type)) {
    case 'int': {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : unsupported('integers beyond 2^53');
    }
    case 'numeric':
    case 'float': {
      const number = Number(value);
      if (!Number.isFinite(number)) return unsupported('NaN and infinity');
      if (Number.isInteger(number) && !Number.isSafeInteger(number))
        return unsupported('numbers beyond 2^53');
      return number === 0 ? 0 : number;
    }
    case 'bool':
      return value === true || value === 't' || value === 'true';
    case 'timestamp':
    case 'timestamptz':
      return instantOf(timeOf(String(value)));
    case 'date':
      return dateOf(timeOf(String(value)));
    case 'time':
      return timeOfDay(String(value));
    case 'interval': {
      const interval = intervalOf(String(value));
      return typeof interval === 'number' ? interval : unsupported('intervals of months in rows');
    }
    case 'json':
      return typeof value === 'string' ? jsonOf(value) : value;
    default:
      return typeof value === 'string' ? value : JSON.stringify(value);
  }
}

/** JSON's text as its value; a text that is none stands for itself. */
function jsonOf(text: string): unknown {
  if (text === 'null') return unsupported('the null of JSON');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function listOf(text: string): (string | null)[] {
  const inner = text.trim().replace(/^\{|\}$/g, '');
  if (inner === '') return [];
  if (inner.includes('{') || inner.includes('"')) return unsupported('lists of lists or quoted texts');
  return inner.split(',').map((part) => (part.trim().toLowerCase() === 'null' ? null : part.trim()));
}

const withoutZeros = (time: string): string => time.replace(/\.0+$/, '').replace(/(\.\d*[1-9])0+$/, '$1');

/** A time of day as it lies in a row: milliseconds always. */
function timeOfDay(text: string): string {
  const [, hour, minute, second = '00', fraction = ''] =
    /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?$/.exec(text.trim()) ?? unsupported(`the time "${text}"`);
  if (fraction.replace(/0+$/, '').length > 3) unsupported('times finer than a millisecond');
  return `${hour!.padStart(2, '0')}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}`;
}

/** A value of a row as SQL's text of it: a cell of what a check expects. */
export function shown(type: string, value: any): string | null {
  if (value === null || value === undefined) return null;
  if (isList(type)) return `{${value.map((element: unknown) => inList(elementOf(type), element)).join(',')}}`;
  switch (type) {
    case 'bool':
      return value ? 't' : 'f';
    case 'timestamp':
      return withoutZeros(String(value).replace('T', ' ').replace('Z', ''));
    case 'time':
      return withoutZeros(String(value));
    case 'timestamptz':
      return `${withoutZeros(String(value).replace('T', ' ').replace('Z', ''))}${dialect().utc}`;
    case 'interval':
      return intervalText(value);
    case 'json':
      return jsonText(value);
    case 'row':
      return `(${value.map((cell: unknown) => (cell === null ? '' : shown('unknown', cell))).join(',')})`;
    default:
      if (baseOf(type) === 'numeric' && Number(value.toFixed(placesOf(type) ?? 0)) === value)
        return value.toFixed(placesOf(type) ?? 0);
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
}

function inList(type: string, value: unknown): string {
  const text = shown(type, value);
  if (text === null) return 'NULL';
  return /[\s,{}"\\]/.test(text) || text === ''
    ? `"${text.replaceAll(/["\\]/g, (mark) => `\\${mark}`)}"`
    : text;
}

/** A value of a type as JSON has it: times and intervals are texts. */
export function asJson(type: string, value: any): any {
  if (value === null || baseOf(type) === 'json' || typeof value === 'boolean') return value;
  if (isList(type)) return value.map((element: any) => asJson(elementOf(type), element));
  if (isNumber(type)) return value;
  const text = shown(type, value)!;
  return type.startsWith('timestamp') ? text.replace(' ', 'T').replace(/\+00$/, '+00:00') : text;
}

/** As PostgreSQL writes jsonb: a space behind colons and commas. */
function jsonText(value: any): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`;
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value)
      .map(([name, field]) => `${JSON.stringify(name)}: ${jsonText(field)}`)
      .join(', ')}}`;
  return JSON.stringify(value);
}

function intervalText(ms: number): string {
  const sign = ms < 0 ? '-' : '';
  const days = Math.trunc(Math.abs(ms) / DAY_MS);
  const rest = Math.abs(ms) % DAY_MS;
  const two = (number: number): string => String(Math.floor(number)).padStart(2, '0');
  const seconds = (rest % 60_000) / 1_000;
  const clock = `${sign}${two(rest / 3_600_000)}:${two((rest % 3_600_000) / 60_000)}:${seconds < 10 ? '0' : ''}${seconds}`;
  if (days === 0) return clock;
  return `${sign}${days} day${days === 1 && sign === '' ? '' : 's'}${rest === 0 ? '' : ` ${clock}`}`;
}
