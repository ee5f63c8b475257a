import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { compiled } from '../support/compiled.js';
import { RedisServer } from '../support/redis-server.js';
import { eventually, System } from '../support/system.js';
import { partitionKeys, partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import { declarationOf } from '../../src/index.js';
import { expectedRows, type OrderEvent, orders, shop } from './shop.js';

const WORKER = fileURLToPath(new URL('./worker-process.ts', import.meta.url));
export const LEASE_MS = 1_000;
const ORDERS = declarationOf(orders) as RecordSource;
const PARTITIONS = partitionKeys(ORDERS);
const placed = (event: OrderEvent): number => partitionOf(ORDERS)!({ ...event });

/** A seeded generator (mulberry32): a failure is repeated with its seed. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A Redis, worker processes over it, events on their way, and the comparison at the end. */
export class FaultBench {
  readonly events: OrderEvent[] = [];
  readonly regions = new Map<string, string>();
  readonly workers: ChildProcess[] = [];
  readonly output: string[] = [];
  #next = 0;

  private constructor(
    readonly redis: RedisServer,
    readonly client: Redis,
    readonly random: () => number,
  ) {}

  static async start(seed: number): Promise<FaultBench> {
    const redis = await RedisServer.start({ appendOnly: true });
    return new FaultBench(redis, redis.client({ autoResendUnfulfilledCommands: false }), random(seed));
  }

  async startWorker(url = this.redis.url): Promise<ChildProcess> {
    const worker = spawn(process.execPath, [await compiled(WORKER), url, String(LEASE_MS)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.workers.push(worker);
    let ready = false;
    for (const stream of [worker.stdout!, worker.stderr!])
      stream.on('data', (data: Buffer) => {
        this.output.push(String(data));
        if (String(data).includes('ready')) ready = true;
      });
    await eventually(() => ready || worker.exitCode !== null, 30_000);
    if (!ready) throw new Error(`The worker did not start:\n${this.output.join('')}`);
    return worker;
  }

  /** Ends a worker as `kill -9` does, and waits until it is gone. */
  async kill(worker: ChildProcess): Promise<void> {
    this.workers.splice(this.workers.indexOf(worker), 1);
    if (worker.exitCode !== null || worker.signalCode !== null) return;
    await new Promise((resolve) => {
      worker.once('exit', resolve);
      worker.kill('SIGKILL');
    });
  }

  /** Appends events in one transaction, and sometimes moves a customer to another region. */
  async append(count: number): Promise<void> {
    const transaction = this.client.multi();
    for (let index = 0; index < count; index++) {
      const event = {
        order: this.#next++,
        customer: `customer-${Math.floor(this.random() ** 2 * 400)}`,
        amount: Math.floor(this.random() * 400) / 4,
      };
      transaction.xadd(PARTITIONS[placed(event)]!, '*', 'data', JSON.stringify(event));
      this.events.push(event);
    }
    for (let index = 0; index < count / 50; index++) {
      const customer = `customer-${Math.floor(this.random() * 400)}`;
      if (this.random() < 0.1) {
        transaction.xadd('customers', '*', 'op', 'delete', 'customer', customer);
        this.regions.delete(customer);
      } else {
        const region = `region-${Math.floor(this.random() * 5)}`;
        transaction.xadd('customers', '*', 'data', JSON.stringify({ customer, region }));
        this.regions.set(customer, region);
      }
    }
    await transaction.exec();
  }

  /** Waits until all views contain all events, then compares every row with what the events alone say. */
  async expectExact(withinMs = 40_000): Promise<void> {
    const reader = new System({ url: this.redis.url, declarations: shop });
    try {
      await reader.registry.refresh();
      try {
        for (const view of ['by-customer', 'with-region', 'by-size']) await reader.caughtUp(view, withinMs);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${this.output.join('').slice(-4_000)}`);
      }
      const expected = expectedRows(this.events, this.regions);
      for (const [view, rows] of Object.entries(expected))
        expect(sorted(await reader.rows(view))).toEqual(sorted(rows));
      const total = [...(await reader.rows('by-customer')).values()].reduce(
        (sum, row) => sum + row.orders,
        0,
      );
      expect(total).toBe(this.events.length);
    } finally {
      await reader.connections.close();
    }
  }

  async stop(): Promise<void> {
    for (const worker of [...this.workers]) await this.kill(worker);
    await this.redis.stop();
  }
}

const sorted = (rows: ReadonlyMap<string, unknown>): [string, unknown][] =>
  [...rows].sort(([left], [right]) => (left < right ? -1 : 1));

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
