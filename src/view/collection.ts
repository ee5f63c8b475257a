import type { z } from 'zod';
import type { WindowShape } from '../circuit/windows.js';
import { Build } from './build.js';
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
import type { Duration } from './duration.js';
import { duringOf, lastOf } from './during.js';
import type { CheckedTypes, EventOfType } from './event-types.js';
import { groupColumns } from './group-nodes.js';
import { type Give, Grouping } from './grouping.js';
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
import { ofNode } from './of-types.js';
import { noteOptions } from './options.js';
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
import { overNode, type OverRequest } from './over-nodes.js';
import type { ElementAt, PathTo, PathToArray, PathToInstant } from './path-type.js';
import type { PlanNode } from './plan.js';
import { attachProblems, type Problem } from './problem.js';
import type { RowFunction } from './row-functions.js';
import { flatMapNode, selectNode, unnestNode, whereNode } from './row-nodes.js';
import type { Flat, RowOfSchema, StorableRow } from './row-type.js';
import { comparingNode, distinctNode, unionNode } from './set-nodes.js';
import type { Names } from './stream.js';
import { namedTime, ownTime } from './time-column.js';
import { finalNode, windowNode } from './time-nodes.js';
import { WINDOW_COLUMNS } from './time-relation.js';
import type { NotAsync, ViewTypeError } from './view-type-error.js';
import {
  type AssignedWindow,
  groupWindowOf,
  type SessionWindow,
  shapeOf,
  type SlidingWindow,
} from './window.js';
import { type InWindows, Windowed, WindowedInGroups } from './windowed.js';

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
    return give(build, whereNode(build, this.plan, predicate));
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
    return give(build, selectNode(build, this.plan, (columns as readonly unknown[])[0]));
  }

  /** Any number of rows, of this schema, for each. */
  flatMap<S extends z.core.$ZodType>(
    row: S & StorableRow<S>,
    fn: (row: Row) => Iterable<z.input<S>> | ViewTypeError<NotAsync>,
  ): Collection<RowOfSchema<S>, null> {
    const build = new Build(this);
    return give(build, flatMapNode(build, this.plan, row, fn));
  }

  /** One row for each element of an array: the row's columns, and the element under the name `as`. */
  unnest<const P extends string, const As extends string>(
    path: PathToArray<Row, P>,
    options: {
      readonly as: As extends keyof Row ? ViewTypeError<`The rows have a column "${As}" already.`> : As;
    },
  ): Collection<Flat<Row & { [N in As]: ElementAt<Row, P> }>, null> {
    const build = new Build(this);
    return give(build, unnestNode(build, this.plan, path, options));
  }

  /** The rows of all, each as often as it is in them together. */
  union<Others extends readonly Rows<any, string | null>[]>(
    ...others: { [I in keyof Others]: Others[I] & SameRows<Row, RowIn<Others[I]>> }
  ): Collection<Row, null> {
    const build = new Build(this, ...(others as readonly unknown[] as Collection<any>[]));
    return give(build, unionNode(build, this.plan, others));
  }

  /** The rows that are not in the other collection, each once; `all`: as often as there are more of it here than there. */
  except<Other extends Rows<any, string | null>, const All extends boolean = false>(
    other: Other & SameRows<Row, RowIn<Other>>,
    options?: { readonly all?: All },
  ): Collection<Row, KeyOfSet<Row, All, Key>> {
    const build = new Build(this, other);
    return give(build, comparingNode(build, 'except', this.plan, other, options));
  }

  /** The rows that are in both collections, each once; `all`: as often as it is in both. */
  intersect<Other extends Rows<any, string | null>, const All extends boolean = false>(
    other: Other & SameRows<Row, RowIn<Other>>,
    options?: { readonly all?: All },
  ): Collection<Row, KeyOfSet<Row, All, Key, KeyIn<Other>>> {
    const build = new Build(this, other);
    return give(build, comparingNode(build, 'intersect', this.plan, other, options));
  }

  /** Each row once. */
  distinct(): Collection<Row, [Key] extends [string] ? Key : keyof Row & string> {
    const build = new Build(this);
    return give(build, distinctNode(build, this.plan));
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
    ...columns: CheckedGroup<Row, By>
  ): Grouping<Row, GroupOf<Row, By>, keyof GroupOf<Row, By> & string, Tag> {
    const build = new Build(this);
    const by = groupColumns(build, columns as readonly unknown[]);
    return new Grouping({ input: this.plan, by, place: build.place }, build.problems, give);
  }

  /**
   * The rows in windows of time, by the column `on`: if none is named the stream's event time, or that with a watermark.
   * A row with null there is an error.
   */
  window<W extends AssignedWindow<string> | SessionWindow | SlidingWindow, const On extends string = never>(
    window: W,
    options: { readonly on?: PathToInstant<Row, On, 'window by'> } = {},
  ): InWindows<Row, W> {
    const build = new Build(this);
    noteOptions(options, 'window', build);
    const ofGroups = groupWindowOf(window, build);
    const column =
      options?.on === undefined
        ? ownTime(this.plan, 'window()', build)
        : namedTime(this.plan, options.on, 'window by', build);
    build.noteWindowed(WINDOW_COLUMNS);
    const windows =
      ofGroups === null
        ? this.#assigned(build, shapeOf(window, build), column ?? '')
        : new WindowedInGroups(this.plan, { ...ofGroups, column: column ?? '' }, build.problems, give);
    return windows as InWindows<Row, W>;
  }

  #assigned(build: Build, shape: WindowShape, column: string): Windowed<any, any> {
    const identify = shape.kind === 'cumulating' ? WINDOW_COLUMNS : WINDOW_COLUMNS.slice(0, 1);
    return new Windowed(give(build, windowNode(build, this.plan, shape, column)), identify, give);
  }

  /** Each row once, as soon as it can no longer change; before that nothing. Needs a column with a watermark. */
  final(): Collection<Row, Key> {
    const build = new Build(this);
    return give(build, finalNode(build, this.plan));
  }

  /** The rows whose instant `by` is less than so long ago. They go by themselves, also when nothing else happens. */
  last<const By extends string = never>(
    age: Duration,
    options: { readonly by?: PathToInstant<Row, By, 'keep by'> } = {},
  ): Collection<Row, Key> {
    const build = new Build(this);
    noteOptions(options, 'last', build);
    return give(build, lastOf(this.plan, { age, by: options?.by }, 'last()', build));
  }

  /** The rows from one instant of theirs on until another. Null is always, or for ever. */
  during<const From extends string = never, const Until extends string = never>(ends: {
    readonly from?: PathToInstant<Row, From, 'begin by'>;
    readonly until?: PathToInstant<Row, Until, 'end by'>;
  }): Collection<Row, Key> {
    const build = new Build(this);
    noteOptions(ends, 'during', build);
    return give(build, duringOf(this.plan, ends ?? {}, build));
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

  /** The rows that match some row of the other side, each as often as it is here; `within` a time those that do near theirs. */
  semiJoin<R extends Rows<any, string | null>, const On extends JoinOn>(
    other: R,
    how: MatchHow<Row, R, On>,
  ): Collection<Row, Key> {
    return joinedWith(semiJoined(this, 'semi', other, how));
  }

  /** The rows that match none of the other side; `within` a time as soon as none can come any more. */
  antiJoin<R extends Rows<any, string | null>, const On extends JoinOn>(
    other: R,
    how: MatchHow<Row, R, On>,
  ): Collection<Row, Key> {
    return joinedWith(semiJoined(this, 'anti', other, how));
  }
}

const give: Give = (build, node) => new Collection(node, build.problems);

const joinedWith = ({ build, node }: Joined): Collection<any, any> => give(build, node);
