import { z } from 'zod';
import { avg, count, instant, max, stream, sum, table, view } from '../../src/index.js';
import { given } from '../../src/testing/index.js';
import { declarationErrors } from '../../src/view/declaration-errors.js';
import { stageOf } from '../../src/view/exchange.js';
import { explainView } from '../../src/view/explain.js';
import { sourcesOf } from '../../src/view/plan-nodes.js';

const ORDER = { id: z.int(), at: instant(), buyer: z.string(), amount: z.int() };
const orders = stream('orders', { schema: z.object(ORDER) });
const buyers = table('buyers', { schema: z.object({ buyer: z.string(), city: z.string() }), key: 'buyer' });
const perBuyer = view('per-buyer', { from: orders.groupBy('buyer').aggregate({ n: count() }) });
const spent = view('spent', { from: orders.groupBy('buyer').aggregate({ sum: sum('amount') }) });

const sourceNames = (of: { declaration: { plan: any } }) =>
  sourcesOf(of.declaration.plan).map(({ kind, name }) => `${kind} ${name}`);
const AT = '2029-01-01T00:00:00.000Z';
const placed = given(
  orders,
  ['ann', 'bob', 'ann'].map((buyer, id) => ({ id, at: AT, buyer, amount: 10 * (id + 1) })),
);

describe('a view that reaches one stream by two paths', () => {
  it('through two views: both are made in it', () => {
    const both = view('both', { from: perBuyer.join({ spent }, { on: { buyer: 'buyer' } }) });
    expect(declarationErrors([both.declaration])).toEqual([]);
    expect(sourceNames(both)).toEqual(['stream orders']);
    placed.expect(both).rows([
      { buyer: 'ann', n: 2, spent: { buyer: 'ann', sum: 40 } },
      { buyer: 'bob', n: 1, spent: { buyer: 'bob', sum: 20 } },
    ]);
  });

  it('itself and through a view, which says so where it is explained', () => {
    const busy = view('busy', {
      from: orders.join({ all: perBuyer.where(({ n }) => n > 1) }, { on: { buyer: 'buyer' } }),
      key: 'id',
    });
    expect(sourceNames(busy)).toEqual(['stream orders']);
    expect(explainView(busy.declaration).text).toMatch(/the rows of the view "per-buyer", made here as well/);
    placed.expect(busy).rows([
      { id: 0, at: AT, buyer: 'ann', amount: 10, all: { buyer: 'ann', n: 2 } },
      { id: 2, at: AT, buyer: 'ann', amount: 30, all: { buyer: 'ann', n: 2 } },
    ]);
  });

  it('through views over views, as deep as they meet', () => {
    const cities = view('cities', {
      from: perBuyer
        .join({ who: buyers }, { on: { buyer: 'buyer' } })
        .groupBy({ city: 'who.city' })
        .aggregate({ n: sum('n') }),
    });
    const homes = view('homes', { from: buyers.groupBy('city').aggregate({ buyers: count() }) });
    const deep = view('deep', { from: homes.leftJoin({ cities }, { on: { city: 'city' } }) });
    // What only one of them reads stays a view that is read.
    expect(sourceNames(deep)).toEqual(['table buyers', 'view per-buyer']);
    placed
      .and(buyers, [
        { buyer: 'ann', city: 'here' },
        { buyer: 'bob', city: 'there' },
        { buyer: 'cid', city: 'there' },
      ])
      .expect(deep)
      .rows([
        { city: 'here', buyers: 1, cities: { city: 'here', n: 2 } },
        { city: 'there', buyers: 2, cities: { city: 'there', n: 1 } },
      ]);
  });

  it('also where they meet only behind a view that is made in it', () => {
    const busyOnes = view('busy-ones', { from: perBuyer.where(({ n }) => n > 1) });
    const known = view('known', { from: busyOnes.semiJoin(buyers, { on: { buyer: 'buyer' } }) });
    const met = view('met', {
      from: known
        .join({ all: perBuyer }, { on: { buyer: 'buyer' } })
        .leftJoin({ who: buyers }, { on: { buyer: 'buyer' } }),
    });
    expect(sourceNames(met)).toEqual(['stream orders', 'table buyers']);
    placed
      .and(buyers, [{ buyer: 'ann', city: 'here' }])
      .expect(met)
      .rows([{ buyer: 'ann', n: 2, all: { buyer: 'ann', n: 2 }, who: { buyer: 'ann', city: 'here' } }]);
  });

  it('but reads a view that it joins with itself, and views that share nothing', () => {
    const again = view('again', { from: perBuyer.join({ again: perBuyer }, { on: { buyer: 'buyer' } }) });
    expect(sourceNames(again)).toEqual(['view per-buyer']);
    const apart = view('apart', { from: perBuyer.join({ who: buyers }, { on: { buyer: 'buyer' } }) });
    expect(sourceNames(apart)).toEqual(['view per-buyer', 'table buyers']);
  });

  it('is another view where what is made in it is', () => {
    const total = (version: 1 | 2) => {
      const averages = view('averages', {
        from: orders.groupBy('buyer').aggregate({ value: version === 1 ? avg('amount') : max('amount') }),
      });
      return view('joined', { from: averages.join({ perBuyer }, { on: { buyer: 'buyer' } }) });
    };
    expect(total(1).declaration.fingerprint).not.toBe(total(2).declaration.fingerprint);
    expect(total(1).declaration.fingerprint).toBe(total(1).declaration.fingerprint);
  });

  it('is another view where the version of what is made in it is, which says what nobody can see', () => {
    const joined = (version?: string) => {
      const counted = view('counted', {
        from: orders.groupBy('buyer').aggregate({ all: count() }),
        ...(version !== undefined && { version }),
      });
      return view('joined', { from: counted.join({ perBuyer }, { on: { buyer: 'buyer' } }) });
    };
    expect(joined('1').declaration.fingerprint).not.toBe(joined('2').declaration.fingerprint);
    expect(joined('1').declaration.fingerprint).not.toBe(joined().declaration.fingerprint);
  });

  it('in several partitions: what meets a view that moves rows is moved as often', () => {
    const spread = stream('spread', { schema: z.object(ORDER), partitions: 4, partitionBy: 'id' });
    const perOne = view('per-one', { from: spread.groupBy('buyer').aggregate({ n: count() }) });
    const met = view('met', {
      from: spread.leftJoin({ one: perOne }, { on: { buyer: 'buyer' } }),
      key: ['id', 'buyer'],
    });
    expect(declarationErrors([met.declaration])).toEqual([]);
    expect(stageOf(met.declaration.plan)).toBe(1);
  });

  it('is refused where rows would have to be moved too often, and where the records of a table would', () => {
    const codes = (of: { declaration: any }) => declarationErrors([of.declaration]).map(({ code }) => code);
    const spread = stream('spread', { schema: z.object(ORDER), partitions: 2, partitionBy: 'id' });
    let deep: any = spread;
    for (let move = 1; move < 8; move++)
      deep =
        move % 2
          ? deep.groupBy('amount').aggregate({ buyer: max('buyer') })
          : deep.groupBy('buyer').aggregate({ amount: max('amount') });
    const last = (view as any)('last', { from: deep });
    expect(codes(last)).toEqual([]);
    const few = view('few', { from: spread.groupBy('buyer').aggregate({ n: count() }) });
    const both = (view as any)('both', {
      from: last
        .groupBy('buyer')
        .aggregate({ n: count() })
        .join({ few }, { on: { buyer: 'buyer' } }),
    });
    expect(codes(both)).toEqual(['diamond']);
    expect(declarationErrors([both.declaration])[0]!.message).toMatch(/more than 7 times[^]*spread → last/);

    const rates = table('rates', {
      schema: z.object({ buyer: z.string(), since: instant(), rate: z.int() }),
      key: 'buyer',
      eventTime: 'since',
      partitions: 2,
    });
    const rated = view('rated', {
      from: spread
        .semiJoin(rates, { on: { buyer: 'buyer' } })
        .groupBy('buyer')
        .aggregate({ at: max('at') }),
    });
    const asOf = (view as any)('as-of', {
      from: (rated as any).joinAsOf({ rate: rates }, { on: { buyer: 'buyer' }, at: 'at' }),
    });
    expect(codes(asOf)).toEqual(['diamond']);
    expect(declarationErrors([asOf.declaration])[0]!.message).toMatch(/read where its records lie/);
  });
});

describe('a view that brings rows of several partitions of a view together', () => {
  const spread = stream('spread', { schema: z.object(ORDER), partitions: 3, partitionBy: 'id' });
  const homes = table('homes', {
    schema: z.object({ buyer: z.string(), city: z.string() }),
    key: 'buyer',
    partitions: 3,
  });
  const perOne = view('per-one', {
    from: spread.groupBy('buyer').aggregate({ n: count(), id: max('id') }),
  });
  const errors = (of: { declaration: any }) => declarationErrors([of.declaration]);
  const sums = perOne.groupBy('n').aggregate({ buyers: count(), last: max('id') });
  const explained = (of: { declaration: any }) => explainView(of.declaration).text;

  it('makes it itself: what one event changes there in two partitions it sees at once', () => {
    const whole = view('whole', { from: sums });
    expect(errors(whole)).toEqual([]);
    expect(sourceNames(whole)).toEqual(['stream spread']);
    expect(stageOf(whole.declaration.plan)).toBe(2);
    expect(explained(whole)).toMatch(/the rows of the view "per-one", made here as well: rows of several/);
    const inOne = view('in-one', { from: perOne, partitions: 1 });
    expect(sourceNames(inOne)).toEqual(['stream spread']);
  });

  it('does so with views over views, as deep as such rows come from', () => {
    const named = view('named', { from: perOne.leftJoin({ home: homes }, { on: { buyer: 'buyer' } }) });
    expect(sourceNames(named)).toEqual(['view per-one', 'table homes']);
    const perCity = view('per-city', { from: named.groupBy('home.city').aggregate({ n: sum('n') }) });
    expect(sourceNames(perCity)).toEqual(['stream spread', 'table homes']);
    const all = view('all', { from: perCity.groupBy().aggregate({ n: sum('n') }) });
    expect(sourceNames(all)).toEqual(['stream spread', 'table homes']);
  });

  it('reads it if it says that it may be torn, and where it is explained that is said', () => {
    const torn = view('torn', { from: sums, mayTear: true });
    expect(sourceNames(torn)).toEqual(['view per-one']);
    expect(explained(torn)).toContain('changes of view per-one, of each partition as they come (mayTear)');
    expect(torn.declaration.fingerprint).not.toBe(view('torn', { from: sums }).declaration.fingerprint);
    const plain = view('plain', { from: perOne, mayTear: true });
    expect(explained(plain)).not.toContain('mayTear');
    expect(plain.declaration.fingerprint).toBe(view('plain', { from: perOne }).declaration.fingerprint);
  });

  it('reads it where rows of its partitions do not meet, or are not of one event', () => {
    const homesOf = perOne.join({ home: homes }, { on: { buyer: 'buyer' } });
    expect(sourceNames(view('where-they-lie', { from: homesOf }))).toEqual(['view per-one', 'table homes']);
    // The others are moved to where they lie, and they are passed on.
    const cities = table('cities', {
      schema: z.object({ city: z.string(), buyer: z.string() }),
      key: 'city',
      partitions: 3,
    });
    const passedOn = view('passed-on', {
      from: cities.join({ one: perOne }, { on: { buyer: 'buyer' } }),
      key: ['city', 'buyer'],
    });
    expect(sourceNames(passedOn)).toEqual(['table cities', 'view per-one']);
    const kept = view('kept', { from: spread.where(({ amount }) => amount > 0), key: 'id' });
    const ofLog = view('of-log', { from: kept.groupBy('buyer').aggregate({ n: count() }) });
    expect(sourceNames(ofLog)).toEqual(['view kept']);
    const one = view('one', { from: spread.groupBy('buyer').aggregate({ n: count() }), partitions: 1 });
    expect(sourceNames(view('of-one', { from: one.groupBy('n').aggregate({ ns: count() }) }))).toEqual([
      'view one',
    ]);
  });

  it('moves them to another number of partitions, where they meet', () => {
    expect(sourceNames(view('more', { from: perOne, partitions: 4 }))).toEqual(['stream spread']);
    expect(sourceNames(view('as-many', { from: perOne, partitions: 3 }))).toEqual(['view per-one']);
  });

  it('is refused where the records of a table would have to move for it', () => {
    const rates = table('rates', {
      schema: z.object({ buyer: z.string(), since: instant(), rate: z.int() }),
      key: 'buyer',
      eventTime: 'since',
      partitions: 3,
    });
    const latest = view('latest', { from: spread.groupBy('buyer').aggregate({ at: max('at') }) });
    const rated = (latest as any).joinAsOf({ rate: rates }, { on: { buyer: 'buyer' }, at: 'at' });
    expect(errors((view as any)('rated', { from: rated }))).toEqual([]);
    const perRate = rated.groupBy('rate.rate').aggregate({ buyers: count() });
    const [refused] = errors((view as any)('per-rate', { from: perRate }));
    expect(refused).toMatchObject({ code: 'torn' });
    expect(refused!.message).toMatch(/read where its records lie/);
    expect(errors((view as any)('per-rate', { from: perRate, mayTear: true }))).toEqual([]);
  });
});
