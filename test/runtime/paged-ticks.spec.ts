import { count, stream, view } from 'stillwater';
import { z } from 'zod';
import { covers } from '../../src/runtime/frontier.js';
import { isBetween } from '../../src/runtime/followed.js';
import type { CommitRequest } from '../../src/runtime/ports/task-store.js';
import { eventually } from '../support/system.js';
import { type RunningTask, TaskRuns } from '../support/task-runs.js';

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
});
const perAirline = view('per-airline', {
  from: grounded.groupBy('airline').aggregate({ flights: count() }),
}).declaration;

describe('an entry that touches twenty thousand rows', () => {
  let runs: TaskRuns;
  beforeEach(() => {
    runs = new TaskRuns(events.declaration, grounded.declaration);
    runs.append(Array.from({ length: FLIGHTS }, (_, id) => ({ id, airline: 'UA', flag: false })));
  });
  const ground = (): void => runs.append([{ id: -1, airline: 'UA', flag: true }]);

  it('is applied in ticks of a bounded size, and a task that is stopped among them is gone on with', async () => {
    const before = await runs.runToEnd();
    expect(runs.rows()).toHaveLength(0);
    ground();
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
    expect(between.frontier).toEqual(before.frontier);
    const after = await runs.runToEnd();
    expect(after.rows).toBe(FLIGHTS);
    expect(after.tick - before.tick).toBeGreaterThanOrEqual(FLIGHTS / 2_500);
    expect(after).toMatchObject({ frontier: { events: runs.redis.stream('events').last }, reaching: null });
    expect(runs.rows()).toHaveLength(FLIGHTS);
  });

  it('is contained in a view, and in one that reads it, when all of it is: not before', async () => {
    await runs.runToEnd();
    const commits: CommitRequest[] = [];
    const store = watched(runs, commits);
    const dependent = runs.id(0, 'per-airline');
    const running: RunningTask[] = [await runs.start(runs.id(), { store })];
    running.push(await runs.startOver(perAirline, { store }));
    await eventually(() => runs.record(dependent) !== null);
    ground();
    const whole = { events: runs.redis.stream('events').last };
    await eventually(() => covers(runs.record(dependent)?.frontier ?? {}, whole), 30_000);
    for (const { task } of running) task.stop();
    for (const { ended } of running) await ended;

    for (const { task, record, keyed } of commits) {
      const contained = covers(record.frontier, whole);
      expect(isBetween(record) && contained).toBe(false);
      if (!contained) continue;
      if (task.view === 'hours') expect(record.rows).toBe(FLIGHTS);
      else
        for (const [, text] of keyed.find(({ state }) => state === 'rows')?.writes ?? [])
          expect(JSON.parse(text!.split('\n')[0]!)).toEqual({ airline: 'UA', flights: FLIGHTS });
    }
    expect(commits.filter(({ record }) => isBetween(record)).map(({ task }) => task.view)).toEqual(
      expect.arrayContaining(['hours', 'per-airline']),
    );
  });
});

function watched(runs: TaskRuns, commits: CommitRequest[]): TaskRuns['ports']['tasks'] {
  const store: TaskRuns['ports']['tasks'] = Object.create(runs.ports.tasks);
  store.commit = async (request) => {
    const outcome = await runs.ports.tasks.commit(request);
    if (outcome.status === 'committed') commits.push(request);
    return outcome;
  };
  return store;
}
