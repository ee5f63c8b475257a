import { count, declarationErrors, instant, stream, table, tumbling, view } from 'stillwater';
import { z } from 'zod';
import { explainView } from '../../src/view/explain.js';
import { at, Timed } from '../support/timed.js';

const clicks = stream('clicks', {
  schema: z.object({ at: instant(), who: z.string(), page: z.string() }),
  eventTime: 'at',
  lateness: '10m',
});
const orders = stream('orders', {
  schema: z.object({ at: instant(), who: z.string(), amount: z.int() }),
  eventTime: 'at',
  lateness: '5m',
});
const undated = stream('undated', { schema: z.object({ at: instant(), who: z.string() }) });
const customers = table('customers', { schema: z.object({ who: z.string() }), key: 'who' });

const within = { before: '1h', after: '0s' } as const;
const on = { who: 'who' } as const;
const key = ['at', 'who'];
const shown = (of: Timed): string[] =>
  of.rows.map((row: any) => `${row.who ?? '-'} ${row.amount ?? '-'} ${row.page ?? '-'}`).sort();
const run = (from: any): Timed => {
  const columns = { at: 'at', who: 'who', amount: 'amount', page: 'click.page', clicked: 'click.at' };
  const key = ['at', 'who', 'clicked'];
  return new Timed((view as any)('v', { from: from.select(columns), key }).declaration);
};

const click = (time: string, who: string, page: string) => ({ at: at(time), who, page });
const order = (time: string, who: string, amount: number) => ({ at: at(time), who, amount });

describe('a join within an interval', () => {
  it('is behind another whose rows may lack their time: these match nothing, and keep nothing', () => {
    const near = { before: '5m', after: '5m' } as const;
    const from = orders
      .fullJoin({ click: clicks }, { on, within: near })
      .join({ again: clicks }, { on, within: { ...near, left: 'at', right: 'at' } })
      .select({ at: 'at', who: 'who', page: 'click.page', again: 'again.page' });
    const joined = new Timed((view as any)('v', { from, key: ['at', 'who', 'page', 'again'] }).declaration);
    joined.tick({
      'stream:clicks': [click('10:00', 'ada', '/a'), click('10:00', 'eve', '/e')],
      'stream:orders': [order('10:01', 'ada', 1)],
    });
    expect(joined.rows).toMatchObject([{ who: 'ada', page: '/a', again: '/a' }]);
    joined.clock('stream:clicks', at('23:00'));
    joined.clock('stream:orders', at('23:00'));
    expect(joined.kept).toBe(0);
    expect(joined.rows).toHaveLength(1);
  });

  it('joins events that lie near each other, and keeps them no longer than that takes', () => {
    const from = orders.leftJoin({ click: clicks }, { on, within });
    const joined = run(from);
    joined.tick({
      'stream:clicks': [
        click('08:59', 'bob', '/c'),
        click('10:00', 'ada', '/a'),
        click('10:05', 'ada', '/b'),
      ],
    });
    joined.tick({ 'stream:orders': [order('10:00', 'bob', 2), order('10:30', 'ada', 1)] });
    expect(shown(joined)).toEqual(['ada 1 /a', 'ada 1 /b']);
    // The clicks' watermark is their clock less ten minutes: 10:00 is not passed before 10:10.
    joined.tick({ 'stream:clicks': [click('10:10', 'eve', '/d')] });
    expect(shown(joined)).toEqual(['ada 1 /a', 'ada 1 /b']);
    joined.clock('stream:clicks', at('10:50'));
    expect(shown(joined)).toEqual(['ada 1 /a', 'ada 1 /b', 'bob 2 -']);
    joined.clock('stream:clicks', at('13:00')).clock('stream:orders', at('13:00'));
    expect([...joined.store.ordered.keys()]).toEqual([]);
  });

  it('leaves out what is late, and counts it', () => {
    const joined = run(orders.join({ click: clicks }, { on, within }));
    joined.tick({
      'stream:orders': [order('12:00', 'ada', 1), order('11:54', 'ada', 2), order('11:56', 'ada', 3)],
    });
    joined.tick({ 'stream:clicks': [click('11:30', 'ada', '/a')] });
    expect(shown(joined)).toEqual(['ada 1 /a', 'ada 3 /a']);
    expect(joined.late).toBe(1);
  });

  it('has watermarks for both times, each behind the other by the interval', () => {
    const { relation } = orders.fullJoin(
      { click: clicks },
      { on, within: { before: '1h', after: '2m' } },
    ).plan;
    expect(relation.watermarks).toEqual([
      {
        column: 'at',
        time: [
          { source: 'stream:orders', delayMs: 0 },
          { source: 'stream:clicks', delayMs: 120_000 },
        ],
      },
      {
        column: 'click.at',
        time: [
          { source: 'stream:clicks', delayMs: 0 },
          { source: 'stream:orders', delayMs: 3_600_000 },
        ],
      },
    ]);
    expect(relation).toMatchObject({ appendOnly: true, lates: false });
    expect(
      orders.join({ click: undated }, { on, within: { ...within, right: 'at' } }).plan.relation.watermarks,
    ).toEqual([]);
  });

  it('can be grouped by windows behind it, and finished', () => {
    const perHour = orders
      .join({ click: clicks }, { on, within })
      .window(tumbling('1h'), { on: 'at' })
      .groupBy()
      .aggregate({ clicks: count() })
      .final();
    const joined = new Timed(view('per-hour', { from: perHour }).declaration);
    joined.tick({
      'stream:clicks': [click('09:50', 'ada', '/a')],
      'stream:orders': [order('10:20', 'ada', 1)],
    });
    joined.clock('stream:orders', at('11:05')).clock('stream:clicks', at('11:09'));
    expect(joined.rows).toEqual([]);
    joined.clock('stream:clicks', at('11:10'));
    expect(joined.rows).toEqual([{ windowStart: at('10:00'), windowEnd: at('11:00'), clicks: 1 }]);
  });

  it('of kind semi shows a row with its first match, of kind anti when it can have none, and keeps neither longer', () => {
    const how = { on, within: { before: '1h', after: '2m' } } as const;
    const made = (from: any): Timed => new Timed((view as any)('v', { from, key }).declaration);
    const [semi, anti] = [made(orders.semiJoin(clicks, how)), made(orders.antiJoin(clicks, how))];
    const amounts = (of: Timed): unknown[] => of.rows.map(({ amount }: any) => amount);
    for (const joined of [semi, anti])
      joined.tick({ 'stream:orders': [order('10:00', 'ada', 1), order('10:00', 'bob', 2)] });
    expect([amounts(semi), amounts(anti)]).toEqual([[], []]);
    for (const joined of [semi, anti])
      joined.tick({ 'stream:clicks': [click('10:02', 'ada', '/a'), click('10:02', 'ada', '/b')] });
    expect([amounts(semi), amounts(anti)]).toEqual([[1], []]);
    // 10:02 is not passed before 10:12.
    for (const joined of [semi, anti]) joined.clock('stream:clicks', at('10:12'));
    expect(amounts(anti)).toEqual([]);
    for (const joined of [semi, anti]) joined.clock('stream:clicks', at('10:13'));
    expect([amounts(semi), amounts(anti)]).toEqual([[1], [2]]);
    // An order that is not late itself, and comes when no click can.
    for (const joined of [semi, anti]) {
      joined.tick({ 'stream:orders': [order('09:58', 'bob', 3), order('09:59', 'ada', 4)] });
      joined.tick({ 'stream:orders': [order('09:54', 'late', 5)] });
      joined.clock('stream:clicks', at('13:00')).clock('stream:orders', at('13:00'));
      expect(joined.kept).toBe(0);
      expect(joined.late).toBe(1);
    }
    expect([amounts(semi), amounts(anti).sort()]).toEqual([[1], [2, 3, 4]]);
  });

  it('of kind semi and anti has a watermark, by which windows can be finished', () => {
    const how = { on, within: { before: '1h', after: '2m' } } as const;
    const { relation } = orders.antiJoin(clicks, how).plan;
    expect(relation.watermarks).toEqual([
      {
        column: 'at',
        time: [
          { source: 'stream:orders', delayMs: 0 },
          { source: 'stream:clicks', delayMs: 120_000 },
        ],
      },
    ]);
    expect(relation).toMatchObject({ appendOnly: true, lates: false, log: null });
    const perHour = orders.antiJoin(clicks, how).window(tumbling('1h')).groupBy().aggregate({ n: count() });
    expect(declarationErrors([view('per-hour', { from: perHour.final() }).declaration])).toEqual([]);
  });

  it('says what it keeps', () => {
    const explained = (from: any) =>
      explainView((view as any)('v', { from, key }).declaration).operators.find(
        ({ op }) => op === 'intervalJoin',
      );
    expect(explained(orders.leftJoin({ click: clicks }, { on, within }))).toMatchObject({
      what: 'left join click on who, click.at from 1h before to 0ms after at',
      growth: 'freed by at and click.at',
    });
    expect(
      explainView(
        view('v', { from: orders.antiJoin(clicks, { on, within }), key: ['at'] }).declaration,
      ).operators.find(({ op }) => op === 'intervalSemiJoin'),
    ).toMatchObject({
      what: 'anti join on who, at from 1h before to 0ms after at',
      growth: 'freed by at and at of the other side',
    });
    expect(
      explained(orders.join({ click: undated }, { on, within: { ...within, right: 'at' } })),
    ).toMatchObject({
      growth: 'grows for ever',
    });
  });

  it('is refused where nothing says when a row is alone, or what its time is', () => {
    const some: any = orders;
    const codes = (from: any): string[] =>
      declarationErrors([(view as any)('v', { from, key }).declaration]).map(({ code }) => code);
    expect(codes(some.leftJoin({ click: undated }, { on, within: { ...within, right: 'at' } }))).toEqual([
      'needs-watermark',
    ]);
    expect(codes(some.rightJoin({ click: undated }, { on, within: { ...within, right: 'at' } }))).toEqual([]);
    const undatedNear = { on, within: { ...within, right: 'at' } };
    expect(codes(some.antiJoin(undated, undatedNear))).toEqual(['needs-watermark']);
    expect(codes(some.semiJoin(undated, undatedNear))).toEqual([]);
    expect(codes(some.semiJoin(clicks, { on, within: { before: '1h' } }))).toEqual(['bad-duration']);
    expect(codes(some.antiJoin(clicks, { on, within: { ...within, thiz: 1 } }))).toEqual(['unknown-option']);
    expect(codes(some.fullJoin({ c: customers }, { on, within }))).toContain('no-time-column');
    expect(codes(some.join({ click: clicks }, { on, within: { before: '1h' } }))).toEqual(['bad-duration']);
    expect(codes(some.join({ click: clicks }, { on, within: { ...within, left: 'who' } }))).toEqual([
      'wrong-type',
    ]);
    expect(codes(some.join({ click: clicks }, { on, within: { ...within, left: 'when' } }))).toContain(
      'unknown-column',
    );
  });
});
