import { unsupported } from '../unsupported.js';
import type { Call, Expr } from './ast.js';
import { dialect, SqlError } from './dialect.js';
import {
  arithmetic,
  commonType,
  compare,
  evenly,
  field,
  ofDoubles,
  rounded,
  scalarFunctions,
} from './scalar-functions.js';
import type { Scope } from './scope.js';
import {
  asJson,
  baseOf,
  dateOf,
  elementOf,
  instantOf,
  intervalOf,
  isList,
  isNumber,
  isTime,
  msOf,
  shown,
  stored,
  timeOf,
} from './types.js';

/** An expression made a function of a row, with SQL's nulls. */
export interface Compiled {
  readonly type: string;
  readonly of: (row: any) => any;
}

const bool = (of: (row: any) => boolean | null): Compiled => ({ type: 'bool', of });
const constant = (type: string, value: any): Compiled => ({ type, of: () => value });

export function compile(e: Expr, scope: Scope): Compiled {
  const inner = (part: Expr): Compiled => compile(part, scope);
  switch (e.k) {
    case 'literal':
      return constant(e.type, e.value);
    case 'column': {
      const { id, type } = scope.column(e.table, e.name);
      return { type, of: (row) => row[id] ?? null };
    }
    case 'known': {
      const { id, type } = scope.byId(e.id);
      return { type, of: (row) => row[id] ?? null };
    }
    case 'unary':
      return unary(e.op, inner(e.e));
    case 'binary':
      return e.op === 'and' || e.op === 'or'
        ? logical(e.op, inner(e.l), inner(e.r))
        : binary(e.op, inner(e.l), inner(e.r));
    case 'call':
      return called(e, e.args.map(inner));
    case 'case': {
      const of = e.of === null ? null : inner(e.of);
      const whens = e.whens.map(([when]) => (of === null ? inner(when) : binary('=', of, inner(when))));
      const thens = [
        ...e.whens.map(([, then]) => inner(then)),
        e.otherwise === null ? constant('unknown', null) : inner(e.otherwise),
      ];
      const type = commonType(thens.map((then) => then.type));
      const cast = thens.map((then) => coerced(then, type));
      return {
        type,
        of: (row) => {
          const at = whens.findIndex((when) => when.of(row) === true);
          return cast[at === -1 ? cast.length - 1 : at]!.of(row);
        },
      };
    }
    case 'cast':
      return casted(inner(e.e), e.type);
    case 'in': {
      const left = inner(e.e);
      const equals = e.list.map((item) => binary('=', left, inner(item)));
      const any = equals.reduce((all, one) => logical('or', all, one));
      return e.not ? unary('not', any) : any;
    }
    case 'quantified': {
      const [left, list] = [inner(e.e), inner(e.list)];
      if (!isList(list.type)) return unsupported(`SQL: ${e.op} ANY of ${list.type}`);
      const element: Compiled = { type: elementOf(list.type), of: (row) => row.element };
      const value: Compiled = { type: left.type, of: (row) => row.value };
      const holds = binary(e.op, value, element).of;
      return bool((row) => {
        const [v, elements] = [left.of(row), list.of(row)];
        if (elements === null) return null;
        const found = elements.map((one: unknown) => holds({ value: v, element: one }));
        if (found.includes(!e.all)) return !e.all;
        return found.includes(null) ? null : e.all;
      });
    }
    case 'between': {
      const value = inner(e.e);
      const within = logical('and', binary('>=', value, inner(e.low)), binary('<=', value, inner(e.high)));
      return e.not ? unary('not', within) : within;
    }
    case 'is': {
      const value = inner(e.e);
      return bool((row) => (value.of(row) === e.value) !== e.not);
    }
    case 'distinct': {
      const [left, right] = alike(inner(e.l), inner(e.r));
      return bool((row) => {
        const [l, r] = [left.of(row), right.of(row)];
        const same = l === null || r === null ? l === r : compare(l, r) === 0;
        return same === e.not;
      });
    }
    case 'like': {
      if (e.similar)
        return bool(nullsOut([inner(e.e), inner(e.pattern)], (v, p) => similar(p).test(v) !== e.not));
      const [value, pattern] = [inner(e.e), inner(e.pattern)];
      return bool((row) => {
        const [v, p] = [value.of(row), pattern.of(row)];
        return v === null || p === null ? null : likePattern(p, e.anyCase).test(v) !== e.not;
      });
    }
    case 'array': {
      const items = e.items.map(inner);
      const type = commonType(items.map((item) => item.type));
      return { type: `${type}[]`, of: (row) => items.map((item) => coerced(item, type).of(row)) };
    }
    case 'row': {
      const items = e.items.map(inner);
      return { type: 'row', of: (row) => items.map((item) => item.of(row)) };
    }
    case 'element': {
      const [list, index] = [inner(e.e), inner(e.index)];
      if (!isList(list.type)) unsupported(`SQL: an element of ${list.type}`);
      return {
        type: elementOf(list.type),
        of: (row) => {
          const [values, at] = [list.of(row), index.of(row)];
          return values === null || at === null ? null : (values[at - 1] ?? null);
        },
      };
    }
    case 'extract': {
      const value = coerced(inner(e.e), 'timestamp', true);
      return { type: 'numeric', of: nullsOut([value], (v) => field(e.field, v)) };
    }
    default:
      return unsupported(`SQL: ${e.k} here`);
  }
}

const LIKES = new Map<string, RegExp>();
function likePattern(pattern: string, anyCase: boolean): RegExp {
  const key = `${anyCase} ${pattern}`;
  let made = LIKES.get(key);
  if (made === undefined) {
    const source = pattern.replace(/\\(.)|[%_]|[.*+?^${}()|[\]]/g, (mark, escaped?: string) => {
      if (escaped !== undefined) return escaped.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      return mark === '%' ? '[\\s\\S]*' : mark === '_' ? '[\\s\\S]' : `\\${mark}`;
    });
    LIKES.set(key, (made = new RegExp(`^${source}$`, anyCase ? 'iu' : 'u')));
  }
  return made;
}

/** SIMILAR TO: the marks of LIKE, and of regular expressions those that SQL took over. */
const similar = (pattern: string): RegExp =>
  new RegExp(
    `^(?:${pattern
      .replaceAll(/[.^$\\]/g, '\\$&')
      .replaceAll('%', '[\\s\\S]*')
      .replaceAll('_', '[\\s\\S]')})$`,
    'u',
  );

const nullsOut =
  (args: readonly Compiled[], call: (...values: any[]) => any) =>
  (row: any): any => {
    const values = args.map((arg) => arg.of(row));
    if (values.includes(null)) return null;
    if (!dialect().errorsAreNull) return call(...values);
    try {
      return call(...values);
    } catch (thrown) {
      if (thrown instanceof SqlError) return null;
      throw thrown;
    }
  };

function unary(op: string, e: Compiled): Compiled {
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

function logical(op: 'and' | 'or', left: Compiled, right: Compiled): Compiled {
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
function alike(left: Compiled, right: Compiled): [Compiled, Compiled] {
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

function binary(op: string, l: Compiled, r: Compiled): Compiled {
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
        const value = steps.reduce((at, step) => at?.[step] ?? null, a);
        return op === '#>' || value === null || typeof value === 'string' ? value : shown('json', value);
      }),
    };
  }
  if (op === '->' || op === '->>')
    return {
      type: op === '->' ? 'json' : 'text',
      of: nullsOut([l, r], (a, b) => {
        const value = a?.[b] ?? null;
        return op === '->' || value === null
          ? value
          : typeof value === 'string'
            ? value
            : shown('json', value);
      }),
    };
  return calculated(op, l, r);
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

function called(e: Call, args: readonly Compiled[]): Compiled {
  const json = jsonMade(e.name, args);
  if (json !== null) return json;
  if (e.over !== null || e.filter !== null || e.distinct) unsupported(`SQL: ${e.name} here`);
  const types = args.map(({ type }) => type);
  const known = (types[0] === 'float' ? ofDoubles[e.name] : undefined) ?? scalarFunctions[e.name];
  if (known === undefined) return unsupported(`the function ${e.name}()`);
  const type = known.type(types);
  const taken = args.map((arg) => {
    if (known.takes !== undefined && arg.type === 'unknown') return arg;
    if (known.takes === 'text' && known.nulls) return coerced(arg, 'text');
    if (arg.type !== 'unknown')
      return known.nulls && isNumber(type) === false && isTime(type) ? coerced(arg, type) : arg;
    if (known.nulls) return coerced(arg, type);
    if (e.name.startsWith('date_') || e.name === 'to_char') return arg;
    return arg;
  });
  if (e.name === 'date_bin')
    return {
      type,
      of: nullsOut([coerced(args[0]!, 'interval'), args[1]!, coerced(args[2]!, 'timestamp')], known.call),
    };
  return {
    type,
    of: known.nulls ? (row) => known.call(...taken.map((arg) => arg.of(row))) : nullsOut(taken, known.call),
  };
}

/** JSON made of values: null where a function makes none. */
function jsonMade(name: string, args: readonly Compiled[]): Compiled | null {
  const values = (row: any): any[] => args.map(({ type, of }) => asJson(type, of(row)));
  switch (name.replace(/^jsonb_|^json_/, '')) {
    case 'build_array':
      return { type: 'json', of: values };
    case 'build_object':
      return {
        type: 'json',
        of: (row) => {
          const found = values(row);
          return Object.fromEntries(
            found.flatMap((key, at) => (at % 2 === 0 ? [[String(key), found[at + 1]]] : [])),
          );
        },
      };
    case 'to_jsonb':
    case 'to_json':
      return { type: 'json', of: (row) => values(row)[0] };
    default:
      return null;
  }
}

/** The same value as another type, where SQL makes it so by itself. `loose`: only texts without a type. */
export function coerced(e: Compiled, type: string, loose = false): Compiled {
  if (e.type === type || e.type === 'row') return e;
  if (loose && e.type !== 'unknown') return e;
  if (baseOf(e.type) === baseOf(type)) return e;
  if (isNumber(e.type) && isNumber(type)) return { type, of: e.of };
  return casted(e, type);
}

function casted(e: Compiled, type: string): Compiled {
  const from = baseOf(e.type);
  const to = baseOf(type);
  const by = (convert: (value: any) => any): Compiled => ({ type, of: nullsOut([e], convert) });
  if (from === to && !/\(/.test(type)) return { type, of: e.of };
  if (to === 'text') return from === 'unknown' ? { type, of: e.of } : by((value) => textOf(e.type, value));
  if (to === 'int')
    return by((value) => {
      if (typeof value === 'boolean') return Number(value);
      const number = typeof value === 'string' ? Number(value) : value;
      if (!Number.isFinite(number)) throw new SqlError(`"${value}" is no integer`);
      return (from === 'float' ? evenly(number) : rounded(number, 0)) + 0;
    });
  if (to === 'numeric') {
    const places = /\(\d+,(\d+)\)/.exec(type)?.[1] ?? (/\(\d+\)/.test(type) ? '0' : undefined);
    return by((value) => (places === undefined ? Number(value) : rounded(Number(value), Number(places))));
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
