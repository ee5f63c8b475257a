import type { Value } from '../../zset/value.js';

export type Comparison =
  'eq' | 'neq' | 'gt' | 'gte' | 'lt' | 'lte' | 'like' | 'ilike' | 'in' | 'is' | 'isdistinct';

/** A condition on rows, with values already of their columns' types. Nulls behave as in SQL: neither true nor false. */
export type Filter =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | {
      readonly kind: 'compare';
      readonly path: string;
      readonly op: Comparison;
      readonly value: Value;
      /** The column holds decimals, which compare as numbers. */
      readonly decimal?: boolean;
    };

export interface OrderTerm {
  readonly path: string;
  readonly descending: boolean;
  /** Nulls come last where ascending and first where descending, unless this says otherwise. */
  readonly nullsFirst: boolean;
  /** The column holds decimals, which are ordered as numbers. */
  readonly decimal?: boolean;
}

/** Which rows of a view, in which order, from where on. What REST and `ViewReader` both come down to. */
export interface RowsQuery {
  readonly where: Filter | null;
  /** Empty: by key in small views, else as it is cheapest; the same in all pages. */
  readonly order: readonly OrderTerm[];
  readonly limit: number;
  readonly offset: number;
  /** The cursor of an earlier page. */
  readonly after: string | null;
}

export const everything = (limit: number): RowsQuery => ({
  where: null,
  order: [],
  limit,
  offset: 0,
  after: null,
});

/** The conditions that must all hold. */
export function conjuncts(filter: Filter | null): readonly Filter[] {
  if (filter === null) return [];
  return filter.kind === 'and' ? filter.filters.flatMap(conjuncts) : [filter];
}
