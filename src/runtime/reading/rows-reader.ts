import { indexMember } from '../../circuit/view-output.js';
import { bucketOf } from '../../zset/bucket-of.js';
import { isDecimal } from '../../view/column.js';
import { indexOrderText } from '../../view/index-order.js';
import { compareText } from '../../zset/text-order.js';
import type { Row } from '../../zset/value.js';
import type { StoredRow, ViewStore } from '../ports/view-store.js';
import type { TaskRecord } from '../ports/task-store.js';
import { readBucket } from '../read-bucket.js';
import type { TaskId } from '../task-id.js';
import { decodeCursor, encodeCursor, otherPath, type Cursor } from './cursor.js';
import { continued, IndexMerge, indexPages } from './index-merge.js';
import { matches } from './matches.js';
import type { ReadingLimits } from './reading-limits.js';
import { orderTextOf, orderValues } from './row-order.js';
import { anyIndex, findPath, type IndexPath } from './rows-path.js';
import type { OrderTerm, RowsQuery } from './rows-query.js';
import type { ServedView } from './served-view.js';
import { unindexedQuery } from './unindexed-query.js';
import { keyPartsOf } from './view-description.js';

export interface FoundRow {
  readonly key: string;
  readonly row: Row;
}

/** A page of rows. */
export interface RowsPage {
  readonly rows: FoundRow[];
  /** Where the next page begins; null if there is none. */
  readonly next: string | null;
  /** By partition, the commit the rows were read with; of the first read, where there were several. */
  readonly records: readonly (TaskRecord | null)[];
}

/**
 * Finds the rows of a query in one generation of a view. In this order of preference:
 *
 *   keys      the whole key is given: points
 *   index     a declared index has the rows in the order asked for, or narrows them down
 *   all       the view is small
 *   buckets   nothing is asked for but rows: hash by hash
 *
 * Anything else is refused, naming the index to declare: its cost would grow with the view.
 */
export class RowsReader {
  constructor(
    readonly store: ViewStore,
    readonly limits: ReadingLimits,
  ) {}

  async read(view: ServedView, query: RowsQuery): Promise<RowsPage> {
    const cursor = query.after === null ? null : decodeCursor(query.after);
    const path = findPath(view.description, query, this.limits.inValuesMax);
    if (path?.kind === 'keys') return this.#byKeys(view, query, path.keys, cursor);
    if (path?.direction) return this.#inOrder(view, query, path, cursor);
    if (path) return this.#collected(view, query, path, cursor);
    const rows = (await this.records(view)).reduce((sum, record) => sum + (record?.rows ?? 0), 0);
    if (rows <= this.limits.unindexedRowsMax) return this.#all(view, query, cursor);
    if (query.where !== null || query.order.length > 0)
      throw unindexedQuery(view, query, rows, this.limits.unindexedRowsMax);
    const index = anyIndex(view.description);
    return index ? this.#inOrder(view, query, index, cursor) : this.#byBuckets(view, query, cursor);
  }

  /** One row by its key text, with the commits of all partitions. */
  async row(view: ServedView, key: string): Promise<{ row: Row | null; records: (TaskRecord | null)[] }> {
    const reads = await this.#inAll(view, (task) => this.store.rows(task, view.generation.buckets, [key]));
    const found = reads.flatMap(({ rows }) => rows)[0];
    return {
      row: found ? (JSON.parse(found.text) as Row) : null,
      records: reads.map(({ record }) => record),
    };
  }

  /** How many rows a filter finds, as far as that may be looked at. */
  async count(view: ServedView, query: RowsQuery): Promise<number> {
    const found = await this.read(view, {
      ...query,
      order: [],
      limit: Number.MAX_SAFE_INTEGER,
      offset: 0,
      after: null,
    });
    return found.rows.length;
  }

  async records(view: ServedView): Promise<(TaskRecord | null)[]> {
    return (await this.#inAll(view, (task) => this.store.rows(task, view.generation.buckets, []))).map(
      ({ record }) => record,
    );
  }

  /** All rows of a partition and the commit they are of. */
  async snapshot(view: ServedView, task: TaskId): Promise<{ rows: FoundRow[]; record: TaskRecord | null }> {
    const { rows, record } = await this.store.all(task, view.generation.buckets);
    return { rows: rows.map(parsed), record };
  }

  /** The rows of one bucket and the commit they are of; null where its changelog is not kept. */
  async bucket(
    view: ServedView,
    task: TaskId,
    bucket: number,
  ): Promise<{ rows: FoundRow[]; record: TaskRecord | null } | null> {
    const read = await readBucket(this.store, { task, bucket, buckets: view.generation.buckets });
    return read && { rows: read.rows.map(parsed), record: read.record };
  }

  async #byKeys(
    view: ServedView,
    query: RowsQuery,
    keys: readonly string[],
    cursor: Cursor | null,
  ): Promise<RowsPage> {
    const reads = await this.#inAll(view, (task) => this.store.rows(task, view.generation.buckets, keys));
    return this.#sorted(view, query, cursor, {
      rows: reads.flatMap(({ rows }) => rows),
      records: reads.map(({ record }) => record),
    });
  }

  async #all(view: ServedView, query: RowsQuery, cursor: Cursor | null): Promise<RowsPage> {
    const reads = await this.#inAll(view, (task) => this.store.all(task, view.generation.buckets));
    return this.#sorted(view, query, cursor, {
      rows: reads.flatMap(({ rows }) => rows),
      records: reads.map(({ record }) => record),
    });
  }

  /** Reads the ranges of an index to their ends, and sorts. */
  async #collected(
    view: ServedView,
    query: RowsQuery,
    path: IndexPath,
    cursor: Cursor | null,
  ): Promise<RowsPage> {
    const records: (TaskRecord | null)[] = view.tasks.map(() => null);
    const rows: StoredRow[] = [];
    for (const [partition, task] of view.tasks.entries()) {
      let first = true;
      for (const range of path.ranges) {
        const pages = indexPages(
          { store: this.store, view, index: path, range, size: this.limits.indexPageMax, after: null },
          task,
        );
        for await (const page of pages) {
          if (first) records[partition] = page.record;
          first = false;
          rows.push(...page.rows);
          if (rows.length > this.limits.unindexedRowsMax)
            throw unindexedQuery(view, query, null, this.limits.unindexedRowsMax);
        }
      }
    }
    return this.#sorted(view, query, cursor, { rows, records });
  }

  #sorted(
    view: ServedView,
    query: RowsQuery,
    cursor: Cursor | null,
    found: { rows: StoredRow[]; records: (TaskRecord | null)[] },
  ): RowsPage {
    const order = query.order.length > 0 ? query.order : keyOrder(view);
    const path = `sorted:${order.map(({ path, descending, nullsFirst }) => `${path}.${descending}.${nullsFirst}`).join()}`;
    const wanted = matches(query.where);
    const valuesOf = orderValues(order);
    const textOf = orderTextOf(order);
    const all = found.rows
      .map(parsed)
      .filter(({ row }) => wanted(row))
      .map((each) => ({ ...each, text: textOf(valuesOf(each.row)) }))
      .sort((left, right) => compareText(left.text, right.text) || compareText(left.key, right.key));
    let start = 0;
    if (cursor) {
      if (cursor.path !== path || cursor.values.length !== order.length) throw otherPath();
      const text = textOf(cursor.values);
      start = all.findIndex(
        (each) => (compareText(each.text, text) || compareText(each.key, cursor.key)) > 0,
      );
      if (start === -1) start = all.length;
    }
    start += query.offset;
    const rows = all.slice(start, start + query.limit).map(({ key, row }) => ({ key, row }));
    const last = rows.at(-1);
    const next =
      last && start + query.limit < all.length
        ? encodeCursor({ path, values: valuesOf(last.row), key: last.key })
        : null;
    return { rows, next, records: found.records };
  }

  /** Follows an index in all partitions at once, the least member first. */
  async #inOrder(
    view: ServedView,
    query: RowsQuery,
    index: IndexPath,
    cursor: Cursor | null,
  ): Promise<RowsPage> {
    const { buckets } = view.generation;
    const backward = index.direction === 'backward';
    const path = `index:${index.index.name}:${index.direction}`;
    const valuesOf = orderValues(index.index.columns);
    const orderText = indexOrderText(index.index);
    let after: string | null = null;
    if (cursor) {
      if (cursor.path !== path || cursor.values.length !== index.index.columns.length) throw otherPath();
      after = indexMember(orderTextOfValues(index, cursor), bucketOf(cursor.key, buckets), cursor.key);
    }
    const range = continued(index.ranges[0]!, after, backward);
    const size = index.residual
      ? this.limits.indexPageMax
      : Math.min(this.limits.indexPageMax, query.limit + query.offset + 1);
    const wanted = matches(query.where);
    const merge = new IndexMerge({ store: this.store, view, index, range, size, after });
    const rows: FoundRow[] = [];
    let skipped = 0;
    for (let scanned = 0; ; scanned++) {
      const stored = await merge.next();
      if (stored === null) return { rows, next: null, records: merge.records };
      if (scanned > this.limits.unindexedRowsMax + query.limit)
        throw unindexedQuery(view, query, null, this.limits.unindexedRowsMax);
      const found = parsed(stored);
      if (!wanted(found.row)) continue;
      if (skipped < query.offset) {
        skipped++;
        continue;
      }
      if (rows.length === query.limit) {
        const last = rows.at(-1);
        const next = last ? encodeCursor({ path, values: valuesOf(last.row), key: last.key }) : null;
        return { rows, next, records: merge.records };
      }
      rows.push(found);
    }

    function orderTextOfValues(by: IndexPath, { values }: Cursor): string {
      const row: Record<string, unknown> = {};
      by.index.columns.forEach(({ path: at }, place) => setPath(row, at, values[place] ?? null));
      return orderText(row as Row);
    }
  }

  /** Hash by hash, by key within each. */
  async #byBuckets(view: ServedView, query: RowsQuery, cursor: Cursor | null): Promise<RowsPage> {
    const { buckets } = view.generation;
    const path = `buckets:${buckets}`;
    if (cursor && (cursor.path !== path || typeof cursor.values[0] !== 'number')) throw otherPath();
    let records: (TaskRecord | null)[] | null = null;
    let offset = query.offset;
    const rows: FoundRow[] = [];
    for (let bucket = cursor ? (cursor.values[0] as number) : 0; bucket < buckets; bucket++) {
      const reads = await this.#inAll(view, (task) => this.store.bucket(task, bucket));
      records ??= reads.map(({ record }) => record);
      let found = reads.flatMap((read) => read.rows).sort((left, right) => compareText(left.key, right.key));
      if (cursor && bucket === cursor.values[0])
        found = found.filter(({ key }) => compareText(key, cursor.key) > 0);
      for (const each of found) {
        if (offset > 0) offset--;
        else if (rows.length < query.limit) rows.push(parsed(each));
        else {
          const last = rows.at(-1);
          return {
            rows,
            next: last ? encodeCursor({ path, values: [bucketOf(last.key, buckets)], key: last.key }) : null,
            records,
          };
        }
      }
    }
    return { rows, next: null, records: records ?? (await this.records(view)) };
  }

  #inAll<T>(view: ServedView, read: (task: TaskId) => Promise<T>): Promise<T[]> {
    return Promise.all(view.tasks.map(read));
  }
}

const parsed = ({ key, text }: StoredRow): FoundRow => ({ key, row: JSON.parse(text) as Row });

const keyOrder = (view: ServedView): OrderTerm[] =>
  keyPartsOf(view.description).map(({ path, type }) => ({
    path,
    descending: false,
    nullsFirst: false,
    decimal: isDecimal(type),
  }));

function setPath(row: Record<string, unknown>, path: string, value: unknown): void {
  const steps = path.split('.');
  const last = steps.pop()!;
  let at = row;
  for (const step of steps) at = (at[step] ??= {}) as Record<string, unknown>;
  at[last] = value;
}
