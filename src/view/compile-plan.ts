import { assert } from '../assert.js';
import { CircuitBuilder } from '../circuit/circuit-builder.js';
import { generatedRead } from '../circuit/generated-row.js';
import type { KeyedState } from '../circuit/keyed-state.js';
import {
  type Codec,
  type ErrorSink,
  json,
  type Keyed,
  type LateSink,
  type Operator,
} from '../circuit/operator.js';
import { ExchangeOutput, type SentRows } from '../circuit/exchange-output.js';
import { DropLate } from '../circuit/operators/drop-late.js';
import { Select, type SelectedColumn, type SelectedValue } from '../circuit/operators/select.js';
import { type KeptRecord, Upsert } from '../circuit/operators/upsert.js';
import type { OrderedState } from '../circuit/ordered-state.js';
import { ParkedKeys } from '../circuit/parked-keys.js';
import { type LogOrder, positionIn } from '../circuit/place-in-log.js';
import type { ColumnTime } from '../circuit/time.js';
import type { CacheBudget } from '../circuit/two-generations.js';
import { ViewOutput } from '../circuit/view-output.js';
import { RecordSide, viewRecordCodec } from '../circuit/view-record.js';
import { BLOCKS } from '../zset/row-block.js';
import { partitionOfText } from '../zset/partition-of-text.js';
import type { Column } from './column.js';
import type { CompiledStage, CompiledView } from './compiled-stage.js';
import { type ColumnWatermark, onlyComes, type Relation } from './relation.js';
import type { Expression } from './expression.js';
import { inputNameOf, type SourceDeclaration, type ViewDeclaration } from './declarations.js';
import { checkOf } from './computed-value.js';
import { stageOf } from './exchange.js';
import { fusedAggregate } from './fused-aggregate.js';
import { indexOrderText, indexState } from './index-order.js';
import { kindOf } from './node-kinds.js';
import { nodesOf, sourcesOf } from './plan-nodes.js';
import { keyTextOfColumns, rowTextOfColumns } from './row-texts.js';
import { partitionsOfStage } from './stages.js';
import type { ExchangeNode, PlanNode } from './plan.js';

/** What the exchanges into a stage are named by their number. */
const receivedName = (index: number): string => `exchange:${index}`;

/**
 * Turns a view's plan into a circuit. The same declaration gives the same circuit, with the same names of states, in
 * every process: names are vertex numbers, and vertices are numbered in the order of the plan.
 */
export function compileView(view: ViewDeclaration, options: { budget: CacheBudget }): CompiledView {
  return new PlanCompiler(view, options.budget, null).compile() as CompiledView;
}

/** The same for one of a view's stages: what its tasks run. */
export function compileStage(
  view: ViewDeclaration,
  stage: number,
  options: { budget: CacheBudget },
): CompiledStage {
  return new PlanCompiler(view, options.budget, stage).compile();
}

const timed = new WeakMap<ViewDeclaration, ReadonlySet<string>>();

/** The sources whose time some stage of a view acts on. Many tasks ask for it, and only the whole circuit tells. */
function timedOf(view: ViewDeclaration): ReadonlySet<string> {
  let known = timed.get(view);
  if (known === undefined) {
    known = compileView(view, { budget: { entriesMax: 1 } }).timed;
    timed.set(view, known);
  }
  return known;
}

/** The making of one circuit; what the kinds of nodes add their vertices to. */
export class PlanCompiler {
  readonly #builder: CircuitBuilder;
  readonly #vertices = new Map<PlanNode, number>();
  readonly #sources = new Map<string, { source: SourceDeclaration; vertex: number }>();
  /** The vertices that make rows of tables' records. */
  readonly #tables = new Map<string, number>();
  /** Streams whose rows need their place in the log, and what of it. */
  readonly #ordered = new Map<string, LogOrder>();
  readonly #timed = new Set<string>();
  readonly #fused: PlanNode | null;
  #output: ViewOutput | null = null;
  readonly parking = new ParkedKeys();

  constructor(
    readonly view: ViewDeclaration,
    budget: CacheBudget,
    /** Null: all of it in one circuit, in which nothing need be moved. */
    readonly stage: number | null,
  ) {
    this.#builder = new CircuitBuilder(budget);
    this.#fused = fusedAggregate(view);
  }

  compile(): CompiledStage {
    const { view, stage } = this;
    const last = stageOf(view.plan);
    const received = stage === null || stage === 0 ? [] : this.#exchangesTo(stage);
    for (const node of received) this.vertexOf(node);
    const output = stage === null || stage === last ? this.#show() : null;
    const sent = output === null ? this.#send() : null;
    const circuit = this.#builder.build();
    return {
      stage: stage ?? last,
      circuit,
      output: output ?? sent!.nothingShown(view.buckets),
      sent,
      received: received.map((_, index) => receivedName(index)),
      errors: this.#builder.errorCollection,
      lates: circuit.lates,
      parking: this.parking,
      inputs: [...this.#sources].map(([name, { source }]) => ({
        name,
        source,
        order: source.kind === 'stream' ? (this.#ordered.get(source.name) ?? null) : null,
      })),
      sources: sourcesOf(view.plan),
      timed: this.#timed,
      states: circuit.states.map(({ name, kind }) => ({ name, kind })),
    };
  }

  #show(): ViewOutput {
    const { view } = this;
    const plan = this.vertexOf(view.plan);
    // What a dependent may act on is brought to it with the rows.
    const { lates, watermarks } = view.plan.relation;
    if (!lates) for (const { time } of watermarks) this.needsTime(time);
    const output = this.#output ?? this.#makeOutput(null);
    this.#builder.vertex('view', output, [plan]);
    return output;
  }

  /** A stage in the middle: its ticks send what the next one receives, and know of time what any behind acts on. */
  #send(): ExchangeOutput {
    const { view } = this;
    const stage = this.stage!;
    const nodes = this.#exchangesTo(stage + 1);
    const vertices = nodes.map(({ input }) => this.vertexOf(input));
    for (const source of timedOf(view)) this.#timed.add(source);
    const sent = new ExchangeOutput(
      nodes.map(({ input, by, relation }): SentRows => {
        const textOf = keyTextOfColumns(input.relation.columns, by);
        const count = partitionsOfStage(view, stage + 1);
        return {
          partitionOf: relation.partitions === 1 ? () => 0 : (row) => partitionOfText(textOf(row), count),
          textOf: rowTextOfColumns(input.relation.columns),
        };
      }),
    );
    this.#builder.vertex('exchange', sent, vertices);
    return sent;
  }

  /** What is moved into a stage, in the order of the plan: so both sides number it. */
  #exchangesTo(stage: number): ExchangeNode[] {
    return nodesOf(this.view.plan).filter(
      (node): node is ExchangeNode => node.op === 'exchange' && stageOf(node) === stage,
    );
  }

  // ---- for the kinds of nodes

  /** The vertex that gives the rows of an exchange: what is received, or where all is one circuit its input. */
  exchanged(node: ExchangeNode): number {
    if (this.stage === null) return this.vertexOf(node.input);
    assert(stageOf(node) === this.stage, `A stage reads what was moved to another.`);
    return this.#builder.source(receivedName(this.#exchangesTo(this.stage).indexOf(node)));
  }

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
        this.needsOrder(input, 'position');
        return { kind: 'position', of: positionIn };
    }
  }

  /** The rows of this relation must say their place in the log. */
  needsOrder({ log }: Relation, order: LogOrder = 'time'): void {
    if (log !== null && this.#ordered.get(log) !== 'time') this.#ordered.set(log, order);
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
    const keyOf = keyTextOfColumns(source.columns, source.key);
    const vertex = this.#builder.vertex('upsert', new Upsert(table, keyOf, source.eventTime), [records]);
    this.#tables.set(source.name, vertex);
    return vertex;
  }

  #makeOutput(side: Codec<any> | null): ViewOutput {
    const { view } = this;
    const { relation } = view.plan;
    const appended = onlyComes(relation, view.key);
    return (this.#output = new ViewOutput(this.#builder.keyed('rows', viewRecordCodec(side)), {
      keyOf: keyTextOfColumns(view.columns, view.key),
      textOf: rowTextOfColumns(view.columns),
      appended,
      blocks:
        appended && relation.log !== null && view.indexes.length === 0 ? this.#builder.index(BLOCKS) : null,
      buckets: view.buckets,
      indexes: view.indexes.map((index, place) => ({
        index: this.#builder.index(indexState(place)),
        orderOf: indexOrderText(index),
      })),
    }));
  }

  #nameOf(what: string): string {
    return `${this.#builder.next}.${what}`;
  }
}
