import { unsupported } from '../unsupported.js';
import { dialect, SqlError } from './dialect.js';
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
  decade: (ms) => Date.UTC(Math.floor(new Date(ms).getUTCFullYear() / 10) * 10, 0),
  century: (ms) => Date.UTC(Math.floor((new Date(ms).getUTCFullYear() - 1) / 100) * 100 + 1, 0),
};

/** EXTRACT and date_part of a time, an interval or a time of day. */
export function field(name: string, value: any): number {
  const found = partOf(name, value);
  if (!dialect().wholeParts) return found;
  return name === 'dow' ? found + 1 : Math.floor(found);
}

function partOf(name: string, value: any): number {
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

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
/** The words of a format that are names, in the case in which they are told. */
const named = (word: string, told: string): string =>
  told === told.toUpperCase() ? word.toUpperCase() : told === told.toLowerCase() ? word.toLowerCase() : word;

export function toChar(value: string, format: string): string {
  const ms = msOf(value);
  const instant = instantOf(ms);
  const date = new Date(ms);
  const hour = Number(instant.slice(11, 13));
  const half = String(hour % 12 || 12).padStart(2, '0');
  const [month, day] = [MONTHS[date.getUTCMonth()]!, DAYS[date.getUTCDay()]!];
  const noon = hour < 12 ? 'am' : 'pm';
  const number = (name: string, size: number): string => String(field(name, value)).padStart(size, '0');
  const parts: Readonly<Record<string, (told: string) => string>> = {
    YYYY: () => instant.slice(0, 4),
    YY: () => instant.slice(2, 4),
    IYYY: () => number('isoyear', 4),
    IW: () => number('week', 2),
    MM: () => instant.slice(5, 7),
    MONTH: (told) => named(month, told).padEnd(9),
    MON: (told) => named(month.slice(0, 3), told),
    DDD: () => number('doy', 3),
    DD: () => instant.slice(8, 10),
    DAY: (told) => named(day, told).padEnd(9),
    DY: (told) => named(day.slice(0, 3), told),
    D: () => String(date.getUTCDay() + 1),
    ID: () => number('isodow', 1),
    Q: () => number('quarter', 1),
    HH24: () => instant.slice(11, 13),
    HH12: () => half,
    HH: () => half,
    MI: () => instant.slice(14, 16),
    SSSS: () => String(Math.floor((((ms % DAY_MS) + DAY_MS) % DAY_MS) / 1_000)),
    SS: () => instant.slice(17, 19),
    MS: () => instant.slice(20, 23),
    US: () => `${instant.slice(20, 23)}000`,
    AM: (told) => named(noon, told),
    PM: (told) => named(noon, told),
  };
  return format.replace(
    /"([^"]*)"|IYYY|YYYY|YY|IW|MM|MONTH|MON|DDD|DD|DAY|DY|ID|D|Q|HH24|HH12|HH|MI|SSSS|SS|MS|US|AM|PM|[A-Z]+/gi,
    (part, literal?: string) =>
      literal ?? (parts[part.toUpperCase()] ?? unsupported(`to_char ${part}`))(part),
  );
}

/** A time as milliseconds, from a text in which its parts stand where the format says. */
export function toTime(text: string, format: string): number {
  const names: string[] = [];
  const pattern = format.replace(/YYYY|MM|DD|HH24|HH12|HH|MI|SS|MS|[A-Z]+|[^A-Z]/gi, (part) => {
    if (!/[A-Z]/i.test(part)) return part.replace(/[^\s\w]/, '\\$&');
    const name = part.toUpperCase();
    if (!['YYYY', 'MM', 'DD', 'HH24', 'HH', 'MI', 'SS', 'MS'].includes(name))
      return unsupported(`to_timestamp ${part}`);
    names.push(name.slice(0, 2));
    return name === 'YYYY' ? '(\\d{4})' : name === 'MS' ? '(\\d{3})' : '(\\d{1,2})';
  });
  const found = new RegExp(`^${pattern}$`).exec(text);
  if (found === null) throw new SqlError(`"${text}" is not ${format}`);
  const at = (name: string, otherwise: number): number =>
    names.includes(name) ? Number(found[names.indexOf(name) + 1]) : otherwise;
  return Date.UTC(
    at('YY', 1),
    at('MM', 1) - 1,
    at('DD', 1),
    at('HH', 0),
    at('MI', 0),
    at('SS', 0),
    at('MS', 0),
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
  if (left === 'date' && right === 'date' && op === '-' && dialect().wholeParts)
    return unsupported('SQL: dates taken from one another');
  if (left === 'date' && right === 'date' && op === '-')
    return { type: 'int', call: (l, r) => (msOf(l) - msOf(r)) / DAY_MS };
  if (left === 'date' && baseOf(right) === 'int')
    return { type: 'date', call: (l, r) => dateOf(msOf(l) + sign * r * DAY_MS) };
  if (time && ['timestamp', 'timestamptz', 'date'].includes(right) && op === '-')
    return { type: 'interval', call: (l, r) => msOf(l) - msOf(r) };
  return null;
}
