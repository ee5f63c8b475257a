import { orderKey } from '../../view/index-order.js';
import { readPath } from '../../zset/row-key.js';
import { compareValues, type Row, type Value } from '../../zset/value.js';
import type { Comparison, Filter } from './rows-query.js';

/** True, false, or null: not known because of a null, as in SQL. */
type Truth = boolean | null;

/** Whether a row fulfils a filter. */
export function matches(filter: Filter | null): (row: Row) => boolean {
  if (filter === null) return () => true;
  const truth = truthOf(filter);
  return (row) => truth(row) === true;
}

function truthOf(filter: Filter): (row: Row) => Truth {
  switch (filter.kind) {
    case 'not': {
      const inner = truthOf(filter.filter);
      return (row) => {
        const truth = inner(row);
        return truth === null ? null : !truth;
      };
    }
    case 'and':
    case 'or': {
      const all = filter.filters.map(truthOf);
      const decisive = filter.kind === 'or';
      return (row) => {
        let unknown = false;
        for (const each of all) {
          const truth = each(row);
          if (truth === decisive) return decisive;
          unknown ||= truth === null;
        }
        return unknown ? null : !decisive;
      };
    }
    case 'compare': {
      const read = readPath(filter.path);
      const { op, value: wanted, decimal = false } = filter;
      const test = comparison(op, decimal && !LIKE.has(op) ? orderKeys(wanted) : wanted);
      return decimal && !LIKE.has(op) ? (row) => test(orderKey(read(row), true)) : (row) => test(read(row));
    }
  }
}

/** Patterns are of the text itself. */
const LIKE: ReadonlySet<Comparison> = new Set(['like', 'ilike']);

const orderKeys = (wanted: Value): Value =>
  Array.isArray(wanted) ? wanted.map((value: Value) => orderKey(value, true)) : orderKey(wanted, true);

function comparison(op: Comparison, wanted: Value): (value: Value) => Truth {
  const known =
    (test: (value: Value) => boolean) =>
    (value: Value): Truth =>
      value === null || wanted === null ? null : test(value);
  /** Values of different kinds do not compare: in a column of any JSON, `gt.5` finds numbers. */
  const ordered = (test: (order: number) => boolean) =>
    known((value) => typeof value === typeof wanted && test(compareValues(value, wanted)));
  switch (op) {
    case 'eq':
      return known((value) => compareValues(value, wanted) === 0);
    case 'neq':
      return known((value) => compareValues(value, wanted) !== 0);
    case 'gt':
      return ordered((order) => order > 0);
    case 'gte':
      return ordered((order) => order >= 0);
    case 'lt':
      return ordered((order) => order < 0);
    case 'lte':
      return ordered((order) => order <= 0);
    case 'in': {
      const values = new Set((wanted as readonly Value[]).map((value) => JSON.stringify(value)));
      return (value) => (value === null ? null : values.has(JSON.stringify(value)));
    }
    case 'is':
      return (value) => (wanted === null ? value === null : value === wanted);
    case 'isdistinct':
      return (value) => compareValues(value, wanted) !== 0;
    case 'like':
    case 'ilike': {
      const pattern = wildcardPattern(wanted as string, op === 'ilike');
      return (value) => (value === null ? null : typeof value === 'string' && pattern(value));
    }
  }
}

/**
 * `*` (and `%`) stand for any characters, `_` for one. Matched piece by piece from the left, in time linear in the text for
 * each piece: a regular expression made from it could be made to run for ever.
 */
function wildcardPattern(pattern: string, ignoreCase: boolean): (text: string) => boolean {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const pieces = fold(pattern)
    .split(/[*%]/)
    .map((piece) => [...piece]);
  const fits = (characters: readonly string[], at: number, piece: readonly string[]): boolean =>
    piece.every((character, index) => character === '_' || character === characters[at + index]);
  return (text) => {
    const characters = [...fold(text)];
    const first = pieces[0]!;
    if (pieces.length === 1) return characters.length === first.length && fits(characters, 0, first);
    const last = pieces[pieces.length - 1]!;
    if (first.length + last.length > characters.length || !fits(characters, 0, first)) return false;
    const end = characters.length - last.length;
    if (!fits(characters, end, last)) return false;
    let at = first.length;
    for (const piece of pieces.slice(1, -1)) {
      while (at + piece.length <= end && !fits(characters, at, piece)) at++;
      if (at + piece.length > end) return false;
      at += piece.length;
    }
    return true;
  };
}
