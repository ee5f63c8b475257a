import {
  computed,
  count,
  countIf,
  cumulating,
  declarationErrors,
  hopping,
  instant,
  max,
  session,
  sliding,
  stream,
  sum,
  table,
  tumbling,
  view,
} from 'stillwater';
import { z } from 'zod';
import { explainView } from '../../src/view/explain.js';

/** Written without the compiler's checks, as declarations may reach start-up. */
const schema = z.object({
  at: instant(),
  booked: instant(),
  until: instant().nullable(),
  origin: z.string(),
  n: z.int(),
});
const flights: any = stream('flights', { schema, eventTime: 'at', lateness: '1h' });
const timeless: any = stream('timeless', { schema, eventTime: 'at' });
const untold: any = stream('untold', { schema });
const airports: any = table('airports', {
  schema: z.object({ iata: z.string(), since: instant() }),
  key: 'iata',
});
const prices: any = table('prices', {
  schema: z.object({ origin: z.string(), since: instant(), until: instant().nullable() }),
  key: 'origin',
  eventTime: 'since',
});
const loose: any = { tumbling, hopping, cumulating, session, sliding };

const viewOf = (from: any, options: object = {}) => (view as any)('v', { from, key: 'origin', ...options });
const errorsOf = (from: any, options: object = {}) => declarationErrors([viewOf(from, options).declaration]);
const grouped = (windowed: any) => windowed.groupBy('origin').aggregate({ n: count() });
const codes = (from: any) =>
  errorsOf(from, { key: ['origin', 'windowStart', 'windowEnd'] }).map(({ code }) => code);

describe('windows', () => {
  it('are of the column with a watermark, else of the stream’s event time, else of one that is named', () => {
    const columnOf = (windowed: any) => windowed.rows().plan.column;
    expect(columnOf(flights.window(tumbling('1h')))).toBe('at');
    expect(columnOf(timeless.window(tumbling('1h')))).toBe('at');
    expect(columnOf(flights.window(tumbling('1h'), { on: 'booked' }))).toBe('booked');
    expect(columnOf(prices.window(tumbling('1h')))).toBe('since');
    const priced = timeless.join({ price: prices }, { on: { origin: 'origin' } });
    expect(columnOf(priced.window(tumbling('1h')))).toBe('at');
    const [error] = errorsOf(grouped(untold.window(tumbling('1h'))), { key: ['origin', 'windowStart'] });
    expect(error!.message).toContain(
      'Nothing says which time of its rows window() means.\n  instants    at, booked, until',
    );
    expect(error!.message).toContain("{ on: '…' }");
  });

  it('are of the same column whether a lateness is declared or not', () => {
    const columnOf = (from: any) => from.window(tumbling('1h')).rows().plan.column;
    const inWindows = (from: any) => from.window(tumbling('10m')).rows();
    expect(
      [flights, timeless].map((from) =>
        columnOf(inWindows(from).select({ at: 'at', windowEnd: 'windowEnd' })),
      ),
    ).toEqual(['at', 'at']);
    const within = { before: '0s', after: '0s' };
    for (const from of [flights, timeless]) {
      const { plan } = inWindows(from).join({ other: from }, { on: { origin: 'origin' }, within });
      expect(plan.within).toMatchObject({ left: 'at', right: 'at' });
    }
    // Called as the event time is, and another: only a watermark tells which is meant.
    const swapped = (from: any) => from.select({ at: 'booked', origin: 'origin', was: 'at' });
    expect(columnOf(swapped(flights))).toBe('was');
    expect(codes(grouped(swapped(timeless).window(tumbling('1h'))))).toContain('no-time-column');
    const last = (from: any) => from.groupBy('origin').aggregate({ at: max('at') });
    expect([flights, timeless].map((from) => columnOf(last(from)))).toEqual(['at', 'at']);
  });

  it('are of instants', () => {
    expect(codes(grouped(flights.window(tumbling('1h'), { on: 'origin' })))).toEqual(['wrong-type']);
    expect(codes(grouped(flights.window(tumbling('1h'), { on: 'nowhere' })))).toEqual(['unknown-column']);
  });

  it.each([
    [() => loose.tumbling('soon'), 'bad-duration'],
    [() => loose.tumbling('0s'), 'bad-duration'],
    [() => loose.tumbling('1h', { offset: '-1h' }), 'bad-duration'],
    [() => loose.tumbling('1d', { timeZone: 'Mars/Olympus' }), 'bad-time-zone'],
    [() => loose.tumbling('7h', { timeZone: 'Europe/Berlin' }), 'bad-window'],
    [() => loose.hopping('1h', { every: '2h' }), 'bad-window'],
    [() => loose.hopping('1d', { every: '1s' }), 'bad-window'],
    [() => loose.hopping('1h', { every: '5m', timeZone: 'Europe/Berlin' }), 'bad-window'],
    [() => loose.cumulating('1d', { every: '7h' }), 'bad-window'],
    [() => loose.session('soon'), 'bad-duration'],
    [() => loose.session('0s'), 'bad-duration'],
    [() => loose.session(), 'bad-duration'],
    [() => loose.sliding('soon'), 'bad-duration'],
    [() => loose.sliding('0s'), 'bad-duration'],
    [() => 'an hour', 'bad-window'],
  ])('that have no meaning are refused: %s', (window, code) => {
    expect(codes(grouped(flights.window(window())))).toEqual([code]);
  });

  it('are not put over columns of their names', () => {
    const once = flights.window(tumbling('1h')).rows();
    expect(codes(grouped(once.window(tumbling('1d'))))).toEqual(['column-twice']);
  });

  it('make the key of their groups: what is grouped by and the start, of cumulating ones the end too', () => {
    const keyOf = (windowed: any) => (view as any)('v', { from: grouped(windowed) }).declaration.key;
    expect(keyOf(flights.window(hopping('1h', { every: '5m' })))).toEqual(['origin', 'windowStart']);
    expect(keyOf(flights.window(cumulating('1h', { every: '5m' })))).toEqual([
      'origin',
      'windowStart',
      'windowEnd',
    ]);
  });

  it('are other definitions where they are other windows', () => {
    const prints = [
      flights.window(tumbling('1h')),
      flights.window(tumbling('2h')),
      flights.window(tumbling('1h', { offset: '5m' })),
      flights.window(tumbling('1h', { timeZone: 'Europe/Berlin' })),
      flights.window(tumbling('1h'), { on: 'booked' }),
      flights.window(hopping('1h', { every: '30m' })),
    ].map((windowed) => (view as any)('v', { from: grouped(windowed) }).declaration.fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
    const same = (view as any)('v', { from: grouped(flights.window(tumbling('60m', { offset: '1h' }))) });
    expect(same.declaration.fingerprint).toBe(prints[0]);
  });
});

describe('sliding windows', () => {
  const near = flights.window(sliding('30m'));

  it('are within groups: rows have none before they are grouped', () => {
    expect(near.rows).toBeUndefined();
    expect(errorsOf(near, { key: 'origin' }).map(({ code }) => code)).toContain('not-a-collection');
  });

  it('make the key of their groups: what is grouped by and the start', () => {
    expect(viewOf(grouped(near), { key: undefined }).declaration.key).toEqual(['origin', 'windowStart']);
  });

  it('have columns that no other has', () => {
    const keyed = (from: any) => errorsOf(from, { key: 'n' }).map(({ code }) => code);
    expect(keyed(near.groupBy({ windowEnd: 'origin' }).aggregate({ n: count() }))).toContain('column-twice');
    expect(keyed(near.groupBy('origin').aggregate({ n: count(), windowEnd: count() }))).toContain(
      'column-twice',
    );
  });

  it('are other definitions where their size, their time or their groups are others', () => {
    const prints = [
      grouped(near),
      grouped(flights.window(session('30m'))),
      grouped(flights.window(sliding('31m'))),
      grouped(flights.window(sliding('30m'), { on: 'booked' })),
      near.groupBy({ origin: 'booked' }).aggregate({ n: count() }),
    ].map((from) => viewOf(from, { key: undefined }).declaration.fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
  });

  it('are explained: what they are of, and what frees them', () => {
    const explained = (from: any) => explainView(viewOf(from, { key: undefined }).declaration);
    expect(explained(grouped(near)).operators.map(({ op, growth }) => [op, growth])).toEqual([
      ['source', 'none'],
      ['sliding', 'freed by windowEnd'],
      ['aggregate', 'freed by windowEnd'],
      ['view', 'grows for ever'],
    ]);
    expect(explained(grouped(near)).text).toContain('sliding 30m for each origin by at');
    expect(explained(grouped(timeless.window(sliding('30m')))).operators.map(({ growth }) => growth)).toEqual(
      ['none', 'grows for ever', 'grows for ever', 'one entry per key'],
    );
  });
});

describe('sessions', () => {
  const visits = flights.window(session('30m'));

  it('are within groups: rows have none before they are grouped', () => {
    expect(visits.rows).toBeUndefined();
    expect(errorsOf(visits, { key: 'origin' }).map(({ code }) => code)).toContain('not-a-collection');
  });

  it('make the key of their groups: what is grouped by and the start', () => {
    expect(viewOf(grouped(visits), { key: undefined }).declaration.key).toEqual(['origin', 'windowStart']);
  });

  it('have columns that no other has', () => {
    const keyed = (from: any) => errorsOf(from, { key: 'n' }).map(({ code }) => code);
    expect(keyed(visits.groupBy({ windowEnd: 'origin' }).aggregate({ n: count() }))).toContain(
      'column-twice',
    );
    expect(keyed(visits.groupBy('origin').aggregate({ n: count(), windowEnd: count() }))).toContain(
      'column-twice',
    );
    expect(keyed(visits.groupBy('nowhere').aggregate({ n: count() }))).toContain('unknown-column');
    const origin = computed(z.string(), ({ origin: code }: any) => code);
    expect(keyed(visits.groupBy({ origin }).aggregate({ n: count() }))).toContain('column-twice');
  });

  it('are other definitions where their gap, their time or their groups are others', () => {
    const prints = [
      grouped(visits),
      grouped(flights.window(session('31m'))),
      grouped(flights.window(session('30m'), { on: 'booked' })),
      visits.groupBy({ origin: 'booked' }).aggregate({ n: count() }),
    ].map((from) => viewOf(from, { key: undefined }).declaration.fingerprint);
    expect(new Set(prints).size).toBe(prints.length);
    expect(viewOf(grouped(flights.window(session('0.5h'))), { key: undefined }).declaration.fingerprint).toBe(
      prints[0],
    );
  });

  it('keep of their rows what is read of them, and what they are made by', () => {
    const inputOf = (from: any): any => viewOf(from, { key: undefined }).declaration.plan;
    const [few, all] = [
      visits.groupBy('origin').aggregate({ n: count() }),
      visits.groupBy('origin').aggregate({ n: countIf((row: any) => JSON.stringify(row).length > 9) }),
    ];
    const columnsOf = (from: any): string[] =>
      inputOf(from).input.relation.columns.map(({ name }: any) => name);
    expect(columnsOf(few)).toEqual(['at', 'origin', 'windowStart', 'windowEnd']);
    expect(columnsOf(all)).toEqual([
      ...flights.plan.relation.columns.map(({ name }: any) => name),
      'windowStart',
      'windowEnd',
    ]);
  });

  it('are explained: what they are of, and what frees them', () => {
    const explained = (from: any) => explainView(viewOf(from, { key: undefined }).declaration);
    expect(explained(grouped(visits)).operators.map(({ op, growth }) => [op, growth])).toEqual([
      ['source', 'none'],
      ['session', 'freed by windowEnd'],
      ['aggregate', 'freed by windowEnd'],
      ['view', 'grows for ever'],
    ]);
    expect(explained(grouped(visits)).text).toContain(
      'sessions for each origin with gaps of more than 30m between them by at',
    );
    expect(explained(grouped(timeless.window(session('30m')))).operators.map(({ growth }) => growth)).toEqual(
      ['none', 'grows for ever', 'grows for ever', 'one entry per key'],
    );
    expect(explained(grouped(visits).final()).text).toContain('results once, when windowEnd is over');
  });
});

describe('final results', () => {
  const because = (from: any): string => {
    const [error] = errorsOf(from, {
      key: ['origin', 'at', 'windowStart'].filter((name) =>
        from.plan.relation.columns.some((column: any) => column.name === name),
      ),
    });
    expect(error).toMatchObject({ code: 'needs-watermark' });
    return error!.message;
  };

  it('are refused where no lateness is declared, naming the stream', () => {
    expect(because(grouped(timeless.window(tumbling('1h'))).final())).toContain(
      'the stream "timeless" declares no lateness, so that an event of any age may still come',
    );
    expect(because(untold.final())).toContain(
      'the stream "untold" does not say which column holds the time of an event',
    );
  });

  it('are refused behind flatMap(), which makes new rows whatever it calls their columns', () => {
    const made = flights.flatMap(
      z.object({ at: instant(), origin: z.string() }),
      (flight: any) => [{ at: flight.at, origin: flight.origin }] as never,
    );
    const [error] = errorsOf(made.final(), { key: 'origin' });
    expect(error).toMatchObject({ code: 'needs-watermark' });
    expect(error!.message).toContain(
      'flatMap() makes new rows: nothing says that what they call at is the time',
    );
    expect(error!.message).toContain('unnest(), which keeps at; or act on time first');
  });

  it('are asked for once of rows that are in windows already, and follow when those are renamed', () => {
    const hours = grouped(flights.window(tumbling('1h')));
    const again = hours
      .window(tumbling('1d'))
      .groupBy('origin')
      .aggregate({ n: sum('n') });
    const [error, ...others] = errorsOf(again, { key: ['origin', 'windowStart'] });
    expect(others).toEqual([]);
    expect(error).toMatchObject({ code: 'column-twice' });
    expect(error!.message).toContain('these have windowStart and windowEnd already');
    const days = hours
      .select({ start: 'windowStart', origin: 'origin', n: 'n' })
      .window(tumbling('1d'), { on: 'start' })
      .groupBy('origin')
      .aggregate({ n: sum('n') });
    expect(errorsOf(days.final(), { key: ['origin', 'windowStart'] })).toEqual([]);
  });

  it('are refused after a table is joined, naming the table and the way out', () => {
    const joined = flights.join({ airport: airports }, { on: { origin: 'iata' } });
    const text = because(grouped(joined.window(tumbling('1h'))).final());
    expect(text).toContain('the table "airports" is joined, and changes rows of any age');
    expect(text).toContain('before the join');
    expect(because(airports.select({ origin: 'iata' }).final())).toContain(
      'the table "airports" may change a row at any time',
    );
  });

  it('are refused over windows of a column without a watermark, and without windows', () => {
    expect(because(grouped(flights.window(tumbling('1h'), { on: 'booked' })).final())).toContain(
      'and not by at',
    );
    expect(because(flights.groupBy('origin').aggregate({ n: count() }).final())).toContain(
      'it is grouped by origin, and not by at',
    );
  });

  it('are refused over sessions of a column without a watermark', () => {
    expect(because(grouped(flights.window(session('1h'), { on: 'booked' })).final())).toContain(
      'its sessions are of booked, and not of at',
    );
    expect(because(grouped(flights.window(sliding('1h'), { on: 'booked' })).final())).toContain(
      'its windows are of booked, and not of at',
    );
    expect(because(grouped(timeless.window(session('1h'))).final())).toContain(
      'the stream "timeless" declares no lateness',
    );
  });

  it('are refused where rows are taken away, or the column that tells is left out', () => {
    expect(because(flights.last('1h').final())).toContain('take rows of any age away again');
    expect(because(flights.select({ origin: 'origin' }).final())).toContain(
      'select() leaves no column of at',
    );
  });

  it('are refused over a view that shows late events', () => {
    const raw = (view as any)('raw', { from: flights, key: ['origin', 'at'] });
    expect(because(raw.final())).toContain('the view "raw" shows late events as any other');
    const hourly = (view as any)('hourly', { from: grouped(flights.window(tumbling('1h'))) });
    expect(errorsOf(hourly.final(), { key: ['origin', 'windowStart'] })).toEqual([]);
  });
});

describe('rows that go by themselves', () => {
  it('need a column of instants and a stream that tells the time', () => {
    const [error] = errorsOf(airports.last('1h', { by: 'since' }), { key: 'iata' });
    expect(error!.message).toContain(
      'last() asks what time it is, which events and records with an event time tell, and these rows come from none that have one.',
    );
    expect(error!.message).toContain('table "airports"');
    expect(errorsOf(untold.last('1h', { by: 'at' }))[0]!.code).toBe('needs-clock');
    expect(codes(flights.last('soon').window(tumbling('1h')).rows())).toEqual(['bad-duration']);
    expect(codes(flights.last('1h', { by: 'n' }).window(tumbling('1h'), { on: 'at' }).rows())).toEqual([
      'wrong-type',
    ]);
    expect(codes(flights.during({}).window(tumbling('1h')).rows())).toEqual(['no-time-column']);
    expect(errorsOf(flights.during({ from: 'booked', until: 'until' }))).toEqual([]);
  });

  it('are told the time by streams, and by tables where there are none', () => {
    const sourcesOf = ({ plan }: any) => plan.time.map(({ source }: any) => source);
    const ends = { from: 'since', until: 'until' };
    expect(errorsOf(prices.during(ends))).toEqual([]);
    expect(sourcesOf(prices.during(ends))).toEqual(['table:prices', 'table:prices']);
    expect(sourcesOf(prices.last('1d'))).toEqual(['table:prices']);
    expect(sourcesOf((view as any)('kept', { from: prices }).last('1d', { by: 'since' }))).toEqual([
      'table:prices',
    ]);
    const priced = timeless.join({ price: prices }, { on: { origin: 'origin' } });
    expect(sourcesOf(priced.last('1d'))).toEqual(['stream:timeless']);
    expect(
      errorsOf(prices.window(tumbling('1d')).groupBy().aggregate({ n: count() }).final(), {
        key: 'windowStart',
      })[0]!.message,
    ).toContain('the table "prices" may change a row at any time');
  });

  it('are told the time by the stream alone where its watermark waits for a table too', () => {
    const late: any = table('late', {
      schema: z.object({ origin: z.string(), since: instant() }),
      key: 'origin',
      eventTime: 'since',
      lateness: '1h',
    });
    const priced = flights.leftJoinAsOf({ price: late }, { on: { origin: 'origin' } });
    expect(priced.plan.relation.watermarks[0].time.map(({ source }: any) => source)).toContain('table:late');
    expect(priced.last('10m').plan.time).toEqual([{ source: 'stream:flights', delayMs: 0 }]);
  });

  it('of a view go by the end of their window, or by the column with a watermark', () => {
    const byOf = (from: any, retain: unknown) =>
      (view as any)('v', { from, key: 'origin', retain }).declaration.plan.until.column;
    expect(byOf(grouped(flights.window(tumbling('1h'))), '30d')).toBe('windowEnd');
    expect(byOf(flights, '30d')).toBe('at');
    expect(byOf(flights, { age: '30d', by: 'booked' })).toBe('booked');
    expect(
      errorsOf(flights.groupBy('origin').aggregate({ n: count() }), { retain: '30d' })[0]!.message,
    ).toContain('Nothing says which time of its rows `retain` means.');
    expect(errorsOf(flights, { retain: 'long' })[0]!.code).toBe('bad-duration');
  });
});

describe('explaining time', () => {
  const growths = (from: any, options: object = {}) =>
    explainView((view as any)('v', { from, ...options }).declaration).operators.map(({ op, growth }) => [
      op,
      growth,
    ]);
  const hourly = grouped(flights.window(tumbling('1h')));

  it('says what frees state, and what nothing frees', () => {
    expect(growths(hourly)).toEqual([
      ['source', 'none'],
      ['window', 'none'],
      ['aggregate', 'freed by windowEnd'],
      ['view', 'grows for ever'],
    ]);
    expect(growths(hourly, { retain: '30d' }).slice(-2)).toEqual([
      ['during', 'freed as time passes'],
      ['view', 'freed as time passes'],
    ]);
    expect(growths(grouped(timeless.window(tumbling('1h'))))[2]).toEqual(['aggregate', 'grows for ever']);
    expect(growths(flights.distinct(), { key: 'at' })[1]).toEqual(['distinct', 'freed by at']);
    expect(growths(timeless.distinct(), { key: 'at' })[1]).toEqual(['distinct', 'grows for ever']);
    expect(growths(flights.final(), { key: 'at' })[1]).toEqual(['final', 'freed by at']);
    expect(growths(hourly.final())[3]).toEqual(['final', 'none']);
  });

  it('says windows and ends in the words they are declared in', () => {
    const text = explainView(
      (view as any)('v', {
        from: flights
          .window(hopping('1d', { every: '12h', offset: '6h' }))
          .groupBy('origin')
          .aggregate({ n: max('n') })
          .final(),
        retain: '30d',
      }).declaration,
    ).text;
    expect(text).toContain('hopping 1d every 12h from 6h by at');
    expect(text).toContain('results once, when windowEnd is over (kept in the groups)');
    expect(text).toContain('until windowEnd + 30d');
  });
});
