import { defaultLimits } from '../../src/runtime/limits.js';
import type { Generation } from '../../src/runtime/ports/registry.js';
import type { Made, TaskStatus } from '../../src/runtime/ports/task-store.js';
import { RunningTasks } from '../../src/runtime/running-tasks.js';

const generationOf = (fingerprint: string, state: Generation['state'] = 'serving'): Generation =>
  ({
    view: 'sales',
    number: 1,
    fingerprint,
    format: 1,
    acceptTrimmed: false,
    state,
    states: [],
  }) as unknown as Generation;

/** Takes a task where the registry is found to say this, of which before it said something else. What it was claimed for. */
async function claimedWhere(found: Generation | null): Promise<string[]> {
  const claimed: string[] = [];
  const options = {
    limits: defaultLimits,
    registry: { generation: () => found },
    code: { view: (fingerprint: string) => (fingerprint === 'unknown' ? null : {}) },
    tasks: {
      blamed: async () => [],
      claim: async (_task: unknown, _owner: string, _epoch: number, { definition }: Made) => {
        claimed.push(definition);
        return null;
      },
    },
  };
  const running = new RunningTasks(options as never, {
    ended: () => {},
    stopped: new AbortController().signal,
  });
  const task = { view: 'sales', generation: 1, stage: 0, partition: 0 };
  await running.take({ task, owner: null, epoch: 0, record: null, parked: null } satisfies TaskStatus, false);
  return claimed;
}

describe('a task is claimed by what the registry says', () => {
  it.each([
    ['for the definition that has the number now', generationOf('now'), ['now in format 1']],
    ['not without the code of that', generationOf('unknown'), []],
    ['not where it is to go', generationOf('now', 'dropping'), []],
    ['not where it is gone', null, []],
  ])('%s', async (_, found, expected) => {
    expect(await claimedWhere(found)).toEqual(expected);
  });
});
