import type { Call, Expr, From, OrderItem, Query } from './ast.js';

/** The parts of an expression, without the queries in it. */
export function partsOf(e: Expr): Expr[] {
  switch (e.k) {
    case 'unary':
    case 'cast':
    case 'is':
    case 'extract':
      return [e.e];
    case 'binary':
    case 'distinct':
      return [e.l, e.r];
    case 'call':
      return [
        ...e.args,
        ...(e.filter ? [e.filter] : []),
        ...e.order.map((item) => item.e),
        ...(e.over ? [...e.over.per, ...e.over.order.map((item) => item.e)] : []),
      ];
    case 'case':
      return [...(e.of ? [e.of] : []), ...e.whens.flat(), ...(e.otherwise ? [e.otherwise] : [])];
    case 'in':
      return [e.e, ...e.list];
    case 'quantified':
      return [e.e, e.list];
    case 'inQuery':
      return [e.e];
    case 'between':
      return [e.e, e.low, e.high];
    case 'like':
      return [e.e, e.pattern];
    case 'array':
    case 'row':
      return [...e.items];
    case 'element':
      return [e.e, e.index];
    default:
      return [];
  }
}

const ordered = (items: readonly OrderItem[], to: (e: Expr) => Expr): OrderItem[] =>
  items.map((item) => ({ ...item, e: to(item.e) }));

/** The expression with its parts exchanged: where `to` gives null the part stays, and its own parts are asked for. */
export function exchanged(e: Expr, to: (part: Expr) => Expr | null): Expr {
  const found = to(e);
  if (found !== null) return found;
  const inner = (part: Expr): Expr => exchanged(part, to);
  switch (e.k) {
    case 'unary':
    case 'cast':
    case 'is':
    case 'extract':
    case 'inQuery':
      return { ...e, e: inner(e.e) };
    case 'binary':
    case 'distinct':
      return { ...e, l: inner(e.l), r: inner(e.r) };
    case 'call':
      return {
        ...e,
        args: e.args.map(inner),
        filter: e.filter && inner(e.filter),
        order: ordered(e.order, inner),
        over: e.over && { ...e.over, per: e.over.per.map(inner), order: ordered(e.over.order, inner) },
      };
    case 'case':
      return {
        ...e,
        of: e.of && inner(e.of),
        whens: e.whens.map(([when, then]) => [inner(when), inner(then)]),
        otherwise: e.otherwise && inner(e.otherwise),
      };
    case 'in':
      return { ...e, e: inner(e.e), list: e.list.map(inner) };
    case 'quantified':
      return { ...e, e: inner(e.e), list: inner(e.list) };
    case 'between':
      return { ...e, e: inner(e.e), low: inner(e.low), high: inner(e.high) };
    case 'like':
      return { ...e, e: inner(e.e), pattern: inner(e.pattern) };
    case 'array':
    case 'row':
      return { ...e, items: e.items.map(inner) };
    case 'element':
      return { ...e, e: inner(e.e), index: inner(e.index) };
    default:
      return e;
  }
}

export const some = (e: Expr, is: (part: Expr) => boolean): boolean =>
  is(e) || partsOf(e).some((part) => some(part, is));

/** What is joined by AND. */
export const conjuncts = (e: Expr | null): Expr[] =>
  e === null ? [] : e.k === 'binary' && e.op === 'and' ? [...conjuncts(e.l), ...conjuncts(e.r)] : [e];

export const conjunction = (parts: readonly Expr[]): Expr | null =>
  parts.length === 0 ? null : parts.reduce((l, r) => ({ k: 'binary', op: 'and', l, r }));

/** All columns an expression or a query names, at any depth: what of its surroundings it may speak of. */
export function columnsIn(e: Expr): { table: string | null; name: string }[] {
  const own = e.k === 'column' ? [{ table: e.table, name: e.name }] : [];
  const query = 'query' in e ? columnsInQuery(e.query) : [];
  return [...own, ...query, ...partsOf(e).flatMap(columnsIn)];
}

export function columnsInQuery(query: Query): { table: string | null; name: string }[] {
  const of = (expressions: readonly (Expr | null)[]) =>
    expressions.flatMap((e) => (e === null ? [] : columnsIn(e)));
  const body = (part: Query['body']): { table: string | null; name: string }[] => {
    switch (part.k) {
      case 'nested':
        return columnsInQuery(part.query);
      case 'set':
        return [...body(part.l), ...body(part.r)];
      case 'values':
        return of(part.rows.flat());
      case 'select':
        return [
          ...of([...part.items.map(({ e }) => e), part.where, part.having, ...part.distinctOn]),
          ...of((part.groups ?? []).flat()),
          ...part.from.flatMap(columnsInFrom),
        ];
    }
  };
  return [
    ...query.ctes.flatMap((cte) => columnsInQuery(cte.query)),
    ...body(query.body),
    ...of([...query.order.map(({ e }) => e), query.limit, query.offset]),
  ];
}

export function columnsInFrom(from: From): { table: string | null; name: string }[] {
  switch (from.k) {
    case 'table':
      return [];
    case 'query':
      return columnsInQuery(from.query);
    case 'function':
      return from.args.flatMap(columnsIn);
    case 'join':
      return [...columnsInFrom(from.l), ...columnsInFrom(from.r), ...(from.on ? columnsIn(from.on) : [])];
  }
}

const AGGREGATES = new Set(
  'count sum avg min max bool_and bool_or every stddev stddev_samp stddev_pop variance var_samp var_pop array_agg string_agg jsonb_agg json_agg jsonb_object_agg json_object_agg percentile_cont percentile_disc approx_percentile mode arg_min arg_max approx_count_distinct bit_and bit_or bit_xor any_value first_value last_value listagg group_concat'.split(
    ' ',
  ),
);
export const isAggregate = (e: Expr): e is Call =>
  e.k === 'call' && e.over === null && AGGREGATES.has(e.name);
export const isWindow = (e: Expr): e is Call => e.k === 'call' && e.over !== null;
export const isQuery = (e: Expr): boolean => e.k === 'exists' || e.k === 'inQuery' || e.k === 'scalar';
