import { count, declarationErrors, instant, stream, table, tumbling, view } from 'stillwater';
import { z } from 'zod';
import { explainView } from '../../src/view/explain.js';
import { Timed } from '../support/timed.js';

/** Joins by a column that has a watermark on both sides: windows, above all. */

const schema = z.object({ at: instant(), id: z.int(), k: z.string().nullable() });
const one: any = stream('one', { schema, eventTime: 'at', lateness: '5m' });
const two: any = stream('two', { schema, eventTime: 'at', lateness: '5m' });
const names: any = table('names', { schema: z.object({ k: z.string() }), key: 'k' });

const instantAt = (minute: number): string => new Date(Date.UTC(2026, 0, 5, 10, minute)).toISOString();
const event = (minute: number, id: number, k: string | null = 'p') => ({ at: instantAt(minute), id, k });
const windows = (of: any) => of.window(tumbling('10m'));
const counts = (of: any) => windows(of).groupBy('k').aggregate({ n: count() });
const on = { k: 'k', windowStart: 'windowStart', windowEnd: 'windowEnd' };
const anyId = { where: (row: any) => row.id <= row.r.id };
const declared = (from: any, key: readonly string[]) => (view as any)('v', { from, key }).declaration;

const byRow = { select: { id: 'id', windowEnd: 'windowEnd', r: 'r.id', rEnd: 'r.windowEnd' } };
const rowKey = ['id', 'windowEnd', 'r', 'rEnd'];
const JOINS: Record<string, () => any> = {
  'rows of windows': () =>
    declared(
      windows(one)
        .rows()
        .join({ r: windows(two).rows() }, { on })
        .select(byRow.select),
      rowKey,
    ),
  'rows of windows, with a condition, all that are alone as well': () =>
    declared(
      windows(one)
        .rows()
        .fullJoin({ r: windows(two).rows() }, { on, ...anyId })
        .select(byRow.select),
      rowKey,
    ),
  'windows that are shown as they go': () =>
    declared(counts(one).leftJoin({ r: counts(two) }, { on }), ['k', 'windowStart']),
  'windows that are over': () =>
    declared(
      counts(one)
        .final()
        .join({ r: counts(two).final() }, { on }),
      ['k', 'windowStart'],
    ),
  'windows that the other has': () =>
    declared(counts(one).semiJoin(counts(two), { on }), ['k', 'windowStart']),
  'rows whose window the other has not': () =>
    declared(windows(one).rows().antiJoin(windows(two).rows(), { on }), ['id', 'windowEnd']),
  'pairs that are final': () =>
    declared(
      counts(one)
        .join({ r: counts(two) }, { on })
        .final(),
      ['k', 'windowStart'],
    ),
};

/** How much is kept beside the rows that are shown. */
function kept({ store }: Timed): number {
  let size = 0;
  for (const [name, values] of store.keyed) if (name !== 'rows') size += values.size;
  for (const groups of store.ordered.values()) for (const members of groups.values()) size += members.size;
  return size;
}

function after(made: any, minutes: number): Timed {
  const run = new Timed(made, 10);
  for (let minute = 0; minute < minutes; minute++) {
    const rows = [event(minute, minute)];
    run.tick(minute % 2 === 0 ? { 'stream:one': rows, 'stream:two': rows } : { 'stream:two': rows });
  }
  return run;
}

describe('a join by window keeps what the windows that are open need', () => {
  it.each(Object.entries(JOINS))('of %s', (_, make) => {
    const made = make();
    const [short, long] = [after(made, 60), after(made, 240)];
    expect(kept(short)).toBeGreaterThan(0);
    expect(kept(long)).toBe(kept(short));
  });

  it.each(Object.entries(JOINS))('and says so, of %s', (_, make) => {
    const join = explainView(make()).operators.find(({ op }) => op === 'join' || op === 'semiJoin');
    expect(join!.growth).toBe('freed by windowEnd');
  });

  it('and says that it grows for ever where it is joined by nothing that ends, though its rows go until they are over', () => {
    const made = declared(counts(one).join({ r: counts(two) }, { on: { k: 'k' } }), ['k', 'windowStart']);
    expect(explainView(made).operators.find(({ op }) => op === 'join')!.growth).toBe('grows for ever');
  });
});

describe('what a join by window keeps', () => {
  it('stays until both sides are past it: one that is behind still meets what the other had', () => {
    const made = JOINS['rows of windows']!();
    const run = new Timed(made).tick({ 'stream:one': [event(1, 1), event(90, 2)] });
    expect(run.tick({ 'stream:two': [event(2, 7)] }).rows).toEqual([
      { id: 1, windowEnd: instantAt(10), r: 7, rEnd: instantAt(10) },
    ]);
  });

  it('goes in several steps where a window has thousands of rows', () => {
    const made = JOINS['rows of windows, with a condition, all that are alone as well']!();
    const run = new Timed(made, 100);
    const many = Array.from({ length: 3_000 }, (_, id) => event(1, id, `k${id % 2}`));
    run.tick({ 'stream:one': many, 'stream:two': [event(1, 5_000, 'k0')] });
    expect(kept(run)).toBeGreaterThan(3_000);
    const shown = run.rows;
    run.tick({ 'stream:one': [event(100, 1, null)], 'stream:two': [event(100, 1, null)] });
    expect(run.steps).toBeGreaterThan(1);
    expect(kept(run)).toBe(0);
    // What is over stays as it was shown last; the two of the last tick match nothing.
    expect(run.rows).toHaveLength(shown.length + 2);
  });

  it('is not even stored of rows that come when their window is over on both sides', () => {
    const made = JOINS['windows that are over']!();
    const run = new Timed(made);
    for (const minute of [1, 2])
      run.tick({ 'stream:one': [event(minute, 1)], 'stream:two': [event(minute, 1)] });
    run.tick({ 'stream:one': [event(100, 1)], 'stream:two': [event(100, 1)] });
    expect(run.rows).toHaveLength(1);
    expect([...run.store.ordered.keys()].filter((name) => /(left|right)$/.test(name))).toEqual([]);
  });

  it('meets no late rows: they are left out before, and counted', () => {
    const run = new Timed(JOINS['rows whose window the other has not']!());
    run.tick({ 'stream:one': [event(1, 1)], 'stream:two': [event(100, 1)] });
    run.tick({ 'stream:two': [event(2, 2)] });
    expect(run.late).toBe(1);
    expect(run.rows).toHaveLength(1);
  });
});

describe('behind a join by window', () => {
  it('windows are over when both sides are past them', () => {
    const made = declared(
      counts(one)
        .join({ r: counts(two) }, { on })
        .groupBy('windowEnd')
        .aggregate({ keys: count() })
        .final(),
      ['windowEnd'],
    );
    const run = new Timed(made).tick({ 'stream:one': [event(1, 1), event(30, 2)] });
    run.tick({ 'stream:two': [event(2, 1)] });
    expect(run.rows).toEqual([]);
    run.tick({ 'stream:two': [event(30, 1)] });
    expect(run.rows).toEqual([{ windowEnd: instantAt(10), keys: 1 }]);
  });

  it('the joined side of a right join says when its rows are final, as its own columns may be null', () => {
    const right = counts(one).rightJoin({ r: counts(two) }, { on });
    expect(declarationErrors([declared(right.final(), ['k', 'windowStart'])])).toEqual([]);
    const full = counts(one).fullJoin({ r: counts(two) }, { on });
    const [error] = declarationErrors([declared(full.final(), ['k', 'windowStart'])]);
    expect(error!.message).toContain(
      'what says when these rows were may be null: windowStart, r.windowStart',
    );
  });

  it('final() is refused for what is missing: the window among what is joined by', () => {
    const joined = counts(one)
      .final()
      .join({ r: counts(two).final() }, { on: { k: 'k' } });
    const [error] = declarationErrors([declared(joined.final(), ['k', 'windowStart'])]);
    expect(error!.message).toContain(
      'the sides are joined by k, and by no column that has a watermark on both',
    );
    expect(error!.message).toContain("on: { …, windowEnd: 'windowEnd' }");
  });

  it('and for a table that changes rows of any age, without a remedy that is written already', () => {
    const joined = counts(one)
      .final()
      .join({ r: names }, { on: { k: 'k' } });
    const [error] = declarationErrors([declared(joined.final(), ['k', 'windowStart'])]);
    expect(error!.message).toContain('the table "names" is joined, and changes rows of any age');
    expect(error!.message).toContain('Do what acts on time before the join');
  });
});
