import type { z } from 'zod';
import type { AggregatorOptions } from '../circuit/aggregator.js';
import type { Reach } from '../circuit/over-columns.js';
import type { ColumnTime } from '../circuit/time.js';
import type { WindowShape } from '../circuit/windows.js';
import type { Row, Value } from '../zset/value.js';

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
  | EvolveNode
  | JoinNode
  | TopNode
  | DedupeNode
  | OverNode
  | SemiJoinNode
  | IntervalJoinNode
  | AsOfJoinNode
  | WindowNode
  | SessionNode
  | SlidingNode
  | FinalNode
  | DuringNode
  | ExchangeNode;

interface NodeBase {
  /** The relation this node gives: everything that later nodes and the edges need to know of it. */
  readonly relation: Relation;
  /** Where in the user's code it was written: `views/flights.ts:12`, as well as that can be told. */
  readonly place: string | null;
}

/** What is known of a collection at declaration. */
export interface Relation {
  /** In order: the order of the fields of its rows. */
  readonly columns: readonly Column[];
  /** Columns that identify a row, if any are known to. */
  readonly uniqueKey: readonly string[] | null;
  /** No row is ever retracted. */
  readonly appendOnly: boolean;
  /** The one stream its rows come from without a stateful operator between, so that each has a place in the log; null otherwise. */
  readonly log: string | null;
  /** No two rows share their place in the log. */
  readonly ownPlace?: boolean;
  /**
   * Columns of this relation whose values decide the partition a row is in, per input partitioning; null where no
   * longer known. Two relations can be joined, or one grouped, without an exchange where these agree.
   */
  readonly partitionedBy: readonly string[] | null;
  readonly partitions: number;
  /** Columns of which it is known, as time passes, that no smaller values come any more. */
  readonly watermarks: readonly ColumnWatermark[];
  /**
   * Rows may be late: they come from a stream with a lateness through operators that keep nothing. The watermarks hold
   * for those that are not.
   */
  readonly lates: boolean;
}

/** A column that holds instants, and how its watermark follows from those of sources. */
export interface ColumnWatermark {
  readonly column: string;
  readonly time: ColumnTime;
}

export interface Column {
  readonly name: string;
  readonly schema: z.core.$ZodType;
  readonly type: ColumnType;
}

/** What a column holds, read from its schema. */
export type ColumnType = { readonly nullable: boolean } & (
  | { readonly kind: 'string'; readonly format?: 'instant' | 'date' | 'uuid' }
  /** Exact decimals as texts, with so many digits behind the point. */
  | { readonly kind: 'string'; readonly format: 'decimal'; readonly scale: number }
  | { readonly kind: 'number'; readonly integer: boolean }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'enum'; readonly values: readonly (string | number)[] }
  | { readonly kind: 'array'; readonly element: ColumnType }
  | { readonly kind: 'object'; readonly columns: readonly Column[] }
  | { readonly kind: 'json' }
);

/** A function a user wrote, with its text (for fingerprints) and what it gives (null for predicates). */
export interface UserFunction<R = unknown> {
  readonly call: (row: any) => R;
  readonly source: string;
}

/** A condition on a row of each of two collections. */
export interface PairFunction {
  readonly call: (left: any, right: any) => boolean;
  readonly source: string;
}

export type Expression =
  | { readonly kind: 'path'; readonly path: string; readonly column: Column }
  | { readonly kind: 'computed'; readonly fn: UserFunction; readonly column: Column }
  /** The place of a row in its stream's log (`$position`): entry id and index in the entry. */
  | { readonly kind: 'position'; readonly column: Column };

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
  readonly columns: readonly { readonly name: string; readonly value: Expression }[];
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
  readonly by: readonly { readonly name: string; readonly value: Expression }[];
  readonly aggregates: readonly { readonly name: string; readonly aggregate: AggregateSpec }[];
  /** The columns of `by` that identify a group, where the others follow from them. All, if not said. */
  readonly key?: readonly string[] | undefined;
  /** A result whose watermark says when a group is over, which it is below it. */
  readonly over?: ColumnWatermark | undefined;
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
  readonly by: readonly { readonly name: string; readonly value: Expression }[];
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
/** `left ⋈ right`: the left's columns, and the right row as an object column named `as`. What an outer join shows alone has null on the other side. */
export interface JoinNode extends NodeBase {
  readonly op: 'join';
  readonly kind: JoinKind;
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly as: string;
  readonly on: readonly JoinKey[];
  /** What pairs must fulfil beside, as rows of this node with both sides there. */
  readonly where: UserFunction<boolean> | null;
}
export type JoinKind = 'inner' | 'left' | 'right' | 'full';
/** Equal keys: paths of both sides. Null equals nothing. */
export interface JoinKey {
  readonly left: string;
  readonly right: string;
}
/** As a join, of rows whose times lie near each other. */
export interface IntervalJoinNode extends Omit<JoinNode, 'op'> {
  readonly op: 'intervalJoin';
  readonly within: Interval;
}
/** The right row's time lies at most `beforeMs` before the left's and at most `afterMs` after it. */
export interface Interval {
  readonly beforeMs: number;
  readonly afterMs: number;
  /** Each side's time: a path to instants. */
  readonly left: string;
  readonly right: string;
}
/** The left's rows, each with the version that a table's row had at its time, as an object column named `as`. */
export interface AsOfJoinNode extends NodeBase {
  readonly op: 'joinAsOf';
  readonly kind: 'inner' | 'left';
  readonly left: PlanNode;
  /** A table that has an event time. */
  readonly right: PlanNode;
  readonly as: string;
  /** All of the table's key. */
  readonly on: readonly JoinKey[];
  /** The left row's time: a path to instants. */
  readonly at: string;
  /** The column of the table that says since when a record holds. */
  readonly since: string;
}
/** The rows of the left that match some row of the right, or none. */
export interface SemiJoinNode extends NodeBase {
  readonly op: 'semiJoin';
  readonly kind: 'semi' | 'anti';
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly on: readonly JoinKey[];
  /** Of a left row and a right one. */
  readonly where: PairFunction | null;
}

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

export type AggregateKind =
  | 'count'
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'first'
  | 'last'
  | 'minBy'
  | 'maxBy'
  | 'countDistinct'
  | 'countIf'
  | 'sumIf'
  | 'variance'
  | 'stddev'
  | 'every'
  | 'some'
  | 'histogram'
  | 'median'
  | 'percentile'
  | 'topK'
  | 'collect'
  | 'collectDistinct'
  | 'joinText'
  | 'approxCountDistinct'
  | 'approxPercentile'
  | 'approxTopK'
  | 'approxContains';

export interface AggregateSpec {
  readonly kind: AggregateKind;
  /** What is aggregated; null for rows, and for a test of them. */
  readonly value: Expression | null;
  /** `minBy`, `maxBy`: what is compared. `first`, `last`: what orders, null for the place in the log. Lists: their order, null for the values'. */
  readonly by: Expression | null;
  /** `countIf`, `sumIf`, `every`, `some`. */
  readonly test: UserFunction<boolean> | null;
  readonly options: AggregatorOptions;
  /** The column it gives. */
  readonly column: Column;
}

export type SourceDeclaration = StreamDeclaration | TableDeclaration | ViewDeclaration;

interface RecordSource {
  readonly name: string;
  readonly schema: z.core.$ZodType;
  readonly columns: readonly Column[];
  /** The Redis key of the only partition, or what `:0`, `:1`, … are appended to. */
  readonly redisKey: string;
  readonly partitions: number;
  readonly place: string | null;
  /**
   * Column that holds an event's time, or since when a table's record holds. Null: a stream's events are of the time of
   * their entries, and a table's records replace one another in the order of the log.
   */
  readonly eventTime: string | null;
  /** How far behind its partition's clock an event may be; null: not said, and nothing is ever late or finished. */
  readonly latenessMs: number | null;
}

export interface StreamDeclaration extends RecordSource {
  readonly kind: 'stream';
  readonly partitionBy: readonly string[] | null;
  /** What an event is whose type none of the schema's variants has: an error, or nothing but counted. */
  readonly unknownTypes: 'skip' | 'error';
  /** In which form the events lie in the entries. */
  readonly decoder: EventDecoder;
  /** What old events are turned into before the schema is asked. */
  readonly upcast: UserFunction | null;
  readonly retain: Retention | null;
}

/** `any`: JSON in `data` or `batch`, or fields. */
export type EventDecoder = 'any' | 'json' | 'fields' | 'envelope' | 'cloudevents' | UserFunction;

export interface TableDeclaration extends RecordSource {
  readonly kind: 'table';
  /** Columns that identify a row, and decide its partition. */
  readonly key: readonly string[];
  readonly retain: Retention | null;
}

export interface Retention {
  readonly ageMs: number | null;
  readonly entriesMax: number | null;
}

export interface ViewDeclaration {
  readonly kind: 'view';
  readonly name: string;
  readonly plan: PlanNode;
  readonly columns: readonly Column[];
  /** Columns that identify a row. */
  readonly key: readonly string[];
  readonly indexes: readonly IndexDeclaration[];
  readonly version: string | null;
  readonly promote: 'auto' | 'manual';
  /** Over how many its rows are spread. */
  readonly partitions: number;
  /** The number of hashes each partition's rows and states lie in. */
  readonly buckets: number;
  /** Views that fail on more than this many of their last thousand entries are parked. */
  readonly errorsMax: number;
  readonly description: string | null;
  readonly place: string | null;
  /** 16 hex digits over everything that decides its rows. */
  readonly fingerprint: string;
}

export interface IndexDeclaration {
  /** As declared and as `order=` says it: `flights.desc`, `city,flights.desc`. */
  readonly name: string;
  readonly columns: readonly OrderTerm[];
}

export type { Reach, Value };
