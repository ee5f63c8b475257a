import type { z } from 'zod';
import { aggregateSpec } from './aggregate-spec.js';
import type { Aggregate, AggregateRequest } from './aggregates.js';
import { columnsOf, isScalar, kindOf, sameKind, typeText } from './columns.js';
import type { Computed } from './computed.js';
import { expressionOf, noteFunction, noteUnstorable, pathOf, POSITION, type Note } from './expression.js';
import type { ElementAt, Kind, LastStep, NoSuchPath, PathTo, PathToArray, PathToScalar, ValueAt } from './path-type.js';
import { placeOfDeclaration } from './place.js';
import type { Column, Expression, JoinNode, PlanNode } from './plan.js';
import { attachProblems, problemsOf, type Problem } from './problem.js';
import * as relation from './relation.js';
import type { Flat, RowOfSchema, StorableRow } from './row-type.js';
import { functionProblem, userFunction } from './user-function.js';
import type { NotAsync, ViewTypeError } from './view-type-error.js';

declare const rows: unique symbol;

/**
 * Anything that has rows: a stream, a table, a view, or what is made of them. One property, so that inferring a
 * row from it is cheap. `Key`: the names of columns known to identify a row, never where a collection has one
 * row at most, null where nothing is known to.
 */
export interface Rows<in out Row, out Key extends string | null> {
  readonly [rows]: { readonly row: (row: Row) => Row; readonly key: Key };
}

/** New columns by name: the path of an old one, or `computed(schema, fn)`. */
export interface NewColumns<in Row> {
  readonly [name: string]: string | Computed<Row, unknown>;
}

type CheckedColumns<Row, C, Purpose extends string> = {
  [N in keyof C]: C[N] extends string
    ? Purpose extends 'select'
      ? PathTo<Row, C[N], Purpose>
      : PathToScalar<Row, C[N], Purpose>
    : C[N];
};
type ColumnsMade<Row, C> = {
  -readonly [N in keyof C]: C[N] extends string ? ValueAt<Row, C[N]> : C[N] extends Computed<never, infer Value> ? Value : never;
};

/** The names of the key's columns after a projection; null if one of them does not come through as it is. */
type KeyAfter<C, Key extends string | null> = [Key] extends [string]
  ? [Key] extends [C[keyof C]]
    ? { [N in keyof C]: C[N] extends Key ? N : never }[keyof C] & string
    : null
  : null;

type GroupColumns<Row> = string | NewColumns<Row>;
type CheckedGroup<Row, By extends readonly unknown[]> = {
  [I in keyof By]: By[I] extends string ? PathToScalar<Row, By[I], 'group by'> : CheckedColumns<Row, By[I], 'group by'>;
};
type Both<U> = (U extends unknown ? (part: U) => void : never) extends (whole: infer Whole) => void ? Whole : never;
type GroupOf<Row, By extends readonly unknown[]> = Flat<
  { [Path in Extract<By[number], string> as LastStep<Path>]: ValueAt<Row, Path> } & ([Exclude<By[number], string>] extends [never]
    ? unknown
    : Both<{ [I in keyof By]: By[I] extends string ? unknown : ColumnsMade<Row, By[I]> }[number]>)
>;

type RowIn<R> = R extends Rows<infer Row, string | null> ? Row : never;
type KeyIn<R> = R extends Rows<any, infer Key> ? Key : never;

/** One named side: `{ airport: airports }`. */
type Sides = { readonly [name: string]: Rows<any, string | null> };
type IsUnion<T, Whole = T> = T extends unknown ? ([Whole] extends [T] ? false : true) : never;
type OneSide<Row, S> =
  true extends IsUnion<keyof S>
    ? ViewTypeError<'A join names one side: { airport: airports }. Join again for another.'>
    : keyof S & keyof Row extends never
      ? unknown
      : ViewTypeError<`The rows have a column "${keyof S & keyof Row & string}" already: give the joined side another name.`>;

type JoinOn = { readonly [left: string]: string };
type CheckedOn<Left, Right, On> = {
  [L in keyof On]: L extends string
    ? [NoSuchPath] extends [ValueAt<Left, L>]
      ? ViewTypeError<`There is no column "${L}" to join by.`>
      : On[L] extends string
        ? [NoSuchPath] extends [ValueAt<Right, On[L]>]
          ? (keyof Right & string) | ViewTypeError<`There is no column "${On[L]}" on the joined side.`>
          : Kind<ValueAt<Left, L>> extends 'objects' | 'anything'
            ? ViewTypeError<`Column "${L}" holds ${Kind<ValueAt<Left, L>>}; rows are joined by text, numbers or booleans.`>
            : [Kind<ValueAt<Right, On[L]>>] extends [Kind<ValueAt<Left, L>>]
              ? On[L]
              : ViewTypeError<`Column "${L}" holds ${Kind<ValueAt<Left, L>>} and "${On[L]}" holds ${Kind<ValueAt<Right, On[L]>>}: they are never equal.`>
        : never
    : never;
};
type KeyAfterJoin<Key, RightKey, On> = [RightKey] extends [On[keyof On]] ? Key : null;

type SameRows<Row, Other> = [Other] extends [Row]
  ? [Row] extends [Other]
    ? unknown
    : ViewTypeError<'Only collections of equal rows can be united: select the same columns, of the same types, on both sides.'>
  : ViewTypeError<'Only collections of equal rows can be united: select the same columns, of the same types, on both sides.'>;

/**
 * Rows that a declaration speaks of. Immutable: every method gives a new collection over the same plan. Nothing
 * is computed here, and nothing thrown: mistakes the compiler could not see are told by `declarationErrors`.
 */
export class Collection<in out Row, out Key extends string | null = null> implements Rows<Row, Key> {
  declare readonly [rows]: { readonly row: (row: Row) => Row; readonly key: Key };
  readonly plan: PlanNode;

  constructor(plan: PlanNode, problems: readonly Problem[] = []) {
    this.plan = Object.freeze(plan);
    attachProblems(this, problems);
  }

  /** The rows for which the function says true. */
  where(predicate: (row: Row) => boolean | NotAsync): Collection<Row, Key> {
    const build = new Build(this);
    build.check(predicate, 'the function of where()');
    return build.give({
      op: 'where',
      input: this.plan,
      predicate: userFunction(predicate as (row: Row) => boolean),
      relation: this.plan.relation,
      place: build.place,
    });
  }

  /** Other columns, by name: paths of those there are, `computed(schema, fn)`, `'$position'` for the place in the stream. */
  select<const C extends readonly [NewColumns<Row> | string]>(
    ...columns: {
      [I in keyof C]: C[I] extends string
        ? ViewTypeError<'select takes the new columns by name: { name: "path" }.'>
        : CheckedColumns<Row, C[I], 'select'>;
    }
  ): Collection<Flat<ColumnsMade<Row, C[0]>>, KeyAfter<C[0], Key>> {
    const build = new Build(this);
    const named = build.columns((columns as readonly unknown[])[0], 'select');
    return build.give({
      op: 'select',
      input: this.plan,
      columns: named,
      relation: relation.selectRelation(this.plan.relation, named),
      place: build.place,
    });
  }

  /** Any number of rows, of this schema, for each. */
  flatMap<S extends z.core.$ZodType>(
    row: S & StorableRow<S>,
    fn: (row: Row) => Iterable<z.input<S>> | NotAsync,
  ): Collection<RowOfSchema<S>, null> {
    const build = new Build(this);
    build.check(fn, 'the function of flatMap()');
    const columns = build.rowColumns(row, 'flatMap()');
    return build.give({
      op: 'flatMap',
      input: this.plan,
      fn: userFunction(fn as (row: Row) => Iterable<unknown>),
      row,
      relation: relation.flatMapRelation(this.plan.relation, columns),
      place: build.place,
    });
  }

  /** One row for each element of an array: the row's columns, and the element under the name `as`. */
  unnest<const P extends string, const As extends string>(
    path: PathToArray<Row, P>,
    options: { readonly as: As extends keyof Row ? ViewTypeError<`The rows have a column "${As}" already.`> : As },
  ): Collection<Flat<Row & { [N in As]: ElementAt<Row, P> }>, null> {
    const build = new Build(this);
    const as = String(options?.as);
    const column = pathOf(this.plan.relation, path, { purpose: 'unnest', ...build });
    let element: Column = { name: as, schema: column.schema, type: column.type };
    if (column.type.kind === 'array') element = { name: as, schema: elementSchema(column.schema), type: column.type.element };
    else build.noteType(column, 'is unnested and does not hold an array', 'Unnest a column of arrays.');
    build.noteTaken([as]);
    return build.give({
      op: 'unnest',
      input: this.plan,
      path: String(path),
      as,
      relation: relation.unnestRelation(this.plan.relation, element),
      place: build.place,
    });
  }

  /** The rows of all, each as often as it is in them together. */
  union<Others extends readonly Rows<any, string | null>[]>(
    ...others: { [I in keyof Others]: Others[I] & SameRows<Row, RowIn<Others[I]>> }
  ): Collection<Row, null> {
    const build = new Build(this, ...(others as readonly unknown[] as Collection<any>[]));
    const inputs = [this.plan, ...(others as readonly unknown[]).map((other) => build.alike(this.plan, build.planOf(other, 'union()')))];
    build.noteExchange(
      inputs.every((input) => input.relation.partitions === inputs[0]!.relation.partitions),
      'united',
      Object.fromEntries(inputs.map((input, index) => [`side ${index + 1}`, partitionText(input)])),
    );
    return build.give({
      op: 'union',
      inputs,
      relation: relation.unionRelation(inputs.map((input) => input.relation) as never),
      place: build.place,
    });
  }

  /** Each row once. */
  distinct(): Collection<Row, [Key] extends [string] ? Key : keyof Row & string> {
    const build = new Build(this);
    build.noteExchange(this.plan.relation.partitionedBy !== null, 'made distinct', { rows: partitionText(this.plan) });
    return build.give({ op: 'distinct', input: this.plan, relation: relation.distinctRelation(this.plan.relation), place: build.place });
  }

  /** Groups by columns, paths (named by their last step) and `{ name: path | computed(…) }`; without any, one group of all rows. */
  groupBy<const By extends readonly GroupColumns<Row>[]>(...by: CheckedGroup<Row, By>): Grouping<Row, GroupOf<Row, By>> {
    const build = new Build(this);
    const named = (by as readonly unknown[]).flatMap((part) =>
      typeof part === 'string'
        ? build.columns({ [part.split('.').at(-1)!]: part }, 'group by')
        : build.columns(part, 'group by'),
    );
    const names = named.map(({ name }) => name);
    for (const name of new Set(names.filter((candidate, index) => names.indexOf(candidate) !== index)))
      build.note({
        code: 'column-twice',
        what: `Two of the columns to group by are named "${name}".`,
        evidence: { 'grouped by': names.join(', ') },
        remedy: `Name one otherwise: groupBy({ other: '…' }).`,
        place: build.place,
      });
    for (const { value } of named)
      if (!isScalar(value.column.type) && !build.isUnknown(value))
        build.noteType(value.column, 'is grouped by and does not hold text, numbers or booleans', 'Group by a path into it, or by computed(schema, fn).');
    return new Grouping(this.plan, named, build.problems, build.place);
  }

  /** The pairs of rows with equal keys; the other row is an object column of the given name. */
  join<const S extends Sides, const On extends JoinOn>(
    side: S & OneSide<Row, S>,
    how: { readonly on: On & CheckedOn<Row, RowIn<S[keyof S]>, On> },
  ): Collection<Flat<Row & { -readonly [N in keyof S]: RowIn<S[N]> }>, KeyAfterJoin<Key, KeyIn<S[keyof S]>, On>> {
    return this.#joined('inner', side, how);
  }

  /** As `join`, and rows without an equal on the other side are kept, with null there. */
  leftJoin<const S extends Sides, const On extends JoinOn>(
    side: S & OneSide<Row, S>,
    how: { readonly on: On & CheckedOn<Row, RowIn<S[keyof S]>, On> },
  ): Collection<Flat<Row & { -readonly [N in keyof S]: RowIn<S[N]> | null }>, KeyAfterJoin<Key, KeyIn<S[keyof S]>, On>> {
    return this.#joined('left', side, how);
  }

  #joined(kind: JoinNode['kind'], side: object, how: { readonly on: object }): Collection<any, any> {
    const sides = Object.entries(side ?? {});
    const [as, other] = sides[0] ?? ['', null];
    const build = new Build(this, other);
    if (sides.length !== 1)
      build.note({
        code: 'join-sides',
        what: `A join names one side, not ${sides.length}.`,
        evidence: { sides: sides.map(([name]) => name).join(', ') || '(none)' },
        remedy: 'Write .join({ airport: airports }, …), and join again for another side.',
        place: build.place,
      });
    const left = this.plan;
    const right = build.planOf(other, 'join()');
    const on = Object.entries(how?.on ?? {}).map(([leftPath, rightPath]) => ({ left: leftPath, right: String(rightPath) }));
    if (on.length === 0)
      build.note({
        code: 'join-keys',
        what: `The join with "${as}" names no columns that must be equal.`,
        remedy: `Write { on: { left: 'right' } } with a column of each side.`,
        place: build.place,
      });
    for (const pair of on) this.#checkPair(build, left, right, pair);
    build.noteTaken([as]);
    build.noteExchange(relation.placedTogether(left.relation, right.relation, on), 'joined', {
      left: partitionText(left),
      [as]: partitionText(right),
      on: on.map((pair) => `${pair.left} = ${as}.${pair.right}`).join(', '),
    });
    const node = { op: 'join', kind, left, right, as, on } as const;
    return build.give({ ...node, relation: relation.joinRelation(left.relation, right.relation, node), place: build.place });
  }

  #checkPair(build: Build, left: PlanNode, right: PlanNode, pair: JoinNode['on'][number]): void {
    const problems = build.problems.length;
    const leftColumn = pathOf(left.relation, pair.left, { purpose: 'join by', ...build });
    const rightColumn = pathOf(right.relation, pair.right, { purpose: 'join by, on the joined side', ...build });
    if (build.problems.length > problems) return;
    const unequal = kindOf(leftColumn.type) !== kindOf(rightColumn.type);
    if (isScalar(leftColumn.type) && isScalar(rightColumn.type) && !unequal) return;
    build.note({
      code: 'join-types',
      what: unequal
        ? `"${pair.left}" and "${pair.right}" are joined and hold different kinds of values: they are never equal.`
        : `"${pair.left}" is joined and does not hold text, numbers or booleans.`,
      evidence: { [`left ${pair.left}`]: typeText(leftColumn.type), [`right ${pair.right}`]: typeText(rightColumn.type) },
      remedy: 'Join by columns of one kind; select computed(schema, fn) first to make one of the other.',
      place: build.place,
    });
  }
}

/** Rows grouped, waiting for what is to be known of each group. */
export class Grouping<in out Row, in out Group> {
  declare readonly group: (group: Group) => Group;
  readonly #input: PlanNode;
  readonly #by: readonly NamedExpression[];
  readonly #place: string | null;

  constructor(input: PlanNode, by: readonly NamedExpression[], problems: readonly Problem[], place: string | null) {
    this.#input = input;
    this.#by = by;
    this.#place = place;
    attachProblems(this, problems);
  }

  /** One row per group: its columns, and these. A group exists while it has rows. */
  aggregate<Results extends object>(aggregates: {
    [N in keyof Results]: N extends keyof Group
      ? ViewTypeError<`The group has a column "${N & string}" already.`>
      : Aggregate<Row, Results[N]>;
  }): Collection<Flat<Group & Results>, keyof Group & string> {
    const build = new Build({ plan: this.#input }, this);
    const { relation: input } = this.#input;
    const specs = Object.entries(aggregates ?? {}).map(([name, request]) => ({
      name,
      aggregate: aggregateSpec(name, request as unknown as AggregateRequest, input, build),
    }));
    const by = this.#by;
    for (const { name } of specs)
      if (by.some((column) => column.name === name))
        build.note({
          code: 'column-twice',
          what: `An aggregate is named "${name}", as a column that is grouped by is.`,
          evidence: { 'grouped by': by.map((column) => column.name).join(', ') },
          remedy: 'Give the aggregate another name.',
          place: build.place,
        });
    const given = relation.aggregateRelation(input, by, specs.map(({ aggregate }) => aggregate.column));
    build.noteExchange(given.partitionedBy !== null, 'grouped', {
      rows: partitionText(this.#input),
      'grouped by': by.map((column) => column.name).join(', ') || '(nothing: all rows)',
    });
    return build.give({ op: 'aggregate', input: this.#input, by, aggregates: specs, relation: given, place: this.#place ?? build.place });
  }
}

interface NamedExpression {
  readonly name: string;
  readonly value: Expression;
}

/** The making of one collection: its place, and the problems of what it is made of and its own. */
class Build {
  readonly place = placeOfDeclaration();
  readonly problems: Problem[];
  readonly note: Note = (problem) => void this.problems.push(problem);
  readonly #input: PlanNode;

  constructor(input: { readonly plan: PlanNode }, ...others: readonly (object | null | undefined)[]) {
    this.#input = input.plan;
    this.problems = [input, ...others].flatMap((other) => (other ? problemsOf(other) : []));
  }

  give(node: PlanNode): Collection<any, any> {
    return new Collection(node, this.problems);
  }

  check(fn: unknown, where: string): void {
    const problem = functionProblem(fn);
    if (problem !== null) noteFunction(problem, where, this.place, this.note);
  }

  columns(columns: unknown, purpose: string): NamedExpression[] {
    const entries = columns !== null && typeof columns === 'object' ? Object.entries(columns) : [];
    if (entries.length === 0)
      this.note({
        code: 'no-columns',
        what: `No columns are named to ${purpose}.`,
        evidence: { 'there are': relation.columnNames(this.#input) },
        remedy: `Name at least one: { name: 'path' }.`,
        place: this.place,
      });
    for (const [name] of entries) this.#noteName(name);
    return entries.map(([name, value]) => ({
      name,
      value: expressionOf(this.#input.relation, value, name, { purpose, place: this.place, note: this.note }),
    }));
  }

  rowColumns(schema: z.core.$ZodType, where: string): readonly Column[] {
    const described = columnsOf(schema);
    if (described === null)
      this.note({
        code: 'bad-schema',
        what: `The schema of the rows of ${where} is not one of objects.`,
        remedy: 'Write z.object({ … }).',
        place: this.place,
      });
    noteUnstorable(described?.unstorable ?? [], `The row of ${where}`, this.place, this.note);
    return described?.columns ?? [];
  }

  planOf(other: unknown, where: string): PlanNode {
    const plan = (other as Collection<any> | null)?.plan;
    if (plan?.relation) return plan;
    this.note({
      code: 'not-a-collection',
      what: `What is given to ${where} is not a collection.`,
      evidence: { given: other === undefined ? 'undefined (a module that imports itself in a circle?)' : typeof other },
      remedy: 'Give a stream, a table, a view, or what is made of them.',
      place: this.place,
    });
    return this.#input;
  }

  isUnknown = (value: Expression): boolean => this.problems.some((problem) => value.kind === 'path' && problem.what.includes(`"${value.path}"`));

  noteType(column: Column, does: string, remedy: string): void {
    if (this.problems.some((problem) => problem.code === 'unknown-column' && problem.what.includes(`"${column.name}"`))) return;
    this.note({ code: 'wrong-type', what: `"${column.name}" ${does}.`, evidence: { [column.name]: typeText(column.type) }, remedy, place: this.place });
  }

  noteTaken(names: readonly string[]): void {
    for (const name of names) {
      this.#noteName(name);
      if (this.#input.relation.columns.some((column) => column.name === name))
        this.note({
          code: 'column-twice',
          what: `The rows have a column "${name}" already.`,
          evidence: { columns: relation.columnNames(this.#input) },
          remedy: 'Give the new column another name.',
          place: this.place,
        });
    }
  }

  /** `other` with the columns of `like` in their order; noted where it has not the same. */
  alike(like: PlanNode, other: PlanNode): PlanNode {
    const [wanted, found] = [like.relation.columns, other.relation.columns];
    const ordered = wanted.map((column) => found.find((candidate) => candidate.name === column.name));
    if (wanted.length === found.length && ordered.every((column, index) => column && sameKind(column.type, wanted[index]!.type))) {
      if (ordered.every((column, index) => column === found[index])) return other;
      const columns = (ordered as Column[]).map((column) => ({
        name: column.name,
        value: { kind: 'path', path: column.name, column } as const,
      }));
      return Object.freeze({ op: 'select', input: other, columns, relation: relation.selectRelation(other.relation, columns), place: this.place });
    }
    const text = (columns: readonly Column[]): string => columns.map((column) => `${column.name}: ${typeText(column.type)}`).join(', ');
    this.note({
      code: 'union-columns',
      what: 'Collections of different columns are united.',
      evidence: { one: text(wanted), other: text(found) },
      remedy: 'Select the same columns, of the same types, on all sides.',
      place: this.place,
    });
    return other;
  }

  /** Until rows can move between partitions, what belongs together must already lie together. */
  noteExchange(together: boolean, done: string, evidence: Record<string, string>): void {
    if (together) return;
    this.note({
      code: 'needs-exchange',
      what: `Rows that are ${done} together may lie in different partitions, and rows are not yet exchanged between partitions.`,
      evidence,
      remedy: 'Partition the streams by the columns used here (`partitionBy`), or declare them with one partition.',
      place: this.place,
    });
  }

  #noteName(name: string): void {
    const problem = columnNameProblem(name);
    if (problem !== null && name !== POSITION.slice(1))
      this.note({ code: 'bad-name', what: `A column is named "${name}", which ${problem}.`, remedy: 'Name it otherwise.', place: this.place });
  }
}

/** Why a column cannot have this name; null if it can. */
export function columnNameProblem(name: string): string | null {
  if (name === '') return 'is empty';
  if (name.startsWith('$')) return 'begins with "$", as names of Stillwater do';
  if (name.includes('.')) return 'holds a dot, which would read as a path';
  return null;
}

export const partitionText = ({ relation: { partitions, partitionedBy } }: PlanNode): string =>
  partitions === 1 ? '1 partition' : `${partitions} partitions by ${partitionedBy?.join(', ') ?? 'what is no longer a column'}`;

function elementSchema(schema: z.core.$ZodType): z.core.$ZodType {
  let def = schema._zod.def as any;
  while (def.element === undefined && (def.innerType ?? def.out) !== undefined) def = (def.innerType ?? def.out)._zod.def;
  return def.element ?? schema;
}

