import { count, stream, view } from 'stillwater';
import { z } from 'zod';
import { Catalog } from '../../src/runtime/catalog.js';
import { Code } from '../../src/runtime/code.js';
import { SystemClock } from '../../src/runtime/clock.js';
import { defaultLimits } from '../../src/runtime/limits.js';
import { silent } from '../../src/runtime/logger.js';
import { RegistryWatch } from '../../src/runtime/registry-watch.js';
import { Runtime } from '../../src/runtime/runtime.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';
import { MemoryRedis } from '../../src/testing/memory/memory-redis.js';

const orders = stream('orders', { schema: z.object({ customer: z.string(), amount: z.int() }) });
/** The same view, saved again and again. */
const savedAs = (save: number) =>
  view('totals', { from: orders.groupBy('customer').aggregate({ [`orders${save}`]: count() }) }).declaration;

it('saving a view a hundred times keeps the code of what is declared and of what has a generation', async () => {
  const memory = new MemoryRedis();
  const ports = memoryPorts(memory);
  const clock = new SystemClock();
  const registry = new RegistryWatch(
    ports.registry,
    ports.workers,
    clock,
    defaultLimits.registryRefreshMs,
    silent,
  );
  const code = new Code();
  const runtime = new Runtime({
    catalog: new Catalog([savedAs(0)]),
    registry,
    code,
    clock,
    logger: silent,
    worker: null,
    retention: null,
    watchdog: null,
    identity: '',
  });
  await runtime.start();
  for (let save = 1; save <= 100; save++) await runtime.redeploy([savedAs(save)]);
  expect(code.fingerprints).toEqual([savedAs(0).fingerprint, savedAs(100).fingerprint].sort());
  expect(memory.registry.releases.size).toBe(2);
  await runtime.stop();
});
