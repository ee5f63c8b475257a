import type { z } from 'zod';
import type { Reach } from '../circuit/over-columns.js';
import type { ColumnTime } from '../circuit/time.js';
import type { WindowShape } from '../circuit/windows.js';
import type { Row, Value } from '../zset/value.js';
import type { AggregateSpec, NamedAggregate } from './aggregate-spec.js';
import type { Column } from './column.js';
import type { SourceDeclaration } from './declarations.js';
import type { Expression, NamedExpression } from './expression.js';
import type {
  AsOfJoinNode,
  IntervalJoinNode,
  IntervalSemiJoinNode,
  JoinNode,
  SemiJoinNode,
} from './join-plan.js';
import type { ColumnWatermark, Relation } from './relation.js';
import type { UserFunction } from './user-function.js';

/**
 * A view's query as frozen data: what the declaration functions build, what `compile-plan` turns into a
 * circuit, what `explain` prints and `fingerprint` reads. Nodes form a tree; the same node may be used twice.
 */
export type PlanNode =
  | SourceNode
  | WhereNode
  | OfNode
  | SelectNode
  | FlatMapNode
  | UnnestNode
  | UnionNode
  | ExceptNode
  | IntersectNode
  | DistinctNode
  | AggregateNode
  | PartsNode
  | EvolveNode
  | JoinNode
  | TopNode
  | DedupeNode
  | OverNode
  | SemiJoinNode
  | IntervalJoinNode
  | IntervalSemiJoinNode
  | AsOfJoinNode
  | WindowNode
  | SessionNode
  | SlidingNode
  | FinalNode
  | DuringNode
  | ExchangeNode
  | InlinedNode;

export interface NodeBase {
  /** The relation this node gives: everything that later nodes and the edges need to know of it. */
  readonly relation: Relation;
  /** Where in the user's code it was written: `views/flights.ts:12`, as well as that can be told. */
  readonly place: string | null;
}

export interface SourceNode extends NodeBase {
  readonly op: 'source';
  readonly source: SourceDeclaration;
}
export interface WhereNode extends NodeBase {
  readonly op: 'where';
  readonly input: PlanNode;
  readonly predicate: UserFunction<boolean>;
}
/** What the discriminator of an event can hold. */
export type EventType = string | number | boolean | null;

/** Events of these types, with the columns that these have. */
export interface OfNode extends NodeBase {
  readonly op: 'of';
  readonly input: PlanNode;
  readonly discriminator: string;
  readonly types: readonly EventType[];
}
/** Also what `groupBy` with computed columns is preceded by. Output columns in the order of `columns`. */
export interface SelectNode extends NodeBase {
  readonly op: 'select';
  readonly input: PlanNode;
  readonly columns: readonly NamedExpression[];
}
export interface FlatMapNode extends NodeBase {
  readonly op: 'flatMap';
  readonly input: PlanNode;
  readonly fn: UserFunction<Iterable<unknown>>;
  /** The schema of one output row. */
  readonly row: z.core.$ZodType;
}
/** One row per element of an array column: the row's other columns and the element under the name `as`. */
export interface UnnestNode extends NodeBase {
  readonly op: 'unnest';
  readonly input: PlanNode;
  readonly path: string;
  readonly as: string;
}
export interface UnionNode extends NodeBase {
  readonly op: 'union';
  readonly inputs: readonly PlanNode[];
}
/** Two collections of the same columns, compared row by row: as sets, or as bags, where each copy counts. */
interface ComparingNode extends NodeBase {
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly all: boolean;
}
/** The rows of the left that are not on the right. */
export interface ExceptNode extends ComparingNode {
  readonly op: 'except';
}
/** The rows that are on both sides. */
export interface IntersectNode extends ComparingNode {
  readonly op: 'intersect';
}
export interface DistinctNode extends NodeBase {
  readonly op: 'distinct';
  readonly input: PlanNode;
}
export interface AggregateNode extends NodeBase {
  readonly op: 'aggregate';
  readonly input: PlanNode;
  readonly by: readonly NamedExpression[];
  readonly aggregates: readonly NamedAggregate[];
  /** The columns of `by` that identify a group, where the others follow from them. All, if not said. */
  readonly key?: readonly string[] | undefined;
  /** A result whose watermark says when a group is over, which it is below it. */
  readonly over?: ColumnWatermark | undefined;
  /** Its input is parts of groups, by the same columns. */
  readonly ofParts?: true | undefined;
}
/** What each tick changes of each group, folded before it is moved: the columns that are grouped by, and what is folded. */
export interface PartsNode extends NodeBase {
  readonly op: 'parts';
  readonly input: PlanNode;
  readonly by: readonly NamedExpression[];
  readonly aggregates: readonly NamedAggregate[];
  /** As of the groups. */
  readonly key?: readonly string[] | undefined;
}
/** The rows with `windowStart` and `windowEnd`, once for each window that the instant in a column is in. */
export interface WindowNode extends NodeBase {
  readonly op: 'window';
  readonly input: PlanNode;
  readonly shape: WindowShape;
  /** A path. */
  readonly column: string;
}
/** The rows with the session they are in: `windowStart` is its start, `windowEnd` what its end would be if they were its last. */
export interface SessionNode extends NodeBase {
  readonly op: 'session';
  readonly input: PlanNode;
  readonly gapMs: number;
  /** A path: the times of the rows. */
  readonly column: string;
  /** Paths: rows of one session are equal in them. */
  readonly per: readonly string[];
  /** The columns that are kept, and given, beside those of the session. All, if not said. */
  readonly kept?: readonly string[];
}
/** The rows with the windows they are in, where one ends with every row and one begins just behind every row, within groups. */
export interface SlidingNode extends NodeBase {
  readonly op: 'sliding';
  readonly input: PlanNode;
  readonly sizeMs: number;
  /** A path: the times of the rows. */
  readonly column: string;
  /** Paths: rows of one window are equal in them. */
  readonly per: readonly string[];
}
/** The rows that the watermark of a column has passed, once each. */
export interface FinalNode extends NodeBase {
  readonly op: 'final';
  readonly input: PlanNode;
}
/**
 * The same rows, moved to where those that are equal in some columns lie together: the partition of their text there. Here a
 * plan is cut into stages. Columns none: all in the first partition.
 */
export interface ExchangeNode extends NodeBase {
  readonly op: 'exchange';
  readonly input: PlanNode;
  /** Paths. */
  readonly by: readonly string[];
}
/** The rows of a view, made where they are read (`inline.ts`). */
export interface InlinedNode extends NodeBase {
  readonly op: 'inlined';
  readonly view: string;
  /** The view's: it stands for what nobody sees of its functions. */
  readonly version: string | null;
  /** Something else reads what it reads; or rows of several of its partitions are brought together. */
  readonly why: 'met' | 'torn';
  readonly input: PlanNode;
}
/** The rows while now is between two instants of theirs. */
export interface DuringNode extends NodeBase {
  readonly op: 'during';
  readonly input: PlanNode;
  readonly from: DuringEnd | null;
  readonly until: DuringEnd | null;
  /** The sources whose present is now. */
  readonly time: ColumnTime;
}
export interface DuringEnd {
  /** A path. */
  readonly column: string;
  /** So long after the instant there. */
  readonly afterMs: number;
  /** Null: the end was always, or will never be. */
  readonly nullIs: 'reached' | 'unreached';
}
/** One row per group: its columns and a state, folded from its events in the order of the log. */
export interface EvolveNode extends NodeBase {
  readonly op: 'evolve';
  readonly input: PlanNode;
  readonly by: readonly NamedExpression[];
  /** The schema of the state. */
  readonly state: z.core.$ZodType;
  readonly columns: readonly Column[];
  /** What the first event of a group meets, and the first after its row was removed. */
  readonly initial: Row;
  /** Functions of state and event. */
  readonly handlers: EventHandlers;
  /** UTF-8 bytes of a state's JSON. */
  readonly stateBytesMax: number;
}
/** One for all events, or one for each type; events of other types change nothing. */
export type EventHandlers =
  | { readonly kind: 'all'; readonly fn: UserFunction }
  | {
      readonly kind: 'types';
      readonly discriminator: string;
      readonly of: readonly { readonly type: EventType; readonly fn: UserFunction }[];
    };

/** The first rows of each group in an order: `count` of them after the first `offset`. */
export interface TopNode extends NodeBase {
  readonly op: 'top';
  readonly input: PlanNode;
  readonly count: number;
  readonly offset: number;
  /** Paths; none: all rows are one group. */
  readonly per: readonly string[];
  readonly order: readonly OrderTerm[];
  /** The column that says a row's place in its group, counted from 1; null: there is none. */
  readonly rank: string | null;
}

/** The rows without those that repeat another of their key shortly before them, or ever. */
export interface DedupeNode extends NodeBase {
  readonly op: 'dedupe';
  readonly input: PlanNode;
  /** Paths. */
  readonly by: readonly string[];
  /** Null: for ever. */
  readonly withinMs: number | null;
  /** The column of instants that says when a row was; null: its place in the log does. */
  readonly at: string | null;
}

/** The rows with what each has of its place among the others of its group. */
export interface OverNode extends NodeBase {
  readonly op: 'over';
  readonly input: PlanNode;
  /** Paths; none: all rows are one group. */
  readonly per: readonly string[];
  readonly order: readonly OrderTerm[];
  readonly functions: readonly OverFunction[];
}

/** One column of `over`, and what it shows. */
export type OverFunction = { readonly column: Column } & (
  | { readonly kind: 'rowNumber' | 'rank' | 'denseRank' }
  | {
      readonly kind: 'lag' | 'lead';
      readonly value: Expression & { readonly kind: 'path' };
      readonly offset: number;
      /** Where there is no such row. */
      readonly otherwise: Value;
    }
  | { readonly kind: 'rolling'; readonly aggregate: AggregateSpec; readonly reach: Reach }
  | {
      readonly kind: 'firstValue' | 'lastValue';
      readonly value: Expression & { readonly kind: 'path' };
      /** Null: the whole group. */
      readonly reach: Reach | null;
    }
);

/** One column of an order. Nulls come last where it ascends and first where it descends, as in PostgreSQL. */
export interface OrderTerm {
  readonly path: string;
  readonly descending: boolean;
  readonly column: Column;
}
