import {
  avg,
  collect,
  computed,
  count,
  first,
  instant,
  last,
  max,
  stream,
  sum,
  table,
  view,
} from 'stillwater';
import { expectConverges, given } from 'stillwater/testing';
import { z } from 'zod';

const flights = stream('flights', {
  schema: z.object({ at: instant(), delay: z.int(), origin: z.string(), destination: z.string() }),
  eventTime: 'at',
});
const airports = table('airports', { schema: z.object({ iata: z.string(), city: z.string() }), key: 'iata' });

const delaysByAirport = view('delays-by-airport', {
  from: flights
    .where((flight) => flight.delay > -60)
    .groupBy('origin')
    .aggregate({ flights: count(), averageDelay: avg('delay'), worstDelay: max('delay') })
    .join({ airport: airports }, { on: { origin: 'iata' } })
    .select({
      origin: 'origin',
      city: 'airport.city',
      flights: 'flights',
      averageDelay: 'averageDelay',
      worstDelay: 'worstDelay',
    }),
  indexes: ['flights.desc'],
});

const delaysByCity = view('delays-by-city', {
  from: delaysByAirport.groupBy('city').aggregate({ airports: count(), flights: sum('flights') }),
});

const flight = (origin: string, delay: number, at = '2001-01-01T05:00:00Z') => ({
  at,
  delay,
  origin,
  destination: 'SFO',
});
const ord = { iata: 'ORD', city: 'Chicago' };
const mdw = { iata: 'MDW', city: 'Chicago' };

const thrownBy = (call: () => unknown): string => {
  try {
    call();
  } catch (thrown) {
    return (thrown as Error).message;
  }
  throw new Error('nothing was thrown');
};

describe('the test kit', () => {
  it('maintains a view over events and rows, step by step', () => {
    given(flights, [flight('ORD', 10), flight('ORD', 20), flight('MDW', -90), flight('XXX', 1)])
      .and(airports, [ord])
      .expect(delaysByAirport)
      .rows([{ origin: 'ORD', city: 'Chicago', flights: 2, averageDelay: 15, worstDelay: 20 }])
      .afterwards(airports, [{ iata: 'ORD', city: 'Chicago, Illinois' }])
      .rows([{ origin: 'ORD', city: 'Chicago, Illinois', flights: 2, averageDelay: 15, worstDelay: 20 }])
      .afterwards(flights, [flight('ORD', 60)])
      .row('ORD', { origin: 'ORD', city: 'Chicago, Illinois', flights: 3, averageDelay: 30, worstDelay: 60 })
      .row('XXX', null)
      .afterwardsDeleted(airports, ['ORD'])
      .rows([])
      .errors([]);
  });

  it('maintains the views that a view reads', () => {
    given(airports, [ord, mdw])
      .and(flights, [flight('ORD', 10), flight('ORD', 20), flight('MDW', 5)])
      .expect(delaysByCity)
      .rows([{ city: 'Chicago', airports: 2, flights: 3 }])
      .afterwardsDeleted(airports, ['MDW'])
      .rows([{ city: 'Chicago', airports: 1, flights: 2 }])
      .converges();
  });

  it('shows what is missing and what is unexpected side by side, by key', () => {
    const expectation = given(airports, [ord, { iata: 'ATL', city: 'Atlanta' }])
      .and(flights, [flight('ORD', 10), flight('ATL', 7)])
      .expect(delaysByAirport);
    const message = thrownBy(() =>
      expectation.rows([
        { origin: 'ORD', city: 'Chicago', flights: 2, averageDelay: 10, worstDelay: 10 },
        { origin: 'LAX', city: 'Los Angeles', flights: 1, averageDelay: 1, worstDelay: 1 },
      ]),
    );
    expect(message.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['The view "delays-by-airport" does not have the expected rows.'],
      ['key', 'expected', 'maintained'],
      ['ORD', 'flights: 2', 'flights: 1'],
      [
        'LAX',
        '{"origin":"LAX","city":"Los Angeles","flights":1,"averageDelay":1,"worstDelay":1}',
        '(no row)',
      ],
      ['ATL', '(no row)', '{"origin":"ATL","city":"Atlanta","flights":1,"averageDelay":7,"worstDelay":7}'],
    ]);
    expect(thrownBy(() => expectation.row('ORD', null))).toMatch(/of the key ORD\.[^]*\(no row\)/);
  });

  it('does not care in which order rows and columns are written', () => {
    given(airports, [ord])
      .and(flights, [flight('ORD', 10)])
      .expect(delaysByAirport)
      .rows([{ worstDelay: 10, averageDelay: 10, flights: 1, city: 'Chicago', origin: 'ORD' }]);
  });

  it('counts entries that cannot be decoded and rows that a function threw on as errors, and shows them beside wrong rows', () => {
    const ratios = view('ratios', {
      from: flights.select({
        origin: 'origin',
        at: 'at',
        ratio: computed(z.number(), ({ delay }) => {
          if (delay === 0) throw new Error('no delay to divide by');
          return 60 / delay;
        }),
      }),
      key: ['origin', 'at'],
    });
    const expectation = given(flights, [
      flight('ORD', 0),
      flight('ATL', 6),
      { ...flight('LAX', 1), delay: 'late' as never },
    ])
      .entries(flights, [
        { data: '{' },
        { at: '2001-01-02T00:00:00Z', delay: '30', origin: 'SFO', destination: 'ORD' },
      ])
      .expect(ratios)
      .rows([
        { origin: 'ATL', at: '2001-01-01T05:00:00.000Z', ratio: 10 },
        { origin: 'SFO', at: '2001-01-02T00:00:00.000Z', ratio: 2 },
      ])
      .errors(['no delay to divide by', /^delay: /, '`data` is not JSON'])
      .converges();
    expect(thrownBy(() => expectation.errors(['no delay to divide by', 'something else']))).toMatch(
      /missing +something else[^]*unexpected +delay/,
    );
    expect(thrownBy(() => expectation.rows([]))).toMatch('error of "ratios"  no delay to divide by');
  });

  it('keeps the order of the log where a view asks for it, whatever the order of arrival', () => {
    const ends = view('ends', {
      from: flights
        .groupBy('origin')
        .aggregate({ earliest: first('destination'), latest: last('delay'), all: collect('delay') }),
    });
    given(flights, [
      { ...flight('ORD', 1, '2001-01-01T06:00:00Z'), destination: 'LAX' },
      { ...flight('ORD', 2, '2001-01-01T05:00:00Z'), destination: 'ATL' },
    ])
      .and(flights, [flight('ORD', 3, '2001-01-01T06:00:00Z'), flight('ORD', 4, '2001-01-01T05:30:00Z')])
      .expect(ends)
      .rows([{ origin: 'ORD', earliest: 'ATL', latest: 3, all: [1, 2, 3, 4] }])
      .converges({ runs: 40, seed: 7 });
  });

  it('places records of streams and tables with several partitions', () => {
    const orders = stream('orders', {
      schema: z.object({ customer: z.string(), amount: z.number() }),
      partitions: 4,
      partitionBy: 'customer',
    });
    const spent = view('spent', { from: orders.groupBy('customer').aggregate({ total: sum('amount') }) });
    const names = ['Ada', 'Bob', 'Cyd', 'Dan', 'Eve', 'Fay'];
    given(
      orders,
      names.map((customer, index) => ({ customer, amount: index })),
    )
      .and(
        orders,
        names.map((customer) => ({ customer, amount: 1 })),
      )
      .expect(spent)
      .rows([1, 2, 3, 4, 5, 6].map((total, index) => ({ customer: names[index]!, total })))
      .errors([])
      .converges();
  });

  it('finds a view whose function does not answer the same to the same', () => {
    let calls = 0;
    const moody = view('moody', {
      from: flights.select({ origin: 'origin', mood: computed(z.int(), () => Math.floor(calls++ / 5)) }),
      key: 'origin',
    });
    const history = given(
      flights,
      Array.from({ length: 12 }, (_, index) => flight(`A${index}`, index)),
    );
    expect(thrownBy(() => expectConverges(moody, history, { runs: 3, seed: 5 }))).toMatch(
      /depends on more than its log[^]*mood: [^]*caches|all cached/,
    );
    expect(() => expectConverges(moody, history, { runs: 1, seed: 5 })).toThrow(
      expect.objectContaining({ code: 'no-convergence', message: expect.stringMatching('seed: 5') }),
    );
  });

  it('refuses a view that is not well declared with the sentences of its declaration', () => {
    const wrong = view('wrong', {
      from: flights.groupBy('orgin' as never).aggregate({ flights: count() }) as never,
    } as never);
    expect(() => given(flights, []).expect(wrong as never)).toThrow(/orgin/);
  });

  it('leaves a history as it was when something is added to it', () => {
    const base = given(airports, [ord]);
    base
      .and(flights, [flight('ORD', 1)])
      .expect(delaysByAirport)
      .rows([{ origin: 'ORD', city: 'Chicago', flights: 1, averageDelay: 1, worstDelay: 1 }]);
    base.expect(delaysByAirport).rows([]);
  });
});
