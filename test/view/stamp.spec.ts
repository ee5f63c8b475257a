import {
  count,
  declarationErrors,
  entryTime,
  instant,
  processingTime,
  stream,
  table,
  tumbling,
  view,
} from 'stillwater';
import { given } from 'stillwater/testing';
import { z } from 'zod';
import { describeView } from '../../src/runtime/reading/view-description.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { explainView } from '../../src/view/explain.js';
import { stampsOf } from '../../src/view/stamp.js';

const events = (at: z.ZodType, more: object = {}): any =>
  (stream as any)('events', {
    schema: z.object({ at, key: z.string(), n: z.int() }),
    eventTime: 'at',
    lateness: '1m',
    ...more,
  });
const perHour = (rows: any): any => rows.window(tumbling('1h')).groupBy('key').aggregate({ n: count() });
const viewOf = (from: any, name = 'v'): any => (view as any)(name, { from });
const declared = (from: any): ViewDeclaration => viewOf(from).declaration;
const messages = (of: any): string =>
  declarationErrors([of.declaration])
    .map(({ message }) => message)
    .join('\n');

describe('the time of an entry', () => {
  const appended = events(entryTime());

  it('is the event’s time, which an event need not say', () => {
    const at = (time: string) => ({ at: `2026-01-01T${time}:00.000Z`, key: 'a', n: 1 });
    const row = (start: string, end: string, n: number) => ({
      key: 'a',
      windowStart: `2026-01-01T${start}:00.000Z`,
      windowEnd: `2026-01-01T${end}:00.000Z`,
      n,
    });
    // In tests what an event says there is when it is appended.
    given(appended, [at('09:10'), { key: 'a', n: 2 }, at('10:05')] as never[])
      .expect(viewOf(perHour(appended).final()))
      .rows([row('09:00', '10:00', 2)] as never[])
      .late(0)
      .converges();
  });

  it('is part of the log: nothing is said of its views, and they are not refused anywhere', () => {
    const { partitioned } = {
      partitioned: events(entryTime(), { partitions: 4, partitionBy: 'key' }),
    };
    const moved = viewOf(partitioned.groupBy('n').aggregate({ all: count() }));
    expect(messages(moved)).toBe('');
    expect(describeView(moved.declaration).processingTime).toBeUndefined();
    expect(explainView(moved.declaration).text).not.toContain('processed');
  });

  it('is found behind descriptions, and in each type of event', () => {
    const at = entryTime().describe('when').readonly();
    const schema = z.discriminatedUnion('type', [
      z.object({ type: z.literal('came'), at, n: z.int() }),
      z.object({ type: z.literal('went'), at }),
      z.object({ type: z.literal('stayed'), taken: processingTime() }),
    ]);
    const told: any = stream('told', { schema } as never);
    expect(messages(told)).toBe('');
    expect([...stampsOf(schema, told.declaration.columns)]).toEqual([
      ['at', 'entry'],
      ['taken', 'processing'],
    ]);
  });
});

describe('the time of processing', () => {
  it('is told of a view, of views over it, and by explain', () => {
    const first = viewOf(perHour(events(processingTime())), 'first');
    const second = viewOf(first.groupBy('windowStart').aggregate({ keys: count() }), 'second');
    expect(messages(second)).toBe('');
    expect(describeView(first.declaration).processingTime).toBe(true);
    expect(describeView(second.declaration).processingTime).toBe(true);
    expect(explainView(first.declaration).text).toContain(
      'events of stream events, of the time when they are processed: a replay gives others',
    );
  });

  it('is refused where rows are moved, which may have to be made again', () => {
    const moving = events(processingTime(), { partitions: 4, partitionBy: 'key' });
    expect(messages(viewOf(moving.groupBy('n').aggregate({ all: count() })))).toContain(
      'View "v" moves rows between partitions that hold processingTime(), which no replay gives again: what a crash loses on the way could not be made again as it was.\n  streams     events',
    );
    expect(messages(viewOf(moving.groupBy('key').aggregate({ all: count() })))).toBe('');
  });

  it('is another view than that of the entry’s, or of the event’s own', () => {
    const fingerprints = [instant(), entryTime(), processingTime()].map(
      (at) => declared(perHour(events(at))).fingerprint,
    );
    expect(new Set(fingerprints).size).toBe(3);
  });
});

describe('a time that Stillwater gives', () => {
  it.each<[string, any, string]>([
    [
      'in a table',
      table('places', { schema: z.object({ id: z.int(), since: entryTime() }), key: 'id' }),
      'Table "places" has "since" as entryTime(), which the events of streams are given and the records of tables are not.',
    ],
    [
      'in a partition key',
      events(entryTime(), { partitions: 2, partitionBy: 'at' }),
      'Stream "events" is partitioned by "at", which events do not say.',
    ],
    [
      'in some types of events where others say it',
      stream('told', {
        schema: z.discriminatedUnion('type', [
          z.object({ type: z.literal('came'), at: entryTime() }),
          z.object({ type: z.literal('went'), at: instant() }),
          z.object({ type: z.literal('stayed') }),
        ]),
      }),
      'Stream "told" has "at" in several types of events, and not all of them are given the same time there.',
    ],
    [
      'in some types of events where others are given another',
      stream('told', {
        schema: z.discriminatedUnion('type', [
          z.object({ type: z.literal('came'), at: entryTime() }),
          z.object({ type: z.literal('went'), at: processingTime() }),
        ]),
      }),
      'Stream "told" has "at" in several types of events, and not all of them are given the same time there.',
    ],
    [
      'within an object',
      stream('deep', { schema: z.object({ n: z.int(), meta: z.object({ at: processingTime() }) }) }),
      'Stream "deep" has entryTime() or processingTime() within "meta", and not as a column.',
    ],
    [
      'within an array',
      stream('lists', { schema: z.object({ n: z.int(), times: z.array(entryTime()) }) }),
      'Stream "lists" has entryTime() or processingTime() within "times", and not as a column.',
    ],
  ])('is refused %s', (_, source, message) => expect(messages(source)).toContain(message));
});
