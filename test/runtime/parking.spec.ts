import { count, declarationOf, stream, view } from 'stillwater';
import { z } from 'zod';
import { StillwaterError } from '../../src/errors/stillwater-error.js';
import { silent } from '../../src/runtime/logger.js';
import type { RecordSource } from '../../src/runtime/placement.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { TaskRuns } from '../support/task-runs.js';

const sales = stream('sales', { schema: z.object({ id: z.int() }) });
const perId = view('hours', { from: sales.groupBy('id').aggregate({ sales: count() }) });

describe('a task that parks', () => {
  it.each([
    ['says so where that cannot be noted', 'redis-error', [expect.stringContaining('could not be parked')]],
    ['says nothing where Redis is away: it is tried again', 'redis-unavailable', []],
  ])('%s', async (_, code, expected) => {
    const runs = new TaskRuns(declarationOf(sales) as RecordSource, declarationOf(perId) as ViewDeclaration);
    runs.append([{ id: 1 }, { id: 2 }]);
    await runs.runToEnd();
    // The entry at which it stands is deleted.
    runs.redis.stream('sales').entries.pop();
    runs.append([{ id: 3 }]);
    runs.ports.tasks.park = async () => {
      throw new StillwaterError(code as 'redis-error', { what: 'The script failed.' });
    };
    const said: string[] = [];
    const logger = { ...silent, error: (message: string) => void said.push(message) };
    const { ended } = await runs.start(runs.id(), { logger });
    expect(await ended).toMatchObject({ how: 'parked' });
    expect(said).toEqual(expected);
  });
});
