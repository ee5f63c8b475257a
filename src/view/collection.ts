import type { z } from 'zod';
import { aggregateSpec } from './aggregate-spec.js';
import type { Aggregate, AggregateRequest } from './aggregates.js';
import { Build, type NamedExpression } from './build.js';
import type {
  CheckedColumns,
  CheckedGroup,
  ColumnsMade,
  GroupColumns,
  GroupOf,
  KeyAfter,
  KeyIn,
  KeyOfSet,
  NewColumns,
  RowIn,
  Rows,
  rows,
  SameRows,
} from './collection-types.js';
import { elementSchema, isScalar } from './columns.js';
import type { CheckedTypes, EventOfType, StateInput, StateOfGroup } from './event-types.js';
import { Evolving, type EvolveOptions } from './evolve.js';
import { groupedBy, inOneStage, matched } from './exchange.js';
import { groupedRows, narrowed } from './grouped-rows.js';
import { pathOf } from './expression.js';
import { dedupeNode, type DedupeRequest, topNode, type TopRequest } from './order-nodes.js';
import type { Order } from './order-terms.js';
import type {
  CheckedOrder,
  CheckedPer,
  ColumnsOfText,
  KeyOfDedupe,
  KeyOfTop,
  RowWithRank,
} from './order-type.js';
import { type Joined, joined, joinedAsOf, semiJoined } from './join-build.js';
import type {
  AsOfHow,
  JoinHow,
  JoinOn,
  KeyAfterJoin,
  MatchHow,
  OneSide,
  OrNull,
  PairOf,
  Sides,
} from './join-types.js';
import type { Duration } from './duration.js';
import { freezing } from './freezing.js';
import { kindOf } from './node-kinds.js';
import { ofNode } from './of-types.js';
import { overNode, type OverRequest } from './over-nodes.js';
import type { ElementAt, PathTo, PathToArray, PathToInstant } from './path-type.js';
import type { AggregateNode, Column, ColumnWatermark, PlanNode } from './plan.js';
import { attachProblems, problemsOf, type Problem } from './problem.js';
import * as relation from './relation.js';
import { exceptRelation, intersectRelation } from './set-relations.js';
import type { RowFunction } from './row-functions.js';
import type { Names } from './stream.js';
import type { Flat, RowOfSchema, StorableRow } from './row-type.js';
import { namedTime, ownTime } from './time-column.js';
import { finalRelation, WINDOW_COLUMNS, windowRelation } from './time-relation.js';
import { userFunction } from './user-function.js';
import type { NotAsync, ViewTypeError } from './view-type-error.js';
import { whyNoWatermark } from './why-no-watermark.js';
import { type GroupWindow, inGroupWindows } from './group-windows.js';
import {
  type AssignedWindow,
  groupWindowOf,
  type SessionWindow,
  shapeOf,
  type SlidingWindow,
  type WindowColumns,
} from './window.js';
import type { WindowShape } from '../circuit/windows.js';
import { duringOf, lastOf } from './during.js';

/**
 * Rows that a declaration speaks of. Immutable: every method gives a new collection over the same plan. Nothing
 * is computed here, and nothing thrown: mistakes the compiler could not see are told by `declarationErrors`.
 */
export class Collection<
  in out Row,
  out Key extends string | null = null,
  in out Tag extends string | null = null,
> implements Rows<Row, Key> {
  declare readonly [rows]: { readonly row: (row: Row) => Row; readonly key: Key };
  readonly plan: PlanNode;

  constructor(plan: PlanNode, problems: readonly Problem[] = []) {
    this.plan = Object.freeze(plan);
    attachProblems(this, problems);
  }

  /** The rows for which the function says true. */
  where(predicate: (row: Row) => boolean | ViewTypeError<NotAsync>): Collection<Row, Key, Tag> {
    const build = new Build(this);
    build.check(predicate, 'the function of where()');
    return give(build, {
      op: 'where',
      input: this.plan,
      predicate: userFunction(predicate as (row: Row) => boolean),
      relation: this.plan.relation,
      place: build.place,
    });
  }

  /** Of events of several types, those of one type or of some, with the columns that these have. */
  of<const Types extends readonly [unknown, ...unknown[]]>(
    ...types: CheckedTypes<Row, Tag, Types>
  ): Collection<Flat<EventOfType<Row, Tag, Types[number]>>, Key, Tag> {
    const build = new Build(this);
    return give(build, ofNode(build, this.plan, types as readonly unknown[]));
  }

  /** Other columns, by name: paths of those there are, `computed(schema, fn)`, `'$position'` for the place in the stream. */
  select<const C extends readonly [NewColumns<Row> | string]>(
    ...columns: {
      [I in keyof C]: C[I] extends string
        ? PathTo<Row, C[I], 'select'> &
            ViewTypeError<'select takes the new columns by name: { name: "path" }.'>
        : CheckedColumns<Row, C[I], 'select'>;
    }
  ): Collection<Flat<ColumnsMade<Row, C[0]>>, KeyAfter<C[0], Key>> {
    const build = new Build(this);
    const named = build.columns((columns as readonly unknown[])[0], 'select');
    return give(build, {
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
    fn: (row: Row) => Iterable<z.input<S>> | ViewTypeError<NotAsync>,
  ): Collection<RowOfSchema<S>, null> {
    const build = new Build(this);
    build.check(fn, 'the function of flatMap()');
    const columns = build.rowColumns(row, 'flatMap()');
    return give(build, {
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
    options: {
      readonly as: As extends keyof Row ? ViewTypeError<`The rows have a column "${As}" already.`> : As;
    },
  ): Collection<Flat<Row & { [N in As]: ElementAt<Row, P> }>, null> {
    const build = new Build(this);
    const as = String(options?.as);
    const column = pathOf(this.plan.relation, path, { purpose: 'unnest', ...build });
    let element: Column = { name: as, schema: column.schema, type: column.type };
    if (column.type.kind === 'array')
      element = { name: as, schema: elementSchema(column.schema), type: column.type.element };
    else build.noteType(column, 'is unnested and does not hold an array', 'Unnest a column of arrays.');
    build.noteTaken([as]);
    return give(build, {
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
    const inputs = inOneStage(
      [
        this.plan,
        ...(others as readonly unknown[]).map((other) =>
          build.alike(this.plan, build.planOf(other, 'union()'), 'united'),
        ),
      ],
      build,
    );
    return give(build, {
      op: 'union',
      inputs,
      relation: relation.unionRelation(inputs.map((input) => input.relation) as never),
      place: build.place,
    });
  }

  /** The rows that are not in the other collection, each once; `all`: as often as there are more of it here than there. */
  except<Other extends Rows<any, string | null>, const All extends boolean = false>(
    other: Other & SameRows<Row, RowIn<Other>>,
    options?: { readonly all?: All },
  ): Collection<Row, KeyOfSet<Row, All, Key>> {
    return this.#compared('except', other, options);
  }

  /** The rows that are in both collections, each once; `all`: as often as it is in both. */
  intersect<Other extends Rows<any, string | null>, const All extends boolean = false>(
    other: Other & SameRows<Row, RowIn<Other>>,
    options?: { readonly all?: All },
  ): Collection<Row, KeyOfSet<Row, All, Key, KeyIn<Other>>> {
    return this.#compared('intersect', other, options);
  }

  #compared(
    op: 'except' | 'intersect',
    other: object,
    options?: { readonly all?: boolean },
  ): Collection<any, any> {
    const build = new Build(this, other);
    const compared = build.alike(this.plan, build.planOf(other, `${op}()`), 'compared');
    const all = options?.all ?? false;
    const on = this.plan.relation.columns.map(({ name }) => ({ left: name, right: name }));
    const [left, right] = matched(build, this.plan, compared, { on, done: 'compared' });
    const relationOf = op === 'except' ? exceptRelation : intersectRelation;
    return give(build, {
      op,
      left,
      right,
      all,
      relation: relationOf(left.relation, right.relation, all),
      place: build.place,
    });
  }

  /** Each row once. */
  distinct(): Collection<Row, [Key] extends [string] ? Key : keyof Row & string> {
    const build = new Build(this);
    const names = this.plan.relation.columns.map(({ name }) => name);
    // Equal rows lie together wherever columns decide where.
    const isPlaced = this.plan.relation.partitionedBy !== null;
    const input = isPlaced ? this.plan : groupedBy(build, this.plan, names, 'made distinct');
    return give(build, {
      op: 'distinct',
      input,
      relation: relation.distinctRelation(input.relation),
      place: build.place,
    });
  }

  /**
   * The first rows of each group in an order: `count` of them, after the first `offset`. Rows of equal order are put in the
   * order of their texts. `rank` names a column for a row's place, counted from 1.
   */
  top<
    const Count extends number,
    const Ordering extends Order,
    const Per extends Names = never,
    const Rank extends string = never,
  >(
    count: Count,
    options: {
      readonly per?: CheckedPer<Row, Per>;
      readonly order: CheckedOrder<Row, Ordering, 'order by'>;
      readonly offset?: number;
      readonly rank?: Rank extends keyof Row
        ? ViewTypeError<`The rows have a column "${Rank & string}" already.`>
        : Rank;
    },
  ): Collection<RowWithRank<Row, Rank>, KeyOfTop<Row, Key, NoInfer<Count>, NoInfer<Per>, NoInfer<Rank>>> {
    const build = new Build(this);
    return give(build, topNode(build, this.plan, count, options as TopRequest));
  }

  /**
   * The rows without those that repeat one: an event is left out if another with the same `by` is at most `within` before it,
   * by its event time or the column `on`. Without `within` only the first of each `by` is kept, for ever.
   */
  dedupe<const By extends Names, const Within extends Duration = never>(options: {
    readonly by: CheckedPer<Row, By>;
    readonly within?: Within;
    readonly on?: ColumnsOfText<Row>;
  }): Collection<Row, KeyOfDedupe<Row, Key, NoInfer<By>, NoInfer<Within>>> {
    const build = new Build(this);
    return give(build, dedupeNode(build, this.plan, options as DedupeRequest));
  }

  /**
   * Each row with columns of its place among the others of its group, in an order: its number or rank, a value of a row before
   * or behind it, an aggregate that rolls over the last rows.
   */
  over<Results extends object, const Ordering extends Order, const Per extends Names = never>(
    how: {
      readonly per?: CheckedPer<Row, Per>;
      readonly order: CheckedOrder<Row, Ordering, 'order by'>;
    },
    columns: {
      [N in keyof Results]: N extends keyof Row
        ? ViewTypeError<`The rows have a column "${N & string}" already.`>
        : RowFunction<Row, Results[N]>;
    },
  ): Collection<Flat<Row & Results>, Key> {
    const build = new Build(this);
    return give(build, overNode(build, this.plan, how as OverRequest, columns));
  }

  /** Groups by columns, paths (named by their last step) and `{ name: path | computed(…) }`; without any, one group of all rows. */
  groupBy<const By extends readonly GroupColumns<Row>[]>(
    ...by: CheckedGroup<Row, By>
  ): Grouping<Row, GroupOf<Row, By>, keyof GroupOf<Row, By> & string, Tag> {
    const build = new Build(this);
    const named = groupColumns(build, by as readonly unknown[]);
    return new Grouping(this.plan, named, build.problems, build.place);
  }

  /**
   * The rows in windows of time, by the column `on`: if none is named that with a watermark, or the stream's event time.
   * A row with null there is an error.
   */
  window<W extends AssignedWindow<string> | SessionWindow | SlidingWindow, const On extends string = never>(
    window: W,
    options: { readonly on?: PathToInstant<Row, On, 'window by'> } = {},
  ): InWindows<Row, W> {
    const build = new Build(this);
    const ofGroups = groupWindowOf(window, build);
    const column =
      options.on === undefined
        ? ownTime(this.plan, 'window()', build)
        : namedTime(this.plan, options.on, 'window by', build);
    build.noteTaken(WINDOW_COLUMNS);
    const windows: Windowed<any, any> | WindowedInGroups<any> =
      ofGroups === null
        ? this.#assigned(shapeOf(window, build), column, build)
        : new WindowedInGroups(this.plan, { ...ofGroups, column: column ?? '' }, build.problems);
    return windows as InWindows<Row, W>;
  }

  #assigned(shape: WindowShape, column: string | null, build: Build): Windowed<any, any> {
    return new Windowed(
      give(build, {
        op: 'window',
        input: this.plan,
        shape,
        column: column ?? '',
        relation: windowRelation(this.plan.relation, shape, column ?? ''),
        place: build.place,
      }),
      shape.kind === 'cumulating' ? WINDOW_COLUMNS : WINDOW_COLUMNS.slice(0, 1),
    );
  }

  /** Each row once, as soon as it can no longer change; before that nothing. Needs a column with a watermark. */
  final(): Collection<Row, Key> {
    const build = new Build(this);
    if (freezing(this.plan.relation).length === 0) {
      const { because, remedy } = whyNoWatermark(this.plan);
      build.note({
        code: 'needs-watermark',
        what: 'final() waits until rows can no longer change, and nothing ever says that these cannot.',
        evidence: { because },
        remedy,
        place: build.place,
      });
    }
    const { relation: input } = this.plan;
    return give(build, {
      op: 'final',
      input: this.plan,
      relation: finalRelation(input),
      place: build.place,
    });
  }

  /** The rows whose instant `by` is less than so long ago. They go by themselves, also when nothing else happens. */
  last<const By extends string = never>(
    age: Duration,
    options: { readonly by?: PathToInstant<Row, By, 'keep by'> } = {},
  ): Collection<Row, Key> {
    const build = new Build(this);
    return give(build, lastOf(this.plan, { age, by: options.by }, 'last()', build));
  }

  /** The rows from one instant of theirs on until another. Null is always, or for ever. */
  during<const From extends string = never, const Until extends string = never>(ends: {
    readonly from?: PathToInstant<Row, From, 'begin by'>;
    readonly until?: PathToInstant<Row, Until, 'end by'>;
  }): Collection<Row, Key> {
    const build = new Build(this);
    return give(build, duringOf(this.plan, ends, build));
  }

  /** The pairs of rows with equal keys; the other row is an object column of the given name. */
  join<const S extends Sides, const On extends JoinOn>(
    side: S & OneSide<Row, S>,
    how: JoinHow<Row, S, On>,
  ): Collection<PairOf<Row, S>, KeyAfterJoin<Key, KeyIn<S[keyof S]>, On>> {
    return joinedWith(joined(this, 'inner', side, how));
  }

  /** As `join`, and rows that match none of the other side are kept, with null there. */
  leftJoin<const S extends Sides, const On extends JoinOn>(
    side: S & OneSide<Row, S>,
    how: JoinHow<Row, S, On>,
  ): Collection<
    Flat<Row & { -readonly [N in keyof S]: RowIn<S[N]> | null }>,
    KeyAfterJoin<Key, KeyIn<S[keyof S]>, On>
  > {
    return joinedWith(joined(this, 'left', side, how));
  }

  /** As `join`, and rows of the other side that match none of these are kept, with null in all columns of this side. */
  rightJoin<const S extends Sides, const On extends JoinOn>(
    side: S & OneSide<Row, S>,
    how: JoinHow<Row, S, On>,
  ): Collection<PairOf<OrNull<Row>, S>, null> {
    return joinedWith(joined(this, 'right', side, how));
  }

  /** As `join`, and rows of either side that match none are kept, with null for the other. */
  fullJoin<const S extends Sides, const On extends JoinOn>(
    side: S & OneSide<Row, S>,
    how: JoinHow<Row, S, On>,
  ): Collection<Flat<OrNull<Row> & { -readonly [N in keyof S]: RowIn<S[N]> | null }>, null> {
    return joinedWith(joined(this, 'full', side, how));
  }

  /** Each row with what the row of a table was at its time; the version is an object column of the given name. */
  joinAsOf<const S extends Sides, const On extends JoinOn, const At extends string = string>(
    side: S & OneSide<Row, S>,
    how: AsOfHow<Row, S, On, At>,
  ): Collection<PairOf<Row, S>, Key> {
    return joinedWith(joinedAsOf(this, 'inner', side, how));
  }

  /** As `joinAsOf`, and rows for which there was none are kept, with null there. */
  leftJoinAsOf<const S extends Sides, const On extends JoinOn, const At extends string = string>(
    side: S & OneSide<Row, S>,
    how: AsOfHow<Row, S, On, At>,
  ): Collection<Flat<Row & { -readonly [N in keyof S]: RowIn<S[N]> | null }>, Key> {
    return joinedWith(joinedAsOf(this, 'left', side, how));
  }

  /** The rows that match some row of the other side, each as often as it is here. */
  semiJoin<R extends Rows<any, string | null>, const On extends JoinOn>(
    other: R,
    how: MatchHow<Row, R, On>,
  ): Collection<Row, Key> {
    return joinedWith(semiJoined(this, 'semi', other, how));
  }

  /** The rows that match none of the other side. */
  antiJoin<R extends Rows<any, string | null>, const On extends JoinOn>(
    other: R,
    how: MatchHow<Row, R, On>,
  ): Collection<Row, Key> {
    return joinedWith(semiJoined(this, 'anti', other, how));
  }
}

/** What `window` gives: sessions and sliding windows are within groups, so that rows have none before they are grouped. */
export type InWindows<Row, W> =
  W extends AssignedWindow<infer Identifies>
    ? Windowed<Flat<Row & WindowColumns>, Identifies>
    : WindowedInGroups<Row>;

/** Rows that are to be put into windows that follow from the rows of their group, waiting to be grouped. */
export class WindowedInGroups<in out Row> {
  declare readonly row: (row: Row) => Row;
  readonly #input: PlanNode;
  readonly #of: GroupWindow;

  constructor(input: PlanNode, of: GroupWindow, problems: readonly Problem[]) {
    this.#input = input;
    this.#of = of;
    attachProblems(this, problems);
  }

  /** Groups by these columns and, within each such group, by window: `windowStart` and `windowEnd` follow them. */
  groupBy<const By extends readonly GroupColumns<Row>[]>(
    ...by: CheckedGroup<Row, By>
  ): Grouping<
    Row,
    Flat<GroupOf<Row, By> & WindowColumns>,
    (keyof GroupOf<Row, By> & string) | 'windowStart'
  > {
    const build = new Build({ plan: this.#input }, this);
    const named = groupColumns(build, by as readonly unknown[]);
    const { node, grouped, key, before, over } = inGroupWindows(this.#input, this.#of, named, build);
    return new Grouping(node, grouped, build.problems, build.place, key, before, over);
  }
}

/** Rows in windows, waiting to be grouped. */
export class Windowed<in out Row, out Identifies extends string> {
  declare readonly identifies: Identifies;
  readonly #input: Collection<Row, any>;
  readonly #identifies: readonly string[];

  constructor(input: Collection<Row, any>, identifies: readonly string[]) {
    this.#input = input;
    this.#identifies = identifies;
    attachProblems(this, problemsOf(input));
  }

  /** Groups by these columns and by the window: `windowStart` and `windowEnd` follow them. */
  groupBy<const By extends readonly GroupColumns<Row>[]>(
    ...by: CheckedGroup<Row, By>
  ): Grouping<Row, Flat<GroupOf<Row, By> & WindowColumns>, (keyof GroupOf<Row, By> & string) | Identifies> {
    const build = new Build(this.#input);
    const named = groupColumns(build, [...(by as readonly unknown[]), ...WINDOW_COLUMNS]);
    const names = named.slice(0, -WINDOW_COLUMNS.length).map(({ name }) => name);
    return new Grouping(this.#input.plan, named, build.problems, build.place, [
      ...names,
      ...this.#identifies,
    ]);
  }

  /** The rows themselves, once for each of their windows: to be joined or looked at by window. */
  rows(): Collection<Row, null> {
    return this.#input as Collection<Row, any>;
  }
}

/** Rows grouped, waiting for what is to be known of each group. */
export class Grouping<
  in out Row,
  in out Group,
  out Key extends string = keyof Group & string,
  in out Tag extends string | null = null,
> {
  declare readonly group: (group: Group) => Group;
  declare readonly key: Key;
  readonly #input: PlanNode;
  readonly #by: readonly NamedExpression[];
  readonly #place: string | null;
  readonly #key: readonly string[] | undefined;
  readonly #before: readonly NamedAggregate[];
  readonly #over: ColumnWatermark | undefined;

  constructor(
    input: PlanNode,
    by: readonly NamedExpression[],
    problems: readonly Problem[],
    place: string | null,
    /** The columns that identify a group; all, if not said. */
    key?: readonly string[],
    /** Results that come before those that are asked for. */
    before: readonly NamedAggregate[] = [],
    /** One of them, by which groups are over. */
    over?: ColumnWatermark,
  ) {
    this.#input = input;
    this.#by = by;
    this.#place = place;
    this.#key = key;
    this.#before = before;
    this.#over = over;
    attachProblems(this, problems);
  }

  /** One row per group: its columns, and these. A group exists while it has rows. */
  aggregate<Results extends object>(aggregates: {
    [N in keyof Results]: N extends keyof Group
      ? ViewTypeError<`The group has a column "${N & string}" already.`>
      : Aggregate<Row, Results[N]>;
  }): Collection<Flat<Group & Results>, Key> {
    const build = new Build({ plan: this.#input }, this);
    const { node, by } = groupedRows(build, this.#input, this.#by, this.#key);
    const { relation: input } = node;
    const asked = Object.entries(aggregates ?? {}).map(([name, request]) => ({
      name,
      aggregate: aggregateSpec(name, request as unknown as AggregateRequest, input, build),
    }));
    for (const { name } of asked)
      if ([...by, ...this.#before].some((column) => column.name === name))
        build.note({
          code: 'column-twice',
          what: `An aggregate is named "${name}", as a column that is grouped by is.`,
          evidence: { 'grouped by': by.map((column) => column.name).join(', ') },
          remedy: 'Give the aggregate another name.',
          place: build.place,
        });
    const specs = [...this.#before, ...asked];
    const results = specs.map(({ aggregate }) => aggregate.column);
    const over = (rows: PlanNode): AggregateNode => ({
      op: 'aggregate',
      input: rows,
      by,
      aggregates: specs,
      ...(this.#key && { key: this.#key }),
      ...(this.#over && { over: this.#over }),
      relation: relation.aggregateRelation(rows.relation, by, results, this.#key, this.#over),
      place: this.#place ?? build.place,
    });
    const [read] = kindOf(over(node)).reads(over(node), null);
    return give(build, over(narrowed(node, read!)));
  }

  /**
   * One row per group: its columns, and a state of this schema, folded from its events in the order of the log by the
   * functions given next, `.on({ OrderPlaced: (state, event) => … })` or `.with((state, event) => …)`.
   */
  evolve<S extends z.core.$ZodType>(
    state: S & StorableRow<S> & StateOfGroup<Group, S>,
    initial: StateInput<S>,
    options: EvolveOptions = {},
  ): Evolving<Row, Group, Tag, S> {
    const build = new Build({ plan: this.#input }, this);
    return new Evolving<Row, Group, Tag, S>({
      build,
      input: this.#input,
      by: this.#by,
      state,
      initial,
      options,
      give: (node) => give(build, node),
    });
  }
}

type NamedAggregate = AggregateNode['aggregates'][number];

const joinedWith = ({ build, node }: Joined): Collection<any, any> => give(build, node);

/** The columns that are grouped by, and what is wrong with them. */
function groupColumns(build: Build, by: readonly unknown[]): NamedExpression[] {
  const named = by.flatMap((part) =>
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
      build.noteType(
        value.column,
        'is grouped by and does not hold text, numbers or booleans',
        'Group by a path into it, or by computed(schema, fn).',
      );
  return named;
}

const give = (build: Build, node: PlanNode): Collection<any, any, any> =>
  new Collection(node, build.problems);
