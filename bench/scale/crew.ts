import type { Redis } from 'ioredis';
import { RedisConnections } from '../../src/redis/connections.js';
import { redisPorts } from '../../src/redis/redis.module.js';
import { shownBy } from '../../src/runtime/generation-tasks.js';
import type { Limits } from '../../src/runtime/limits.js';
import { partitionKeys, partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import type { Ports } from '../../src/runtime/ports/ports.js';
import type { Generation } from '../../src/runtime/ports/registry.js';
import { comparePositions, type Position } from '../../src/runtime/position.js';
import { type Progress, progressOf } from '../../src/runtime/progress.js';
import { sourcesOf } from '../../src/view/plan-nodes.js';
import { declared, type ViewSpec } from '../declared-views.js';
import { airport, FlightEvents } from '../flight-events.js';
import type { RedisServer } from '../redis-server.js';
import { SubjectProcess } from '../subject-process.js';

const LOAD_COMMANDS = 2_000;
const LOOK_MS = 15;

/** Several worker processes that keep one view between them, seen from outside. */
export class Crew {
  readonly #connections: RedisConnections;
  readonly #ports: Ports;
  readonly workers: SubjectProcess[] = [];

  private constructor(
    readonly redis: RedisServer,
    readonly prefix: string,
    readonly spec: ViewSpec,
    readonly limits: Partial<Limits>,
    readonly profileInto: string | null,
  ) {
    this.#connections = new RedisConnections({ url: redis.url });
    this.#ports = redisPorts(this.#connections, { prefix, consumer: 'bench' });
  }

  static async start(
    redis: RedisServer,
    options: {
      prefix: string;
      spec: ViewSpec;
      workers: number;
      limits?: Partial<Limits>;
      profileInto?: string | null;
    },
  ): Promise<Crew> {
    const { prefix, spec, workers, limits = {}, profileInto = null } = options;
    const crew = new Crew(redis, prefix, spec, limits, profileInto);
    await Promise.all(Array.from({ length: workers }, () => crew.startWorker()));
    return crew;
  }

  async startWorker(): Promise<SubjectProcess> {
    const { redis, prefix, spec, limits, profileInto } = this;
    const worker = new SubjectProcess({ profileInto });
    this.workers.push(worker);
    await worker.call('start', { url: redis.url, prefix, views: [spec], limits });
    return worker;
  }

  /** The generation that serves, once each of its tasks has an owner, and every worker that has one to have has it. */
  async placed(): Promise<Generation> {
    for (;;) {
      const { generations } = await this.#ports.registry.read();
      const serving = generations.find(({ view, state }) => view === this.spec.name && state === 'serving');
      if (serving !== undefined) {
        const { statuses } = await progressOf(serving, this.#ports.tasks, this.#ports.log);
        const owners = new Set(statuses.map(({ owner }) => owner));
        const partitions = Math.max(...statuses.map(({ task }) => task.partition)) + 1;
        if (!owners.has(null) && owners.size >= Math.min(this.workers.length, partitions)) return serving;
      }
      await sleep(LOOK_MS);
    }
  }

  progress(generation: Generation): Promise<Progress> {
    return progressOf(generation, this.#ports.tasks, this.#ports.log);
  }

  /** Waits until all that the logs hold is contained. */
  async contained(generation: Generation): Promise<void> {
    while (!(await this.progress(generation)).atEnd) await sleep(LOOK_MS);
  }

  /** Of what was appended at these times, when each was seen to be contained: how long that took, in the order of being seen. */
  async freshness(
    generation: Generation,
    sent: ReadonlyMap<string, Sent[]>,
    until: () => boolean,
  ): Promise<number[]> {
    const took: number[] = [];
    const seen = new Map<string, number>();
    for (;;) {
      const over = until();
      const { generations } = await this.#ports.registry.read();
      const serving = generations.find(({ view, state }) => view === generation.view && state === 'serving')!;
      const { frontier } = await this.progress(serving);
      const now = performance.now();
      let left = 0;
      for (const [redisKey, entries] of sent) {
        let at = seen.get(redisKey) ?? 0;
        for (; at < entries.length && comparePositions(entries[at]!.id, frontier[redisKey]!) <= 0; at++)
          took.push(now - entries[at]!.at);
        seen.set(redisKey, at);
        left += entries.length - at;
      }
      if (over && left === 0) return took;
      await sleep(2);
    }
  }

  /** A figure of a view that lost or doubled something would be none. */
  async expectAllCounted(generation: Generation, events: number): Promise<void> {
    let counted = 0;
    for (const task of shownBy(generation)) {
      const { rows } = await this.#ports.views.all(task, generation.buckets);
      for (const { text } of rows) counted += (JSON.parse(text) as { flights: number }).flights;
    }
    if (counted !== events)
      throw new Error(`The view "${generation.view}" counts ${counted} of ${events} events.`);
  }

  /** Processor time that the workers have used. */
  async cpuMs(): Promise<number> {
    const used = await Promise.all(this.workers.map((worker) => worker.call('cpuMs', null)));
    return used.reduce((sum, each) => sum + each, 0);
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.end()));
    await this.#connections.close();
  }
}

/** An entry and when it was sent. */
export interface Sent {
  readonly id: Position;
  readonly at: number;
}

/** Made flights, placed as their stream says. */
export class Producer {
  readonly #events: FlightEvents;
  readonly #redisKeys: readonly string[];
  readonly #partitionOf: (row: any) => number;

  constructor(
    readonly redis: Redis,
    spec: ViewSpec,
    readonly keys: number,
    seed = 1,
  ) {
    const [source] = sourcesOf(declared(spec).plan) as RecordSource[];
    this.#events = new FlightEvents(seed);
    this.#redisKeys = partitionKeys(source!);
    this.#partitionOf = partitionOf(source!) ?? (() => 0);
  }

  async load(count: number): Promise<void> {
    for (let loaded = 0; loaded < count; loaded += LOAD_COMMANDS) {
      const pipeline = this.redis.pipeline();
      for (let index = loaded; index < Math.min(count, loaded + LOAD_COMMANDS); index++) {
        const [redisKey, text] = this.#next();
        pipeline.xadd(redisKey, '*', 'data', text);
      }
      await pipeline.exec();
    }
  }

  /** So many events a second, each with a command of its own, until it is told to stop. */
  async send(perSecond: number, sent: Map<string, Sent[]>, until: () => boolean): Promise<void> {
    const startedAt = performance.now();
    for (let count = 0; !until();) {
      const due = ((performance.now() - startedAt) / 1_000) * perSecond;
      for (; count < due; count++) {
        const [redisKey, text] = this.#next();
        const at = performance.now();
        void this.redis.xadd(redisKey, '*', 'data', text).then((id) => {
          if (!sent.has(redisKey)) sent.set(redisKey, []);
          sent.get(redisKey)!.push({ id: id!, at });
        });
      }
      await sleep(2);
    }
    await this.redis.ping();
  }

  #next(): readonly [redisKey: string, text: string] {
    const flight = this.#events.next(airport(this.#events.uniform(this.keys)));
    return [this.#redisKeys[this.#partitionOf(flight)]!, JSON.stringify(flight)];
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
