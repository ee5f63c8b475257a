import type { Call, OrderItem } from './ast.js';
import type { MadeAggregate } from './aggregates.js';
import { compare } from './comparing.js';
import type { Compiled } from './compiled.js';
import { dialect } from './dialect.js';
import { compile } from './expressions.js';
import { offered, type Rel } from './relation.js';
import { asJson } from './types.js';

export type Made = (
  type: string,
  request: () => unknown,
  result?: (raw: any) => any,
  rawType?: string,
) => MadeAggregate;
export type NewColumn = (type: string, of: Compiled['of']) => string;

/** Aggregates that hold every value: the product collects texts of values with what they are ordered by. */
export function listed(
  call: Call,
  rel: Rel,
  args: readonly Compiled[],
  column: NewColumn,
  made: Made,
): MadeAggregate {
  const items = call.order.map(({ e }) => compile(e, rel.scope));
  // Without ORDER BY lists are in the order in which rows came, as far as that is one table's.
  const arrival = rel.scope.columns.find(({ name, made: isMade }) => isMade && name === ARRIVAL);
  const skipsNull = call.name === 'string_agg';
  const id = column('text', (row) => {
    const values = args.map((arg) => arg.of(row));
    if (skipsNull && values[0] === null) return null;
    const by = items.length > 0 || arrival === undefined ? items.map(({ of }) => of(row)) : [row[arrival.id]];
    return JSON.stringify([by, values]);
  });
  const order = items.length > 0 ? call.order : [];
  const byValues = call.distinct && items.length === 0;
  const sorted = (raw: string[] | null): any[][] => {
    const rows = (raw ?? []).map((text) => JSON.parse(text) as [any[], any[]]);
    // Values that are listed once are sorted to find those that are the same.
    rows.sort((left, right) =>
      byValues ? inOrder(left[1], right[1], []) : inOrder(left[0], right[0], order),
    );
    const values = rows.map((row) => row[1]);
    if (!call.distinct) return values;
    const seen = new Set<string>();
    return values.filter((value) => !seen.has(JSON.stringify(value)) && seen.add(JSON.stringify(value)));
  };
  const type = args[0]!.type === 'unknown' ? 'text' : args[0]!.type;
  const request = (): unknown => offered('collect')(id);
  const isList = call.name === 'array_agg';
  const result = (of: (values: any[][]) => any) => (raw: string[] | null) => {
    const values = sorted(raw);
    if (values.length === 0) return raw !== null && isList && dialect().listsOfNone ? [] : null;
    return of(values);
  };
  if (call.name === 'array_agg')
    return made(
      `${type}[]`,
      request,
      result((values) => values.map(([value]) => value)),
      'text[]',
    );
  if (call.name === 'string_agg')
    return made(
      'text',
      request,
      result((values) =>
        values.map(([value, mark], place) => (place === 0 ? value : (mark ?? '') + value)).join(''),
      ),
      'text[]',
    );
  if (call.name.includes('object'))
    return made(
      'json',
      request,
      result((values) =>
        Object.fromEntries(values.map(([name, value]) => [String(name), asJson(args[1]!.type, value)])),
      ),
      'text[]',
    );
  return made(
    'json',
    request,
    result((values) => values.map(([value]) => asJson(type, value))),
    'text[]',
  );
}

/** The made column of a table that tells in which order its rows came. */
export const ARRIVAL = '(arrival)';

function inOrder(left: readonly any[], right: readonly any[], order: readonly OrderItem[]): number {
  for (let at = 0; at < left.length; at++) {
    const { descending = false, nullsFirst = false } = order[at] ?? {};
    const [l, r] = [left[at], right[at]];
    if (l === null && r === null) continue;
    if (l === null || r === null) return (l === null) === nullsFirst ? -1 : 1;
    const sign = compare(l, r);
    if (sign !== 0) return descending ? -sign : sign;
  }
  return 0;
}
