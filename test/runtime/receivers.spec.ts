import type { TaskRecord, TaskStatus, TaskStore } from '../../src/runtime/ports/task-store.js';
import { Receivers } from '../../src/runtime/receivers.js';
import type { TaskId } from '../../src/runtime/task-id.js';
import { SetClock } from './archive/archive-run.js';

const tasks: TaskId[] = [0, 1].map((partition) => ({ view: 'v', generation: 1, stage: 1, partition }));

describe('how far receivers have read of a sender', () => {
  const clock = new SetClock();
  let read: readonly (number | null)[];
  let asked: number;
  let receivers: Receivers;
  beforeEach(() => {
    read = [null, null];
    asked = 0;
    const status = async (): Promise<TaskStatus[]> => {
      asked++;
      return tasks.map((task, index) => {
        const tick = read[index]!;
        const record =
          tick === null
            ? null
            : ({ extra: { exchange: [{ tick, entries: tick }] } } as unknown as TaskRecord);
        return { task, owner: null, epoch: 1, parked: null, record };
      });
    };
    const store = { status } as unknown as TaskStore;
    receivers = new Receivers(tasks, store, clock, { everyMs: 100, keepMs: 1_000 });
  });
  const readBefore = async (passed: number): Promise<readonly number[]> => {
    clock.ms += passed;
    return receivers.ticksReadBefore(0);
  };

  it('is asked for once in a while', async () => {
    read = [3, null];
    expect([await receivers.entriesRead(0), await receivers.entriesRead(0)]).toEqual([
      [3, 0],
      [3, 0],
    ]);
    expect(asked).toBe(1);
    read = [3, 4];
    expect(await receivers.entriesRead(0, 0)).toEqual([3, 4]);
  });

  it('counts for what may go when they had read it a while ago, and still have', async () => {
    read = [3, 5];
    expect(await readBefore(0)).toEqual([0, 0]);
    read = [8, 9];
    expect(await readBefore(900)).toEqual([0, 0]);
    expect(await readBefore(100)).toEqual([3, 5]);
    // The slot of one went back.
    read = [1, 9];
    expect(await readBefore(100)).toEqual([1, 5]);
  });

  it('is nothing that was known before the store was found elsewhere', async () => {
    read = [3, 5];
    await readBefore(0);
    clock.ms += 1_000;
    receivers.forget();
    expect(await readBefore(0)).toEqual([0, 0]);
    expect(asked).toBe(2);
  });
});
