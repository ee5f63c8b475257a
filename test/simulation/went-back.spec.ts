import type { ViewDeclaration } from '../../src/view/declarations.js';
import { taskName } from '../../src/runtime/task-id.js';
import { WentBack } from '../../src/testing/simulation/went-back.js';
import { EXCHANGE } from '../../src/runtime/followed.js';
import type { TaskId } from '../../src/runtime/task-id.js';
import { NOTHING_HEARD } from '../../src/runtime/received.js';
import { moved, sums } from '../../src/testing/simulation/sale-subjects.js';
import { recordOf } from '../ports/commit-request.js';

const [view] = sums({ partitions: 1, buckets: 1 }).views as [ViewDeclaration];
const task = { view: view.name, generation: 1, stage: 0, partition: 0 };
const parkedFor = (code: string) => ({
  ...{ task, owner: null, epoch: 1, record: recordOf(1) },
  parked: { code, message: '', at: 0 },
});

describe('what a simulation lets a task park for', () => {
  it('is a step that seems to have ended two owners, where as many were killed or paused', () => {
    const wentBack = new WentBack({ keptMs: 1, forGood: false });
    const excused = (): boolean[] =>
      ['ends-workers', 'exchange-lost'].map((code) => wentBack.excuses(parkedFor(code), view, []));
    wentBack.ownerLeft(taskName(task));
    wentBack.ownerLeft(taskName({ ...task, partition: 1 }));
    expect(excused()).toEqual([false, false]);
    wentBack.ownerLeft(taskName(task));
    expect(excused()).toEqual([true, false]);
  });

  it('is half of what came at once of a sender of which the slot went back', () => {
    const shape = { partitions: 1, buckets: 1 };
    const [byBuyer] = moved(shape).views as [ViewDeclaration];
    const of = (stage: number, partition: number): TaskId => ({
      ...task,
      view: byBuyer.name,
      stage,
      partition,
    });
    const hasOfSecond = (more: boolean) => {
      const extra = { [EXCHANGE]: [NOTHING_HEARD, { ...NOTHING_HEARD, more }] };
      return { ...parkedFor('exchange-lost'), task: of(1, 0), record: recordOf(1, { extra }) };
    };
    const excusedAfter = (lost: TaskId, more = true): boolean => {
      const wentBack = new WentBack({ keptMs: 1, forGood: false });
      wentBack.tasks(new Map([[taskName(lost), 0]]));
      return wentBack.excuses(hasOfSecond(more), byBuyer, []);
    };
    expect(excusedAfter(of(0, 1))).toBe(true);
    expect(excusedAfter(of(0, 1), false)).toBe(false);
    expect(excusedAfter(of(0, 0))).toBe(false);
  });
});
