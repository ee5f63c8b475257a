import { describeWithRedis } from '../support/redis-server.js';
import { Proxy } from '../support/proxy.js';
import { System } from '../support/system.js';
import { FaultBench, LEASE_MS, pause } from './fault-bench.js';
import { shop } from './shop.js';

const seed = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000);
/** How many faults of each kind; a soak takes more. */
const rounds = Number(process.env.FAULT_ROUNDS ?? 4);

describeWithRedis(`faults on real processes (FAULT_SEED=${seed})`, () => {
  let bench: FaultBench;
  beforeEach(async () => {
    bench = await FaultBench.start(seed);
  });
  afterEach(() => bench.stop());

  test('workers killed at random instants lose nothing and count nothing twice', async () => {
    await bench.startWorker();
    await bench.startWorker();
    for (let round = 0; round < rounds; round++) {
      for (let batch = 0; batch < 10; batch++) {
        await bench.append(200);
        await pause(bench.random() * 40);
      }
      await bench.kill(bench.workers[Math.floor(bench.random() * bench.workers.length)]!);
      await bench.append(500);
      await bench.startWorker();
    }
    await bench.expectExact();
  }, 120_000);

  test('a worker that is paused beyond its lease is fenced when it wakes', async () => {
    const paused = await bench.startWorker();
    await bench.append(2_000);
    await pause(100);
    paused.kill('SIGSTOP');
    await bench.startWorker();
    await bench.append(2_000);
    await pause(LEASE_MS * 2);
    paused.kill('SIGCONT');
    await bench.append(2_000);
    await bench.expectExact();
  });

  test('a Redis that restarts in the middle of commits is met again where it was left', async () => {
    await bench.startWorker();
    for (let round = 0; round < rounds; round++) {
      for (let batch = 0; batch < 5; batch++) await bench.append(400);
      await bench.redis.kill();
      await pause(200);
      await bench.redis.startAgain();
      await bench.client.ping();
    }
    await bench.append(100);
    await bench.expectExact();
  }, 120_000);

  test('connections cut before and after replies make neither holes nor doubles', async () => {
    const proxy = await Proxy.start(bench.redis.port);
    try {
      await bench.startWorker(proxy.url);
      for (let round = 0; round < rounds * 5; round++) {
        await bench.append(400);
        await pause(bench.random() * 60);
        const kind = bench.random();
        if (kind < 0.3) proxy.cutAll();
        else proxy.mode(kind < 0.65 ? 'cutBefore' : 'cutAfter', bench.random() < 0.7 ? 'EVALSHA' : null);
      }
      await bench.append(100);
      await bench.expectExact();
    } finally {
      await proxy.stop();
    }
  }, 120_000);

  test('of two owners of one task the earlier one can commit nothing more', async () => {
    await bench.startWorker();
    await bench.append(1_000);
    const thief = new System({ url: bench.redis.url, declarations: shop });
    try {
      const task = { view: 'by-customer', generation: 1, stage: 0, partition: 0 };
      for (let round = 0; round < rounds * 3; round++) {
        const [status] = await thief.tasks.status([task]);
        // Claimed behind the owner's back, though it is alive; nothing is done with it.
        const claimed = await thief.tasks.claim(task, 'thief', status!.epoch);
        await bench.append(500);
        await pause(bench.random() * 100);
        if (claimed) await thief.tasks.release(task, claimed.token);
        await pause(bench.random() * 100);
      }
      await bench.append(500);
      await bench.expectExact();
    } finally {
      await thief.connections.close();
    }
  });
});
