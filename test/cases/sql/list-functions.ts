import { compare, inOrder, once } from './comparing.js';
import { first, int, is, notNull, type ScalarFunction, text } from './scalar-function.js';
import { elementOf, shown } from './types.js';

/** Functions of lists and of JSON. */

/** A member of an object or an element of a list, counted from its end where the number is negative. */
export function memberOf(json: any, at: string | number): any {
  if (Array.isArray(json)) return /^-?\d+$/.test(String(at)) ? (json.at(Number(at)) ?? null) : null;
  return json !== null && typeof json === 'object' ? (json[at] ?? null) : null;
}

/** JSON without members that are null, at any depth. */
const withoutNulls = (json: any): any =>
  Array.isArray(json)
    ? json.map(withoutNulls)
    : json !== null && typeof json === 'object'
      ? Object.fromEntries(
          Object.entries(json).flatMap(([name, value]) =>
            value === null ? [] : [[name, withoutNulls(value)]],
          ),
        )
      : json;

export const listFunctions: Readonly<Record<string, ScalarFunction>> = {
  array_length: int((list: any[]) => (list.length === 0 ? null : list.length)),
  cardinality: int((list: any[]) => list.length),
  array_to_string: text((list: any[], mark: string, forNull?: string) =>
    (forNull === undefined ? notNull(list) : list.map((one) => one ?? forNull)).join(mark),
  ),
  array_sort: { type: first, call: inOrder },
  array_min: {
    type: (types) => elementOf(first(types)),
    call: (list: any[]) => inOrder(notNull(list))[0] ?? null,
  },
  array_max: {
    type: (types) => elementOf(first(types)),
    call: (list: any[]) => inOrder(notNull(list)).at(-1) ?? null,
  },
  array_sum: {
    type: (types) => elementOf(first(types)),
    call: (list: number[]) =>
      notNull(list).length === 0 ? null : notNull(list).reduce((sum, value) => sum + value, 0),
  },
  array_replace: {
    type: first,
    nulls: true,
    call: (list: any[] | null, from: any, to: any) => list && list.map((one) => (one === from ? to : one)),
  },
  regexp_split_to_array: {
    type: is('text[]'),
    call: (value: string, mark: string) => value.split(new RegExp(mark)),
  },
  regexp_count: int((value: string, pattern: string) => [...value.matchAll(new RegExp(pattern, 'g'))].length),
  array_position: int((list: any[], value: any) => {
    const at = list.findIndex((element) => element !== null && compare(element, value) === 0);
    return at === -1 ? null : at + 1;
  }),
  array_append: {
    type: first,
    nulls: true,
    call: (list: any[] | null, value: any) => [...(list ?? []), value],
  },
  array_prepend: {
    type: (types) => types[1]!,
    nulls: true,
    call: (value: any, list: any[] | null) => [value, ...(list ?? [])],
  },
  array_cat: {
    type: first,
    nulls: true,
    call: (left: any[] | null, right: any[] | null) =>
      left === null || right === null ? (left ?? right) : [...left, ...right],
  },
  array_remove: { type: first, call: (list: any[], value: any) => list.filter((one) => one !== value) },
  array_except: {
    type: first,
    call: (left: any[], right: any[]) => inOrder(once(left).filter((one) => !right.includes(one))),
  },
  array_intersect: {
    type: first,
    call: (left: any[], right: any[]) => inOrder(once(left).filter((one) => right.includes(one))),
  },
  array_distinct: { type: first, call: (list: any[]) => once(list) },
  /** list[from:to] */
  '(slice)': {
    type: first,
    call: (list: any[], from: number, to: number) => list.slice(Math.max(0, from - 1), Math.max(0, to)),
  },
  string_to_array: {
    type: is('text[]'),
    call: (value: string, mark: string) => (value === '' ? [] : value.split(mark)),
  },
  array_lower: int((list: any[]) => (list.length === 0 ? null : 1)),
  array_ndims: int((list: any[]) => (list.length === 0 ? null : 1)),
  array_size: int((list: any[]) => list.length),
  array_reverse: { type: first, call: (list: any[]) => [...list].reverse() },
  array_contains: {
    type: is('bool'),
    call: (list: any[], value: any) => list.some((one) => one !== null && compare(one, value) === 0),
  },
  array_union: { type: first, call: (left: any[], right: any[]) => inOrder(once([...left, ...right])) },
  array_concat: { type: first, call: (...lists: any[][]) => lists.flat(1) },
  arrays_overlap: {
    type: is('bool'),
    call: (left: any[], right: any[]) => left.some((one) => one !== null && right.includes(one)),
  },
  array_compact: { type: first, call: (list: any[]) => notNull(list) },
  array_positions: {
    type: is('int[]'),
    call: (list: any[], value: any) => list.flatMap((one, at) => (one === value ? [at + 1] : [])),
  },
  trim_array: { type: first, call: (list: any[], count: number) => list.slice(0, list.length - count) },
  array_upper: int((list: any[]) => (list.length === 0 ? null : list.length)),
  jsonb_typeof: text((value: any) =>
    value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value,
  ),
  jsonb_array_length: int((value: any) => value.length),
  jsonb_strip_nulls: { type: is('json'), call: withoutNulls },
  jsonb_extract_path: {
    type: is('json'),
    call: (json: any, ...path: string[]) => path.reduce(memberOf, json),
  },
  jsonb_extract_path_text: text((json: any, ...path: string[]) => {
    const found = path.reduce(memberOf, json);
    return found === null || typeof found === 'string' ? found : shown('json', found);
  }),
};
