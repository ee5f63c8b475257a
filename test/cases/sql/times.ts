import { unsupported } from '../unsupported.js';
import { baseOf, DAY_MS, dateOf, instantOf, type Interval, later, msOf } from './types.js';

export const TRUNC: Readonly<Record<string, (ms: number) => number>> = {
  second: (ms) => ms - (((ms % 1_000) + 1_000) % 1_000),
  minute: (ms) => ms - (((ms % 60_000) + 60_000) % 60_000),
  hour: (ms) => ms - (((ms % 3_600_000) + 3_600_000) % 3_600_000),
  day: (ms) => ms - (((ms % DAY_MS) + DAY_MS) % DAY_MS),
  week: (ms) => TRUNC.day!(ms) - ((new Date(ms).getUTCDay() + 6) % 7) * DAY_MS,
  month: (ms) => Date.UTC(new Date(ms).getUTCFullYear(), new Date(ms).getUTCMonth()),
  quarter: (ms) => Date.UTC(new Date(ms).getUTCFullYear(), Math.floor(new Date(ms).getUTCMonth() / 3) * 3),
  year: (ms) => Date.UTC(new Date(ms).getUTCFullYear(), 0),
};

/** EXTRACT and date_part of a time, an interval or a time of day. */
export function field(name: string, value: any): number {
  if (typeof value === 'number') {
    if (name === 'epoch') return value / 1_000;
    if (name === 'day') return Math.trunc(value / DAY_MS);
    if (name === 'hour') return Math.trunc((value % DAY_MS) / 3_600_000);
    if (name === 'minute') return Math.trunc((value % 3_600_000) / 60_000);
    if (name === 'second') return (value % 60_000) / 1_000;
    return unsupported(`EXTRACT ${name} of an interval`);
  }
  const ms = msOf(value);
  const date = new Date(ms);
  switch (name) {
    case 'epoch':
      return ms / 1_000;
    case 'epoch_ms':
      return ms;
    case 'year':
      return date.getUTCFullYear();
    case 'quarter':
      return Math.floor(date.getUTCMonth() / 3) + 1;
    case 'month':
      return date.getUTCMonth() + 1;
    case 'day':
      return date.getUTCDate();
    case 'dow':
      return date.getUTCDay();
    case 'isodow':
      return date.getUTCDay() || 7;
    case 'doy':
      return Math.floor((ms - Date.UTC(date.getUTCFullYear(), 0)) / DAY_MS) + 1;
    case 'week':
      return weekOf(ms).week;
    case 'isoyear':
      return weekOf(ms).year;
    case 'decade':
      return Math.floor(date.getUTCFullYear() / 10);
    case 'century':
      return Math.ceil(date.getUTCFullYear() / 100);
    case 'millisecond':
    case 'milliseconds':
      return date.getUTCSeconds() * 1_000 + date.getUTCMilliseconds();
    case 'hour':
      return date.getUTCHours();
    case 'minute':
      return date.getUTCMinutes();
    case 'second':
      return date.getUTCSeconds() + date.getUTCMilliseconds() / 1_000;
    default:
      return unsupported(`EXTRACT ${name}`);
  }
}

/** The week of ISO 8601: that of a year which has its Thursday. */
function weekOf(ms: number): { year: number; week: number } {
  const thursday = TRUNC.week!(ms) + 3 * DAY_MS;
  const year = new Date(thursday).getUTCFullYear();
  return { year, week: Math.floor((thursday - Date.UTC(year, 0)) / (7 * DAY_MS)) + 1 };
}

export function toChar(value: string, format: string): string {
  const instant = instantOf(msOf(value));
  const half = String(Number(instant.slice(11, 13)) % 12 || 12).padStart(2, '0');
  const parts: Readonly<Record<string, string>> = {
    YYYY: instant.slice(0, 4),
    MM: instant.slice(5, 7),
    DD: instant.slice(8, 10),
    HH24: instant.slice(11, 13),
    HH12: half,
    HH: half,
    MI: instant.slice(14, 16),
    SS: instant.slice(17, 19),
    MS: instant.slice(20, 23),
  };
  return format.replace(
    /YYYY|MM|DD|HH24|HH12|HH|MI|SS|MS|[A-Z]+/gi,
    (part) => parts[part.toUpperCase()] ?? unsupported(`to_char ${part}`),
  );
}

export function binned(width: Interval, time: string, origin: string): string {
  if (typeof width !== 'number') return unsupported('bins of months');
  const from = msOf(origin);
  return instantOf(from + Math.floor((msOf(time) - from) / width) * width);
}

/** A time of day some time later, of whatever day. */
function ofDay(time: string, by: Interval, sign: 1 | -1): string {
  if (typeof by !== 'number') return time;
  const ms = msOf(time) + sign * by;
  return instantOf(((ms % DAY_MS) + DAY_MS) % DAY_MS).slice(11, 23);
}

/** A time and an interval, one before or after the other; dates and days; or numbers. */
export function arithmetic(
  op: '+' | '-',
  left: string,
  right: string,
): { type: string; call: (l: any, r: any) => any } | null {
  const sign = op === '+' ? 1 : -1;
  const time = left === 'timestamp' || left === 'timestamptz' || left === 'date';
  if (time && right === 'interval')
    return {
      type: left === 'date' ? 'timestamp' : left,
      call: (l, r: Interval) => instantOf(later(msOf(l), r, sign)),
    };
  if (left === 'interval' && op === '+' && ['timestamp', 'timestamptz', 'date'].includes(right)) {
    const other = arithmetic('+', right, left)!;
    return { type: other.type, call: (l, r) => other.call(r, l) };
  }
  if (left === 'time' && right === 'interval')
    return { type: 'time', call: (l, r: Interval) => ofDay(l, r, sign) };
  if (left === 'date' && right === 'date' && op === '-')
    return { type: 'int', call: (l, r) => (msOf(l) - msOf(r)) / DAY_MS };
  if (left === 'date' && baseOf(right) === 'int')
    return { type: 'date', call: (l, r) => dateOf(msOf(l) + sign * r * DAY_MS) };
  if (time && ['timestamp', 'timestamptz', 'date'].includes(right) && op === '-')
    return { type: 'interval', call: (l, r) => msOf(l) - msOf(r) };
  return null;
}
