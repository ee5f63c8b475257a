import { declarationOf, instant, stream } from 'stillwater';
import { z } from 'zod';
import { Catalog } from '../../src/runtime/catalog.js';
import { timesOf } from '../../src/runtime/reading/view-times.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';
import { recordOf } from '../ports/commit-request.js';

const schema = z.object({ at: instant(), id: z.string() });
const catalog = new Catalog(
  [
    stream('a', { schema, eventTime: 'at', lateness: '1s', partitions: 2, partitionBy: 'id' }),
    stream('b', { schema, eventTime: 'at' }),
    stream('c', { schema, eventTime: 'at', lateness: '1s' }),
  ].map((each) => declarationOf(each) as SourceDeclaration),
);
const text = (ms: number): string => new Date(ms).toISOString();

describe('how far time is for a view', () => {
  it('is told of each partition by the task that reads it, and of the source by the slowest', () => {
    const records = [
      recordOf(1, { clocks: { 'stream:a': { 'a:0': 9_000, 'a:1': 4_000 } } }),
      recordOf(1, { clocks: { 'stream:a': { 'a:0': 8_000, 'a:1': 5_000 } } }),
      null,
    ];
    expect(timesOf(records, catalog)).toEqual({
      'stream:a': {
        clock: text(5_000),
        watermark: text(4_000),
        partitions: { 'a:0': text(9_000), 'a:1': text(5_000) },
      },
    });
  });

  it('is not known while a partition has not told, and has no watermark without a lateness', () => {
    const records = [
      recordOf(1, { clocks: { 'stream:a': { 'a:0': 9_000, 'a:1': null }, 'view:v': { b: 7_000 } } }),
    ];
    expect(timesOf(records, catalog)).toEqual({
      'stream:a': { clock: null, watermark: null, partitions: { 'a:0': text(9_000), 'a:1': null } },
      'stream:b': { clock: text(7_000), watermark: null, partitions: { b: text(7_000) } },
    });
    expect(timesOf([recordOf(1), null], catalog)).toEqual({});
  });
});
