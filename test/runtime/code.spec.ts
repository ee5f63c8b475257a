import { count, stream, view } from 'stillwater';
import { z } from 'zod';
import { Catalog } from '../../src/runtime/catalog.js';
import { defaultLimits } from '../../src/runtime/limits.js';
import { silent } from '../../src/runtime/logger.js';
import { Parts } from '../../src/runtime/parts.js';
import { Runtime } from '../../src/runtime/runtime.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';
import { MemoryRedis } from '../../src/testing/memory/memory-redis.js';

const orders = stream('orders', { schema: z.object({ customer: z.string(), amount: z.int() }) });
/** The same view, saved again and again. */
const savedAs = (save: number) =>
  view('totals', { from: orders.groupBy('customer').aggregate({ [`orders${save}`]: count() }) }).declaration;

it('saving a view a hundred times keeps the code of what is declared and of what has a generation', async () => {
  const memory = new MemoryRedis();
  const parts = new Parts({
    id: 'process',
    ports: memoryPorts(memory),
    catalog: new Catalog([savedAs(0)]),
    limits: defaultLimits,
    logger: () => silent,
  });
  const runtime = new Runtime({ parts, watchdog: null, logger: silent, identity: '' });
  await runtime.start();
  for (let save = 1; save <= 100; save++) await runtime.redeploy([savedAs(save)]);
  expect(parts.code.fingerprints).toEqual([savedAs(0).fingerprint, savedAs(100).fingerprint].sort());
  expect(memory.registry.releases.size).toBe(2);
  await runtime.stop();
});
