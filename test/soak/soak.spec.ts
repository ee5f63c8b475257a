import { declarationOf } from 'stillwater';
import { describeWithRedis } from '../support/redis-server.js';
import { soak } from './soak.js';
import { soakViews } from './views.js';

/** `npm run soak` turns over a thousand windows. */
const WINDOWS = 60;

describeWithRedis('a soak', () => {
  it('ends with as many keys and bytes in Redis, within a tenth, as after its first ten windows', async () => {
    const { first, last } = await soak({ windows: WINDOWS });
    expect(last.keys).toBeLessThan(first.keys * 1.1);
    expect(last.bytes).toBeLessThan(first.bytes * 1.1);
    // What is held is something: each view keeps rows and state of the last windows.
    for (const each of soakViews) expect(last.bytesBy.get(declarationOf(each).name)).toBeGreaterThan(1_000);
  }, 120_000);
});
