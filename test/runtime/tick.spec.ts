import type { PartitionClocks } from '../../src/runtime/clocks.js';
import type { InputBatch, TaskInput } from '../../src/runtime/input.js';
import type { TaskRecord } from '../../src/runtime/ports/task-store.js';
import { NO_TICK, tickOver } from '../../src/runtime/tick.js';
import { Delta } from '../../src/zset/delta.js';

const input = { name: 'stream:sales' } as TaskInput;
const batch: InputBatch = {
  size: 1,
  delta: () => new Delta(),
  errors: () => [],
  positionAfter: (to) => ({ position: `${to}-0`, entries: to }),
  frontierAfter: (to) => ({ sales: `${to}-0` }),
  clocksAfter: () => ({ sales: 9, refunds: 4 }),
};
const before: TaskRecord = { ...NO_TICK, clocks: { 'stream:sales': { sales: 2, refunds: null } } };
const clocksOf = (clocksMax?: PartitionClocks): PartitionClocks =>
  tickOver(input, batch, [0, 1], before, clocksMax).after.clocks['stream:sales']!;

describe('the clocks after a tick', () => {
  it.each([
    ['are those that its batch brings', undefined, { sales: 9, refunds: 4 }],
    ['do not go beyond what they are bound to', { sales: 5, refunds: 7 }, { sales: 5, refunds: 4 }],
    [
      'stay where nothing is told of one to which they are bound',
      { sales: null },
      { sales: 2, refunds: null },
    ],
    ['do not go back', { sales: 1, refunds: 1 }, { sales: 2, refunds: 1 }],
  ])('%s', (_, clocksMax, expected) => {
    expect(clocksOf(clocksMax)).toEqual(expected);
  });
});
