import { unsupported } from '../unsupported.js';
import { dialect } from './dialect.js';
import { int, is, type ScalarFunction } from './scalar-function.js';
import { binned, field, toChar, toTime, TRUNC } from './times.js';
import { dateOf, instantOf, isNumber, msOf } from './types.js';

/** Functions of times. */

const isTimeOrText = (type: string | undefined): string =>
  type === 'timestamptz' ? 'timestamptz' : 'timestamp';

const timePart = (name: string): ScalarFunction => int((time: string) => field(name, time));

export const timeFunctions: Readonly<Record<string, ScalarFunction>> = {
  year: timePart('year'),
  quarter: timePart('quarter'),
  month: timePart('month'),
  hour: timePart('hour'),
  minute: timePart('minute'),
  second: timePart('second'),
  dayofmonth: timePart('day'),
  dayofyear: timePart('doy'),
  dayofweek: timePart('dow'),
  week: timePart('week'),
  to_char: {
    type: (types) =>
      isNumber(types[0]!) || types[0] === 'interval' ? unsupported('SQL: to_char() of numbers') : 'text',
    call: toChar,
  },
  to_date: { type: is('date'), call: (value: string, format: string) => dateOf(toTime(value, format)) },
  make_time: {
    type: is('time'),
    call: (hour: number, minute: number, second: number) =>
      instantOf((hour * 60 + minute) * 60_000 + Math.round(second * 1_000)).slice(11, 23),
  },
  to_timestamp: {
    type: is('timestamptz'),
    call: (of: number | string, format?: string) =>
      instantOf(typeof of === 'number' ? of * 1_000 : toTime(of, format!)),
  },
  date_trunc: {
    // PostgreSQL makes a date an instant of its zone first.
    type: (types) =>
      types[1] === 'date' && dialect().truncatesInZone ? 'timestamptz' : isTimeOrText(types[1]),
    call: (unit: string, time: string) =>
      instantOf((TRUNC[unit.toLowerCase()] ?? unsupported(`date_trunc ${unit}`))(msOf(time))),
  },
  date_part: { type: is('float'), call: (name: string, time: any) => field(name.toLowerCase(), time) },
  date_bin: { type: (types) => isTimeOrText(types[1]), call: binned },
  timezone: {
    type: (types) => (types[1] === 'timestamptz' ? 'timestamp' : 'timestamptz'),
    call: (zone: string, time: string) => (zone.toUpperCase() === 'UTC' ? time : unsupported('time zones')),
  },
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
