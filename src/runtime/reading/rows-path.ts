import { columnOrderText } from '../../view/index-order.js';
import { keyTextOfValues } from '../../zset/row-key.js';
import type { Value } from '../../zset/value.js';
import { conjuncts, type Filter, type OrderTerm, type RowsQuery } from './rows-query.js';
import { keyPartsOf, typeAt, type DescribedIndex, type ViewDescription } from './view-description.js';

/** Members of an index from `from` on, up to and without `to`, by UTF-8 bytes. */
export interface MemberRange {
  readonly from: string | null;
  readonly to: string | null;
}

/** An index that helps with a query. */
export interface IndexPath {
  readonly kind: 'index';
  readonly place: number;
  readonly index: DescribedIndex;
  readonly ranges: readonly MemberRange[];
  /** Read in the index's order, or back to front, the rows come in the order asked for. Null: they must be sorted. */
  readonly direction: 'forward' | 'backward' | null;
  /** Some conditions are not answered by the ranges: rows must be looked at and left out. */
  readonly residual: boolean;
}

export interface KeysPath {
  readonly kind: 'keys';
  readonly keys: readonly string[];
}

/** Sorts behind every member that begins with the text before it: members go on with digits, hex digits or NUL. */
const AFTER = '\u007f';
const NULL_ASCENDING = columnOrderText(null, false);
const NULL_DESCENDING = columnOrderText(null, true);

/** What the conditions that must all hold say of one column. */
interface Bounds {
  /** The values it may have; null where any. */
  values: readonly Value[] | null;
  lower: { value: Value; inclusive: boolean } | null;
  upper: { value: Value; inclusive: boolean } | null;
  /** How many conditions the above say exactly. */
  conditions: number;
}

/** How rows can be found without looking at all: by their keys, or by the index that narrows them down most. Null if neither. */
export function findPath(
  description: ViewDescription,
  query: RowsQuery,
  valuesMax: number,
): KeysPath | IndexPath | null {
  const filters = conjuncts(query.where);
  const bounds = boundsByPath(filters);
  return (
    keysPath(description, bounds, valuesMax) ??
    indexPath(description, query.order, bounds, filters.length, valuesMax)
  );
}

/** Paths that have one value in all rows the query finds. */
export function fixedPaths(query: RowsQuery): Set<string> {
  const bounds = boundsByPath(conjuncts(query.where));
  return new Set([...bounds].filter(([, { values }]) => values?.length === 1).map(([path]) => path));
}

/** The columns that conditions narrow down, those with values first: what an index for the query begins with. */
export function narrowedPaths(query: RowsQuery): { fixed: string[]; ranged: string[] } {
  const bounds = [...boundsByPath(conjuncts(query.where))];
  return {
    fixed: bounds.filter(([, each]) => each.values).map(([path]) => path),
    ranged: bounds.filter(([, each]) => !each.values).map(([path]) => path),
  };
}

function boundsByPath(filters: readonly Filter[]): Map<string, Bounds> {
  const found = new Map<string, Bounds>();
  for (const filter of filters) {
    if (filter.kind !== 'compare') continue;
    const bounds = found.get(filter.path) ?? { values: null, lower: null, upper: null, conditions: 0 };
    const { op, value } = filter;
    if (op === 'eq' || op === 'is') bounds.values = [value];
    else if (op === 'in') bounds.values ??= value as readonly Value[];
    else if (op === 'gt' || op === 'gte') bounds.lower ??= { value, inclusive: op === 'gte' };
    else if (op === 'lt' || op === 'lte') bounds.upper ??= { value, inclusive: op === 'lte' };
    else continue;
    bounds.conditions++;
    found.set(filter.path, bounds);
  }
  return found;
}

function keysPath(
  description: ViewDescription,
  bounds: ReadonlyMap<string, Bounds>,
  valuesMax: number,
): KeysPath | null {
  const parts = keyPartsOf(description);
  if (parts.length === 0) return null;
  let keys: Value[][] = [[]];
  for (const { path, onlyStrings } of parts) {
    const values = bounds.get(path)?.values;
    if (!values) return null;
    // What the column cannot hold is in no key: `is.null` where it is never null.
    const possible = onlyStrings ? values.filter((value) => typeof value === 'string') : values;
    keys = keys.flatMap((key) => possible.map((value) => [...key, value]));
    if (keys.length > valuesMax) return null;
  }
  return { kind: 'keys', keys: [...new Set(keys.map((values) => keyTextOfValues(values, parts)))] };
}

function indexPath(
  description: ViewDescription,
  order: readonly OrderTerm[],
  bounds: ReadonlyMap<string, Bounds>,
  conditions: number,
  valuesMax: number,
): IndexPath | null {
  let best: IndexPath | null = null;
  let bestScore = 0;
  description.indexes.forEach((index, place) => {
    let prefixes = [''];
    let fixed = 0;
    let answered = 0;
    for (const { path, descending, decimal } of index.columns) {
      const values = bounds.get(path)?.values;
      if (!values || prefixes.length * values.length > valuesMax) break;
      prefixes = prefixes.flatMap((prefix) =>
        values.map((value) => prefix + columnOrderText(value, descending, decimal)),
      );
      answered += bounds.get(path)!.conditions;
      fixed++;
    }
    const rest = index.columns.slice(fixed);
    const next = rest[0] && bounds.get(rest[0].path);
    const ranged =
      next && (next.lower || next.upper)
        ? { bounds: next, descending: rest[0]!.descending, decimal: rest[0]!.decimal }
        : null;
    if (ranged) answered += ranged.bounds.conditions;
    const ranges = [...new Set(prefixes)].map((prefix) =>
      ranged ? rangeOf(prefix, ranged) : { from: prefix || null, to: prefix ? prefix + AFTER : null },
    );
    const direction = ranges.length === 1 ? directionOf(description, rest, order, bounds) : null;
    if (fixed === 0 && !ranged && (direction === null || order.length === 0)) return;
    const score = fixed * 4 + (ranged ? 2 : 0) + (direction ? 1 : 0);
    if (score <= bestScore) return;
    bestScore = score;
    best = { kind: 'index', place, index, ranges, direction, residual: answered < conditions };
  });
  return best;
}

/** An index that leads through all rows, for listing them without an order. */
export function anyIndex(description: ViewDescription): IndexPath | null {
  const index = description.indexes[0];
  return index
    ? {
        kind: 'index',
        place: 0,
        index,
        ranges: [{ from: null, to: null }],
        direction: 'forward',
        residual: false,
      }
    : null;
}

function rangeOf(
  prefix: string,
  {
    bounds: { lower, upper },
    descending,
    decimal,
  }: { bounds: Bounds; descending: boolean; decimal: true | undefined },
): MemberRange {
  const at = (value: Value, after: boolean): string =>
    prefix + columnOrderText(value, descending, decimal) + (after ? AFTER : '');
  if (!descending)
    return {
      from: lower ? at(lower.value, !lower.inclusive) : prefix || null,
      to: upper ? at(upper.value, upper.inclusive) : prefix + NULL_ASCENDING,
    };
  return {
    from: upper ? at(upper.value, !upper.inclusive) : prefix + NULL_DESCENDING + AFTER,
    to: lower ? at(lower.value, lower.inclusive) : prefix ? prefix + AFTER : null,
  };
}

/** Whether the columns of an index behind its fixed ones order rows as asked, and read in which direction. */
function directionOf(
  description: ViewDescription,
  columns: DescribedIndex['columns'],
  order: readonly OrderTerm[],
  bounds: ReadonlyMap<string, Bounds>,
): 'forward' | 'backward' | null {
  const terms = order.filter(({ path }) => bounds.get(path)?.values?.length !== 1);
  if (terms.length > columns.length) return null;
  let direction: 'forward' | 'backward' | null = null;
  for (const [index, term] of terms.entries()) {
    const column = columns[index]!;
    if (column.path !== term.path) return null;
    if (term.nullsFirst !== term.descending && typeAt(description.columns, term.path)?.nullable !== false)
      return null;
    const needed = column.descending === term.descending ? 'forward' : 'backward';
    if (direction !== null && direction !== needed) return null;
    direction = needed;
  }
  return direction ?? 'forward';
}
