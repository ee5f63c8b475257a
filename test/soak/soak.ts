import { declarationOf } from 'stillwater';
import type { Redis } from 'ioredis';
import { Random } from '../support/random.js';
import { RedisServer } from '../support/redis-server.js';
import { eventually, System } from '../support/system.js';
import type { SourceDeclaration } from '../../src/view/declarations.js';
import { partitionKeys, partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import { soakViews, visits, WINDOW_MS } from './views.js';

/** What Redis holds. */
export interface Held {
  readonly windows: number;
  readonly keys: number;
  readonly bytes: number;
  /** By what keys hold: a view, a stream. */
  readonly bytesBy: ReadonlyMap<string, number>;
}

export interface SoakOptions {
  readonly windows: number;
  /** After how many windows Redis is looked at for the first time. */
  readonly first?: number;
  readonly seed?: number;
  /** Told after each so many windows. */
  readonly every?: number;
  readonly told?: (held: Held) => void;
}

const VISITED = declarationOf(visits) as RecordSource;
const VISITS = partitionKeys(VISITED);
const placed = partitionOf(VISITED)!;

const EVENTS_OF_WINDOW = 40;
const SHOPS = 5;
const PRODUCTS = 8;
const FIRST = Date.parse('2001-01-01T00:00:00Z');
/** Windows that are appended in one go. */
const TOGETHER = 5;

/**
 * Turns over windows on a Redis of its own: orders, payments and prices of one window after another, out of order and some of
 * them late, through views that keep them in each way there is. What Redis holds after the first and after the last.
 */
export async function soak(options: SoakOptions): Promise<{ first: Held; last: Held }> {
  const { windows, first: firstAt = 10, seed = 1, every, told } = options;
  const redis = await RedisServer.start();
  const declarations = soakViews.map((each) => declarationOf(each) as SourceDeclaration);
  // Changelogs are full, and what is no longer needed of streams gone, by the first look.
  const system = await System.start({
    url: redis.url,
    declarations,
    limits: { changelogEntriesMin: 25, clocksMs: 20, waitMs: 50, exchangeKeptMs: 100 },
  });
  try {
    const client = redis.client();
    const events = new Events(seed);
    let first: Held | null = null;
    for (let window = 0; window < windows;) {
      const to = Math.min(window + TOGETHER, windows, window < firstAt ? firstAt : windows);
      for (; window < to; window++) await events.append(client, window);
      const looks = window === firstAt || window === windows || (every !== undefined && window % every === 0);
      if (!looks) continue;
      const held = await lookedAt(system, client, window);
      told?.(held);
      if (window === firstAt) first = held;
      if (window === windows) return { first: first!, last: held };
    }
    throw new Error('There are more windows to look at first than there are windows.');
  } finally {
    await system.stop().catch(() => {});
    await redis.stop();
  }
}

/** Everything is in the views, what is due has been done, and the streams are trimmed. */
async function lookedAt(system: System, client: Redis, windows: number): Promise<Held> {
  for (const { name } of system.catalog.views.values()) await system.caughtUp(name, 120_000);
  // Views hear of each other's time now and then, and go on without entries.
  let before = '';
  await eventually(
    async () => {
      await system.retention.trim();
      const now = JSON.stringify([...(await heldBy(client))]);
      const same = now === before;
      before = now;
      return same;
    },
    120_000,
    300,
  );
  const bytesBy = await heldBy(client);
  const bytes = [...bytesBy.values()].reduce((sum, each) => sum + each, 0);
  return { windows, keys: await client.dbsize(), bytes, bytesBy };
}

async function heldBy(client: Redis): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const keys = (await client.keys('*')).sort();
  const pipeline = client.pipeline();
  for (const key of keys) pipeline.memory('USAGE', key, 'SAMPLES', 0);
  const sizes = (await pipeline.exec())!.map(([, size]) => Number(size));
  keys.forEach((key, index) => {
    const of = /\}:([^#]+)#/.exec(key)?.[1] ?? key;
    found.set(of, (found.get(of) ?? 0) + sizes[index]!);
  });
  return found;
}

class Events {
  readonly #random: Random;
  #order = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  async append(client: Redis, window: number): Promise<void> {
    const pipeline = client.pipeline();
    const at = (ms: number): string => new Date(FIRST + window * WINDOW_MS + ms).toISOString();
    const add = (stream: string, event: object): unknown =>
      pipeline.xadd(stream, '*', 'data', JSON.stringify(event));
    const price = { product: `p${window % PRODUCTS}`, since: at(0), price: this.#random.below(100) };
    add('prices', price);
    for (let index = 0; index < EVENTS_OF_WINDOW; index++) {
      const ms = Math.floor((index * WINDOW_MS) / EVENTS_OF_WINDOW);
      const disorder = this.#random.chance(0.1) ? this.#random.below(20_000) : 0;
      const order = {
        id: ++this.#order,
        at: at(ms - disorder),
        shop: `s${this.#random.below(SHOPS)}`,
        product: `p${this.#random.below(PRODUCTS)}`,
        amount: this.#random.below(1_000),
      };
      add('orders', order);
      const visit = { at: order.at, visitor: `v${this.#random.below(30)}`, product: order.product };
      add(VISITS[placed(visit)]!, visit);
      const paid = this.#random.chance(0.7) ? this.#order : this.#order + 1_000_000;
      add('payments', {
        order: paid,
        at: at(ms - disorder + this.#random.below(1_000)),
        amount: order.amount,
      });
    }
    await pipeline.exec();
  }
}
