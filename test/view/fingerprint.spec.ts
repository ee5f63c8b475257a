import {
  approxPercentile,
  computed,
  count,
  countIf,
  instant,
  max,
  maxBy,
  stream,
  table,
  view,
} from 'stillwater';
import { z } from 'zod';
import { kindOf } from '../../src/view/node-kinds.js';
import { normalSource } from '../../src/view/function-source.js';
import { pathsRead } from '../../src/view/paths-read.js';

const base = { at: instant(), delay: z.int(), origin: z.string() };
const flightsOf = (more: Record<string, z.ZodType> = {}, options: object = {}): any =>
  stream('flights', { schema: z.object({ ...base, ...more }), eventTime: 'at', ...options } as never);
const fingerprint = (from: any, options: object = {}): string =>
  (view as any)('v', { from, ...options }).declaration.fingerprint;
const late = (flights: any) =>
  flights
    .where((flight: any) => flight.delay > 15)
    .groupBy('origin')
    .aggregate({ flights: count() });

describe('a fingerprint', () => {
  it('is the same for the same declaration', () => {
    expect(fingerprint(late(flightsOf()))).toBe(fingerprint(late(flightsOf())));
  });

  it('does not depend on formatting, comments or quotes', () => {
    const flights = flightsOf();
    // prettier-ignore
    const other = flights.where((  flight: any  )=>
      /* minutes */ (flight.delay)   > 15 // late
    ).groupBy("origin").aggregate({ flights: count(), });
    expect(fingerprint(other)).toBe(fingerprint(late(flights)));
  });

  it('says of an aggregate in which form it is stored, where that was another once', () => {
    const described = (aggregate: any): any => {
      const { plan } = (view as any)('v', {
        from: flightsOf().groupBy('origin').aggregate({ x: aggregate }),
      }).declaration;
      return JSON.parse(JSON.stringify(kindOf(plan).describe(plan))).aggregates[0][1];
    };
    // Buckets beyond 2^-24 and 2^64 are a doubling each since.
    expect(described(approxPercentile('delay' as never, 0.5))).toMatchObject({ storedForm: 2 });
    expect(described(count())).not.toHaveProperty('storedForm');
  });

  it('changes with anything that decides the rows', () => {
    const flights = flightsOf();
    const changed = [
      fingerprint(late(flights)),
      fingerprint(
        flights
          .where((flight: any) => flight.delay > 16)
          .groupBy('origin')
          .aggregate({ flights: count() }),
      ),
      fingerprint(flights.groupBy('origin').aggregate({ flights: count() })),
      fingerprint(flights.groupBy('delay').aggregate({ flights: count() })),
      fingerprint(flights.groupBy('origin').aggregate({ other: count() })),
      fingerprint(flights.groupBy('origin').aggregate({ flights: max('delay' as never) })),
      fingerprint(
        flights.groupBy('origin').aggregate({ flights: countIf((flight: any) => flight.delay > 15) }),
      ),
      fingerprint(late(flights), { key: ['origin', 'flights'] }),
      fingerprint(late(flights), { indexes: ['flights'] }),
      fingerprint(late(flights), { indexes: ['flights.desc'] }),
      fingerprint(late(flights), { version: '2' }),
      fingerprint(late(flightsOf({}, { lateness: '1h' }))),
      fingerprint(late(flightsOf({}, { eventTime: undefined }))),
      fingerprint(late(flightsOf({}, { redisKey: 'other' }))),
      fingerprint(late(flightsOf({ delay: z.int().min(0) }))),
      fingerprint(late(flightsOf({ delay: z.int().refine((delay) => delay !== 7) }))),
      fingerprint(late(flightsOf({ delay: z.int().refine((delay) => delay !== 8) }))),
    ];
    expect(new Set(changed).size).toBe(changed.length);
  });

  it('does not change with what decides no row', () => {
    expect(
      fingerprint(late(flightsOf()), { description: 'late flights', promote: 'manual', errorsMax: 3 }),
    ).toBe(fingerprint(late(flightsOf())));
  });

  it('does not change with an optional column that nothing reads', () => {
    const wide = { gate: z.string().optional() };
    expect(fingerprint(late(flightsOf(wide)))).toBe(fingerprint(late(flightsOf())));
    const computedDay = (flights: any) =>
      flights
        .groupBy({ day: computed(z.string(), (flight: any) => `${flight.at.slice(0, 10)}`) })
        .aggregate({ n: count() });
    expect(fingerprint(computedDay(flightsOf(wide)))).toBe(fingerprint(computedDay(flightsOf())));
  });

  it('changes with an optional column that may be read, and with a required one', () => {
    const wide = { gate: z.string().optional() };
    const whole = (flights: any) => flights.groupBy('origin').aggregate({ worst: maxBy('delay' as never) });
    expect(fingerprint(whole(flightsOf(wide)))).not.toBe(fingerprint(whole(flightsOf())));
    const opaque = (flights: any) =>
      flights
        .where((flight: any) => Object.keys(flight).length > 2)
        .groupBy('origin')
        .aggregate({ n: count() });
    expect(fingerprint(opaque(flightsOf(wide)))).not.toBe(fingerprint(opaque(flightsOf())));
    expect(fingerprint(late(flightsOf({ gate: z.string() })))).not.toBe(fingerprint(late(flightsOf())));
  });

  it('changes with the views it reads', () => {
    const over = (version: string) => {
      const lower = view('lower', { from: late(flightsOf()), version } as never);
      return fingerprint((lower as any).where((row: any) => row.flights > 1));
    };
    expect(over('1')).not.toBe(over('2'));
  });

  it('changes with what decides the rows of a table', () => {
    const over = (options: object): string =>
      fingerprint(
        table('prices', {
          schema: z.object({ sku: z.string(), price: z.int(), since: instant(), until: instant() }),
          key: 'sku',
          ...options,
        } as never),
      );
    const changed = [
      over({}),
      over({ eventTime: 'since' }),
      over({ eventTime: 'until' }),
      over({ eventTime: 'since', lateness: '1h' }),
    ];
    expect(new Set(changed).size).toBe(changed.length);
  });

  it('counts of a joined table the columns that are read', () => {
    const joined = (more: Record<string, z.ZodType>) => {
      const airports = table('airports', {
        schema: z.object({ iata: z.string(), name: z.string(), ...more }),
        key: 'iata',
      } as never) as any;
      return fingerprint(
        late(flightsOf())
          .join({ airport: airports }, { on: { origin: 'iata' } })
          .select({ origin: 'origin', name: 'airport.name' }),
      );
    };
    expect(joined({ city: z.string().optional() })).toBe(joined({}));
  });
});

describe('the normal form of a source', () => {
  it('is one for what compilers and formatters may write', () => {
    const forms = [
      `(row) => row.city === 'Ålesund' && row.n > 1000`,
      `row=>row.city==="\\u00c5lesund"&&row.n>1_000`,
      `(row) => (row.city) === "Ålesund" /* there */ && row.n > 1e3`,
      `(row,) => row.city === 'Ålesund' && (row.n) > 1000;`,
    ];
    expect(new Set(forms.map(normalSource)).size).toBe(1);
  });

  it('is one with and without parentheses that change nothing', () => {
    const same = (one: string, other: string) => expect(normalSource(one)).toBe(normalSource(other));
    same('({ a, b }) => (a ** 2) / 3 + (b ? 1 : 2)', '({a,b})=>a**2/3+(b?1:2)');
    same('(row) => (row.a > 1 && row.b) || row.c', 'row => row.a > 1 && row.b || row.c');
    same('(row) => (row.a ? 1 : 2)', 'row => row.a ? 1 : 2');
    same('(row) => { return (row.a + 1); }', 'row => { return row.a + 1 }');
    same('(row) => f((row.a + 1), (row.b))', 'row => f(row.a + 1, row.b)');
  });

  it('sees through the prefixes of imported names', () => {
    expect(normalSource('(row) => (0, _busy.isBusy)(row) && _busy.LIMIT > 1')).toBe(
      normalSource('row => isBusy(row) && LIMIT > 1'),
    );
    expect(normalSource('(_row) => _row.delay')).not.toBe(normalSource('(_row) => delay'));
  });

  it('keeps what has a meaning', () => {
    const different = [
      'row => row.a + row.b',
      'row => row.a - row.b',
      `row => row.a + 'row.b'`,
      'row => `${row.a} ${row.b}`',
      'row => `${row.a}  ${row.b}`',
      'row => /a b/.test(row.a)',
      'row => /a  b/.test(row.a)',
      'row => row.a / row.b / 2',
      'row => (row.a + row.b) * 2',
      'row => row.a + row.b * 2',
      'row => row.f(row.a)',
      'row => { return row.a }',
      '(row, other) => row.a',
      'row => row.a - (row.b - row.c)',
      'row => row.a - row.b - row.c',
      'row => !(row.a && row.b)',
      'row => !row.a && row.b',
      'row => (row.a || row.b) && row.c',
      'row => row.a || row.b && row.c',
      'row => (row.a + row.b).length',
      'row => row.a + row.b.length',
      'row => (row.a ? row.b : row.c) ? 1 : 2',
      'row => row.a ? row.b : row.c ? 1 : 2',
      'row => ({ a: row.a })',
      'row => { a: row.a }',
      'row => (row.a, row.b)',
      'row => (-row.a) ** 2',
      'row => -(row.a ** 2)',
      'row => row.a ** (row.b ** 2)',
      'row => (row.a ** row.b) ** 2',
    ];
    expect(new Set(different.map(normalSource)).size).toBe(different.length);
  });

  it('shows the paths that are read, or that they cannot be seen', () => {
    const paths = (source: string) => (pathsRead(source) === null ? null : [...pathsRead(source)!].sort());
    expect(paths('(row) => row.a > 1 && row.b?.c.length')).toEqual(['a', 'b.c.length']);
    expect(paths('function (row) { return row["a"] + x.row }')).toEqual(['a']);
    expect(paths('({ a, b: c }) => a + c')).toEqual(['a', 'b']);
    expect(paths('(row) => `${row.a}-${row.b}`')).toEqual(['a', 'b']);
    expect(paths('() => true')).toEqual([]);
    expect(paths('(row) => helper(row)')).toBeNull();
    expect(paths('(row) => ({ ...row })')).toBeNull();
    expect(paths('({ a, ...rest }) => rest')).toBeNull();
    expect(paths('(row) => row[name]')).toBeNull();
    expect(paths('(row) => `${helper(row)}`')).toBeNull();
    expect(paths('function () { return arguments[0].a }')).toBeNull();
    expect(paths('function (row) { return `${row.a}${arguments[0].b}` }')).toBeNull();
    expect(paths(String(Number.isInteger))).toBeNull();
    expect(paths(String(((rate: number, row: any) => row.a * rate).bind(null, 2)))).toBeNull();
  });
});
