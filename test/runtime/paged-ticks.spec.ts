import { stream, view } from 'stillwater';
import { z } from 'zod';
import { TaskRuns } from '../support/task-runs.js';

/** An entry whose consequences are many is applied in several ticks; who takes over goes on with them. */

const FLIGHTS = 20_000;
const events = stream('events', {
  schema: z.object({ id: z.int(), airline: z.string(), flag: z.boolean() }),
});
const grounded = view('hours', {
  from: events
    .where((event) => !event.flag)
    .semiJoin(
      events.where((event) => event.flag),
      { on: { airline: 'airline' } },
    ),
  key: 'id',
}).declaration;

describe('an entry that touches twenty thousand rows', () => {
  it('is applied in ticks of a bounded size, and a task that is stopped among them is gone on with', async () => {
    const runs = new TaskRuns(events.declaration, grounded);
    runs.append(Array.from({ length: FLIGHTS }, (_, id) => ({ id, airline: 'UA', flag: false })));
    const before = await runs.runToEnd();
    expect(runs.rows()).toHaveLength(0);
    runs.append([{ id: -1, airline: 'UA', flag: true }]);
    let commits = 0;
    const { ended, task } = await runs.start(runs.id(), {
      nonce: () => {
        if (++commits === 3) task.stop();
        return runs.redis.nonce();
      },
    });
    await ended;
    const between = runs.record()!;
    expect(between.applied).not.toBeNull();
    expect(between.rows).toBeLessThan(FLIGHTS);
    const after = await runs.runToEnd();
    expect(after.rows).toBe(FLIGHTS);
    expect(after.tick - before.tick).toBeGreaterThanOrEqual(FLIGHTS / 2_000);
    expect(runs.rows()).toHaveLength(FLIGHTS);
  }, 60_000);
});
