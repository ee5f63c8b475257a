import { z } from 'zod';
import { declarationOf, hopping, instant, stream, tumbling, view } from '../../src/index.js';
import { compileView } from '../../src/view/compile-plan.js';
import { declarationErrors } from '../../src/view/declaration-errors.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';

const events = stream('events', { schema: z.object({ k: z.string(), n: z.number(), at: instant() }) });
const place = { id: '$position', k: 'k' } as const;
const appended = (declared: object): boolean =>
  compileView(declarationOf(declared as never) as ViewDeclaration, { budget: { entriesMax: 1 } }).output
    .options.appended;
const codesOf = (declared: object): string[] =>
  declarationErrors([declarationOf(declared as never)]).map(({ code }) => code);

describe('a view of events', () => {
  it('never looks what was there where each row has its own place in the log as its key', () => {
    expect(appended(view('all', { from: events.select(place), key: 'id' }))).toBe(true);
    expect(
      appended(view('some', { from: events.where((row) => row.n > 1).select(place), key: ['k', 'id'] })),
    ).toBe(true);
  });

  it('looks where the key may come again', () => {
    expect(appended(view('by-k', { from: events.select(place), key: 'k' }))).toBe(false);
    const twice = events
      .select({ k: 'k' })
      .union(events.select({ k: 'k' }))
      .select(place);
    expect(appended(view('twice', { from: twice, key: 'id' }))).toBe(false);
    const inWindows = (window: ReturnType<typeof hopping>) => events.window(window, { on: 'at' }).rows();
    expect(appended(view('once', { from: inWindows(tumbling('1h')).select(place), key: 'id' }))).toBe(true);
    const often = inWindows(hopping('1h', { every: '20m' })).select(place);
    expect(appended(view('often', { from: often, key: 'id' }))).toBe(false);
  });

  it('takes a place for a row’s own beside what decides its partition: each has its own log', () => {
    const spread = stream('spread', {
      schema: z.object({ k: z.string(), n: z.number() }),
      partitions: 2,
      partitionBy: 'k',
    });
    expect(appended(view('both', { from: spread.select(place), key: ['k', 'id'] }))).toBe(true);
    expect(codesOf(view('place', { from: spread.select(place), key: 'id' }))).toEqual(['key-not-unique']);
    expect(appended(view('unsaid', { from: spread.select({ id: '$position' }), key: 'id' }))).toBe(false);
  });
});
