import { count, stream, view } from 'stillwater';
import { z } from 'zod';
import { pure } from '../../src/circuit/pure.js';
import { Catalog } from '../../src/runtime/catalog.js';
import { SystemClock } from '../../src/runtime/clock.js';
import { Code } from '../../src/runtime/code.js';
import { deploy } from '../../src/runtime/deployment.js';
import { defaultLimits } from '../../src/runtime/limits.js';
import { silent } from '../../src/runtime/logger.js';
import { Metrics } from '../../src/runtime/metrics.js';
import type { Generation } from '../../src/runtime/ports/registry.js';
import { RegistryWatch } from '../../src/runtime/registry-watch.js';
import { taskName } from '../../src/runtime/task-id.js';
import { Worker } from '../../src/runtime/worker.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';
import { MemoryRedis } from '../../src/testing/memory/memory-redis.js';
import { eventually } from '../support/system.js';

const orders = stream('orders', { schema: z.object({ customer: z.string() }) });
const named = (name: string) =>
  view(name, { from: orders.groupBy('customer').aggregate({ orders: count() }) }).declaration;

describe('a worker', () => {
  const clock = new SystemClock();
  let memory: MemoryRedis;
  let ports: ReturnType<typeof memoryPorts>;
  let registry: RegistryWatch;
  let worker: Worker;
  const warnings: string[] = [];
  const commits: string[] = [];

  beforeEach(async () => {
    memory = new MemoryRedis();
    ports = memoryPorts(memory);
    warnings.length = commits.length = 0;
    const commit = ports.tasks.commit.bind(ports.tasks);
    ports.tasks.commit = (request) => {
      commits.push(request.task.view);
      return commit(request);
    };
    // It is told of nothing: what it knows of the registry is as old as what it last read.
    registry = new RegistryWatch(ports.registry, ports.workers, clock, 60_000, silent);
    const code = new Code();
    await deploy(new Catalog(['a', 'b', 'c'].map(named)), { registry, code, clock, logger: silent });
    worker = new Worker({
      id: 'worker',
      ...ports,
      code,
      registry,
      limits: { ...defaultLimits, registryRefreshMs: 20, waitMs: 20 },
      metrics: new Metrics(),
      clock,
      logger: { ...silent, warn: (text) => void warnings.push(text) },
      nonce: memory.nonce,
      step: pure,
    });
    memory.stream('orders').add('1-0', ['data', '{"customer":"ann"}']);
  });
  afterEach(() => worker.stop());

  /** Somebody else changes what there is. */
  const put = (...puts: Generation[]): Promise<unknown> =>
    ports.registry.change(memory.registry.revision, puts, []);
  const generationOf = (name: string): Generation => registry.serving(name)!;

  it('tells the others once of tasks that end together', async () => {
    worker.start();
    await eventually(() => new Set(commits).size === 3);
    let announced = 0;
    ports.workers.announce = async () => {
      announced++;
      await clock.sleep(50);
    };
    await worker.stop();
    // That it leaves, that a first task and then that the others have ended, and that it is gone.
    expect(announced).toBeLessThanOrEqual(4);
  });

  it('gives tasks to another worker that has less to do, once it has heard what they cost', async () => {
    const clicks = stream('clicks', {
      schema: z.object({ page: z.string() }),
      partitions: 8,
      partitionBy: 'page',
    });
    const pages = view('pages', { from: clicks.groupBy('page').aggregate({ clicks: count() }) }).declaration;
    const started: Worker[] = [];
    const metrics = ['first', 'second'].map(() => new Metrics());
    try {
      for (const [at, id] of ['first', 'second'].entries()) {
        const own = memoryPorts(memory);
        const { renew } = own.workers;
        // What work costs is said for it, so that it does not rest on this machine: all of it is with those that the other has.
        own.workers.renew = async (info, leaseMs) =>
          renew.call(own.workers, { ...info, costs: costs(info.id) }, leaseMs);
        const registry = new RegistryWatch(own.registry, own.workers, clock, 20, silent);
        const code = new Code();
        await deploy(new Catalog([pages]), { registry, code, clock, logger: silent });
        const one = new Worker({
          ...worker.options,
          ...own,
          id,
          code,
          registry,
          limits: { ...worker.options.limits, leaseMs: 400, balanceMs: 300 },
          metrics: metrics[at]!,
          nonce: memory.nonce,
        });
        one.start();
        started.push(one);
      }
      const owned = (): number[] => metrics.map(({ tasks }) => tasks.get());
      const dear = new Set<string>();
      const costs = (id: string): Record<string, number> =>
        id === 'first' ? Object.fromEntries([...dear].map((name) => [name, 300])) : {};
      await eventually(() => owned().join() === '4,4');
      const statuses = await ports.tasks.status(
        Array.from({ length: 8 }, (_, partition) => ({ view: 'pages', generation: 1, stage: 0, partition })),
      );
      for (const { task, owner } of statuses) if (owner === 'first') dear.add(taskName(task));
      await eventually(() => owned().join() === '2,6', 10_000);
    } finally {
      for (const one of started) await one.stop();
    }
  });

  it('takes no task of a generation that was dropped while it was not looking', async () => {
    await put({ ...generationOf('a'), state: 'dropping' }, { ...generationOf('b'), state: 'dropping' });
    expect(generationOf('a').state).toBe('serving');
    worker.start();
    await eventually(() => commits.includes('c'));
    await eventually(() => memory.registry.generations.size === 1);
    expect(new Set(commits)).toEqual(new Set(['c']));
  });

  it('goes on to delete other generations, and to maintain, where one cannot be deleted', async () => {
    const drop = ports.tasks.drop.bind(ports.tasks);
    ports.tasks.drop = (task, ...states) =>
      task.view === 'a' ? Promise.reject(new Error('a key holds another type')) : drop(task, ...states);
    await put({ ...generationOf('a'), state: 'dropping' }, { ...generationOf('b'), state: 'dropping' });
    worker.start();
    await eventually(() => memory.registry.generations.size === 2 && commits.includes('c'));
    expect([...memory.registry.generations.values()].map(({ view: name }) => name).sort()).toEqual([
      'a',
      'c',
    ]);
    expect(warnings.join()).toContain('Generation 1 of "a" could not be deleted: a key holds another type');
  });
});
