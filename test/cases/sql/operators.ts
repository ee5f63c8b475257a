import { unsupported } from '../unsupported.js';
import { coerced } from './casts.js';
import { bool, type Compiled, nullsOut } from './compiled.js';
import { SqlError } from './dialect.js';
import { compare } from './comparing.js';
import { memberOf } from './list-functions.js';
import { commonType } from './scalar-functions.js';
import { arithmetic } from './times.js';
import { exactly, isList, isNumber, isTime, numericOf, placesOf, shown } from './types.js';

export function unary(op: string, e: Compiled): Compiled {
  if (op === 'not')
    return bool((row) => {
      const value = e.of(row);
      return value === null ? null : !value;
    });
  if (op === '+') return e;
  if (op === '~') return { type: 'int', of: nullsOut([e], (value) => -value - 1) };
  return {
    type: e.type === 'unknown' ? 'int' : e.type,
    of: nullsOut([e], (value) => (value === 0 ? 0 : -value)),
  };
}

export function logical(op: 'and' | 'or', left: Compiled, right: Compiled): Compiled {
  const decides = op === 'or';
  return bool((row) => {
    const l = left.of(row);
    if (l === decides) return decides;
    const r = right.of(row);
    if (r === decides) return decides;
    return l === null || r === null ? null : !decides;
  });
}

/** Two operands with the types they take from one another. */
export function alike(left: Compiled, right: Compiled): [Compiled, Compiled] {
  if (left.type === 'row' || right.type === 'row') return [left, right];
  if (left.type === right.type) return [left, right];
  if (left.type === 'unknown') return [coerced(left, right.type), right];
  if (right.type === 'unknown') return [left, coerced(right, left.type)];
  if (isTime(left.type) && isTime(right.type))
    return [coerced(left, 'timestamp'), coerced(right, 'timestamp')];
  return [left, right];
}

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

export function binary(op: string, l: Compiled, r: Compiled): Compiled {
  const holds = COMPARISONS[op];
  if (holds) {
    const [left, right] = alike(l, r).map(closed) as [Compiled, Compiled];
    if (left.type === 'row') return bool((row) => rowsCompared(op, left.of(row), right.of(row)));
    return bool(nullsOut([left, right], (a, b) => holds(compare(a, b))));
  }
  if (op === '||') {
    if (l.type === 'json' || r.type === 'json') return jsonJoined(l, r);
    if (isList(l.type) !== isList(r.type) && l.type !== 'unknown' && r.type !== 'unknown')
      return isList(l.type)
        ? { type: l.type, of: (row) => [...(l.of(row) ?? []), r.of(row)] }
        : { type: r.type, of: (row) => [l.of(row), ...(r.of(row) ?? [])] };
    if (isList(l.type) && isList(r.type))
      return {
        type: l.type,
        of: (row) => {
          const [a, b] = [l.of(row), r.of(row)];
          return a === null || b === null ? (a ?? b) : [...a, ...b];
        },
      };
    const parts = [coerced(l, 'text'), coerced(r, 'text')].map(closed);
    return { type: 'text', of: nullsOut(parts, (a, b) => a + b) };
  }
  if (op.endsWith('~') || op.endsWith('~*'))
    return bool(
      nullsOut([l, r], (a, b) => new RegExp(b, op.endsWith('*') ? 'iu' : 'u').test(a) !== op.startsWith('!')),
    );
  const within = contained(op, l, r);
  if (within !== null) return within;
  if (BITS[op] !== undefined && l.type === 'int' && r.type === 'int')
    return { type: 'int', of: nullsOut([l, r], BITS[op]) };
  if (op === '#>' || op === '#>>') {
    const path = coerced(r, 'text[]');
    return {
      type: op === '#>' ? 'json' : 'text',
      of: nullsOut([l, path], (a, steps: string[]) => {
        const value = steps.reduce(memberOf, a);
        return op === '#>' || value === null || typeof value === 'string' ? value : shown('json', value);
      }),
    };
  }
  if (op === '->' || op === '->>')
    return {
      type: op === '->' ? 'json' : 'text',
      of: nullsOut([l, r], (a, b) => {
        // A value that is no list is its own first element.
        const value = memberOf(typeof b === 'number' && typeof a !== 'object' ? [a] : a, b);
        return op === '->' || value === null
          ? value
          : typeof value === 'string'
            ? value
            : shown('json', value);
      }),
    };
  return calculated(op, l, r);
}

/** A text that others are made of. */
export const closed = (e: Compiled): Compiled =>
  e.open === true ? unsupported('SQL: the digits of a decimal in a text') : e;

/** JSON with JSON: objects have the members of both, anything else is elements of one list. */
function jsonJoined(l: Compiled, r: Compiled): Compiled {
  const isObject = (value: any): boolean => typeof value === 'object' && !Array.isArray(value);
  return {
    type: 'json',
    of: nullsOut([coerced(l, 'json'), coerced(r, 'json')], (a, b) =>
      isObject(a) && isObject(b) ? { ...a, ...b } : [a, b].flat(1),
    ),
  };
}

/** JSON without a member, or without an element. */
const jsonWithout = (json: any, what: string | number): any => {
  if (!Array.isArray(json)) {
    const { [what]: _, ...others } = json;
    return others;
  }
  if (typeof what === 'string') return json.filter((one) => one !== what);
  return json.filter((_, at) => at !== (what < 0 ? json.length + what : what));
};

const BITS: Readonly<Record<string, (l: number, r: number) => number>> = {
  '&': (l, r) => Number(BigInt.asIntN(64, BigInt(l) & BigInt(r))),
  '|': (l, r) => Number(BigInt.asIntN(64, BigInt(l) | BigInt(r))),
  '#': (l, r) => Number(BigInt.asIntN(64, BigInt(l) ^ BigInt(r))),
  '<<': (l, r) => Number(BigInt(l) << BigInt(r)),
  '>>': (l, r) => Number(BigInt(l) >> BigInt(r)),
};

/** Operators of lists and JSON that ask what is in them; null where these are none. */
function contained(op: string, l: Compiled, r: Compiled): Compiled | null {
  if (!['@>', '<@', '&&', '?'].includes(op)) return null;
  const [left, right] =
    isList(l.type) || l.type === 'json' ? [l, coerced(r, l.type)] : [coerced(l, r.type), r];
  const lists = isList(left.type);
  const has = (all: any[], one: any): boolean =>
    one !== null && all.some((other) => other !== null && compare(other, one) === 0);
  const holds = (whole: any, part: any): boolean =>
    lists ? part.every((one: any) => has(whole, one)) : jsonHolds(whole, part);
  switch (op) {
    case '@>':
      return bool(nullsOut([left, right], holds));
    case '<@':
      return bool(nullsOut([left, right], (part, whole) => holds(whole, part)));
    case '&&':
      return bool(nullsOut([left, right], (a, b) => a.some((one: any) => has(b, one))));
    case '?':
      return bool(
        nullsOut([l, r], (json, name) => (Array.isArray(json) ? json.includes(name) : name in Object(json))),
      );
    default:
      return null;
  }
}

/** Whether JSON holds other JSON, as `@>` has it: members and elements in any order. */
function jsonHolds(whole: any, part: any): boolean {
  if (Array.isArray(part))
    return Array.isArray(whole) && part.every((one) => whole.some((other) => jsonHolds(other, one)));
  if (Array.isArray(whole) && (part === null || typeof part !== 'object')) return whole.includes(part);
  if (part !== null && typeof part === 'object')
    return (
      whole !== null &&
      typeof whole === 'object' &&
      !Array.isArray(whole) &&
      Object.entries(part).every(([name, value]) => name in whole && jsonHolds(whole[name], value))
    );
  return whole === part;
}

function calculated(op: string, l: Compiled, r: Compiled): Compiled {
  if (l.type === 'json' && op === '-')
    return { type: 'json', of: nullsOut([l, r.type === 'unknown' ? coerced(r, 'text') : r], jsonWithout) };
  let [left, right] = [l, r];
  const timed = (type: string): boolean => isTime(type) || type === 'interval';
  if (left.type === 'unknown')
    left = coerced(
      left,
      timed(right.type) ? (op === '-' && isTime(right.type) ? right.type : 'interval') : right.type,
    );
  if (right.type === 'unknown') right = coerced(right, timed(left.type) ? 'interval' : left.type);
  if (op === '+' || op === '-') {
    const special = arithmetic(op, left.type, right.type);
    if (special) return { type: special.type, of: nullsOut([left, right], special.call) };
  }
  if (left.type === 'interval' || right.type === 'interval') {
    if (!['+', '-', '*', '/'].includes(op)) unsupported(`SQL: ${op} of intervals`);
    return { type: 'interval', of: nullsOut([left, right], calculation(op, false)) };
  }
  if (!isNumber(left.type) || !isNumber(right.type)) unsupported(`SQL: ${left.type} ${op} ${right.type}`);
  const common = commonType([left.type, right.type]);
  const type = common === 'numeric' ? decimalType(op, left.type, right.type) : common;
  const calculate = calculation(op, type === 'int');
  if (common === 'float') return { type, of: nullsOut([left, right], calculate) };
  if (common === 'int') return { type, of: nullsOut([left, right], (a, b) => wholly(calculate(a, b))) };
  return {
    type,
    of: nullsOut([left, right], op === '%' ? remainder : (a: number, b: number) => exactly(calculate(a, b))),
  };
}

/** How many digits a sum, a difference or a product of decimals has. */
function decimalType(op: string, left: string, right: string): string {
  const [l, r] = [placesOf(left), placesOf(right)];
  if (l === null || r === null) return 'numeric';
  return op === '*' ? numericOf(l + r) : op === '+' || op === '-' ? numericOf(Math.max(l, r)) : 'numeric';
}

const wholly = (value: number): number =>
  Math.abs(value) > Number.MAX_SAFE_INTEGER ? unsupported('integers beyond 2^53') : value;

/** What division leaves of decimals, of which doubles are not quite. */
function remainder(left: number, right: number): number {
  if (right === 0) throw new SqlError('division by zero');
  const digits = (value: number): number => /\.(\d+)$/.exec(String(value))?.[1]?.length ?? 0;
  const unit = 10 ** Math.max(digits(left), digits(right));
  return (Math.round(left * unit) % Math.round(right * unit)) / unit + 0;
}

function calculation(op: string, whole: boolean): (l: any, r: any) => any {
  switch (op) {
    case '+':
      return (l, r) => l + r;
    case '-':
      return (l, r) => l - r;
    case '*':
      return (l, r) =>
        typeof l === 'object' || typeof r === 'object' ? unsupported('SQL: intervals of months') : l * r + 0;
    case '^':
      return (l, r) => l ** r;
    case '%':
      return (l, r) => {
        if (r === 0) throw new SqlError('division by zero');
        return (l % r) + 0;
      };
    case '/':
      return (l, r) => {
        if (r === 0) throw new SqlError('division by zero');
        return (whole ? Math.trunc(l / r) : l / r) + 0;
      };
    default:
      return unsupported(`SQL: ${op}`);
  }
}

/** Rows compare from the left; a null decides nothing. */
function rowsCompared(op: string, left: readonly any[], right: readonly any[]): boolean | null {
  for (let at = 0; at < left.length; at++) {
    const [l, r] = [left[at], right[at]];
    if (l === null || r === null) {
      if (op !== '=' && op !== '<>') return null;
      continue;
    }
    const order = compare(l, r);
    if (order !== 0) return COMPARISONS[op]!(order);
  }
  return left.includes(null) || right.includes(null) ? null : COMPARISONS[op]!(0);
}
