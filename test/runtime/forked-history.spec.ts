import { count, stream, sum, view } from 'stillwater';
import { z } from 'zod';
import { taskName } from '../../src/runtime/task-id.js';
import { checkpoint, rollBackTask } from '../../src/testing/simulation/rollback.js';
import { eventually } from '../support/system.js';
import { type RunningTask, TaskRuns } from '../support/task-runs.js';

/** The slot of a view goes back, and those of the views that read it do not: what they read is no longer there. */

const events = stream('events', { schema: z.object({ airline: z.string() }) });
const perAirline = view('hours', {
  from: events.groupBy('airline').aggregate({ flights: count() }),
  buckets: 1,
});
const perFlights = view('per-flights', {
  from: perAirline.groupBy('flights').aggregate({ airlines: count(), all: sum('flights') }),
}).declaration;

describe('a view that reads another one whose slot alone went back', () => {
  let runs: TaskRuns;
  const running: RunningTask[] = [];
  beforeEach(() => {
    runs = new TaskRuns(events.declaration, perAirline.declaration);
  });
  afterEach(async () => {
    for (const { task } of running) task.stop();
    for (const { ended } of running.splice(0)) await ended;
  });
  const start = async (task: Promise<RunningTask>): Promise<RunningTask> => {
    running.push(await task);
    return running.at(-1)!;
  };
  const append = (...airlines: string[]): void => runs.append(airlines.map((airline) => ({ airline })));
  const dependent = () => runs.record(runs.id(0, 'per-flights'));
  const following = (tick: number): Promise<void> =>
    eventually(() => dependent()?.positions['view:hours']?.position === `${tick}-0`);
  const wentBack = { how: 'parked', reason: expect.objectContaining({ code: 'upstream-went-back' }) };

  it('parks where the same ticks are made again, cut elsewhere', async () => {
    append('UA');
    await runs.runToEnd();
    const reader = await start(runs.startOver(perFlights));
    await following(1);
    const before = checkpoint(runs.redis);
    append('UA');
    await runs.runToEnd();
    await following(2);
    rollBackTask(runs.redis, before, taskName(runs.id()));
    // All that the log holds is there again under the tick that was read. Nothing more will come to tell the difference.
    append('UA', 'AA');
    expect(await runs.runToEnd()).toMatchObject({ tick: 2 });
    expect(await reader.ended).toEqual(wentBack);
  });

  it('parks where it went back no further than to make other ticks from then on', async () => {
    append('UA');
    await runs.runToEnd();
    const reader = await start(runs.startOver(perFlights));
    await following(1);
    const before = checkpoint(runs.redis);
    for (let tick = 2; tick < 5; tick++) {
      append('UA');
      await runs.runToEnd();
    }
    await following(4);
    rollBackTask(runs.redis, before, taskName(runs.id()));
    expect(await reader.ended).toEqual(wentBack);
    expect((await runs.ports.tasks.status([runs.id(0, 'per-flights')]))[0]!.parked!.message).toMatch(
      /read {3}tick 4 \(.+\)\n {2}found {2}tick 1 \(.+\)/,
    );
  });

  it('parks where it had taken a part of the rows', async () => {
    append('UA', 'AA', 'DL');
    const { tick } = await runs.runToEnd();
    const before = checkpoint(runs.redis);
    append('UA', 'AA');
    await runs.runToEnd();
    const first = await runs.startOver(perFlights, {
      pageRowsMax: 1,
      nonce: () => {
        first.task.stop();
        return runs.redis.nonce();
      },
    });
    await first.ended;
    expect(dependent()!.positions).toEqual({ 'view:hours': { position: '0-0', entries: 1 } });
    rollBackTask(runs.redis, before, taskName(runs.id()));
    append('WN');
    expect((await runs.runToEnd()).tick).toBe(tick + 1);
    const second = await start(runs.startOver(perFlights, { pageRowsMax: 1 }));
    expect(await second.ended).toEqual(wentBack);
  });

  it('goes on where its own slot went back with the other', async () => {
    append('UA');
    await runs.runToEnd();
    await start(runs.startOver(perFlights));
    await following(1);
    const before = checkpoint(runs.redis);
    append('UA');
    await runs.runToEnd();
    await following(2);
    for (const name of [runs.id(), runs.id(0, 'per-flights')])
      rollBackTask(runs.redis, before, taskName(name));
    append('UA', 'AA');
    await runs.runToEnd();
    await eventually(() => runs.rows(runs.id(0, 'per-flights')).length === 2);
    expect(runs.rows(runs.id(0, 'per-flights'))).toEqual([
      { flights: 1, airlines: 1, all: 1 },
      { flights: 3, airlines: 1, all: 3 },
    ]);
  });
});
