import { unsupported } from '../unsupported.js';
import { dialect, SqlError } from './dialect.js';
import { compare } from './comparing.js';
import { listFunctions } from './list-functions.js';
import { first, int, is, notNull, number, type ScalarFunction } from './scalar-function.js';
import { textFunctions } from './text-functions.js';
import { timeFunctions } from './time-functions.js';
import { baseOf, exactly, isNumber } from './types.js';

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

const commonDivisor = (left: number, right: number): number =>
  right === 0 ? Math.abs(left) : commonDivisor(right, left % right);

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

export const scalarFunctions: Readonly<Record<string, ScalarFunction>> = {
  if: {
    type: (types) => commonType(types.slice(1)),
    nulls: true,
    call: (condition, then, otherwise) => (condition === true ? then : otherwise),
  },
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
  asin: number(Math.asin),
  acos: number(Math.acos),
  atan: number(Math.atan),
  sinh: number(Math.sinh),
  cosh: number(Math.cosh),
  tanh: number(Math.tanh),
  log2: number(Math.log2),
  factorial: number((of: number) => Array.from({ length: of }, (_, at) => at + 1).reduce((l, r) => l * r, 1)),
  num_nulls: {
    type: is('int'),
    nulls: true,
    call: (...args: any[]) => args.length - notNull(args).length,
  },
  num_nonnulls: { type: is('int'), nulls: true, call: (...args: any[]) => notNull(args).length },
  blackbox: { type: first, nulls: true, call: (value: any) => value },
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
  trunc: number((value: number, places = 0) => Math.trunc(exactly(value * 10 ** places)) / 10 ** places),
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
  ...textFunctions,
  ...listFunctions,
  ...timeFunctions,
};

/** What is another function of doubles. */
export const ofDoubles: Readonly<Record<string, ScalarFunction>> = {
  round: {
    type: is('float'),
    call: (value: number, places = 0) => (places === 0 ? evenly(value) + 0 : rounded(value, places)),
  },
};
