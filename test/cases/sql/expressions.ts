import { unsupported } from '../unsupported.js';
import type { Call, Expr } from './ast.js';
import { casted, coerced } from './casts.js';
import { bool, type Compiled, constant, nullsOut } from './compiled.js';
import { alike, binary, closed, logical, unary } from './operators.js';
import { compare } from './comparing.js';
import { commonType, ofDoubles, scalarFunctions } from './scalar-functions.js';
import { SqlError } from './dialect.js';
import type { Scope } from './scope.js';
import { field } from './times.js';
import { asJson, elementOf, numericOf, isList, isNumber, isTime, shown } from './types.js';

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
      // Of a row all is null, or none.
      if (value.type === 'row')
        return bool((row) => value.of(row).every((one: unknown) => (one === null) !== e.not));
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
        return v === null || p === null ? null : likePattern(p, e.anyCase, e.escape).test(v) !== e.not;
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

/** What fails is null. */
const orNull =
  (of: Compiled['of']): Compiled['of'] =>
  (row) => {
    try {
      return of(row);
    } catch (thrown) {
      if (thrown instanceof SqlError) return null;
      throw thrown;
    }
  };

const LIKES = new Map<string, RegExp>();
function likePattern(told: string, anyCase: boolean, escape = '\\'): RegExp {
  const pattern =
    escape === '\\'
      ? told
      : [...told.replaceAll('\\', '\\\\')].map((mark) => (mark === escape ? '\\' : mark)).join('');
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

function called(e: Call, args: readonly Compiled[]): Compiled {
  if (e.name === '(tried)') return { type: args[0]!.type, of: orNull(args[0]!.of) };
  const json = jsonMade(e.name, args);
  if (json !== null) return json;
  if (e.over !== null || e.filter !== null || e.distinct) unsupported(`SQL: ${e.name} here`);
  const types = args.map(({ type }) => type);
  const known = (types[0] === 'float' ? ofDoubles[e.name] : undefined) ?? scalarFunctions[e.name];
  if (known === undefined) return unsupported(`the function ${e.name}()`);
  const [, places] = e.args;
  const toPlaces = e.name === 'round' && places?.k === 'literal' ? Number(places.value) : null;
  const shownType = known.type(types);
  const type =
    shownType === 'numeric' && toPlaces !== null && toPlaces >= 0 ? numericOf(toPlaces) : shownType;
  const taken = args.map(closed).map((arg) => {
    if (known.takes !== undefined && arg.type === 'unknown') return arg;
    if (known.takes === 'text' && known.nulls)
      // As it is shown, which of a truth is another text than a cast gives.
      return arg.type === 'bool'
        ? { type: 'text', of: nullsOut([arg], (value) => shown('bool', value)) }
        : coerced(arg, 'text');
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
