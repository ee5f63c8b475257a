import { z } from 'zod';
import { compileView } from '../../src/view/compile-plan.js';
import { Delta } from '../../src/zset/delta.js';
import { Maintained } from '../support/maintained.js';
import { streamOf, tableOf } from '../support/declared.js';
import {
  aggregate,
  distinct,
  flatMap,
  join,
  select,
  source,
  union,
  unnest,
  viewOf,
  where,
} from '../support/plans.js';

const flights = streamOf(
  'flights',
  z.object({ origin: z.string(), delay: z.int(), tags: z.array(z.string()) }),
);
const airports = tableOf('airports', z.object({ iata: z.string(), city: z.string().nullable() }), ['iata']);
const flight = (origin: string, delay: number, tags: string[] = []) => ({ origin, delay, tags });

const byOrigin = aggregate(
  source(flights),
  { origin: 'origin' },
  {
    flights: { kind: 'count' },
    total: { kind: 'sum', value: 'delay' },
    worst: { kind: 'max', value: 'delay' },
    best: { kind: 'min', value: 'delay' },
  },
);

describe('a compiled view', () => {
  it('keeps one row per group', () => {
    const view = new Maintained(viewOf('by-origin', byOrigin, ['origin']));
    view.tick({
      'stream:flights': [
        [flight('ORD', 5), 1],
        [flight('ORD', 7), 1],
        [flight('LAX', -3), 1],
      ],
    });
    view.restart();
    view.tick({ 'stream:flights': [[flight('ORD', 20), 1]] });
    expect(view.rows).toEqual([
      { origin: 'LAX', flights: 1, total: -3, worst: -3, best: -3 },
      { origin: 'ORD', flights: 3, total: 32, worst: 20, best: 5 },
    ]);
  });

  it('keeps the groups of its last aggregate in its own rows where the keys are the same', () => {
    const renamed = select(
      where(byOrigin, (row) => row.flights > 1),
      { airport: 'origin', flights: 'flights' },
    );
    const { states } = compileView(viewOf('busy', renamed, ['airport']), { budget: { entriesMax: 10 } });
    expect(states.map(({ name }) => name)).toEqual(['errors', 'errors.count', 'rows']);
    const view = new Maintained(viewOf('busy', renamed, ['airport']));
    view.tick({ 'stream:flights': [[flight('ORD', 5), 1]] });
    expect(view.rows).toEqual([]);
    view.restart();
    expect(view.tick({ 'stream:flights': [[flight('ORD', 5), 1]] })).toBe(1);
    expect(view.rows).toEqual([{ airport: 'ORD', flights: 2 }]);
  });

  it('keeps the groups apart where a column between them and the view is computed or missing', () => {
    const computed = select(byOrigin, {
      origin: { schema: z.string(), call: (row) => row.origin.toLowerCase() },
      flights: 'flights',
    });
    const { states } = compileView(viewOf('lower', computed, ['origin']), { budget: { entriesMax: 10 } });
    expect(states.map(({ name }) => name)).toEqual(['errors', 'errors.count', '1.groups', 'rows']);
  });

  it('joins a table, whose rows are replaced and deleted', () => {
    const plan = select(join(byOrigin, source(airports), 'airport', { origin: 'iata' }, 'left'), {
      origin: 'origin',
      flights: 'flights',
      city: 'airport.city',
    });
    const view = new Maintained(viewOf('joined', plan, ['origin']));
    view.tick({ 'stream:flights': [[flight('ORD', 5), 1]] });
    expect(view.rows).toEqual([{ origin: 'ORD', flights: 1, city: null }]);
    view.tick({ 'table:airports': [[{ iata: 'ORD', city: 'Chicago' }, 1]] });
    expect(view.rows).toEqual([{ origin: 'ORD', flights: 1, city: 'Chicago' }]);
    view.restart();
    view.tick({
      'table:airports': [
        [{ iata: 'ORD', city: 'Springfield' }, 1],
        [{ iata: 'ORD', city: 'Shelbyville' }, 1],
      ],
      'stream:flights': [[flight('ORD', 1), 1]],
    });
    expect(view.rows).toEqual([{ origin: 'ORD', flights: 2, city: 'Shelbyville' }]);
    view.tick({ 'table:airports': [[{ iata: 'ORD', city: null }, -1]] });
    expect(view.rows).toEqual([{ origin: 'ORD', flights: 2, city: null }]);
  });

  it('reads a source once, however often its plan names it', () => {
    const tags = unnest(source(flights), 'tags', 'tag');
    const upper = flatMap(source(flights), z.object({ tag: z.string() }), (row) =>
      row.tags.map((tag: string) => ({ tag: tag.toUpperCase() })),
    );
    const plan = distinct(union(select(tags, { tag: 'tag' }), upper));
    const { inputs, circuit } = compileView(viewOf('tags', plan, ['tag']), { budget: { entriesMax: 10 } });
    expect(inputs).toEqual([{ name: 'stream:flights', source: flights, order: null }]);
    expect(circuit.vertices.filter(({ operator }) => operator === null)).toHaveLength(1);
    const view = new Maintained(viewOf('tags', plan, ['tag']));
    view.tick({ 'stream:flights': [[flight('ORD', 5, ['a', 'b', 'A']), 1]] });
    expect(view.rows).toEqual([{ tag: 'A' }, { tag: 'B' }, { tag: 'a' }, { tag: 'b' }]);
  });

  it('asks for the place in the log only where the plan needs it', () => {
    const plan = aggregate(source(flights), { origin: 'origin' }, { last: { kind: 'last', value: 'delay' } });
    const view = new Maintained(viewOf('last', plan, ['origin']));
    expect(view.compiled.inputs[0]!.order).toBe('time');
    expect(new Maintained(viewOf('first', byOrigin, ['origin'])).compiled.inputs[0]!.order).toBeNull();
    view.tick({ 'stream:flights': new Delta([flight('ORD', 1), flight('ORD', 2)], [1, 1], ['b', 'a']) });
    expect(view.rows).toEqual([{ origin: 'ORD', last: 1 }]);
  });

  it('gives the position of a row as a column', () => {
    const plan = select(source(flights), { id: '$position', origin: 'origin' });
    const view = new Maintained(viewOf('log', plan, ['id']));
    expect(view.compiled.inputs[0]!.order).toBe('position');
    view.tick({
      'stream:flights': new Delta(
        [flight('ORD', 1)],
        [1],
        ['2001-01-01T00:00:00.000Z00000000000001-000000000000.000000'],
      ),
    });
    expect(view.rows).toEqual([{ id: '00000000000001-000000000000.000000', origin: 'ORD' }]);
  });

  it('groups by computed columns and counts by tests', () => {
    const plan = aggregate(
      source(flights),
      { late: { schema: z.boolean(), call: (row) => row.delay > 0 } },
      {
        n: { kind: 'count' },
        ord: { kind: 'countIf', test: (row) => row.origin === 'ORD' },
        most: { kind: 'maxBy', by: 'delay' },
      },
    );
    const view = new Maintained(viewOf('late', plan, ['late']));
    view.tick({
      'stream:flights': [
        [flight('ORD', 5), 1],
        [flight('LAX', 9), 1],
        [flight('LAX', 0), 1],
      ],
    });
    expect(view.rows).toEqual([
      { late: false, n: 1, ord: 0, most: flight('LAX', 0) },
      { late: true, n: 2, ord: 1, most: flight('LAX', 9) },
    ]);
  });

  it('makes a row that a function threw on an error, until the row is retracted', () => {
    const totals = aggregate(source(airports), { iata: 'iata' }, { n: { kind: 'count' } });
    const plan = where(
      join(totals, source(airports), 'airport', { iata: 'iata' }),
      (row) => row.airport.city.length > 0,
    );
    const view = new Maintained(viewOf('cities', plan, ['iata']));
    view.tick({
      'table:airports': [
        [{ iata: 'ORD', city: null }, 1],
        [{ iata: 'LAX', city: 'Los Angeles' }, 1],
      ],
    });
    expect(view.errors).toBe(1);
    expect(view.keptErrors).toMatchObject([
      { weight: 1, operator: '4.where', reason: expect.stringContaining('null') },
    ]);
    view.restart();
    view.tick({ 'table:airports': [[{ iata: 'ORD', city: 'Chicago' }, 1]] });
    expect(view.errors).toBe(0);
    expect(view.keptErrors).toEqual([]);
    expect(view.rows).toHaveLength(2);
  });
});
