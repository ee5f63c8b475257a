import { encodeChangelog } from '../../src/runtime/changelog.js';
import type { NewsDesk } from '../../src/runtime/news-desk.js';
import type { RawEntry } from '../../src/runtime/ports/source-log.js';
import type { ViewStore } from '../../src/runtime/ports/view-store.js';
import { UpstreamInput } from '../../src/runtime/upstream-input.js';

const upstream = { view: 'up', generation: 1, stage: 0, partition: 0 };

describe('reading the changelog of another view', () => {
  const asked = async (rowsOfCommit: number, reads: number): Promise<number[]> => {
    const counts: number[] = [];
    const changes = (_task: unknown, after: number, count: number): Promise<RawEntry[]> => {
      counts.push(count);
      const rows = Array.from({ length: rowsOfCommit }, (_, n) => ({
        key: String(n),
        before: null,
        after: { n },
      }));
      const text = encodeChangelog(rows, { frontier: {}, clocks: {} });
      return Promise.resolve(
        Array.from({ length: count }, (_, index): RawEntry => [`${after + 1 + index}-0`, ['c', text]]),
      );
    };
    const store = { changes, putReader: () => Promise.resolve() } as unknown as ViewStore;
    const input = new UpstreamInput('view:up', upstream, 1, 'down#1/0.0', store, {} as NewsDesk, {
      now: () => 0,
      reportMs: 1,
      pageRowsMax: 100,
      readBytesMax: 100_000,
    });
    let tick = 1;
    for (let read = 0; read < reads; read++) {
      const batch = await input.next({ position: `${tick}-0`, entries: 0 }, undefined);
      tick += batch!.size;
    }
    return counts;
  };

  test('asks for more and more small commits, up to a number', async () => {
    expect(await asked(1, 8)).toEqual([10, 20, 40, 80, 160, 320, 500, 500]);
  });

  test('asks for few great ones, so that one read stays bounded', async () => {
    const counts = await asked(2_000, 4);
    expect(Math.max(...counts.slice(1))).toBeLessThanOrEqual(3);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(1);
  });
});
