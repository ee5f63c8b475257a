import {
  KeyedArrangement,
  keyedArrangementCodec,
  OrderedArrangement,
  type Arrangement,
} from '../circuit/arrangement.js';
import type { Aggregator } from '../circuit/aggregator.js';
import { aggregatorsByKind } from '../circuit/aggregators/aggregator-of.js';
import type { Circuit } from '../circuit/circuit.js';
import { CircuitBuilder } from '../circuit/circuit-builder.js';
import type { ErrorCollection } from '../circuit/error-collection.js';
import {
  generatedExtension,
  generatedRead,
  generatedRow,
  generatedText,
  type TextColumn,
} from '../circuit/generated-row.js';
import type { KeyedState } from '../circuit/keyed-state.js';
import { json, type Keyed } from '../circuit/operator.js';
import { Aggregate, type Group, groupCodec } from '../circuit/operators/aggregate.js';
import { Distinct } from '../circuit/operators/distinct.js';
import { FlatMap } from '../circuit/operators/flat-map.js';
import { Join, type JoinSide } from '../circuit/operators/join.js';
import { Select, type SelectedColumn, type SelectedValue } from '../circuit/operators/select.js';
import { Union } from '../circuit/operators/union.js';
import { Unnest } from '../circuit/operators/unnest.js';
import { Upsert } from '../circuit/operators/upsert.js';
import { Where } from '../circuit/operators/where.js';
import { isTrue } from '../circuit/row-function.js';
import type { CacheBudget } from '../circuit/two-generations.js';
import { ViewOutput } from '../circuit/view-output.js';
import { RecordSide, type ViewRecord, viewRecordCodec } from '../circuit/view-record.js';
import { keyTextOf, type KeyPart } from '../zset/row-key.js';
import type { Row, Value } from '../zset/value.js';
import { columnAt, holdsOnlyStrings } from './columns.js';
import { checkOf, rowsCheckOf } from './computed-value.js';
import { fusedAggregate } from './fused-aggregate.js';
import { indexOrderText } from './index-order.js';
import type {
  AggregateNode,
  AggregateSpec,
  Column,
  ColumnType,
  Expression,
  FlatMapNode,
  JoinNode,
  PlanNode,
  Relation,
  SelectNode,
  SourceDeclaration,
  UnnestNode,
  ViewDeclaration,
  WhereNode,
} from './plan.js';

/** A view as what maintains it. */
export interface CompiledView {
  readonly circuit: Circuit;
  readonly output: ViewOutput;
  readonly errors: ErrorCollection;
  readonly inputs: readonly CompiledInput[];
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

class PlanCompiler {
  readonly #builder: CircuitBuilder;
  readonly #vertices = new Map<PlanNode, number>();
  readonly #sources = new Map<string, { source: SourceDeclaration; vertex: number }>();
  /** Streams whose rows need their place in the log. */
  readonly #ordered = new Set<string>();
  readonly #fused: AggregateNode | null;
  #records: KeyedState<ViewRecord<any>> | null = null;

  constructor(
    readonly view: ViewDeclaration,
    budget: CacheBudget,
  ) {
    this.#builder = new CircuitBuilder(budget);
    this.#fused = fusedAggregate(view);
  }

  compile(): CompiledView {
    const { view } = this;
    const plan = this.#vertexOf(view.plan);
    const records = (this.#records ??= this.#builder.keyed('rows', viewRecordCodec(null)));
    const output = new ViewOutput(records, {
      keyOf: keyTextOf(keyParts(view.columns, view.key)),
      textOf: generatedText(view.columns.map(({ name, type }) => ({ name, kind: textKind(type) }))),
      buckets: view.buckets,
      indexes: view.indexes.map((index, number) => ({
        index: this.#builder.index(`index.${number}`),
        orderOf: indexOrderText(index),
      })),
    });
    this.#builder.vertex('view', output, [plan]);
    const circuit = this.#builder.build();
    return {
      circuit,
      output,
      errors: this.#builder.errorCollection,
      inputs: [...this.#sources].map(([name, { source }]) => ({
        name,
        source,
        needsOrder: source.kind === 'stream' && this.#ordered.has(source.name),
      })),
      states: circuit.states.map(({ name, kind }) => ({ name, kind })),
    };
  }

  /** The vertex that gives a node's rows; made once, however often the node is used. */
  #vertexOf(node: PlanNode): number {
    let vertex = this.#vertices.get(node);
    if (vertex === undefined) this.#vertices.set(node, (vertex = this.#compile(node)));
    return vertex;
  }

  #compile(node: PlanNode): number {
    switch (node.op) {
      case 'source':
        return this.#source(node.source);
      case 'where':
        return this.#where(node);
      case 'select':
        return this.#select(node);
      case 'flatMap':
        return this.#flatMap(node);
      case 'unnest':
        return this.#unnest(node);
      case 'union': {
        const inputs = node.inputs.map((input) =>
          this.#withColumns(this.#vertexOf(input), input.relation, node.relation.columns),
        );
        return this.#builder.vertex('union', new Union(), inputs);
      }
      case 'distinct': {
        const input = this.#vertexOf(node.input);
        return this.#builder.vertex(
          'distinct',
          new Distinct(this.#builder.keyed(this.#stateName('weights'), json)),
          [input],
        );
      }
      case 'aggregate':
        return this.#aggregate(node);
      case 'join':
        return this.#join(node);
    }
  }

  /** State of the vertex that is made next. */
  #stateName(what: string): string {
    return `${this.#builder.next}.${what}`;
  }

  #errorsOf(op: string) {
    return this.#builder.errors(`${this.#builder.next}.${op}`);
  }

  #source(source: SourceDeclaration): number {
    const name = inputNameOf(source);
    const known = this.#sources.get(name);
    if (known) return known.vertex;
    let vertex = this.#builder.source(name);
    if (source.kind === 'table') {
      const table = this.#builder.keyed<Row>(this.#stateName('table'), json);
      vertex = this.#builder.vertex(
        'upsert',
        new Upsert(table, keyTextOf(keyParts(source.columns, source.key))),
        [vertex],
      );
    }
    this.#sources.set(name, { source, vertex });
    return vertex;
  }

  #where(node: WhereNode): number {
    const input = this.#vertexOf(node.input);
    return this.#builder.vertex('where', new Where(node.predicate.call, this.#errorsOf('where')), [input]);
  }

  #select(node: SelectNode): number {
    const input = this.#vertexOf(node.input);
    const columns = node.columns.map(({ name, value }) => ({
      name,
      value: this.#selected(value, node.input.relation),
    }));
    return this.#builder.vertex('select', new Select(columns, this.#errorsOf('select')), [input]);
  }

  #selected(expression: Expression, input: Relation): SelectedValue {
    switch (expression.kind) {
      case 'path':
        return { kind: 'path', path: expression.path };
      case 'computed':
        return { kind: 'computed', fn: { call: expression.fn.call, check: checkOf(expression.column) } };
      case 'position':
        this.#needsOrder(input);
        return { kind: 'position', of: positionOf };
    }
  }

  #needsOrder(relation: Relation): void {
    if (relation.log !== null) this.#ordered.add(relation.log);
  }

  #flatMap(node: FlatMapNode): number {
    const input = this.#vertexOf(node.input);
    const fn = { call: node.fn.call, check: rowsCheckOf(node.row, node.relation.columns) };
    return this.#builder.vertex('flatMap', new FlatMap(fn, this.#errorsOf('flatMap')), [input]);
  }

  #unnest(node: UnnestNode): number {
    const input = this.#vertexOf(node.input);
    const names = node.relation.columns.map(({ name }) => name);
    const rowOf = generatedExtension(
      names.filter((name) => name !== node.as),
      node.as,
      names.indexOf(node.as),
    );
    return this.#builder.vertex('unnest', new Unnest(generatedRead(node.path), rowOf), [input]);
  }

  /** The rows of a relation with their columns in another order. */
  #withColumns(vertex: number, relation: Relation, columns: readonly Column[]): number {
    if (relation.columns.every(({ name }, index) => name === columns[index]?.name)) return vertex;
    const selected: SelectedColumn[] = columns.map(({ name }) => ({
      name,
      value: { kind: 'path', path: name },
    }));
    return this.#builder.vertex('select', new Select(selected, this.#errorsOf('select')), [vertex]);
  }

  #aggregate(node: AggregateNode): number {
    const { vertex: input, by, parts } = this.#prepared(node);
    const { relation } = node.input;
    const aggregators = parts.map(({ spec, value, by, test }, slot): Aggregator => {
      const inLogOrder = relation.log !== null && (spec.kind === 'first' || spec.kind === 'last');
      if (inLogOrder) this.#needsOrder(relation);
      return aggregatorsByKind[spec.kind]({
        value,
        present: spec.value !== null && !spec.value.column.type.nullable,
        by,
        test,
        descending: spec.descending ?? false,
        inLogOrder,
        appendOnly: relation.appendOnly,
        members: () => this.#builder.ordered(this.#stateName(`members.${slot}`)),
      });
    });
    const codec = groupCodec(aggregators);
    let groups: Keyed<Group>;
    if (node === this.#fused) {
      this.#records = this.#builder.keyed('rows', viewRecordCodec(codec));
      groups = new RecordSide(this.#records);
    } else groups = this.#builder.keyed(this.#stateName('groups'), codec);
    const aggregate = new Aggregate(groups, {
      groupKeyOf: keyTextOf(
        by.map(({ path, column }) => ({
          read: generatedRead(path),
          onlyStrings: holdsOnlyStrings(column.type),
        })),
      ),
      rowOf: generatedRow([
        ...by.map(({ name, path }) => ({ name, from: { path } })),
        ...node.aggregates.map(({ name }, slot) => ({ name, from: { value: slot } })),
      ]),
      aggregators,
    });
    return this.#builder.vertex('aggregate', aggregate, [input]);
  }

  /**
   * What an aggregate reads of its input rows. Where part of that is computed, a select comes before it: functions are
   * called in one kind of place only, and once for each row.
   */
  #prepared(node: AggregateNode): {
    vertex: number;
    by: { name: string; path: string; column: Column }[];
    parts: AggregatePart[];
  } {
    const input = this.#vertexOf(node.input);
    const all = [
      ...node.by.map(({ value }) => value),
      ...node.aggregates.flatMap(({ aggregate }) =>
        [aggregate.value, aggregate.by].filter((value) => value !== null),
      ),
    ];
    const tests = node.aggregates.some(({ aggregate }) => aggregate.test !== null);
    const whole = (spec: AggregateSpec): boolean =>
      spec.value === null && (spec.kind === 'minBy' || spec.kind === 'maxBy');
    if (!tests && all.every(({ kind }) => kind === 'path')) {
      const read = (expression: Expression | null) =>
        expression && generatedRead((expression as { path: string }).path);
      return {
        vertex: input,
        by: node.by.map(({ name, value }) => ({
          name,
          path: (value as { path: string }).path,
          column: value.column,
        })),
        parts: node.aggregates.map(({ aggregate }) => ({
          spec: aggregate,
          value: whole(aggregate) ? (row) => row as unknown as Value : read(aggregate.value),
          by: read(aggregate.by),
          test: null,
        })),
      };
    }
    const columns: SelectedColumn[] = [];
    const add = (value: SelectedValue): string => {
      columns.push({ name: `c${columns.length}`, value });
      return columns.at(-1)!.name;
    };
    const { relation } = node.input;
    const read = (expression: Expression | null) =>
      expression && generatedRead(add(this.#selected(expression, relation)));
    const by = node.by.map(({ name, value }) => ({
      name,
      path: add(this.#selected(value, relation)),
      column: value.column,
    }));
    const parts = node.aggregates.map(({ aggregate: spec }) => ({
      spec,
      value: whole(spec) ? generatedRead(add({ kind: 'row' })) : read(spec.value),
      by: read(spec.by),
      test:
        spec.test && generatedRead(add({ kind: 'computed', fn: { call: spec.test.call, check: isTrue } })),
    }));
    const vertex = this.#builder.vertex('select', new Select(columns, this.#errorsOf('aggregate')), [input]);
    return { vertex, by, parts };
  }

  #join(node: JoinNode): number {
    const left = this.#vertexOf(node.left);
    const right = this.#vertexOf(node.right);
    const keys = node.on.map((pair) => ({
      ...pair,
      // Both sides must write equal values as equal texts.
      onlyStrings:
        holdsOnlyStringsAt(node.left.relation, pair.left) &&
        holdsOnlyStringsAt(node.right.relation, pair.right),
    }));
    const names = node.left.relation.columns.map(({ name }) => name);
    const join = new Join(
      this.#side(
        node.left.relation,
        'left',
        keys.map(({ left, onlyStrings }) => ({ path: left, onlyStrings })),
      ),
      this.#side(
        node.right.relation,
        'right',
        keys.map(({ right, onlyStrings }) => ({ path: right, onlyStrings })),
      ),
      { outer: node.kind === 'left', pairOf: generatedExtension(names, node.as, names.length) },
    );
    return this.#builder.vertex('join', join, [left, right]);
  }

  #side(
    relation: Relation,
    name: 'left' | 'right',
    keys: readonly { path: string; onlyStrings: boolean }[],
  ): JoinSide {
    const oneEach =
      relation.uniqueKey !== null &&
      relation.uniqueKey.every((column) => keys.some(({ path }) => path === column));
    const rows: Arrangement = oneEach
      ? new KeyedArrangement(this.#builder.keyed(this.#stateName(name), keyedArrangementCodec))
      : new OrderedArrangement(this.#builder.ordered(this.#stateName(name)));
    const parts = keys.map(({ path, onlyStrings }) => ({ read: generatedRead(path), onlyStrings }));
    const textOf = keyTextOf(parts);
    return { rows, keyOf: (row) => (parts.some(({ read }) => read(row) === null) ? null : textOf(row)) };
  }
}

interface AggregatePart {
  spec: AggregateSpec;
  value: ((row: Row) => Value) | null;
  by: ((row: Row) => Value) | null;
  test: ((row: Row) => Value) | null;
}

/** The parts of a key text over these columns: of a view's rows, of a table's. */
export function keyParts(columns: readonly Column[], key: readonly string[]): KeyPart[] {
  return key.map((path) => {
    const column = columnAt(columns, path);
    return { read: generatedRead(path), onlyStrings: column !== null && holdsOnlyStrings(column.type) };
  });
}

/** How the values of a column are written; of an enum mostly strings, and anything else as well. */
function textKind({ kind }: ColumnType): TextColumn['kind'] {
  if (kind === 'enum') return 'string';
  return kind === 'string' || kind === 'number' || kind === 'boolean' ? kind : 'other';
}

const holdsOnlyStringsAt = (relation: Relation, path: string): boolean => {
  const column = columnAt(relation.columns, path);
  return column !== null && holdsOnlyStrings(column.type);
};

/** An order text begins with the event's time, an instant of 24 characters; the place in the log is the rest. */
const INSTANT_LENGTH = 24;
const positionOf = (order: string): Value => order.slice(INSTANT_LENGTH);
