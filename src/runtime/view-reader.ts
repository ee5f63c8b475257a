import type { Rows as RowsOf } from '../view/collection-types.js';
import type { RowOf } from '../view/view.js';
import { isDecimal } from '../view/column.js';
import { decimalText, plainDecimalText } from '../zset/decimal.js';
import type { Value } from '../zset/value.js';
import { keyTextOfValues } from '../zset/row-key.js';
import { StillwaterError } from '../errors/stillwater-error.js';
import type { ChangeFeed, FollowOptions } from './reading/change-feed.js';
import { matches } from './reading/matches.js';
import { columnAt, parseOrder } from './reading/order-words.js';
import type { ReadingLimits } from './reading/reading-limits.js';
import type { Comparison, Filter, RowsQuery } from './reading/rows-query.js';
import type { RowsReader } from './reading/rows-reader.js';
import type { ServedView } from './reading/served-view.js';
import type { ServedViews } from './reading/served-views.js';
import { contained } from './contained.js';
import { type DescribedType, keyPartsOf } from './reading/view-description.js';
import type { PositionWait } from './reading/wait-for-position.js';
import { encodeToken } from './frontier.js';

/** The rows of a declared view (`ViewReader<typeof delays>`), or a row type given as it is. */
export type RowRead<V> = V extends RowsOf<any, any> ? RowOf<V> : V;

/** Conditions on one column: a value it equals, or comparisons. */
export type Condition<V> =
  | V
  | {
      eq?: V;
      neq?: V;
      gt?: NonNullable<V>;
      gte?: NonNullable<V>;
      lt?: NonNullable<V>;
      lte?: NonNullable<V>;
      in?: readonly V[];
      like?: string;
      ilike?: string;
    };

/** Columns (or paths into nested ones) and what they must fulfil, all together. */
export type Where<R> = { [C in keyof R]?: Condition<R[C]> } & {
  [path: `${string}.${string}`]: Condition<any>;
};

export interface ReadOptions {
  /** A position the view must contain: the token of an append, or of an earlier read. */
  atLeast?: string;
  /** How long to wait for it, at the most. */
  waitMs?: number;
}

export interface RowsOptions<R> extends ReadOptions {
  where?: Where<R>;
  /** `['flights.desc', 'origin']`: the words of `order=`. */
  order?: string | readonly string[];
  limit?: number;
  /** The `next` of the page before. */
  after?: string;
}

export interface Rows<R> {
  rows: R[];
  /** Hand it on as `after` for the next page; null where there is none. */
  next: string | null;
  /** What the view contained when the rows were read. */
  position: string;
}

/** What one commit changed. */
export interface Changes<R> {
  /** Go on after it: `changes({ after: id })`. */
  id: string;
  changes: readonly ({ op: 'upsert'; key: Value[]; row: R } | { op: 'delete'; key: Value[]; row: null })[];
}

/** What a `Reading` has. */
export interface ViewReaderOptions {
  views: ServedViews;
  reader: RowsReader;
  feed: ChangeFeed;
  wait: PositionWait;
  limits: ReadingLimits;
}

/**
 * Reads one view from code, typed. What it finds is what REST finds: both come down to the same queries.
 */
export class ViewReader<V = Record<string, Value>> {
  constructor(
    readonly name: string,
    readonly options: ViewReaderOptions,
  ) {}

  /** The row under a key: the key column's value, or an object or array of the key's columns. Null if there is none. */
  async row(key: Value | Partial<RowRead<V>>, options: ReadOptions = {}): Promise<RowRead<V> | null> {
    const view = await this.#view(options);
    const parts = keyPartsOf(view.description);
    const values = keyValuesFrom(
      this.name,
      parts.map(({ path }) => path),
      key as Value,
    );
    // What the column cannot hold is in no key.
    if (parts.some(({ onlyStrings }, index) => onlyStrings && typeof values[index] !== 'string')) return null;
    return (await this.options.reader.row(view, keyTextOfValues(values, parts))).row as RowRead<V> | null;
  }

  async rows(options: RowsOptions<RowRead<V>> = {}): Promise<Rows<RowRead<V>>> {
    const view = await this.#view(options);
    const { rowsLimitDefault, rowsLimitMax } = this.options.limits;
    const order = typeof options.order === 'string' ? options.order : (options.order ?? []).join();
    const query: RowsQuery = {
      where: filterOf(view, options.where ?? {}),
      order: order ? parseOrder(order, view.description) : [],
      limit: Math.min(options.limit ?? rowsLimitDefault, rowsLimitMax),
      offset: 0,
      after: options.after ?? null,
    };
    const page = await this.options.reader.read(view, query);
    return {
      rows: page.rows.map(({ row }) => row as RowRead<V>),
      next: page.next,
      position: encodeToken(contained(view.generation, page.records)),
    };
  }

  /** All rows that fulfil the conditions, page by page. Rows that change meanwhile come as they are when their page is read. */
  async *all(options: Omit<RowsOptions<RowRead<V>>, 'after'> = {}): AsyncGenerator<RowRead<V>> {
    let after: string | undefined;
    do {
      const page: Rows<RowRead<V>> = await this.rows({
        limit: this.options.limits.rowsLimitMax,
        ...options,
        ...(after === undefined ? {} : { after }),
      });
      yield* page.rows;
      after = page.next ?? undefined;
    } while (after !== undefined);
  }

  /**
   * Commits as they happen, from now on or after an earlier `id`.
   * @throws StillwaterError `changes-lost` where what follows cannot be joined on: read the rows, and follow anew.
   */
  async *changes(
    options: { where?: Where<RowRead<V>>; after?: string; signal?: AbortSignal } = {},
  ): AsyncGenerator<Changes<RowRead<V>>> {
    const view = await this.#view({});
    const wanted = matches(filterOf(view, options.where ?? {}));
    const parts = keyPartsOf(view.description);
    const follow: FollowOptions = {
      after: options.after ?? null,
      snapshot: false,
      signal: options.signal ?? new AbortController().signal,
    };
    for await (const message of this.options.feed.follow(this.name, follow)) {
      if (message.kind === 'resync')
        throw new StillwaterError('changes-lost', {
          what: `The changes of view "${this.name}" cannot be followed any further.`,
          evidence: message.reason,
          consequence: 'Nothing after the last change was delivered.',
          remedy: 'Read the rows again, and follow from now on.',
        });
      if (message.kind !== 'changes') continue;
      const changes = message.changes.flatMap(({ before, after }): Changes<RowRead<V>>['changes'] => {
        const key = (row: Record<string, Value>): Value[] => parts.map(({ path }) => row[path] ?? null);
        if (after && wanted(after))
          return [{ op: 'upsert', key: key(after as Record<string, Value>), row: after as RowRead<V> }];
        return before && wanted(before)
          ? [{ op: 'delete', key: key(before as Record<string, Value>), row: null }]
          : [];
      });
      if (changes.length > 0) yield { id: message.id, changes };
    }
  }

  async #view({ atLeast, waitMs }: ReadOptions): Promise<ServedView> {
    const view = await this.options.views.get(this.name);
    if (atLeast !== undefined) await this.options.wait.until(view, atLeast, waitMs ?? 0);
    return view;
  }
}

function keyValuesFrom(view: string, key: readonly string[], given: Value): Value[] {
  if (Array.isArray(given)) {
    if (given.length === key.length) return [...(given as Value[])];
  } else if (given !== null && typeof given === 'object') {
    const columns = given as Record<string, Value>;
    if (key.every((column) => columns[column] !== undefined)) return key.map((column) => columns[column]!);
  } else if (key.length === 1) return [given];
  throw new StillwaterError('malformed-key', {
    what: `This is not a key of view "${view}".`,
    evidence: `  given  ${JSON.stringify(given)}\n  key    ${key.join(', ')}`,
    consequence: 'Nothing was read.',
    remedy: 'Give a value for each column of the key, in an object or in this order in an array.',
  });
}

const COMPARISONS: readonly string[] = [
  'eq',
  'neq',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'like',
  'ilike',
] satisfies Comparison[];

function filterOf(view: ServedView, where: Where<any>): Filter | null {
  const filters: Filter[] = [];
  for (const [path, condition] of Object.entries(where) as [string, any][]) {
    if (condition === undefined) continue;
    const type = columnAt(view.description, path);
    const add = (op: Comparison, given: Value): void => {
      const value = isPattern(op) ? given : valueOf(type, given);
      const decimal = isDecimal(type);
      filters.push({ kind: 'compare', path, op: value === null && op === 'eq' ? 'is' : op, value, decimal });
    };
    const compared =
      condition !== null &&
      typeof condition === 'object' &&
      Object.keys(condition).length > 0 &&
      Object.keys(condition).every((op) => COMPARISONS.includes(op));
    if (!compared) add('eq', condition as Value);
    else
      for (const [op, value] of Object.entries(condition))
        if (value !== undefined) add(op as Comparison, value as Value);
  }
  if (filters.length === 0) return null;
  return { kind: 'and', filters };
}

const isPattern = (op: Comparison): boolean => op === 'like' || op === 'ilike';

/** A decimal may be written otherwise than the column writes it: `12.5`, 12.5. Anything else is compared as it is. */
function valueOf(type: DescribedType, given: Value): Value {
  if (type.kind !== 'string' || type.format !== 'decimal') return given;
  if (Array.isArray(given)) return given.map((value: Value) => valueOf(type, value));
  if (typeof given !== 'string' && typeof given !== 'number') return given;
  return decimalText(String(given), type.scale) ?? plainDecimalText(String(given)) ?? given;
}
