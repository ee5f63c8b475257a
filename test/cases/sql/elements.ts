import { unsupported } from '../unsupported.js';
import type { Expr, Item } from './ast.js';
import type { Compiled } from './compiled.js';
import { compile } from './expressions.js';
import { columnOf, expanded, type Rel } from './relation.js';
import type { SqlColumn } from './scope.js';
import { elementOf, instantOf, isTime, msOf } from './types.js';

/** Items that are sets of rows, unnest() and generate_series(): a row for each of their elements. */
export function withSets(rel: Rel, items: readonly Item[]): { rel: Rel; items: Item[] } {
  const sets = items.filter(
    ({ e }) => e.k === 'call' && (e.name === 'unnest' || e.name === 'generate_series'),
  );
  if (sets.length === 0) return { rel, items: [...items] };
  if (sets.length > 1) unsupported('SQL: several sets of rows in SELECT');
  const [{ e }] = sets as [Item];
  const { rel: wider, column } = withElements(rel, e as Extract<Expr, { k: 'call' }>);
  return {
    rel: wider,
    items: items.map((item) => (item.e === e ? { ...item, e: { k: 'known', id: column.id } } : item)),
  };
}

/**
 * A row for each element of a list or number of a series, and if `numbered` its place among them; if it `keeps` rows, also one for
 * none.
 */
export function withElements(
  rel: Rel,
  call: Extract<Expr, { k: 'call' }>,
  { numbered = false, keeps = false } = {},
): { rel: Rel; column: SqlColumn; place: SqlColumn | null } {
  const args = call.args.map((arg) => compile(arg, rel.scope));
  const place = numbered ? columnOf('ordinality', 'int', { made: true }) : null;
  const { type, of } = call.name === 'unnest' ? elements(args[0]!) : series(args);
  const column = columnOf(call.name, type, { made: true });
  const rows = (row: any): Record<string, unknown>[] => {
    const values = of(row);
    if (values.length === 0 && keeps) return [{ [column.id]: null, ...(place && { [place.id]: null }) }];
    return values.map((value, index) => ({ [column.id]: value, ...(place && { [place.id]: index + 1 }) }));
  };
  return { rel: expanded(rel, place === null ? [column] : [column, place], rows), column, place };
}

type Elements = { readonly type: string; readonly of: (row: any) => unknown[] };

const elements = (list: Compiled): Elements => ({
  type: elementOf(list.type),
  of: (row) => list.of(row) ?? [],
});

function series(args: readonly Compiled[]): Elements {
  const timed = isTime(args[0]!.type);
  if (!timed && args.some(({ type }) => type !== 'int')) unsupported('SQL: generate_series() of these');
  const of = (row: any): unknown[] => {
    const values = args.map((arg) => arg.of(row));
    if (values.includes(null)) return [];
    const [from, to] = timed ? values.slice(0, 2).map(msOf) : values;
    const step = values[2] ?? 1;
    const found = [];
    for (let value = from; step > 0 ? value <= to : value >= to; value += step)
      found.push(timed ? instantOf(value) : value);
    return found;
  };
  return { type: timed ? 'timestamp' : 'int', of };
}
