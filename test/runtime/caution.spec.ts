import { count, declarationOf, stream, view } from 'stillwater';
import { z } from 'zod';
import { StillwaterError } from '../../src/errors/stillwater-error.js';
import { silent } from '../../src/runtime/logger.js';
import type { RecordSource } from '../../src/runtime/placement.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { TaskRuns } from '../support/task-runs.js';

const sales = stream('sales', { schema: z.object({ id: z.int() }) });
const perId = view('hours', { from: sales.groupBy('id').aggregate({ sales: count() }) });

/** What the owners of a task did not survive, as the next one finds it. */
describe('an entry that ended two workers', () => {
  it('is blamed once, whoever is interrupted while that is written down, and counts once as one of blamedEntriesMax', async () => {
    const runs = new TaskRuns(declarationOf(sales) as RecordSource, declarationOf(perId) as ViewDeclaration, {
      limits: { blamedEntriesMax: 1 },
    });
    runs.append([{ id: 1 }, { id: 2 }]);
    const [[entry]] = runs.redis.stream('sales').entries as [[string, string[]]];
    const attempt = { tick: 1, input: 'stream:sales', entry, entries: 1, ended: 1 };
    const { tasks } = runs.ports;
    // Another owner had blamed it, and ended before it could say that it had.
    await tasks.blame('f', { redisKey: 'sales', entry });
    let broken = 0;
    const noted = tasks.attempt.bind(tasks);
    tasks.attempt = async (...asked) => {
      if (broken++ === 0) throw new StillwaterError('redis-unavailable', { what: 'The connection broke.' });
      return noted(...asked);
    };
    // And then the first read is interrupted.
    const { log } = runs.ports;
    const read = log.read.bind(log);
    let reads = 0;
    log.read = async (request) => {
      if (reads++ === 0) throw new StillwaterError('redis-unavailable', { what: 'The connection broke.' });
      return read(request);
    };
    const said: string[] = [];
    const logger = { ...silent, error: (message: string) => void said.push(message) };
    expect(await runs.runToEnd(runs.id(), { attempt, logger })).toMatchObject({ rows: 1, errors: 1 });
    expect(said).toHaveLength(1);
    expect(Math.min(broken, reads)).toBeGreaterThan(1);
    expect(await tasks.blamed('f')).toEqual([{ redisKey: 'sales', entry }]);
  });
});
