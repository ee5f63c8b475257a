import { count, declarationOf, instant, stream, table, tumbling, view } from 'stillwater';
import { z } from 'zod';
import { Expectation, given, History } from '../../src/testing/test-view.js';
import type { StreamDeclaration, ViewDeclaration } from '../../src/view/declarations.js';
import { closing } from '../support/closing.js';
import { source, viewOf } from '../support/plans.js';

const flights = stream('flights', {
  schema: z.object({ at: instant(), origin: z.string() }),
  eventTime: 'at',
  lateness: '30m',
});
const parted = stream('flights', {
  schema: z.object({ at: instant(), origin: z.string() }),
  eventTime: 'at',
  lateness: '30m',
  partitions: 2,
  partitionBy: 'origin',
});
const hoursOf = (of: object): ViewDeclaration =>
  viewOf('hours', closing(source(declarationOf(of) as StreamDeclaration), 'hour'), ['hour']);
const daysOf = (hours: ViewDeclaration): ViewDeclaration =>
  viewOf('days', closing(source(hours), 'day', 1), ['day']);
const on = (history: History, view: ViewDeclaration) => new Expectation<any>(history, view);
const at = (time: string, origin = 'ORD') => ({ at: `2001-01-${time}:00Z`, origin });
const hour = (text: string, n: number) => ({ hour: `2001-01-${text}:00:00.000Z`, n });
const day = (text: string, n: number) => ({ day: `2001-01-${text}T00:00:00.000Z`, n });

const window = (start: string, departures: number) => ({
  origin: 'ORD',
  windowStart: `2001-01-01T${start}:00:00.000Z`,
  windowEnd: `2001-01-01T${Number(start) + 1}:00:00.000Z`,
  departures,
});

describe('time in a test', () => {
  it('passes with the events', () => {
    on(given(flights, [at('01T10:10'), at('01T11:00')]), hoursOf(flights))
      .rows([])
      .afterwards(flights, [at('01T10:59'), at('01T11:30')])
      .rows([hour('01T10', 2)])
      .afterwards(flights, [at('01T10:58'), at('01T12:30')])
      .rows([hour('01T10', 2), hour('01T11', 2)])
      .converges();
  });

  it('passes with heartbeats where no events come', () => {
    on(given(flights, [at('01T10:10')]), hoursOf(flights))
      .rows([])
      .afterwardsHeartbeat(flights, '2001-01-01T11:29:59.999Z')
      .rows([])
      .afterwardsHeartbeat(flights, '2001-01-01T11:30:00Z')
      .rows([hour('01T10', 1)]);
    const history = given(flights, [at('01T10:10')])
      .heartbeat(flights, '2001-01-01T12:00:00Z')
      .and(flights, [at('01T10:20'), at('01T11:40'), at('01T13:00')]);
    on(history, hoursOf(flights))
      .rows([hour('01T10', 1), hour('01T11', 1)])
      .converges();
  });

  it('passes only as fast as the slowest partition', () => {
    const history = given(parted, [at('01T10:10', 'ORD'), at('01T14:00', 'ORD')]);
    on(history, hoursOf(parted))
      .rows([])
      .afterwards(parted, [at('01T10:20', 'LAX'), at('01T11:30', 'LAX')])
      .rows([hour('01T10', 2)])
      .afterwardsHeartbeat(parted, '2001-01-01T14:30:00Z')
      .rows([hour('01T10', 2), hour('01T11', 1)])
      .converges();
  });

  it('comes to a dependent with the rows it is of', () => {
    const events = Array.from({ length: 60 }, (_, index) =>
      at(`0${1 + Math.floor(index / 24)}T${String(index % 24).padStart(2, '0')}:00`),
    );
    on(given(flights, events), daysOf(hoursOf(flights)))
      .rows([day('01', 24), day('02', 24)])
      .afterwardsHeartbeat(flights, '2001-02-01T00:00:00Z')
      .rows([day('01', 24), day('02', 24), day('03', 12)])
      .converges();
  });

  it('says what was too late for a window that is closed, and for no other', () => {
    const windows = view('windows', {
      from: flights.window(tumbling('1h')).groupBy('origin').aggregate({ departures: count() }).final(),
    });
    const history = given(flights, [at('01T10:10'), at('01T11:40'), at('01T10:20'), at('01T11:05')]);
    history
      .heartbeat(flights, '2001-01-01T12:30:00Z')
      .and(flights, [at('01T11:59'), at('01T12:00')])
      .heartbeat(flights, '2001-01-02T00:00:00Z')
      .expect(windows)
      .rows([window('10', 1), window('11', 2), window('12', 1)])
      .late(2)
      .converges();
    expect(() => history.expect(windows).late(0)).toThrow(/expected {4}0\n {2}maintained {2}1/);
  });

  it('is refused where there is none', () => {
    const codes = stream('codes', { schema: z.object({ code: z.string() }) });
    expect(() =>
      on(new History().heartbeat(codes, '2001-01-01T00:00:00Z'), hoursOf(flights)).rows([]),
    ).toThrow('"codes" has no event time');
    expect(() => on(new History().heartbeat(flights, 'soon'), hoursOf(flights)).rows([])).toThrow(
      '"soon" is no instant',
    );
  });
});

describe('a table with event times', () => {
  const prices = table('prices', {
    schema: z.object({ sku: z.string(), price: z.int(), since: instant() }),
    key: 'sku',
    eventTime: 'since',
  });
  const shown = viewOf('shown', source(declarationOf(prices) as never), ['sku']);
  const price = (since: string, price: number, sku = 'a') => ({
    sku,
    price,
    since: `2001-01-${since}T00:00:00.000Z`,
  });

  it('shows the record of the latest time, whatever the order they come in', () => {
    on(given(prices, [price('05', 5), price('03', 3)]), shown)
      .rows([price('05', 5)])
      .afterwards(prices, [price('05', 6)])
      .rows([price('05', 6)])
      .afterwards(prices, [price('06', 7), price('04', 4)])
      .rows([price('06', 7)])
      .converges();
  });

  it('does not bring back what was deleted by a record from before', () => {
    const deletion = (since: string) => ({ op: 'delete', sku: 'a', since: `2001-01-${since}T00:00:00Z` });
    on(given(prices, [price('05', 5)]).entries(prices, [deletion('06')]), shown)
      .rows([])
      .afterwards(prices, [price('04', 4)])
      .rows([])
      .afterwards(prices, [price('06', 6)])
      .rows([price('06', 6)])
      .converges();
    on(given(prices, [price('05', 5)]).entries(prices, [deletion('04')]), shown).rows([price('05', 5)]);
    // A deletion that says no time is of the time of its entry.
    on(
      given(prices, [price('05', 5)])
        .deleted(prices, ['a'])
        .and(prices, [price('04', 4)]),
      shown,
    ).rows([]);
  });
});
