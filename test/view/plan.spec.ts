import {
  avg,
  collect,
  computed,
  count,
  declarationErrors,
  first,
  instant,
  last,
  max,
  maxBy,
  min,
  stream,
  sum,
  sumIf,
  table,
  view,
} from 'stillwater';
import { z } from 'zod';
import type { PlanNode } from '../../src/view/plan.js';

const flights = stream('flights', {
  schema: z.object({
    at: instant(),
    delay: z.int(),
    origin: z.string(),
    destination: z.string(),
    gate: z.string().optional(),
    tags: z.array(z.string()),
  }),
  eventTime: 'at',
  lateness: '6h',
});
const airports = table('airports', {
  schema: z.object({ iata: z.string(), name: z.string(), city: z.string() }),
  key: 'iata',
});

const columns = (plan: PlanNode): Record<string, unknown> =>
  Object.fromEntries(plan.relation.columns.map(({ name, type }) => [name, { ...type }]));
const text = { kind: 'string', nullable: false };

describe('declarations', () => {
  it('carry everything that was said, and defaults for the rest', () => {
    expect(flights.declaration).toMatchObject({
      kind: 'stream',
      name: 'flights',
      redisKey: 'flights',
      partitions: 1,
      eventTime: 'at',
      latenessMs: 21_600_000,
      partitionBy: null,
      retain: null,
    });
    const short = stream('s', {
      schema: z.object({ a: z.string() }),
      redisKey: 'elsewhere',
      retain: { age: '30d', entries: 1000 },
    });
    expect(short.declaration).toMatchObject({
      redisKey: 'elsewhere',
      latenessMs: null,
      retain: { ageMs: 2_592_000_000, entriesMax: 1000 },
    });
    expect(view('all-airports', { from: airports }).declaration).toMatchObject({
      kind: 'view',
      name: 'all-airports',
      key: ['iata'],
      indexes: [],
      version: null,
      promote: 'auto',
      buckets: 64,
      errorsMax: 100,
      description: null,
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  it('say where they were written', () => {
    expect(flights.declaration.place).toMatch(/^test\/view\/plan\.spec\.ts:\d+$/);
    expect(flights.where(() => true).plan.place).toMatch(/^test\/view\/plan\.spec\.ts:\d+$/);
  });

  it('are frozen', () => {
    expect(Object.isFrozen(flights.declaration)).toBe(true);
    expect(Object.isFrozen(flights)).toBe(true);
    expect(Object.isFrozen(flights.where(() => true).plan)).toBe(true);
  });
});

describe('relations', () => {
  it('of a stream are append-only and have a place in its log', () => {
    expect(flights.plan.relation).toMatchObject({
      uniqueKey: null,
      appendOnly: true,
      log: 'flights',
      partitions: 1,
      partitionedBy: [],
    });
    expect(airports.plan.relation).toMatchObject({ uniqueKey: ['iata'], appendOnly: false, log: null });
  });

  it('keep a key through where and a renaming select, and lose it when a part of it is dropped or computed', () => {
    expect(airports.where(() => true).plan.relation.uniqueKey).toEqual(['iata']);
    expect(airports.select({ code: 'iata', name: 'name' }).plan.relation.uniqueKey).toEqual(['code']);
    expect(airports.select({ name: 'name' }).plan.relation.uniqueKey).toBeNull();
    expect(
      airports.select({ iata: computed(z.string(), (row) => row.iata) }).plan.relation.uniqueKey,
    ).toBeNull();
  });

  it('stay in the log through where, select, unnest and flatMap, and leave it when grouped, joined or made distinct', () => {
    expect(flights.where(() => true).select({ o: 'origin' }).plan.relation.log).toBe('flights');
    expect(flights.unnest('tags', { as: 'tag' }).plan.relation).toMatchObject({
      log: 'flights',
      appendOnly: true,
    });
    expect(
      flights.select({ p: 'origin' }).union(flights.select({ p: 'destination' })).plan.relation.log,
    ).toBe('flights');
    expect(flights.groupBy('origin').aggregate({ n: count() }).plan.relation).toMatchObject({
      log: null,
      appendOnly: false,
    });
    expect(flights.join({ a: airports }, { on: { origin: 'iata' } }).plan.relation).toMatchObject({
      log: null,
      appendOnly: false,
    });
    expect(flights.distinct().plan.relation).toMatchObject({ log: null, appendOnly: true });
  });

  it('of a join keep the key of the left where the other side has at most one row for each', () => {
    const byOrigin = flights.groupBy('origin').aggregate({ n: count() });
    expect(byOrigin.join({ airport: airports }, { on: { origin: 'iata' } }).plan.relation.uniqueKey).toEqual([
      'origin',
    ]);
    expect(
      byOrigin.join({ airport: airports }, { on: { origin: 'city' } }).plan.relation.uniqueKey,
    ).toBeNull();
  });

  it('follow the columns that decide the partition', () => {
    const orders = stream('orders', {
      schema: z.object({ id: z.string(), region: z.string() }),
      partitions: 4,
      partitionBy: 'region',
    });
    expect(orders.plan.relation).toMatchObject({ partitions: 4, partitionedBy: ['region'] });
    expect(orders.select({ area: 'region' }).plan.relation.partitionedBy).toEqual(['area']);
    expect(orders.select({ id: 'id' }).plan.relation.partitionedBy).toBeNull();
    expect(orders.groupBy('region', 'id').aggregate({ n: count() }).plan.relation.partitionedBy).toEqual([
      'region',
    ]);
  });
});

describe('columns', () => {
  it('of aggregates are null exactly where they can be', () => {
    const plan = flights.groupBy('origin').aggregate({
      n: count(),
      worst: max('delay'),
      gate: min('gate'),
      total: sum('delay'),
      late: sumIf('delay', (flight) => flight.delay > 0),
      mean: avg('delay'),
      all: collect('gate', { order: 'desc' }),
      to: first('destination'),
      from: last('at'),
      whole: maxBy('delay'),
      part: maxBy('gate', { value: 'delay' }),
    }).plan;
    expect(columns(plan)).toMatchObject({
      origin: text,
      n: { kind: 'number', integer: true, nullable: false },
      worst: { kind: 'number', integer: true, nullable: false },
      gate: { kind: 'string', nullable: true },
      total: { kind: 'number', integer: true, nullable: false },
      late: { nullable: true },
      mean: { kind: 'number', integer: false, nullable: false },
      all: { kind: 'array', element: text, nullable: false },
      to: text,
      from: { kind: 'string', format: 'instant', nullable: false },
      whole: { kind: 'object', nullable: false },
      part: { kind: 'number', nullable: true },
    });
    expect(plan).toMatchObject({
      op: 'aggregate',
      aggregates: expect.arrayContaining([
        expect.objectContaining({
          name: 'all',
          aggregate: expect.objectContaining({ options: { order: 'desc' } }),
        }),
      ]),
    });
  });

  it('of the right side of a left join are nullable, and so are the paths into them', () => {
    const joined = flights.leftJoin({ airport: airports }, { on: { origin: 'iata' } });
    expect(columns(joined.plan)).toMatchObject({ airport: { kind: 'object', nullable: true } });
    expect(columns(joined.select({ name: 'airport.name' }).plan)).toEqual({
      name: { kind: 'string', nullable: true },
    });
  });

  it('named by a path take its last step; in groups too', () => {
    const plan = flights
      .join({ airport: airports }, { on: { origin: 'iata' } })
      .groupBy('airport.city', { day: computed(z.string(), (row) => row.at.slice(0, 10)) })
      .aggregate({}).plan;
    expect(plan.relation.columns.map((column) => column.name)).toEqual(['city', 'day']);
    expect(plan.relation.uniqueKey).toEqual(['city', 'day']);
  });

  it('give the place in the log on request', () => {
    const raw = view('raw', { from: flights.select({ id: '$position', origin: 'origin' }), key: 'id' });
    expect(raw.declaration.plan).toMatchObject({
      op: 'select',
      columns: [{ name: 'id', value: { kind: 'position' } }, { name: 'origin' }],
    });
    expect(declarationErrors([raw.declaration])).toEqual([]);
  });

  it('of united collections come in the order of the first', () => {
    const plan = flights
      .select({ a: 'origin', b: 'delay' })
      .union(flights.select({ b: 'delay', a: 'destination' })).plan;
    expect(
      plan.op === 'union' && plan.inputs.map((input) => input.relation.columns.map((column) => column.name)),
    ).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });
});

describe('views', () => {
  const byOrigin = view('by-origin', {
    from: flights.groupBy('origin').aggregate({ flights: count() }),
    indexes: ['flights.desc', ['origin.asc', 'flights.desc']],
  });

  it('are collections that other views read', () => {
    const cities = view('cities', {
      from: byOrigin
        .join({ airport: airports }, { on: { origin: 'iata' } })
        .groupBy('airport.city')
        .aggregate({ flights: sum('flights') }),
    });
    expect(cities.declaration.key).toEqual(['city']);
    expect(byOrigin.plan).toMatchObject({
      op: 'source',
      source: byOrigin.declaration,
      relation: { uniqueKey: ['origin'], appendOnly: false },
    });
    expect(declarationErrors([cities.declaration])).toEqual([]);
  });

  it('read their indexes from the words of order=', () => {
    expect(byOrigin.declaration.indexes).toMatchObject([
      { name: 'flights.desc', columns: [{ path: 'flights', descending: true }] },
      {
        name: 'origin.asc,flights.desc',
        columns: [
          { path: 'origin', descending: false },
          { path: 'flights', descending: true },
        ],
      },
    ]);
  });

  it('of all rows together have one row and an empty key', () => {
    const total = view('total', { from: flights.groupBy().aggregate({ flights: count() }) });
    expect(total.declaration.key).toEqual([]);
    expect(declarationErrors([total.declaration])).toEqual([]);
  });

  it('can be declared from any operator together without a complaint', () => {
    const words = flights
      .flatMap(z.object({ word: z.string() }), (flight) => flight.tags.map((word) => ({ word })))
      .distinct();
    expect(declarationErrors([view('words', { from: words }).declaration])).toEqual([]);
  });
});
