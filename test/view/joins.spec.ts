import { declarationErrors, instant, stream, table, view } from 'stillwater';
import { z } from 'zod';
import { explainView } from '../../src/view/explain.js';
import type { PlanNode } from '../../src/view/plan.js';

const flights = stream('flights', {
  schema: z.object({ at: instant(), delay: z.int(), origin: z.string(), gate: z.string().nullable() }),
});
const airports = table('airports', {
  schema: z.object({ iata: z.string(), code: z.int() }),
  key: 'iata',
});
const regions = table('regions', { schema: z.object({ code: z.int(), name: z.string() }), key: 'code' });
const on = { origin: 'iata' } as const;

const nullable = (plan: PlanNode): Record<string, boolean> =>
  Object.fromEntries(plan.relation.columns.map(({ name, type }) => [name, type.nullable]));
const loose = { view: view as any };
const codes = (from: any, key: readonly string[]): string[] =>
  declarationErrors([loose.view('v', { from, key }).declaration]).map(({ code }) => code);

describe('a join', () => {
  it('has null where a row may be missing', () => {
    const none = { at: false, delay: false, origin: false, gate: true };
    const all = { at: true, delay: true, origin: true, gate: true };
    const side = { airport: airports };
    expect(nullable(flights.join(side, { on }).plan)).toEqual({ ...none, airport: false });
    expect(nullable(flights.leftJoin(side, { on }).plan)).toEqual({ ...none, airport: true });
    expect(nullable(flights.rightJoin(side, { on }).plan)).toEqual({ ...all, airport: false });
    expect(nullable(flights.fullJoin(side, { on }).plan)).toEqual({ ...all, airport: true });
    const [delay] = flights.rightJoin(side, { on }).plan.relation.columns.slice(1);
    expect(z.safeParse(delay!.schema, null).success).toBe(true);
  });

  it('keeps the key of the left where the right has one row for each, and the left is never missing', () => {
    const region = { region: regions };
    const byCode = { on: { code: 'code' } } as const;
    expect(airports.join(region, byCode).plan.relation.uniqueKey).toEqual(['iata']);
    expect(airports.leftJoin(region, byCode).plan.relation.uniqueKey).toEqual(['iata']);
    expect(airports.rightJoin(region, byCode).plan.relation.uniqueKey).toBeNull();
    expect(airports.fullJoin(region, byCode).plan.relation.uniqueKey).toBeNull();
    expect(airports.semiJoin(flights, { on: { iata: 'origin' } }).plan.relation.uniqueKey).toEqual(['iata']);
    expect(airports.antiJoin(flights, { on: { iata: 'origin' } }).plan.relation.uniqueKey).toEqual(['iata']);
  });

  it('is append-only where nothing it has shown can go', () => {
    const other = { other: flights };
    const same = { on: { origin: 'origin' } } as const;
    const appendOnly = ({ plan }: { plan: PlanNode }): boolean => plan.relation.appendOnly;
    expect(appendOnly(flights.join(other, same))).toBe(true);
    expect(appendOnly(flights.leftJoin(other, same))).toBe(false);
    expect(appendOnly(flights.rightJoin(other, same))).toBe(false);
    expect(appendOnly(flights.fullJoin(other, same))).toBe(false);
    expect(appendOnly(flights.semiJoin(flights, same))).toBe(true);
    expect(appendOnly(flights.antiJoin(flights, same))).toBe(false);
    expect(appendOnly(flights.join({ airport: airports }, { on }))).toBe(false);
    expect(appendOnly(flights.semiJoin(airports, { on }))).toBe(false);
  });

  it('lies in the partition of a side that is never missing', () => {
    const wide = (name: string, column: string) =>
      stream(name, {
        schema: z.object({ [column]: z.string() }),
        partitions: 4,
        partitionBy: column,
      } as never) as any;
    const [left, right] = [wide('l', 'a'), wide('r', 'b')];
    const placed = (kind: string): unknown =>
      left[kind]({ r: right }, { on: { a: 'b' } }).plan.relation.partitionedBy;
    expect(placed('join')).toEqual(['a']);
    expect(placed('leftJoin')).toEqual(['a']);
    expect(placed('rightJoin')).toEqual(['r.b']);
    expect(placed('fullJoin')).toBeNull();
    expect(left.antiJoin(right, { on: { a: 'b' } }).plan.relation.partitionedBy).toEqual(['a']);
    const byRight = left.rightJoin({ r: right }, { on: { a: 'b' } }).select({ b: 'r.b' });
    expect(byRight.plan.relation.partitionedBy).toEqual(['b']);
    expect(codes(left.fullJoin({ r: right }, { on: { a: 'b' } }), ['a'])).toEqual([]);
  });

  it('is explained with its kind and condition', () => {
    const plan = flights.leftJoin({ airport: airports }, { on, where: (row) => row.delay > 0 });
    const { operators } = explainView(view('v', { from: plan, key: 'at' }).declaration);
    expect(operators.find(({ op }) => op === 'join')).toMatchObject({
      what: 'left join airport on origin = iata where (row)=>row.delay > 0',
      growth: 'grows for ever',
    });
    const anti = view('a', { from: airports.antiJoin(flights, { on: { iata: 'origin' } }) }).declaration;
    expect(explainView(anti).operators.find(({ op }) => op === 'semiJoin')).toMatchObject({
      what: 'anti join on iata = origin',
      // Of the events only their number is kept.
      growth: 'grows with its input',
    });
  });

  it('is another one with another kind or condition', () => {
    const of = (from: any): string => view('v', { from, key: 'at' } as never).declaration.fingerprint;
    const side = { airport: airports };
    const kinds = [
      flights.join(side, { on }),
      flights.leftJoin(side, { on }),
      flights.rightJoin(side, { on }),
      flights.fullJoin(side, { on }),
      flights.join(side, { on, where: (row) => row.delay > 0 }),
      flights.join(side, { on, where: (row) => row.delay > 1 }),
      flights.semiJoin(airports, { on }),
      flights.antiJoin(airports, { on }),
      flights.antiJoin(airports, { on, where: (flight, airport) => flight.delay > airport.code }),
    ];
    expect(new Set(kinds.map(of)).size).toBe(kinds.length);
    expect(of(flights.join(side, { on, where: (row) => row.delay > 0 }))).toBe(
      of(flights.join(side, { on, where: (row) => row.delay > 0 /* late */ })),
    );
  });

  it('is refused where its condition is not one, or its side no collection', () => {
    const some: any = flights;
    expect(codes(some.join({ airport: airports }, { on, where: 'delay > 0' }), ['at'])).toEqual([
      'bad-function',
    ]);
    expect(codes(some.antiJoin(airports, { on, where: async () => true }), ['at'])).toEqual(['bad-function']);
    expect(codes(some.semiJoin({ airport: airports }, { on }), ['at'])).toContain('not-a-collection');
    expect(codes(some.semiJoin(airports, { on: { delay: 'iata' } }), ['at'])).toEqual(['join-types']);
    expect(codes(some.semiJoin(airports, { on: {} }), ['at'])).toEqual(['join-keys']);
  });
});
