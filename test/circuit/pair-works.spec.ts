import type { PairWork } from '../../src/circuit/pair-work.js';
import { PairWorks } from '../../src/circuit/pair-works.js';
import { WorkQueue } from '../../src/circuit/work-queue.js';

describe('the pages of a tick', () => {
  const LIMITS = { pairsMax: 1_000, pairsMin: 10, worksMax: 4 };

  /** So many works, of which these have so many pairs and the others one each. */
  const begun = (works: number, pairs: Record<string, number> = {}) => {
    const queue = { take: () => [], want: () => true } as unknown as WorkQueue<PairWork>;
    const paged = new PairWorks(queue, LIMITS);
    paged.begin(() =>
      Array.from({ length: works }, (_, index) => ({
        side: 'left' as const,
        key: String(index),
        changes: [],
        from: '',
        to: null,
      })),
    );
    const asked: [key: string, count: number][] = [];
    const want = (loaded: boolean): void =>
      paged.wantPages(({ key }, count) => {
        asked.push([key, count]);
        return loaded ? Math.min(pairs[key] ?? 1, count) : null;
      });
    return { paged, asked, want };
  };

  test('are of as many pairs as a tick makes of each key', () => {
    const { paged, want } = begun(5, { 0: 9e9, 1: 9e9, 2: 9e9, 3: 9e9, 4: 9e9 });
    want(true);
    expect(paged.count).toBe(200);
  });

  test('are greater for the few that fill one, by what the others leave', () => {
    const { paged, asked, want } = begun(502, { 7: 9e9, 8: 9e9 });
    want(true);
    expect(paged.count).toBe(10 + (1_000 - 500 - 2 * 10) / 2);
    expect(asked.slice(502)).toEqual([
      ['7', 250],
      ['8', 250],
    ]);
  });

  test('are of the least size where all have more, however many they are', () => {
    const { paged, want } = begun(
      300,
      Object.fromEntries(Array.from({ length: 300 }, (_, key) => [key, 9e9])),
    );
    want(true);
    expect(paged.count).toBe(10);
  });

  test('are shared out once, when all are loaded', () => {
    const { paged, want } = begun(502, { 7: 9e9 });
    want(false);
    expect(paged.count).toBe(10);
    want(true);
    const { count } = paged;
    want(true);
    expect(paged.count).toBe(count);
  });
});
