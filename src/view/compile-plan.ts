import type { Circuit } from '../circuit/circuit.js';
import { CircuitBuilder } from '../circuit/circuit-builder.js';
import type { ErrorCollection } from '../circuit/error-collection.js';
import { generatedRead, generatedText, type TextColumn } from '../circuit/generated-row.js';
import type { KeyedState } from '../circuit/keyed-state.js';
import type { LateRows } from '../circuit/late-rows.js';
import {
  type Codec,
  type ErrorSink,
  json,
  type Keyed,
  type LateSink,
  type Operator,
} from '../circuit/operator.js';
import { DropLate } from '../circuit/operators/drop-late.js';
import { Select, type SelectedColumn, type SelectedValue } from '../circuit/operators/select.js';
import { type KeptRecord, Upsert } from '../circuit/operators/upsert.js';
import type { OrderedState } from '../circuit/ordered-state.js';
import { ParkedKeys } from '../circuit/parked-keys.js';
import { positionIn } from '../circuit/place-in-log.js';
import type { ColumnTime } from '../circuit/time.js';
import type { CacheBudget } from '../circuit/two-generations.js';
import { ViewOutput } from '../circuit/view-output.js';
import { RecordSide, viewRecordCodec } from '../circuit/view-record.js';
import { keyTextOf, type KeyPart } from '../zset/row-key.js';
import type { Row } from '../zset/value.js';
import { columnAt, holdsOnlyStrings } from './columns.js';
import { checkOf } from './computed-value.js';
import { fusedAggregate } from './fused-aggregate.js';
import { indexOrderText } from './index-order.js';
import { kindOf } from './node-kinds.js';
import type {
  Column,
  ColumnType,
  ColumnWatermark,
  Expression,
  PlanNode,
  Relation,
  SourceDeclaration,
  ViewDeclaration,
} from './plan.js';

/** A view as what maintains it. */
export interface CompiledView {
  readonly circuit: Circuit;
  readonly output: ViewOutput;
  readonly errors: ErrorCollection;
  /** The rows that came too late; null if the view leaves none out. */
  readonly lates: LateRows | null;
  /** Groups of folded events that stopped. */
  readonly parking: ParkedKeys;
  readonly inputs: readonly CompiledInput[];
  /** Sources (`stream:flights`) whose time the circuit acts on; also such as only its upstream views read. */
  readonly timed: ReadonlySet<string>;
  /** Everything the circuit keeps, also what no tick has written yet. */
  readonly states: readonly { readonly name: string; readonly kind: 'keyed' | 'ordered' | 'index' }[];
}

export interface CompiledInput {
  /** `stream:flights`, `table:airports`, `view:delays`: the name under which its deltas are given to `Circuit.step`. */
  readonly name: string;
  readonly source: SourceDeclaration;
  /** Its deltas must say each row's place in the log (`Delta.orders`). */
  readonly needsOrder: boolean;
}

export const inputNameOf = (source: SourceDeclaration): string => `${source.kind}:${source.name}`;

/**
 * Turns a view's plan into a circuit. The same declaration gives the same circuit, with the same names of states, in
 * every process: names are vertex numbers, and vertices are numbered in the order of the plan.
 */
export function compileView(view: ViewDeclaration, options: { budget: CacheBudget }): CompiledView {
  return new PlanCompiler(view, options.budget).compile();
}

/** The making of one circuit; what the kinds of nodes add their vertices to. */
export class PlanCompiler {
  readonly #builder: CircuitBuilder;
  readonly #vertices = new Map<PlanNode, number>();
  readonly #sources = new Map<string, { source: SourceDeclaration; vertex: number }>();
  /** The vertices that make rows of tables' records. */
  readonly #tables = new Map<string, number>();
  /** Streams whose rows need their place in the log. */
  readonly #ordered = new Set<string>();
  readonly #timed = new Set<string>();
  readonly #fused: PlanNode | null;
  #output: ViewOutput | null = null;
  readonly parking = new ParkedKeys();

  constructor(
    readonly view: ViewDeclaration,
    budget: CacheBudget,
  ) {
    this.#builder = new CircuitBuilder(budget);
    this.#fused = fusedAggregate(view);
  }

  compile(): CompiledView {
    const { view } = this;
    const plan = this.vertexOf(view.plan);
    // What a dependent may act on is brought to it with the rows.
    const { lates, watermarks } = view.plan.relation;
    if (!lates) for (const { time } of watermarks) this.needsTime(time);
    const output = this.#output ?? this.#makeOutput(null);
    this.#builder.vertex('view', output, [plan]);
    const circuit = this.#builder.build();
    return {
      circuit,
      output,
      errors: this.#builder.errorCollection,
      lates: circuit.lates,
      parking: this.parking,
      inputs: [...this.#sources].map(([name, { source }]) => ({
        name,
        source,
        needsOrder: source.kind === 'stream' && this.#ordered.has(source.name),
      })),
      timed: this.#timed,
      states: circuit.states.map(({ name, kind }) => ({ name, kind })),
    };
  }

  // ---- for the kinds of nodes

  /** The vertex that gives a node's rows; made once, however often the node is used. */
  vertexOf(node: PlanNode): number {
    let vertex = this.#vertices.get(node);
    if (vertex === undefined) {
      vertex = node.op === 'source' ? this.#source(node.source) : kindOf(node).compile(node, this);
      this.#vertices.set(node, vertex);
    }
    return vertex;
  }

  add(name: string, operator: Operator, inputs: readonly number[]): number {
    return this.#builder.vertex(name, operator, inputs);
  }

  /** The vertex that gives a node's rows without those that are late for these of its columns. */
  onTime(node: PlanNode, columns: readonly ColumnWatermark[]): number {
    const vertex = this.vertexOf(node);
    if (!node.relation.lates || columns.length === 0) return vertex;
    const freezing = columns.map(({ column, time }) => ({ read: generatedRead(column), time }));
    return this.add('late', new DropLate(freezing, this.latesOf('late')), [vertex]);
  }

  /** State of the vertex that is added next. */
  keyed<V>(name: string, codec: Codec<V>): KeyedState<V> {
    return this.#builder.keyed(this.#nameOf(name), codec);
  }

  ordered(name: string): OrderedState {
    return this.#builder.ordered(this.#nameOf(name));
  }

  errorsOf(op: string): ErrorSink {
    return this.#builder.errors(this.#nameOf(op));
  }

  latesOf(op: string): LateSink {
    return this.#builder.lates(this.#nameOf(op));
  }

  /** The vertex that is added next acts on the time of these sources. */
  needsTime(time: ColumnTime): void {
    for (const { source } of time) this.#timed.add(source);
  }

  /** Whether a node's groups are kept in the view's rows. */
  isFused(node: PlanNode): boolean {
    return node === this.#fused;
  }

  /** The groups of a node that is fused, and where they are shown if its results are the view's rows as they are. */
  groupsInRows<S>(node: PlanNode, codec: Codec<S>): { groups: Keyed<S>; show?: ViewOutput['show'] } {
    const output = this.#makeOutput(codec);
    const groups = new RecordSide<S>(output.records);
    const { plan } = this.view;
    const isShown = node === plan || (plan.op === 'final' && node === plan.input);
    return isShown ? { groups, show: (key, row) => output.show(key, row) } : { groups };
  }

  selected(expression: Expression, input: Relation): SelectedValue {
    switch (expression.kind) {
      case 'path':
        return { kind: 'path', path: expression.path };
      case 'computed':
        return { kind: 'computed', fn: { call: expression.fn.call, check: checkOf(expression.column) } };
      case 'position':
        this.needsOrder(input);
        return { kind: 'position', of: positionIn };
    }
  }

  /** The rows of this relation must say their place in the log. */
  needsOrder(relation: Relation): void {
    if (relation.log !== null) this.#ordered.add(relation.log);
  }

  /** The text of what rows of a relation hold at these paths: of a group's key. */
  keyTextOf({ columns }: Relation, paths: readonly string[]): (row: Row) => string {
    return keyTextOf(keyParts(columns, paths));
  }

  /** The JSON of rows of a relation. */
  rowTextOf({ columns }: Relation): (row: Row) => string {
    return rowTextOf(columns);
  }

  /** The rows of a relation with their columns in another order. */
  withColumns(vertex: number, relation: Relation, columns: readonly Column[]): number {
    if (relation.columns.every(({ name }, index) => name === columns[index]?.name)) return vertex;
    const selected: SelectedColumn[] = columns.map(({ name }) => ({
      name,
      value: { kind: 'path', path: name },
    }));
    return this.#builder.vertex('select', new Select(selected, this.errorsOf('select')), [vertex]);
  }

  /** The vertex that gives what comes in of a source: of a table its records, in the order of the log. */
  recordsOf(source: SourceDeclaration): number {
    const name = inputNameOf(source);
    const known = this.#sources.get(name);
    if (known) return known.vertex;
    const vertex = this.#builder.source(name);
    this.#sources.set(name, { source, vertex });
    return vertex;
  }

  #source(source: SourceDeclaration): number {
    if (source.kind !== 'table') return this.recordsOf(source);
    const known = this.#tables.get(source.name);
    if (known !== undefined) return known;
    const records = this.recordsOf(source);
    const table = this.keyed<KeptRecord>('table', json);
    const keyOf = keyTextOf(keyParts(source.columns, source.key));
    const vertex = this.#builder.vertex('upsert', new Upsert(table, keyOf, source.eventTime), [records]);
    this.#tables.set(source.name, vertex);
    return vertex;
  }

  #makeOutput(side: Codec<any> | null): ViewOutput {
    const { view } = this;
    return (this.#output = new ViewOutput(this.#builder.keyed('rows', viewRecordCodec(side)), {
      keyOf: keyTextOf(keyParts(view.columns, view.key)),
      textOf: rowTextOf(view.columns),
      appended: isAppended(view),
      buckets: view.buckets,
      indexes: view.indexes.map((index, number) => ({
        index: this.#builder.index(`index.${number}`),
        orderOf: indexOrderText(index),
      })),
    }));
  }

  #nameOf(what: string): string {
    return `${this.#builder.next}.${what}`;
  }
}

/** The parts of a key text over these columns: of a view's rows, of a table's. */
export function keyParts(columns: readonly Column[], key: readonly string[]): KeyPart[] {
  return key.map((path) => {
    const column = columnAt(columns, path);
    return { read: generatedRead(path), onlyStrings: column !== null && holdsOnlyStrings(column.type) };
  });
}

/** `JSON.stringify`, made for rows of these columns. */
const rowTextOf = (columns: readonly Column[]): ((row: Row) => string) =>
  generatedText(columns.map(({ name, type }) => ({ name, kind: textKind(type) })));

/** Each row comes once, under a key that no other has, and never goes: nobody need look what was there. */
const isAppended = ({ plan: { relation }, key }: ViewDeclaration): boolean =>
  relation.appendOnly &&
  relation.uniqueKey !== null &&
  relation.uniqueKey.every((name) => key.includes(name));

/** How the values of a column are written; of an enum mostly strings, and anything else as well. */
function textKind({ kind }: ColumnType): TextColumn['kind'] {
  if (kind === 'enum') return 'string';
  return kind === 'string' || kind === 'number' || kind === 'boolean' ? kind : 'other';
}
