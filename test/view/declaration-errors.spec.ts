import {
  approxContains,
  approxCountDistinct,
  approxPercentile,
  approxTopK,
  checkDeclarations,
  collect,
  collectDistinct,
  computed,
  count,
  cumulating,
  declarationErrors,
  first,
  histogram,
  hopping,
  instant,
  joinText,
  lag,
  minBy,
  percentile,
  rolling,
  rowNumber,
  stddev,
  stream,
  sum,
  table,
  topK,
  tumbling,
  view,
} from 'stillwater';
import { z } from 'zod';
import { DeclarationErrors } from '../../src/errors/stillwater-error.js';
import { problemsOf } from '../../src/view/problem.js';
import type { SourceDeclaration, ViewDeclaration } from '../../src/view/declarations.js';

/** Declarations as they may reach start-up: written without the compiler's checks. */
const loose: any = { stream, table, view };
const flights: any = stream('flights', {
  schema: z.object({
    at: instant(),
    delay: z.int(),
    origin: z.string(),
    destination: z.string(),
    tags: z.array(z.string()),
    gate: z.string().optional(),
  }),
});
const airports: any = table('airports', {
  schema: z.object({ iata: z.string(), code: z.int(), name: z.string() }),
  key: 'iata',
});

const errorsOf = (...declared: { declaration: SourceDeclaration }[]) =>
  declarationErrors(declared.map(({ declaration }) => declaration));
const codes = (...declared: { declaration: SourceDeclaration }[]) =>
  errorsOf(...declared).map((error) => error.code);
const viewOf = (from: any, options: object = {}) => loose.view('v', { from, ...options });

describe('a wrong declaration', () => {
  it('never throws where it is written; everything wrong is told at once', () => {
    const one = viewOf(flights.groupBy('orign').aggregate({ worst: sum('origin' as never) }));
    const two = loose.view('two', {
      from: flights.where(async () => true),
      key: 'nowhere',
      indexes: ['nothing.desc'],
    });
    expect(codes(one, two).sort()).toEqual([
      'bad-function',
      'bad-index',
      'unknown-column',
      'unknown-column',
      'wrong-type',
    ]);
    expect(() => checkDeclarations([one.declaration, two.declaration])).toThrow(DeclarationErrors);
    expect(() => checkDeclarations([one.declaration, two.declaration])).toThrow('5 declarations are wrong.');
  });

  it('says what, where, what follows and what to do', () => {
    const [error] = errorsOf(viewOf(flights.groupBy('orign').aggregate({ n: count() })));
    expect(error!.message).toMatch(
      /^There is no column "orign" to group by\.\n {2}columns {5}at, delay, origin, destination, tags, gate\n {2}written at {2}test\/view\/declaration-errors\.spec\.ts:\d+\nView "v" was not started\.\nName one of these columns/,
    );
    expect(error).toMatchObject({ place: expect.stringMatching(/declaration-errors\.spec\.ts:\d+$/) });
  });

  it('is told once, with all views that build on it', () => {
    const wrong = flights.where('not a function');
    const one = loose.view('one', { from: wrong, key: 'origin' });
    const two = loose.view('two', { from: wrong.select({ origin: 'origin' }), key: 'origin' });
    const errors = errorsOf(one, two);
    expect(errors).toHaveLength(1);
    expect(errors[0]!.message).toContain('View "one", view "two" were not started.');
  });

  it('of a stream is found though only the view over it is given', () => {
    const events = loose.stream('events', { schema: z.object({ id: z.string() }), lateness: 'soon' });
    expect(codes(viewOf(events, { key: 'id' }))).toEqual(['no-event-time', 'bad-duration']);
  });
});

describe('keys', () => {
  it('that do not identify a row are refused', () => {
    const byTwo = flights.groupBy('origin', 'destination').aggregate({ n: count() });
    const [error] = errorsOf(loose.view('routes', { from: byTwo, key: 'origin' }));
    expect(error!.message.split('\n')).toEqual([
      'View "routes" was not started: its key does not identify a row.',
      '  key         origin',
      '  grouped by  origin, destination',
      expect.stringMatching(/^ {2}written at {2}test\/view/),
      'Rows of one origin would replace one another.',
      'Add "destination" to `key`, or group by origin alone.',
    ]);
  });

  it('may hold more than is needed', () => {
    expect(codes(viewOf(airports, { key: ['iata', 'code'] }))).toEqual([]);
  });

  it('are needed where nothing is known to identify a row', () => {
    expect(codes(viewOf(flights))).toEqual(['no-key']);
    expect(codes(viewOf(flights, { key: 'origin' }))).toEqual([]);
  });

  it('are columns of the rows, of text, numbers or booleans', () => {
    expect(codes(viewOf(flights, { key: 'nowhere' }))).toEqual(['unknown-column']);
    expect(codes(viewOf(flights, { key: 'tags' }))).toEqual(['wrong-type']);
    expect(codes(loose.table('t', { schema: z.object({ a: z.string().optional() }), key: 'a' }))).toEqual([
      'nullable-key',
    ]);
    expect(codes(loose.table('t', { schema: z.object({ a: z.string() }) }))).toEqual(['no-key']);
    expect(codes(loose.table('t', { schema: z.object({ a: z.string() }), key: 'b' }))).toEqual([
      'unknown-column',
    ]);
  });
});

describe('names', () => {
  it('of two views, or of two different streams, are not equal', () => {
    const one = viewOf(airports);
    expect(codes(one, viewOf(airports.where(() => true)))).toEqual(['duplicate-name']);
    const other = stream('flights', { schema: z.object({ id: z.string() }) });
    expect(codes(flights, other)).toEqual(['duplicate-name']);
    expect(
      codes(flights, loose.table('flights', { schema: z.object({ id: z.string() }), key: 'id' })),
    ).toEqual(['duplicate-name']);
    expect(
      codes(flights, loose.stream('others', { schema: z.object({ id: z.string() }), redisKey: 'flights' })),
    ).toEqual(['duplicate-name']);
  });

  it('may be declared twice in the same words', () => {
    const make = () => stream('same', { schema: z.object({ id: z.string().min(2) }) });
    expect(codes(make(), make())).toEqual([]);
  });

  it('fit in a path', () => {
    expect(codes(loose.view('a/b', { from: airports }))).toEqual(['bad-name']);
    expect(codes(loose.view('', { from: airports }))).toEqual(['bad-name']);
    expect(codes(loose.view('a-b_c.d:e', { from: airports }))).toEqual([]);
  });

  it('of columns are not words of the REST interface, and do not begin with a dollar sign', () => {
    const grouped = flights.groupBy('origin');
    expect(codes(viewOf(grouped.aggregate({ count: count() })))).toEqual(['bad-name']);
    expect(codes(viewOf(grouped.aggregate({ limit: count(), order: count() })))).toEqual([
      'bad-name',
      'bad-name',
    ]);
    expect(codes(viewOf(flights.select({ $id: 'origin' }), { key: '$id' }))).toContain('bad-name');
    expect(codes(loose.stream('s', { schema: z.object({ 'a.b': z.string() }) }))).toEqual(['bad-name']);
    expect(codes(loose.stream('s', { schema: z.object({ order: z.string() }) }))).toEqual([]);
  });

  it('of columns occur once', () => {
    expect(codes(viewOf(flights.groupBy('origin').aggregate({ origin: count() })))).toEqual(['column-twice']);
    expect(
      codes(viewOf(flights.groupBy('origin', { origin: 'destination' }).aggregate({ n: count() }))),
    ).toEqual(['column-twice']);
    expect(
      codes(viewOf(flights.join({ origin: airports }, { on: { origin: 'iata' } }), { key: 'delay' })),
    ).toEqual(['column-twice']);
    expect(codes(viewOf(flights.unnest('tags', { as: 'origin' }), { key: 'delay' }))).toEqual([
      'column-twice',
    ]);
  });
});

describe('columns and types', () => {
  const byOrigin = flights.groupBy('origin');

  it('that are joined hold the same kind of values', () => {
    expect(
      codes(viewOf(flights.join({ a: airports }, { on: { origin: 'code' } }), { key: 'origin' })),
    ).toEqual(['join-types']);
    expect(codes(viewOf(flights.join({ a: airports }, { on: { tags: 'iata' } }), { key: 'origin' }))).toEqual(
      ['join-types'],
    );
    expect(codes(viewOf(flights.join({ a: airports }, { on: {} }), { key: 'origin' }))).toEqual([
      'join-keys',
    ]);
    expect(codes(viewOf(flights.join({}, { on: { origin: 'iata' } }), { key: 'origin' }))).toContain(
      'join-sides',
    );
    expect(
      codes(viewOf(flights.join({ a: undefined }, { on: { origin: 'origin' } }), { key: 'origin' })),
    ).toEqual(['not-a-collection']);
  });

  it('that are united are the same', () => {
    expect(
      codes(viewOf(flights.select({ a: 'origin' }).union(flights.select({ a: 'delay' })), { key: 'a' })),
    ).toEqual(['union-columns']);
    expect(
      codes(viewOf(flights.select({ a: 'origin' }).union(flights.select({ b: 'origin' })), { key: 'a' })),
    ).toEqual(['union-columns']);
  });

  it('that are grouped by hold text, numbers or booleans', () => {
    expect(codes(viewOf(flights.groupBy('tags').aggregate({ n: count() })))).toContain('wrong-type');
  });

  it('of a schema are those that JSON can keep', () => {
    expect(codes(loose.stream('s', { schema: z.object({ at: z.date(), id: z.bigint() }) }))).toEqual([
      'unstorable-column',
      'unstorable-column',
    ]);
    expect(
      codes(viewOf(flights.select({ at: computed(z.date() as never, () => null as never) }), { key: 'at' })),
    ).toContain('unstorable-column');
    expect(codes(loose.stream('s', { schema: z.string() }))).toEqual(['bad-schema']);
    expect(codes(loose.stream('s', { schema: z.object({}) }))).toEqual(['no-columns']);
  });

  it('of an event time are instants that are always there', () => {
    const schema = z.object({ at: z.string(), on: instant().optional() });
    expect(codes(loose.stream('s', { schema, eventTime: 'at' }))).toEqual(['wrong-type']);
    expect(codes(loose.stream('s', { schema, eventTime: 'on' }))).toEqual(['wrong-type']);
    expect(codes(loose.stream('s', { schema, eventTime: 'when' }))).toEqual(['unknown-column']);
    const rows = z.object({ id: z.string(), at: z.string(), on: instant() });
    expect(codes(loose.table('t', { schema: rows, key: 'id', eventTime: 'at' }))).toEqual(['wrong-type']);
    expect(codes(loose.table('t', { schema: rows, key: 'id', eventTime: 'when' }))).toEqual([
      'unknown-column',
    ]);
    expect(codes(loose.table('t', { schema: rows, key: 'id', lateness: '1h' }))).toEqual(['no-event-time']);
    expect(codes(loose.stream('s', { schema: rows, lateness: '1h' }))).toEqual(['no-event-time']);
    const [error] = errorsOf(viewOf(loose.stream('s', { schema: rows, lateness: '1h' }), { key: 'id' }));
    expect(error!.message).toContain('Stream "s" has a `lateness` and no event time to measure it by.');
    expect(error!.message).toContain(`Name the column that says when an event happened: eventTime: '…'.`);
    const timed = { schema: rows, key: 'id', eventTime: 'on', lateness: 'soon' };
    expect(codes(loose.table('t', timed))).toEqual(['bad-duration']);
    expect(codes(loose.table('t', { ...timed, lateness: '1h' }))).toEqual([]);
  });

  it('taken first or last need an order', () => {
    const twice = viewOf(airports.groupBy('name').aggregate({ code: first('code' as never) }));
    expect(errorsOf(twice)[0]!.message).toContain("first('code', { by: '…' })");
    expect(
      codes(
        viewOf(airports.groupBy('name').aggregate({ code: first('code' as never, { by: 'iata' as never }) })),
      ),
    ).toEqual([]);
    expect(codes(viewOf(byOrigin.aggregate({ d: first('delay' as never) })))).toEqual([]);
    expect(codes(viewOf(airports.select({ id: '$position', iata: 'iata' }), { key: 'iata' }))).toEqual([
      'no-position',
    ]);
  });

  it('of an index exist, have an order and are declared once', () => {
    const given = { key: 'origin' };
    expect(codes(viewOf(flights, { ...given, indexes: ['nowhere.desc'] }))).toEqual(['bad-index']);
    expect(codes(viewOf(flights, { ...given, indexes: ['tags'] }))).toEqual(['bad-index']);
    expect(codes(viewOf(flights, { ...given, indexes: ['delay', 'delay'] }))).toEqual(['bad-index']);
  });
});

describe('options', () => {
  it('are refused where they are impossible', () => {
    const schema = z.object({ id: z.string() });
    expect(codes(loose.stream('s', { schema, partitions: 0 }))).toEqual(['bad-partitions']);
    expect(codes(loose.stream('s', { schema, partitions: 4 }))).toEqual(['no-partition-key']);
    expect(codes(loose.stream('s', { schema, retain: { age: '30 days' } }))).toEqual(['bad-duration']);
    expect(codes(loose.stream('s', { schema, retain: { entries: 0 } }))).toEqual(['bad-retention']);
    expect(codes(viewOf(airports, { buckets: 0 }))).toEqual(['bad-option']);
    expect(codes(viewOf(airports, { promote: 'never' }))).toEqual(['bad-option']);
    expect(codes(viewOf(undefined))).toEqual(['not-a-collection']);
    const [grouped] = errorsOf(viewOf(flights.groupBy('origin')));
    expect(grouped!.message).toMatch(/is made from groups, and does not say what of each[^]*\.aggregate\(\{/);
    expect(codes(viewOf(flights.select({})))).toContain('no-columns');
  });
});

describe('a module compiled without its types being checked', () => {
  it('is told of options that there are not, instead of being heard in part', () => {
    expect(errorsOf(viewOf(airports, { index: ['code'] }))[0]!.message).toContain('an option "index"');
    const schema = z.object({ id: z.string() });
    expect(codes(loose.stream('s', { schema, late: '1h' }))).toEqual(['unknown-option']);
    expect(codes(loose.table('t', { schema, key: 'id', keys: 'id' }))).toEqual(['unknown-option']);
    expect(codes(loose.stream('s', { schema, retain: { days: 30 } }))).toEqual(['unknown-option']);
    for (const retain of ['30d', 30, null])
      expect(codes(loose.stream('s', { schema, retain }))).toEqual(['bad-retention']);
    const kept = (retain: unknown) => codes(viewOf(flights, { key: 'at', retain }));
    expect(kept({ age: '1d', on: 'at' })).toContain('unknown-option');
    for (const retain of [null, 30]) expect(kept(retain)).toContain('bad-duration');
  });

  it('is told so of each operator, window and aggregate', () => {
    const schema = z.object({ id: z.string(), at: instant(), list: z.array(z.int()), n: z.int() });
    const s: any = stream('s', { schema, eventTime: 'at', lateness: '5m' });
    const t: any = table('t', { schema, key: 'id', eventTime: 'at' });
    const on = { id: 'id' };
    const typo = { thiz: 1 } as never;
    const of = (collection: any) =>
      errorsOf(viewOf(collection, { key: 'id' }))
        .map(({ message }) =>
          /(\S+\(\)|`within`|The frame)[^]* has an option "(\w+)"/.exec(message)?.slice(1),
        )
        .filter(Boolean);
    const columns = (columns: object) => s.over({ order: 'n' }, columns);
    const within = { before: '1m', after: '1m' };
    const asked: [string, any][] = [
      ['unnest()', s.unnest('list', { as: 'one', thiz: 1 })],
      ['except()', s.except(s, typo)],
      ['intersect()', s.intersect(s, typo)],
      ['top()', s.top(1, { order: 'n', thiz: 1 })],
      ['dedupe()', s.dedupe({ by: 'id', thiz: 1 })],
      ['over()', s.over({ order: 'n', thiz: 1 }, { number: rowNumber() })],
      ['lag()', columns({ x: lag('n' as never, typo) })],
      ['rolling()', columns({ x: rolling(sum('n' as never), { rows: 2, thiz: 1 } as never) })],
      ['The frame', columns({ x: rolling(sum('n' as never), { rows: { before: 1, thiz: 1 } } as never) })],
      ['window()', s.window(tumbling('1h'), typo).rows()],
      ['tumbling()', s.window(tumbling('1h', typo)).rows()],
      ['hopping()', s.window(hopping('1h', { every: '30m', thiz: 1 } as never)).rows()],
      ['cumulating()', s.window(cumulating('1h', { every: '30m', thiz: 1 } as never)).rows()],
      ['last()', s.last('1h', typo)],
      ['during()', s.during({ from: 'at', thiz: 1 })],
      ['join()', s.join({ r: t }, { on, thiz: 1 })],
      ['leftJoin()', s.leftJoin({ r: t }, { on, thiz: 1 })],
      ['rightJoin()', s.rightJoin({ r: t }, { on, thiz: 1 })],
      ['fullJoin()', s.fullJoin({ r: t }, { on, thiz: 1 })],
      ['semiJoin()', s.semiJoin(t, { on, thiz: 1 })],
      ['antiJoin()', s.antiJoin(t, { on, thiz: 1 })],
      ['joinAsOf()', s.joinAsOf({ r: t }, { on, thiz: 1 })],
      ['leftJoinAsOf()', s.leftJoinAsOf({ r: t }, { on, thiz: 1 })],
      ['`within`', s.join({ r: s }, { on, within: { ...within, thiz: 1 } })],
      [
        'evolve()',
        s
          .groupBy('id')
          .evolve(z.object({ x: z.int() }), { x: 0 }, typo)
          .with((state: any) => state),
      ],
      ...[
        first('n' as never, typo),
        minBy('n' as never, typo),
        stddev('n' as never, typo),
        histogram('n' as never, { bounds: [1], thiz: 1 } as never),
        percentile('n' as never, 0.5, typo),
        topK('n' as never, 2, typo),
        collect('n' as never, typo),
        collectDistinct('n' as never, typo),
        joinText('id' as never, typo),
        approxCountDistinct('id' as never, typo),
        approxPercentile('n' as never, 0.5, typo),
        approxTopK('id' as never, 2, typo),
        approxContains('id' as never, { expected: 10, thiz: 1 } as never),
      ].map((aggregate): [string, any] => [
        `${(aggregate as any).kind}()`,
        s.groupBy('id').aggregate({ x: aggregate }),
      ]),
    ];
    expect(asked.map(([name, collection]) => [name, of(collection)])).toEqual(
      asked.map(([name]) => [name, [[name, 'thiz']]]),
    );
    expect(of(s.window((hopping as any)('1h')).rows())).toEqual([]);
  });

  it('is told what is no aggregate, such as one that was never called', () => {
    for (const wrong of [count, 5, null, 'count', rolling(sum('delay' as never), { rows: 2 })])
      expect(codes(viewOf(flights.groupBy('origin').aggregate({ n: wrong })))).toEqual(['bad-option']);
  });

  it('is told where a schema is missing', () => {
    expect(codes(loose.stream('s', { schema: { id: z.string() } }))).toEqual(['bad-schema']);
    expect(codes(loose.stream('s'))).toEqual(['bad-schema']);
    const aside: any = loose.stream('s', { schema: { id: z.string() } });
    expect(codes(viewOf(aside, { key: 'id' }))).toEqual(['bad-schema', 'unknown-column']);
    expect(
      codes(
        viewOf(flights.select({ delay: computed(((row: any) => row.delay) as never, undefined as never) }), {
          key: 'delay',
        }),
      ),
    ).toContain('bad-schema');
    expect(
      codes(
        viewOf(
          flights.flatMap(() => []),
          { key: [] },
        ),
      ),
    ).toContain('bad-schema');
  });

  it('is told of lists where there are none, and of none where there is one', () => {
    expect(codes(viewOf(flights.groupBy(['origin']).aggregate({ n: count() })))).toEqual(['bad-option']);
    expect(codes(viewOf(airports, { indexes: 'code' }))).toEqual(['bad-index']);
    expect(codes(viewOf(airports, { indexes: [5] }))).toEqual(['bad-index']);
    expect(codes(viewOf(flights.top(1, { per: 5, order: 5 }), { key: 'at' }))).toEqual([
      'unknown-column',
      'wrong-type',
      'bad-order',
    ]);
    expect(codes(viewOf(airports, { key: 5 }))).toEqual(['unknown-column']);
    expect(codes(loose.view('v'))).toEqual(['not-a-collection']);
  });
});

describe('plans that move rows too often', () => {
  const orders: any = stream('orders', {
    schema: z.object({ id: z.string(), region: z.string() }),
    partitions: 4,
    partitionBy: 'region',
  });
  const regions: any = table('regions', {
    schema: z.object({ region: z.string(), name: z.string() }),
    partitions: 4,
    key: 'region',
  });

  it('are refused, and say where to cut them', () => {
    const moved = orders.groupBy('id').aggregate({ n: count() });
    expect(codes(viewOf(moved))).toEqual([]);
    expect(codes(viewOf(moved.groupBy('n').aggregate({ ids: count() })))).toEqual([]);
    expect(codes(viewOf(moved.select({ n: 'n' }), { key: 'n' }))).toEqual([]);
    let often = orders.select({ m: 'id' });
    for (let moves = 0; moves < 7; moves++)
      often = often.groupBy('m').aggregate({ n: count() }).select({ m: 'n' });
    expect(codes(viewOf(often, { key: 'm' }))).toEqual(['needs-exchange']);
    const again = often.groupBy('m').aggregate({ n: count() });
    expect(codes(viewOf(again))).toEqual(['needs-exchange']);
    expect(problemsOf(again)[0]!.remedy).toContain('Make a view of what comes before and read that');
    const cut: any = view('cut', { from: moved } as never);
    expect(codes(viewOf(cut.groupBy('n').aggregate({ ids: count() })))).toEqual([]);
  });

  it('are cut where the second view says that it may be torn: it cannot be made of what the first is', () => {
    let often = orders.select({ m: 'id' });
    for (let moves = 1; moves < 7; moves++)
      often = often.groupBy('m').aggregate({ n: count() }).select({ m: 'n' });
    const cut: any = loose.view('cut', { from: often.groupBy('m').aggregate({ n: count() }) });
    expect(codes(cut)).toEqual([]);
    const over = cut.groupBy('n').aggregate({ ids: count() });
    expect(codes(viewOf(over))).toEqual(['torn']);
    expect(errorsOf(viewOf(over))[0]!.message).toMatch(
      /views +cut[^]*more than 7 times|more than 7 times[^]*mayTear: true/,
    );
    expect(codes(viewOf(over, { mayTear: true }))).toEqual([]);
    expect(codes(viewOf(over, { mayTear: 'yes' }))).toEqual(['bad-option']);
  });

  it('are those only: what is partitioned alike runs', () => {
    expect(codes(viewOf(orders.groupBy('region').aggregate({ n: count() })))).toEqual([]);
    expect(
      codes(viewOf(orders.join({ r: regions }, { on: { region: 'region' } }), { key: ['region', 'id'] })),
    ).toEqual([]);
  });

  it('read themselves', () => {
    const inner = loose.view('inner', { from: airports });
    const outer = loose.view('outer', { from: inner });
    const source = { ...(outer.plan as object), source: outer.declaration };
    const circle: ViewDeclaration = { ...inner.declaration, plan: source };
    const round: any = { ...outer.declaration, plan: { ...outer.declaration.plan, source: circle } };
    const errors = declarationErrors([round, { ...circle, plan: { ...source, source: round } } as never]);
    expect(errors.map((error) => error.code)).toContain('view-cycle');
  });
});
