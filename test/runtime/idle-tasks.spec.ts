import { count, stream, view } from 'stillwater';
import { z } from 'zod';
import { taskName } from '../../src/runtime/task-id.js';
import { checkpoint, rollBackTask } from '../../src/testing/simulation/rollback.js';
import { eventually } from '../support/system.js';
import { TaskRuns } from '../support/task-runs.js';

const events = stream('events', { schema: z.object({ airline: z.string() }) });
const perAirline = view('hours', {
  from: events.groupBy('airline').aggregate({ flights: count() }),
}).declaration;

describe('a task that has nothing to do', () => {
  it('notices that its slot lost its last writes, and makes them again', async () => {
    const runs = new TaskRuns(events.declaration, perAirline, { limits: { leaseMs: 100 } });
    const { ended, task } = await runs.start();
    const shows = (flights: number): Promise<void> =>
      eventually(() => (runs.rows()[0] as { flights: number } | undefined)?.flights === flights);
    runs.append([{ airline: 'UA' }]);
    await shows(1);
    const before = checkpoint(runs.redis);
    runs.append([{ airline: 'UA' }, { airline: 'UA' }]);
    await shows(3);
    rollBackTask(runs.redis, before, taskName(runs.id()));
    expect(runs.rows()).toMatchObject([{ flights: 1 }]);
    await shows(3);
    task.stop();
    expect(await ended).toEqual({ how: 'released' });
  });
});
