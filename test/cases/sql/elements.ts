import { unsupported } from '../unsupported.js';
import type { Call, Item } from './ast.js';
import type { Compiled } from './compiled.js';
import { compile } from './expressions.js';
import { columnOf, expanded, type Rel } from './relation.js';
import type { SqlColumn } from './scope.js';
import { elementOf, instantOf, type Interval, isTime, later, msOf, shown } from './types.js';

/** Functions whose value is a set of rows: a list's elements, numbers, parts of JSON or of a text. */

type Elements = { readonly type: string; readonly of: (row: any) => readonly unknown[] };

const SETS: Readonly<Record<string, (args: readonly Compiled[]) => Elements>> = {
  unnest: ([list]) => ({ type: elementOf(list!.type), of: (row) => list!.of(row) ?? [] }),
  generate_series: series,
  jsonb_array_elements: ([json]) => ({ type: 'json', of: (row) => json!.of(row) ?? [] }),
  jsonb_array_elements_text: ([json]) => ({
    type: 'text',
    of: (row) => (json!.of(row) ?? []).map(textOf),
  }),
  jsonb_object_keys: ([json]) => ({ type: 'text', of: (row) => Object.keys(json!.of(row) ?? {}) }),
  regexp_split_to_table: ([text, mark]) => ({
    type: 'text',
    of: (row) => text!.of(row)?.split(new RegExp(mark!.of(row))) ?? [],
  }),
  string_to_table: ([text, mark]) => ({
    type: 'text',
    of: (row) => text!.of(row)?.split(mark!.of(row)) ?? [],
  }),
};

export const isSet = (name: string): boolean => plainName(name) in SETS;
const plainName = (name: string): string => name.replace(/^json_/, 'jsonb_');

const textOf = (value: unknown): string | null =>
  value === null || typeof value === 'string' ? value : shown('json', value);

/** Items that are sets of rows: a row for each of their elements; of several, as many as the longest has. */
export function withSets(rel: Rel, items: readonly Item[]): { rel: Rel; items: Item[] } {
  const calls = items.flatMap(({ e }) => (e.k === 'call' && isSet(e.name) ? [e] : []));
  if (calls.length === 0) return { rel, items: [...items] };
  const found = calls.map((call) => setOf(call, rel));
  const columns = found.map(({ type }, at) => columnOf(calls[at]!.name, type, { made: true }));
  const rows = (row: any): Record<string, unknown>[] => {
    const values = found.map(({ of }) => of(row));
    return Array.from({ length: Math.max(...values.map(({ length }) => length)) }, (_, place) =>
      Object.fromEntries(columns.map(({ id }, at) => [id, values[at]![place] ?? null])),
    );
  };
  return {
    rel: expanded(rel, columns, rows),
    items: items.map((item) => {
      const column = columns[calls.findIndex((call) => call === item.e)];
      return column === undefined ? item : { ...item, e: { k: 'known', id: column.id } };
    }),
  };
}

const setOf = (call: Call, rel: Rel): Elements =>
  SETS[plainName(call.name)]!(call.args.map((arg) => compile(arg, rel.scope)));

/**
 * A row for each element of a set, and if `numbered` its place among them; if it `keeps` rows, also one for none.
 */
export function withElements(
  rel: Rel,
  call: Call,
  { numbered = false, keeps = false } = {},
): { rel: Rel; column: SqlColumn; place: SqlColumn | null } {
  const place = numbered ? columnOf('ordinality', 'int', { made: true }) : null;
  const { type, of } = setOf(call, rel);
  const column = columnOf(call.name, type, { made: true });
  const rows = (row: any): Record<string, unknown>[] => {
    const values = of(row);
    if (values.length === 0 && keeps) return [{ [column.id]: null, ...(place && { [place.id]: null }) }];
    return values.map((value, index) => ({ [column.id]: value, ...(place && { [place.id]: index + 1 }) }));
  };
  return { rel: expanded(rel, place === null ? [column] : [column, place], rows), column, place };
}

function series(args: readonly Compiled[]): Elements {
  const timed = isTime(args[0]!.type);
  if (!timed && args.some(({ type }) => type !== 'int')) unsupported('SQL: generate_series() of these');
  const of = (row: any): unknown[] => {
    const values = args.map((arg) => arg.of(row));
    if (values.includes(null)) return [];
    if (values[2] === 0) return [];
    const [from, to] = timed ? values.slice(0, 2).map(msOf) : values;
    const step: Interval = values[2] ?? 1;
    const rises = typeof step === 'number' ? step > 0 : step.months > 0;
    const found = [];
    for (let value = from; rises ? value <= to : value >= to; value = later(value, step, 1))
      found.push(timed ? instantOf(value) : value);
    return found;
  };
  return { type: timed ? 'timestamp' : 'int', of };
}
