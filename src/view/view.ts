import { columnNameProblem, Collection, partitionText, type Rows } from './collection.js';
import { columnAt, isScalar, typeText } from './columns.js';
import { sealed } from './declaration-of.js';
import { fingerprintOf } from './fingerprint.js';
import { placeOfDeclaration } from './place.js';
import type { Column, IndexDeclaration, PlanNode, ViewDeclaration } from './plan.js';
import { problemsOf, type Problem } from './problem.js';
import { OptionReader } from './record-source.js';
import { columnNames, sourceRelation } from './relation.js';
import type { KeyColumns, Names, Stream } from './stream.js';
import type { NoSuchPath, ValueAt } from './path-type.js';
import type { Table } from './table.js';
import type { ViewTypeError } from './view-type-error.js';

type Ordered<Row, Path extends string> = [NoSuchPath] extends [ValueAt<Row, Path>] ? false : true;
type Term<Row, Text extends string> = Text extends `${infer Path}.asc` | `${infer Path}.desc`
  ? Ordered<Row, Path> extends true
    ? true
    : Ordered<Row, Text>
  : Ordered<Row, Text>;
type Terms<Row, Text extends string> = Text extends `${infer Head},${infer Rest}`
  ? Term<Row, Head> extends true
    ? Terms<Row, Rest>
    : Head
  : Term<Row, Text> extends true
    ? never
    : Text;
type CheckedIndexes<Row, Indexes extends readonly string[]> = {
  [I in keyof Indexes]: [Terms<Row, Indexes[I]>] extends [never]
    ? Indexes[I]
    :
        | (keyof Row & string)
        | `${keyof Row & string}.desc`
        | ViewTypeError<`There is no column "${Terms<Row, Indexes[I]>}" to index; write 'column', 'column.desc', or several with commas.`>;
};

interface CommonOptions<Row, Indexes extends readonly string[]> {
  /** The words of `order=`: `'flights.desc'`, `'city,flights.desc'`. */
  readonly indexes?: CheckedIndexes<Row, Indexes>;
  /** For what a fingerprint cannot see: a constant or a function used by the view's functions. */
  readonly version?: string;
  /** Whether a rebuilt generation is shown by itself when it has caught up, or on request. */
  readonly promote?: 'auto' | 'manual';
  /** The number of hashes each partition's rows lie in. */
  readonly buckets?: number;
  /** The view is parked when more than this many of its last thousand entries fail. */
  readonly errorsMax?: number;
  readonly description?: string;
}

type KeyOption<Row, Known extends string | null, Key extends Names> = [Known] extends [string]
  ? { readonly key?: KeyColumns<Row, Key> }
  : { readonly key: KeyColumns<Row, Key> | ViewTypeError<'Nothing is known to identify a row of this view: name the columns that do as its key.'> };

export type ViewOptions<Row, Known extends string | null, Key extends Names, Indexes extends readonly string[]> = {
  readonly from: Rows<Row, Known>;
} & KeyOption<Row, Known, Key> &
  CommonOptions<Row, Indexes>;

type KeyNames<Row, Known extends string | null, Key extends Names> = (
  [Names] extends [Key] ? ([Known] extends [string] ? Known : string) : Key extends readonly string[] ? Key[number] : Key
) &
  keyof Row &
  string;

/** A maintained result: rows by key, kept up to date. Itself a collection that other views can read. */
export class View<in out Row, out Key extends string> extends Collection<Row, Key> {
  constructor(
    readonly declaration: ViewDeclaration,
    problems: readonly Problem[],
  ) {
    super({ op: 'source', source: declaration, relation: sourceRelation(declaration), place: declaration.place });
    sealed(this, declaration, problems);
  }
}

export const BUCKETS_DEFAULT = 64;
export const BUCKETS_MAX = 4096;
export const ERRORS_MAX_DEFAULT = 100;

/** Declares a view of a collection. Its key is what is known to identify a row, where something is. */
export function view<Row, Known extends string | null, const Key extends Names = Names, const Indexes extends readonly string[] = []>(
  name: string,
  options: ViewOptions<Row, Known, Key, Indexes>,
): View<Row, KeyNames<Row, Known, Key>> {
  const place = placeOfDeclaration();
  const read = new ViewReader(`View "${name}"`, place);
  const from = options.from as Collection<Row, Known> | undefined;
  const plan = read.plan(from);
  const parts = {
    name: read.name(name),
    plan,
    columns: plan.relation.columns,
    key: read.key(plan, options.key as Names | undefined),
    indexes: read.indexes(plan.relation.columns, (options.indexes ?? []) as readonly string[]),
    version: options.version ?? null,
    buckets: read.whole('buckets', options.buckets ?? BUCKETS_DEFAULT, 1, BUCKETS_MAX),
  };
  read.noteColumns(parts.columns);
  read.notePlacement(plan, parts.key);
  const promote = options.promote ?? 'auto';
  if (promote !== 'auto' && promote !== 'manual') read.note('bad-option', 'has an unknown `promote`.', { promote }, `Write 'auto' or 'manual'.`);
  return new View(
    {
      kind: 'view',
      ...parts,
      promote,
      errorsMax: read.whole('errorsMax', options.errorsMax ?? ERRORS_MAX_DEFAULT, 0, 1000),
      description: options.description ?? null,
      place,
      fingerprint: fingerprintOf(parts),
    },
    [...(from ? problemsOf(from) : []), ...read.problems],
  );
}

/** Words of the REST interface that a column of a view cannot be named. */
const RESERVED = ['select', 'order', 'limit', 'offset', 'cursor', 'or', 'and', 'not', 'atLeast', 'count', 'format', 'after'];

class ViewReader extends OptionReader {
  plan(from: Collection<any, any> | undefined): PlanNode {
    if (from?.plan?.relation) return from.plan;
    const given = from === undefined ? 'undefined (a module that imports itself in a circle?)' : typeof from;
    this.note('not-a-collection', 'has nothing to be made from.', { from: given }, 'Give a stream, a table, a view, or what is made of them.');
    return NOTHING;
  }

  key(plan: PlanNode, named: Names | undefined): readonly string[] {
    const { columns, uniqueKey } = plan.relation;
    if (named === undefined) {
      if (uniqueKey !== null) this.#checkKey(columns, uniqueKey);
      else if (plan !== NOTHING)
        this.note('no-key', 'has no key: nothing is known to identify its rows.', { columns: columnNames(plan) }, `Name the columns that do: key: ['…'].`);
      return uniqueKey ?? [];
    }
    const key = typeof named === 'string' ? [named] : [...named];
    if (!this.#checkKey(columns, key)) return key;
    if (uniqueKey !== null && !uniqueKey.every((name) => key.includes(name))) this.#noteWeakKey(plan, key, uniqueKey);
    return key;
  }

  indexes(columns: readonly Column[], names: readonly string[]): IndexDeclaration[] {
    for (const name of new Set(names.filter((candidate, index) => names.indexOf(candidate) !== index)))
      this.note('bad-index', `declares the index "${name}" twice.`, {}, 'Remove one.');
    return names.map((name) => ({ name, columns: String(name).split(',').flatMap((term) => this.#indexTerm(columns, name, term)) }));
  }

  whole(option: string, value: number, least: number, most: number): number {
    if (!(Number.isInteger(value) && value >= least && value <= most))
      this.note('bad-option', `has an impossible \`${option}\`.`, { [option]: String(value) }, `Give a whole number from ${least} to ${most}.`);
    return value;
  }

  noteColumns(columns: readonly Column[]): void {
    for (const { name } of columns) {
      const problem = columnNameProblem(name) ?? (RESERVED.includes(name) ? 'is a word of the REST interface' : null);
      if (problem !== null)
        this.note('bad-name', `has a column "${name}", which ${problem}.`, { reserved: RESERVED.join(', ') }, 'Give the column another name, with select() if need be.');
    }
  }

  /** A row is found by its key, so the key must say in which partition it lies. */
  notePlacement(plan: PlanNode, key: readonly string[]): void {
    const { partitions, partitionedBy } = plan.relation;
    if (partitions === 1 || (partitionedBy !== null && partitionedBy.every((name) => key.includes(name)))) return;
    this.note(
      'needs-exchange',
      'has rows of one key in several partitions, and rows are not yet exchanged between partitions.',
      { key: key.join(', ') || '(none)', rows: partitionText(plan) },
      'Add the partitioning columns to `key`, or declare the streams with one partition.',
    );
  }

  #checkKey(columns: readonly Column[], key: readonly string[]): boolean {
    const before = this.problems.length;
    for (const name of key) {
      const column = columns.find((candidate) => candidate.name === name);
      if (!column)
        this.note('unknown-column', `has no column "${name}" to be its key.`, { key: key.join(', '), columns: columns.map((one) => one.name).join(', ') }, 'Name columns of its rows.');
      else if (!isScalar(column.type) && !isStandIn(column))
        this.note('wrong-type', `has "${name}" in its key, which does not hold text, numbers or booleans.`, { [name]: typeText(column.type) }, 'Name a column that does.');
    }
    return this.problems.length === before;
  }

  #noteWeakKey(plan: PlanNode, key: readonly string[], uniqueKey: readonly string[]): void {
    const grouped = groupedBy(plan);
    const missing = uniqueKey.filter((name) => !key.includes(name));
    const subject = this.subject;
    this.add({
      code: 'key-not-unique',
      what: `${subject} was not started: its key does not identify a row.`,
      evidence: { key: key.join(', '), [grouped ? 'grouped by' : 'rows differ by']: uniqueKey.join(', ') },
      consequence: `Rows of one ${key.join(' and ')} would replace one another.`,
      remedy: `Add ${missing.map((name) => `"${name}"`).join(', ')} to \`key\`${grouped ? `, or group by ${key.join(', ')} alone` : ''}.`,
      place: this.place,
    });
  }

  #indexTerm(columns: readonly Column[], index: string, term: string): IndexDeclaration['columns'] {
    const [, path, direction] = /^(.+?)(?:\.(asc|desc))?$/.exec(term.trim()) ?? [null, '', ''];
    const whole = columnAt(columns, term);
    const column = (direction && columnAt(columns, path!)) || whole;
    if (column && isScalar(column.type)) return [{ path: column === whole ? term : path!, descending: column !== whole && direction === 'desc', column }];
    const evidence = column ? { [term]: typeText(column.type) } : { columns: columns.map((one) => one.name).join(', ') };
    const what = column ? `has an index "${index}" on a column that has no order.` : `has an index "${index}" on a column that it has not.`;
    this.note('bad-index', what, evidence, `Write 'column', 'column.desc', or several with commas.`);
    return [];
  }
}

const groupedBy = (plan: PlanNode): boolean =>
  plan.op === 'aggregate' || ('input' in plan ? groupedBy(plan.input) : plan.op === 'join' ? groupedBy(plan.left) : false);

/** The column of a path that was wrong, and of which that was said. */
const isStandIn = (column: Column): boolean => column.type.kind === 'json' && column.type.nullable && column.schema._zod.def.type === 'unknown';

/** Stands for the plan of a view that has none, so that the rest of it can be checked. */
const NOTHING: PlanNode = Object.freeze({
  op: 'union',
  inputs: [],
  place: null,
  relation: { columns: [], uniqueKey: null, appendOnly: true, log: null, partitions: 1, partitionedBy: [] },
});

/** The row of a stream, a table, a view or any collection. */
export type RowOf<R> = R extends Rows<infer Row, string | null> ? Row : never;
/** The key's columns of a table or a view. */
export type KeyOf<R> = R extends Rows<infer Row, infer Key> ? Pick<Row, Key & keyof Row> : never;
/** What is appended to a stream or a table: its schema's input. */
export type EventOf<R> = R extends Stream<any, infer Input> ? Input : R extends Table<any, any, infer Input> ? Input : never;

