import { stream, table, view } from 'stillwater';
import { z } from 'zod';
import type { State } from '../../../src/circuit/circuit.js';
import { MemoryStates } from '../../../src/testing/memory-states.js';
import { compileView } from '../../../src/view/compile-plan.js';
import type { ViewDeclaration } from '../../../src/view/declarations.js';
import { Delta } from '../../../src/zset/delta.js';

/** A key with a hundred thousand matches is stepped in pages: each reads and writes no more than a named number of rows. */

const MATCHES = 100_000;
/** What one page may read and write: a few thousand fields and members. */
const PAGE_MAX = 6_000;

const flights = stream('flights', { schema: z.object({ id: z.int(), airline: z.string(), delay: z.int() }) });
const airlines = table('airlines', { schema: z.object({ code: z.string(), name: z.string() }), key: 'code' });
const on = { airline: 'code' } as const;

class Paged {
  readonly store = new MemoryStates();
  readonly view: ViewDeclaration;
  compiled;
  steps = 0;
  mostRead = 0;
  mostWritten = 0;

  constructor(from: object) {
    this.view = (view as any)('v', { from, key: ['id'] }).declaration;
    this.compiled = compileView(this.view, { budget: { entriesMax: 1_000 } });
  }

  /** A tick and all that it leaves; another process takes over now and then. */
  tick(inputs: Record<string, Delta>, takeOverEvery = Infinity): void {
    this.steps = this.mostRead = this.mostWritten = 0;
    for (let given = new Map(Object.entries(inputs)); ; given = new Map()) {
      let read = 0;
      const counted = countingReads(this.compiled.circuit.states, (found) => (read += found));
      this.store.step(this.compiled.circuit, given);
      counted();
      this.compiled.output.takeResult();
      this.mostRead = Math.max(this.mostRead, read);
      this.mostWritten = Math.max(this.mostWritten, this.store.commit(this.compiled.circuit));
      if (!this.compiled.circuit.unfinished) return;
      if (++this.steps % takeOverEvery === 0)
        this.compiled = compileView(this.view, { budget: { entriesMax: 1_000 } });
    }
  }

  get rows(): number {
    return this.store.keyed.get('rows')?.size ?? 0;
  }

  row(id: number): any {
    const text = this.store.keyed.get('rows')!.get(JSON.stringify(id));
    return text === undefined ? undefined : JSON.parse(text);
  }
}

/** Counts what states are given to hold while it is on. */
function countingReads(states: readonly State[], count: (found: number) => void): () => void {
  const undo = states.map((state) => {
    if (state.kind === 'index') return () => {};
    const load = state.load;
    state.load = function (this: any, ...loaded: any[]) {
      count(Array.isArray(loaded[1]) ? loaded[1].length : 1);
      return (load as any).apply(this, loaded);
    } as never;
    return () => void (state.load = load as never);
  });
  return () => undo.forEach((back) => back());
}

const flightsOf = (from: number, to: number): Delta => {
  const delta = new Delta<any>();
  for (let id = from; id < to; id++) delta.push({ id, airline: 'UA', delay: id % 7 }, 1);
  return delta;
};
const airline = (name: string): Delta => Delta.of([{ code: 'UA', name }, 1] as const);

function loaded(from: object): Paged {
  const paged = new Paged(from);
  for (let id = 0; id < MATCHES; id += 5_000) paged.tick({ 'stream:flights': flightsOf(id, id + 5_000) });
  return paged;
}

describe('a row that matches a hundred thousand', () => {
  it('comes in pages, and another process goes on where one ended', () => {
    const paged = loaded(flights.leftJoin({ by: airlines }, { on }));
    expect(paged.rows).toBe(MATCHES);
    paged.tick({ 'table:airlines': airline('United') }, 7);
    expect(paged.steps).toBeGreaterThan(MATCHES / 3_000);
    expect(paged.mostRead).toBeLessThan(PAGE_MAX);
    expect(paged.mostWritten).toBeLessThan(PAGE_MAX);
    for (const id of [0, 4_711, MATCHES - 1]) expect(paged.row(id).by.name).toBe('United');
    expect(paged.rows).toBe(MATCHES);
    expect(paged.store.keyed.get('resuming')).toBeUndefined();
  }, 120_000);

  it('turns the rows of a semi join in pages', () => {
    const paged = loaded(flights.semiJoin(airlines, { on }));
    expect(paged.rows).toBe(0);
    paged.tick({ 'table:airlines': airline('United') }, 11);
    expect(paged.rows).toBe(MATCHES);
    expect(paged.mostRead).toBeLessThan(PAGE_MAX);
    expect(paged.mostWritten).toBeLessThan(PAGE_MAX);
    paged.tick({ 'table:airlines': airline('United Airlines') });
    // What only changes a row that is there turns nothing.
    expect(paged.steps).toBe(0);
  }, 120_000);
});
