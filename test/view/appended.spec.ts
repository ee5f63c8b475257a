import { z } from 'zod';
import { declarationOf, stream, view } from '../../src/index.js';
import { compileView } from '../../src/view/compile-plan.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';

const events = stream('events', { schema: z.object({ k: z.string(), n: z.number() }) });
const place = { id: '$position', k: 'k' } as const;
const appended = (declared: object): boolean =>
  compileView(declarationOf(declared as never) as ViewDeclaration, { budget: { entriesMax: 1 } }).output
    .options.appended;

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
  });
});
