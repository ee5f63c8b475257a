/** SQL as it was written: as much of it as the cases use and the product can say. */
export type Expr =
  | { readonly k: 'literal'; readonly value: string | number | boolean | null; readonly type: string }
  | { readonly k: 'column'; readonly table: string | null; readonly name: string }
  | {
      readonly k: 'star';
      readonly table: string | null;
      readonly except?: readonly Expr[];
      /** What stands for some of the columns, by their names. */
      readonly replaced?: ReadonlyMap<string, Expr>;
    }
  | { readonly k: 'unary'; readonly op: string; readonly e: Expr }
  | { readonly k: 'binary'; readonly op: string; readonly l: Expr; readonly r: Expr }
  | Call
  | {
      readonly k: 'case';
      readonly of: Expr | null;
      readonly whens: readonly (readonly [when: Expr, then: Expr])[];
      readonly otherwise: Expr | null;
    }
  | { readonly k: 'cast'; readonly e: Expr; readonly type: string }
  | { readonly k: 'in'; readonly e: Expr; readonly list: readonly Expr[]; readonly not: boolean }
  /** `e op ANY (query)`, or that it is not so. */
  | {
      readonly k: 'inQuery';
      readonly e: Expr;
      readonly query: Query;
      readonly op: string;
      readonly not: boolean;
    }
  /** `e op ANY (list)` or `ALL`. */
  | {
      readonly k: 'quantified';
      readonly op: string;
      readonly all: boolean;
      readonly e: Expr;
      readonly list: Expr;
    }
  | { readonly k: 'exists'; readonly query: Query; readonly not: boolean }
  | { readonly k: 'scalar'; readonly query: Query }
  | {
      readonly k: 'between';
      readonly e: Expr;
      readonly low: Expr;
      readonly high: Expr;
      readonly not: boolean;
    }
  | { readonly k: 'is'; readonly e: Expr; readonly value: boolean | null; readonly not: boolean }
  | { readonly k: 'distinct'; readonly l: Expr; readonly r: Expr; readonly not: boolean }
  | {
      readonly k: 'like';
      readonly e: Expr;
      readonly pattern: Expr;
      readonly not: boolean;
      readonly anyCase: boolean;
      /** SIMILAR TO. */
      readonly similar?: boolean;
      /** The mark that takes the meaning of the one behind it. */
      readonly escape?: string;
    }
  | { readonly k: 'array'; readonly items: readonly Expr[] }
  | { readonly k: 'row'; readonly items: readonly Expr[] }
  | { readonly k: 'element'; readonly e: Expr; readonly index: Expr }
  | { readonly k: 'extract'; readonly field: string; readonly e: Expr }
  /** What was computed before: a column of the relation by its id. */
  | { readonly k: 'known'; readonly id: string };

export interface Call {
  readonly k: 'call';
  readonly name: string;
  readonly args: readonly Expr[];
  readonly star: boolean;
  readonly distinct: boolean;
  readonly order: readonly OrderItem[];
  readonly filter: Expr | null;
  readonly over: Over | null;
}

export interface Over {
  readonly per: readonly Expr[];
  readonly order: readonly OrderItem[];
  readonly frame: Frame | null;
}

/** Bounds: rows or time before (negative) or after; null for unbounded. */
export interface Frame {
  readonly unit: 'rows' | 'range' | 'groups' | 'session';
  readonly from: Bound;
  readonly to: Bound;
  /** EXCLUDE CURRENT ROW. */
  readonly withoutRow?: boolean;
  /** How far apart the rows of a session may be. */
  readonly gap?: Expr;
}
export type Bound =
  { readonly at: 'start' | 'end' | 'current' } | { readonly at: 'before' | 'after'; readonly by: Expr };

export interface OrderItem {
  readonly e: Expr;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface Query {
  readonly ctes: readonly {
    readonly name: string;
    readonly columns: readonly string[];
    readonly query: Query;
  }[];
  readonly body: Body;
  readonly order: readonly OrderItem[];
  readonly limit: Expr | null;
  readonly offset: Expr | null;
  readonly ties: boolean;
}

export type Body =
  | Select
  | SetOperation
  | { readonly k: 'values'; readonly rows: readonly (readonly Expr[])[] }
  | { readonly k: 'nested'; readonly query: Query };

export interface SetOperation {
  readonly k: 'set';
  readonly op: 'union' | 'except' | 'intersect';
  readonly all: boolean;
  /** CORRESPONDING: the columns that count, or all that both have; null where all count by their places. */
  readonly by: readonly string[] | null;
  readonly l: Body;
  readonly r: Body;
}

export interface Select {
  readonly k: 'select';
  readonly distinct: boolean;
  readonly distinctOn: readonly Expr[];
  readonly items: readonly Item[];
  readonly from: readonly From[];
  readonly where: Expr | null;
  /** Sets of expressions grouped by; null without GROUP BY. */
  readonly groups: readonly (readonly Expr[])[] | null;
  readonly having: Expr | null;
}

export interface Item {
  readonly e: Expr;
  readonly as: string | null;
  /** What the column is called, said or not. */
  readonly name: string;
}

export type JoinKind = 'inner' | 'left' | 'right' | 'full' | 'cross';

export type From =
  | { readonly k: 'table'; readonly name: string; readonly as: string; readonly columns: readonly string[] }
  | {
      readonly k: 'query';
      readonly query: Query;
      readonly as: string | null;
      readonly columns: readonly string[];
      readonly lateral: boolean;
    }
  | {
      readonly k: 'function';
      readonly name: string;
      readonly args: readonly Expr[];
      readonly as: string;
      readonly columns: readonly string[];
      /** With a column that counts its rows. */
      readonly numbered: boolean;
      /** What sessions are told apart by. */
      readonly keys?: readonly Expr[];
    }
  | {
      readonly k: 'join';
      readonly kind: JoinKind;
      readonly l: From;
      readonly r: From;
      readonly on: Expr | null;
      readonly using: readonly string[] | null;
      readonly natural: boolean;
      /** With the nearest row only. */
      readonly asOf: boolean;
    };
