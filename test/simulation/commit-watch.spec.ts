import type { CommitOutcome } from '../../src/runtime/ports/task-store.js';
import { taskName } from '../../src/runtime/task-id.js';
import { MemoryRedis } from '../../src/testing/memory/memory-redis.js';
import { MemoryTaskStore } from '../../src/testing/memory/memory-task-store.js';
import { CommitWatch } from '../../src/testing/simulation/commit-watch.js';
import { commitOf, rowsWrites, TASK } from '../ports/commit-request.js';

const NAME = taskName(TASK);
const ROW = { keyed: rowsWrites({ a: { sales: 1 } }) };

/** A store, and whoever looks at its commits. */
function watched() {
  const redis = new MemoryRedis();
  const store = new MemoryTaskStore(redis);
  const told: string[] = [];
  const watch = new CommitWatch(undefined, {
    stored: () => null,
    cameLate: () => {},
    brokeOff: (task) => void told.push(task),
    bringsWhatIsLost: () => false,
    broughtWhatIsLost: () => {},
    ownerCameBack: () => {},
  });
  watch.over(store);
  return { redis, store, watch, told };
}

/** A task of which the first commit broke off. */
async function brokenOff() {
  const { redis, store, watch, told } = watched();
  const { token } = (await store.claim(TASK, 'w1', 0))!;
  redis.breaksOff = () => 0;
  await store.commit(commitOf(token, 1, { nonce: watch.nonce(), ...ROW }));
  redis.breaksOff = () => null;
  expect(told).toEqual([NAME]);
  return { redis, store, watch, token };
}

describe('what a simulation asks of a task when something goes back', () => {
  it.each([
    [
      'is that its ticks go on, where it is another slot',
      'other#1/0.0',
      'a tick does not follow the one before',
    ],
    ['is nothing of what it saw, where it is its own', NAME, null],
  ] as const)('%s', async (_, wentBack, violation) => {
    const { redis, store, watch } = watched();
    const { token } = (await store.claim(TASK, 'w1', 0))!;
    const commit = (): Promise<CommitOutcome> =>
      store.commit(commitOf(token, 1, { nonce: watch.nonce(), ...ROW }));
    await commit();
    watch.wentBack(new Set([wentBack]));
    Object.assign(redis.task(TASK), { record: null, commit: null });
    expect([(await commit()).status, watch.violation]).toEqual([
      'committed',
      violation === null ? null : expect.stringContaining(violation),
    ]);
  });

  it('is nothing of one that was dropped, where its name is given again', async () => {
    const { store, watch } = watched();
    for (let time = 0; time < 2; time++) {
      const { token } = (await store.claim(TASK, 'w1', 0))!;
      await store.commit(commitOf(token, 1, { nonce: watch.nonce(), ...ROW }));
      await store.drop(TASK, token);
    }
    expect([watch.commits, watch.violation]).toEqual([2, null]);
  });
});

describe('what a simulation asks of a task of which a commit broke off', () => {
  it.each([
    ['is that it stores nothing more', () => {}, 'it went on after'],
    [
      'is the same when other slots go back',
      (watch: CommitWatch) => watch.wentBack(new Set(['other#1/0.0'])),
      'it went on after',
    ],
    ['is nothing when its own slot goes back', (watch: CommitWatch) => watch.wentBack(new Set([NAME])), null],
  ] as const)('%s', async (_, happens, violation) => {
    const { redis, store, watch, token } = await brokenOff();
    happens(watch);
    // As a store would that does not look.
    redis.task(TASK).commit = null;
    expect(await store.commit(commitOf(token, 1, { nonce: watch.nonce(), ...ROW }))).toEqual({
      status: 'committed',
    });
    if (violation === null) expect(watch.violation).toBeNull();
    else expect(watch.violation).toContain(`${NAME}: ${violation}`);
  });

  it('is counted once, whatever is sent behind it', async () => {
    const { store, watch, token } = await brokenOff();
    const behind = await store.commit(commitOf(token, 1, { nonce: watch.nonce(), ...ROW }));
    expect([behind.status, watch.brokenOff]).toEqual(['failed', 1]);
  });

  it('is nothing of a task that is made under its name when it was dropped', async () => {
    const { store, watch, token } = await brokenOff();
    expect(await store.drop(TASK, token)).toBe(true);
    const again = (await store.claim(TASK, 'w1', 0))!;
    const committed = await store.commit(commitOf(again.token, 1, { nonce: watch.nonce(), ...ROW }));
    expect([committed.status, watch.violation]).toEqual(['committed', null]);
  });
});
