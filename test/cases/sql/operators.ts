import { unsupported } from '../unsupported.js';
import { coerced } from './casts.js';
import { bool, type Compiled, nullsOut } from './compiled.js';
import { SqlError } from './dialect.js';
import { commonType, compare } from './scalar-functions.js';
import { arithmetic } from './times.js';
import { isList, isNumber, isTime, shown } from './types.js';

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
    const [left, right] = alike(l, r);
    if (left.type === 'row') return bool((row) => rowsCompared(op, left.of(row), right.of(row)));
    return bool(nullsOut([left, right], (a, b) => holds(compare(a, b))));
  }
  if (op === '||') {
    if (isList(l.type) !== isList(r.type) && l.type !== 'unknown' && r.type !== 'unknown')
      return isList(l.type)
        ? { type: l.type, of: (row) => [...(l.of(row) ?? []), r.of(row)] }
        : { type: r.type, of: (row) => [l.of(row), ...(r.of(row) ?? [])] };
    if (isList(l.type) && isList(r.type))
      return { type: l.type, of: nullsOut([l, r], (a, b) => [...a, ...b]) };
    return { type: 'text', of: nullsOut([coerced(l, 'text'), coerced(r, 'text')], (a, b) => a + b) };
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

/** A member of an object or an element of a list, counted from its end where the number is negative. */
function memberOf(json: any, at: string | number): any {
  if (Array.isArray(json)) return /^-?\d+$/.test(String(at)) ? (json.at(Number(at)) ?? null) : null;
  return json !== null && typeof json === 'object' ? (json[at] ?? null) : null;
}

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
  const type = commonType([left.type, right.type]);
  return { type, of: nullsOut([left, right], calculation(op, type === 'int')) };
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
