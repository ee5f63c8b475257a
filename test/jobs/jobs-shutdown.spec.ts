import { connectionOf } from '../../src/jobs/jobs-options.js';
import { JobsShutdown } from '../../src/jobs/jobs-shutdown.js';

describe('a process that stops', () => {
  const retryOf = (shutdown: JobsShutdown): ((attempt: number) => number | null) =>
    (
      connectionOf({ connection: { url: 'redis://127.0.0.1:1' }, prefix: 'sw' }, shutdown) as unknown as {
        retryStrategy: (attempt: number) => number | null;
      }
    ).retryStrategy;

  test('waits until no connection of its jobs rests before its next attempt, and no longer', async () => {
    const shutdown = new JobsShutdown();
    const before = performance.now();
    const rest = retryOf(shutdown)(1)!;
    await shutdown.attempted();
    expect(performance.now() - before).toBeGreaterThanOrEqual(rest);
    const after = performance.now();
    await shutdown.attempted();
    expect(performance.now() - after).toBeLessThan(rest);
  });

  test('lets none of them try again', async () => {
    const shutdown = new JobsShutdown();
    shutdown.begin();
    expect(retryOf(shutdown)(1)).toBeNull();
  });
});
