import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import type { KeptError } from '../../src/circuit/error-collection.js';
import { compiled } from '../support/compiled.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { eventually, System } from '../support/system.js';
import { looping, loopingOnRows } from './looping-views.js';

const WORKER = fileURLToPath(new URL('./looping-process.ts', import.meta.url));
const DEATHS_MAX = 25;

/** A worker process that is started again whenever it dies, as `npm start` does. */
class Supervised {
  #process!: ChildProcess;
  #stopping = false;
  readonly output: string[] = [];
  deaths = 0;

  private constructor(
    readonly program: string,
    readonly url: string,
    readonly of: 'entries' | 'rows',
  ) {
    this.#start();
  }

  static async start(url: string, of: 'entries' | 'rows'): Promise<Supervised> {
    return new Supervised(await compiled(WORKER), url, of);
  }

  #start(): void {
    // A small heap, so that a function that takes all memory is soon through with it.
    this.#process = spawn(process.execPath, ['--max-old-space-size=60', this.program, this.url, this.of], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#process.stdout!, this.#process.stderr!])
      stream.on('data', (data: Buffer) => this.output.push(String(data)));
    this.#process.once('exit', () => {
      if (this.#stopping || ++this.deaths > DEATHS_MAX) return;
      this.#start();
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await gone;
  }
}

describeWithRedis('a view function that does not come to an end', () => {
  let redis: RedisServer;
  let client: Redis;
  let worker: Supervised;
  let reader: System;
  beforeEach(async () => {
    redis = await RedisServer.start();
    client = redis.client();
  });
  afterEach(async () => {
    await worker.stop();
    await reader.connections.close();
    await redis.stop();
  });

  const append = async (count: number, from: number, trouble = 'none'): Promise<void> => {
    const pipeline = client.pipeline();
    for (let reading = from; reading < from + count; reading++)
      pipeline.xadd(
        'readings',
        '*',
        'data',
        JSON.stringify({ reading, sensor: `sensor-${reading % 7}`, trouble }),
      );
    await pipeline.exec();
  };
  const caughtUp = async (view: string): Promise<void> => {
    try {
      await eventually(
        async () => (await reader.registry.refresh(), reader.registry.serving(view) !== null),
        30_000,
      );
      await reader.caughtUp(view, 80_000);
    } catch (error) {
      throw new Error(
        `${(error as Error).message}\nDeaths: ${worker.deaths}\n${worker.output.join('').slice(-6_000)}`,
      );
    }
  };
  const errorsOf = async (view: string): Promise<KeptError[]> => {
    const { number, buckets } = reader.registry.serving(view)!;
    return (await reader.views.errors({ view, generation: number, stage: 0, partition: 0 }, buckets, 10)).map(
      ({ text }) => JSON.parse(text) as KeptError,
    );
  };
  const totals = async (): Promise<{ readings: number; total: number }> => {
    const rows = [...(await reader.rows('per-sensor')).values()] as { readings: number; total: number }[];
    return {
      readings: rows.reduce((sum, row) => sum + row.readings, 0),
      total: rows.reduce((sum, row) => sum + row.total, 0),
    };
  };

  test('ends workers until the entry to blame is known; all others count, and so they do in a replay', async () => {
    await append(301, 0);
    await append(1, 1_000_000, 'poison');
    await append(400, 301);
    reader = new System({ url: redis.url, declarations: looping });
    worker = await Supervised.start(redis.url, 'entries');
    await caughtUp('per-sensor');
    await caughtUp('per-trouble');

    expect(await totals()).toEqual({ readings: 701, total: (700 * 701) / 2 });
    expect((await reader.rows('per-trouble')).get('poison')).toMatchObject({ readings: 1 });
    const errors = await errorsOf('per-sensor');
    expect(errors).toHaveLength(1);
    expect(errors[0]!.reason).toContain('ended the worker');
    expect(errors[0]!.row).toContain('1000000');
    expect(worker.deaths).toBeLessThanOrEqual(10);
    expect(worker.output.join('')).toContain('stepMsMax');

    // A replay of the same definition honours the blame: it ends nobody, and gives the same rows.
    const { deaths } = worker;
    expect(await reader.verifier.run('verify-1', 'per-sensor', async () => {})).toMatchObject({
      state: 'equal',
    });
    expect(worker.deaths).toBe(deaths);
  }, 120_000);

  test('or that takes all memory: the same', async () => {
    await append(20, 0);
    await append(1, 1_000_000, 'heavy');
    await append(20, 20);
    reader = new System({ url: redis.url, declarations: looping });
    worker = await Supervised.start(redis.url, 'entries');
    await caughtUp('per-sensor');
    expect(await totals()).toEqual({ readings: 40, total: (39 * 40) / 2 });
    expect((await errorsOf('per-sensor'))[0]!.reason).toContain('ended the worker');
  }, 120_000);

  test('on a row of another view parks its view, which says so; the other view goes on', async () => {
    await append(20, 0);
    await append(1, 20, 'heavy');
    reader = new System({ url: redis.url, declarations: loopingOnRows });
    worker = await Supervised.start(redis.url, 'rows');
    await caughtUp('per-trouble');
    const task = { view: 'busy-sensors', generation: 1, stage: 0, partition: 0 };
    await eventually(async () => (await reader.tasks.status([task]))[0]!.parked !== null, 80_000);
    const [status] = await reader.tasks.status([task]);
    expect(status!.parked).toMatchObject({
      code: 'ends-workers',
      message: expect.stringContaining('view:per-trouble'),
    });
    const { deaths } = worker;
    await append(20, 21);
    await caughtUp('per-trouble');
    expect((await reader.rows('per-trouble')).get('none')).toMatchObject({ readings: 40 });
    expect(worker.deaths).toBe(deaths);
  }, 120_000);
});
