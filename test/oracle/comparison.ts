import {
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBStructValue,
  type DuckDBConnection,
} from '@duckdb/node-api';
import { PositionOrders } from '../../src/runtime/position.js';
import type { MemoryStates } from '../../src/testing/memory-states.js';
import { Delta } from '../../src/zset/delta.js';
import { canonical, type Row } from '../../src/zset/value.js';
import { Maintained } from '../support/maintained.js';
import { viewOf } from '../support/plans.js';
import type { Random } from '../support/random.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { DECIMALS, NUMBERS, tableSql, TEXTS, type Twin } from './random-plan.js';

const IDS = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5'];

let database: DuckDBConnection;

/** The database that everything is compared with. */
export async function openDatabase(): Promise<void> {
  database = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  for (const name of ['events', 'things', 'upstream']) await database.run(tableSql(name));
}
export const closeDatabase = (): void => database.closeSync();

/** The same view kept elsewhere as well: given the same ticks, it must show the same rows. */
export interface Mirror {
  tick(inputs: ReadonlyMap<string, Delta>): Promise<void>;
  /** Another owner goes on from what is stored. */
  restart(): Promise<void>;
  rows(): Promise<Row[]>;
}

/** One random plan through one random history. */
type Changes = Record<string, { rows: Row[]; weights: number[]; orders?: string[] }>;

export class Comparison {
  readonly view: Maintained;
  readonly reads: Set<string>;
  readonly history: Changes[] = [];
  /** The rows of the table and the upstream view as they are now. */
  readonly held = { things: new Map<string, Row>(), upstream: new Map<string, Row>() };
  events = 0;
  #mirrored: Mirror | null = null;

  constructor(
    readonly random: Random,
    readonly twin: Twin,
    readonly mirror: ((view: ViewDeclaration) => Promise<Mirror>) | null = null,
  ) {
    const { relation } = twin.node;
    const key = relation.uniqueKey ?? relation.columns.map(({ name }) => name);
    this.view = new Maintained(
      viewOf('maintained', twin.node, key, [relation.columns[0]!.name]),
      random.of([1, 8, 1_000]),
    );
    this.reads = new Set(this.view.compiled.inputs.map(({ name }) => name));
  }

  async run(): Promise<void> {
    this.#mirrored = (await this.mirror?.(this.view.view)) ?? null;
    for (const name of ['events', 'things', 'upstream']) await database.run(`DELETE FROM ${name}`);
    for (const phase of ['add', 'remove', 'add', 'edit', 'mixed'] as const) {
      const ticks = phase === 'remove' ? 1 : 2;
      for (let tick = 0; tick < ticks; tick++) {
        await this.#tick(phase);
        await this.#compare(`${phase} ${tick}`);
      }
    }
    this.#compareReplay();
    await this.#tick('remove');
    await this.#compare('removed');
    if (!this.reads.has('stream:events'))
      expect(this.view.store.toString()).toBe(new Maintained(this.view.view).store.toString());
  }

  async #tick(phase: 'add' | 'remove' | 'edit' | 'mixed'): Promise<void> {
    const { random, view } = this;
    if (random.chance(0.3)) {
      view.restart();
      await this.#mirrored?.restart();
    }
    const statements: string[] = [];
    const changes: Changes = {};
    if (phase !== 'remove') this.#append(changes, statements);
    this.#change('things', phase, changes, statements);
    this.#change('upstream', phase, changes, statements);
    for (const statement of statements) await database.run(statement);
    this.history.push(changes);

    const store = view.store;
    let commit: (() => number) | null = null;
    for (const cut of this.#cuts(changes)) {
      const { circuit } = view.compiled;
      await this.#mirrored?.tick(deltasOf(cut));
      // What a tick leaves for the next ones is done before more comes.
      for (let deltas = deltasOf(cut); ; deltas = new Map()) {
        store.step(circuit, deltas);
        if (random.chance(0.2)) {
          circuit.discard();
          store.step(circuit, deltas);
        }
        view.takeResult();
        commit?.();
        commit = store.seal(circuit);
        if (random.chance(0.5)) {
          commit();
          commit = null;
        }
        if (!circuit.unfinished) break;
      }
    }
    commit?.();
  }

  /** The same changes in one tick or in several, each source's in its order. */
  #cuts(changes: Changes): Changes[] {
    const cuts: Changes[] = [];
    const left = Object.entries(changes).map(([name, change]) => ({ name, change, from: 0 }));
    while (left.some(({ change, from }) => from < change.rows.length)) {
      const cut: Changes = {};
      for (const at of left) {
        if (this.random.chance(0.2)) continue;
        const to = this.random.chance(0.5)
          ? at.change.rows.length
          : Math.min(at.change.rows.length, at.from + 1 + this.random.below(3));
        if (to === at.from) continue;
        cut[at.name] = {
          rows: at.change.rows.slice(at.from, to),
          weights: at.change.weights.slice(at.from, to),
          orders: at.change.orders?.slice(at.from, to),
        };
        at.from = to;
        // Within a tick changes may come in any order; a table's records may not.
        if (at.name === 'view:upstream' && this.random.chance(0.5)) shuffle(cut[at.name]!, this.random);
      }
      cuts.push(cut);
    }
    return cuts;
  }

  #append(changes: Changes, statements: string[]): void {
    const change: Changes[string] = { rows: [], weights: [], orders: [] };
    for (let count = this.random.below(6); count > 0; count--) {
      const row = this.#row(this.random.of(IDS));
      // Events are late now and then: their place is not the order of their arrival.
      const at = new Date(this.random.below(20)).toISOString();
      const order = at + new PositionOrders().of(`${this.events++}-0`, 0);
      change.rows.push(row);
      change.weights.push(1);
      change.orders!.push(order);
      statements.push(insertSql('events', row, order));
    }
    changes['stream:events'] = change;
  }

  #change(
    name: 'things' | 'upstream',
    phase: 'add' | 'remove' | 'edit' | 'mixed',
    changes: Changes,
    statements: string[],
  ): void {
    const { random } = this;
    const held = this.held[name];
    const change: Changes[string] = { rows: [], weights: [] };
    const put = (id: string, after: Row | null): void => {
      const before = held.get(id);
      // A table's records say what replaces what; a view's changes say what goes.
      if (name === 'things') {
        change.rows.push(after ?? { id, k: null, g: null, x: null, m: null, tags: null, o: null });
        change.weights.push(after ? 1 : -1);
      } else {
        if (before) {
          change.rows.push(before);
          change.weights.push(-1);
        }
        if (after) {
          change.rows.push(after);
          change.weights.push(1);
        }
      }
      statements.push(`DELETE FROM ${name} WHERE id = '${id}'`);
      if (after) {
        held.set(id, after);
        statements.push(insertSql(name, after, ''));
      } else held.delete(id);
    };
    if (phase === 'remove') for (const id of [...held.keys()]) put(id, null);
    else
      for (let count = random.below(6); count > 0; count--) {
        const id = random.of(phase === 'edit' && held.size > 0 ? [...held.keys()] : IDS);
        put(id, phase === 'mixed' && random.chance(0.4) ? null : this.#row(id));
      }
    changes[name === 'things' ? 'table:things' : 'view:upstream'] = change;
  }

  #row(id: string): Row {
    const { random } = this;
    return canonicalRow({
      id,
      k: random.chance(0.2) ? null : random.of(TEXTS.slice(0, 4)),
      g: random.chance(0.2) ? null : random.below(4),
      x: random.of(NUMBERS),
      m: random.chance(0.2) ? null : random.of(DECIMALS),
      tags: random.some(TEXTS, 0, 3),
      o: random.chance(0.2) ? null : { a: random.of(TEXTS), n: random.chance(0.2) ? null : random.below(3) },
    });
  }

  async #compare(when: string): Promise<void> {
    const columns = this.twin.node.relation.columns.map(({ name }) => name);
    const reader = await database.runAndReadAll(
      `SELECT DISTINCT ${columns.map((name) => `"${name}"`).join(', ')} FROM (${this.twin.sql})`,
    );
    const expected = reader.getRowObjects().map((row) => sortedText(plain(row)));
    const rows = this.view.rows;
    const actual = rows.map((row) => sortedText(row));
    try {
      expect(actual.sort()).toEqual(expected.sort());
      expect(this.view.rowCount).toBe(rows.length);
      expect(this.view.conflicts).toBe(0);
      for (const row of rows) expect(Object.keys(row)).toEqual(columns);
      if (this.#mirrored)
        expect((await this.#mirrored.rows()).map((row) => JSON.stringify(row)).sort()).toEqual(
          rows.map((row) => JSON.stringify(row)).sort(),
        );
      const indexed = [...(this.view.store.indexes.get('index.0') ?? [])];
      expect(indexed).toHaveLength(rows.length);
    } catch (failure) {
      throw new Error(
        `after "${when}": ${(failure as Error).message}\nhistory ${JSON.stringify(this.history)}`,
        { cause: failure },
      );
    }
  }

  /** All of the history in one tick gives the same rows and the same state, text by text. */
  #compareReplay(): void {
    const replay = new Maintained(this.view.view);
    const all: Changes = {};
    for (const changes of this.history)
      for (const [name, { rows, weights, orders }] of Object.entries(changes)) {
        const into = (all[name] ??= { rows: [], weights: [], orders: orders && [] });
        into.rows.push(...rows);
        into.weights.push(...weights);
        into.orders?.push(...(orders ?? []));
      }
    replay.tick(Object.fromEntries(deltasOf(all)));
    expect(replay.errors).toBe(this.view.errors);
    expect(withoutOrderOfErrors(replay.store)).toEqual(withoutOrderOfErrors(this.view.store));
  }
}

/** What is stored, but for when errors were first seen: that is of the batches, and nothing else may be. */
function withoutOrderOfErrors(store: MemoryStates): unknown {
  const { keyed, ordered, indexes } = JSON.parse(store.toString()) as {
    keyed: [string, [string, string][]][];
    ordered: unknown;
    indexes: unknown;
  };
  const unseen = (state: string, text: string): unknown =>
    state === 'errors' ? { ...JSON.parse(text), seen: 0 } : text;
  return {
    keyed: keyed
      .filter(([state]) => state !== 'errors.count')
      .map(([state, keys]) => [state, keys.map(([key, text]) => [key, unseen(state, text)])]),
    ordered,
    indexes,
  };
}

const deltasOf = (changes: Changes): Map<string, Delta> =>
  new Map(
    Object.entries(changes).map(([name, { rows, weights, orders }]) => [
      name,
      new Delta(rows, weights, orders),
    ]),
  );

function shuffle({ rows, weights }: { rows: Row[]; weights: number[] }, random: Random): void {
  for (let index = rows.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [rows[index], rows[other]] = [rows[other]!, rows[index]!];
    [weights[index], weights[other]] = [weights[other]!, weights[index]!];
  }
}

/** A text in which the order of fields does not matter: DuckDB's structs and ours are compared by what they hold. */
const sortedText = (row: unknown): string => JSON.stringify(canonical(JSON.parse(JSON.stringify(row))));

/** What DuckDB gives as rows hold it: decimals are texts. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof DuckDBDecimalValue) return value.toString();
  if (value instanceof DuckDBListValue) return value.items.map(plain);
  if (value === null || typeof value !== 'object') return value;
  const fields = value instanceof DuckDBStructValue ? value.entries : value;
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, plain(field)]));
}

const canonicalRow = (row: Record<string, unknown>): Row => row as unknown as Row;

function insertSql(table: string, { id, k, g, x, m, tags, o }: Row, order: string): string {
  const text = (value: unknown): string =>
    value === null ? 'NULL' : `'${String(value).replaceAll("'", "''")}'`;
  const number = (value: unknown): string => (value === null ? 'NULL' : `${value as number}`);
  const object = o as { a: string; n: number | null } | null;
  const struct = object === null ? 'NULL' : `{'a': ${text(object.a)}, 'n': ${number(object.n)}::DOUBLE}`;
  return `INSERT INTO ${table} VALUES (${text(id)}, ${text(k)}, ${number(g)}, ${number(x)}, ${m === null ? 'NULL' : (m as string)}, [${(tags as string[]).map(text).join(', ')}]::VARCHAR[], ${struct}, ${text(order)})`;
}
