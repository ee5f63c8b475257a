import { Laggards } from '../../src/runtime/laggards.js';
import type { SourceLog } from '../../src/runtime/ports/source-log.js';
import type { TaskRecord, TaskStatus, TaskStore } from '../../src/runtime/ports/task-store.js';
import { NO_TICK } from '../../src/runtime/tick.js';
import { HandClock } from '../support/hand-clock.js';

const task = (partition: number) => ({ view: 'v', generation: 2, stage: 0, partition });
const INPUT = 'stream:events';

describe('who is behind in a replay', () => {
  it('is asked for every 20 ms while it gets on, and ever more seldom while it does not', async () => {
    const clock = new HandClock();
    let asked = 0;
    let position = 1;
    const record = (partition: number): TaskRecord => ({
      ...NO_TICK,
      positions: { [INPUT]: { position: `${position}-0`, entries: position } },
      clocks: { [INPUT]: { [`events:${partition}`]: partition * 1_000 } },
    });
    const tasks = {
      status: async (of: TaskStatus['task'][]) => {
        asked++;
        return of.map((one) => ({ task: one, parked: null, record: record(one.partition) }));
      },
    } as unknown as TaskStore;
    const log = { range: async () => [['9-0', []]] } as unknown as SourceLog;
    const partitions = [0, 1].map((partition) => ({
      task: task(partition),
      input: INPUT,
      redisKey: `events:${partition}`,
    }));
    const laggards = new Laggards({ view: 'v', number: 2 }, partitions, () => null, {
      ...{ tasks, log, clock },
      everyMsMax: 250,
    });
    /** How often it was asked within a second in which a task wants to know it all the time. */
    const inASecond = async (getsOn: boolean): Promise<number> => {
      const before = asked;
      for (const end = clock.ms + 1_000; clock.ms < end; clock.ms += 10) {
        if (getsOn) position++;
        expect(await laggards.leastBut(task(1))).toBe(0);
      }
      return asked - before;
    };
    expect(await inASecond(true)).toBe(50);
    await inASecond(false);
    expect(await inASecond(false)).toBe(4);
    // It is heard of soon that it gets on.
    await inASecond(true);
    expect(await inASecond(true)).toBe(50);
  });
});
