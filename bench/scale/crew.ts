import type { ChainableCommander, Cluster, Redis } from 'ioredis';
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
import type { BenchRedis } from '../figure.js';
import { SubjectProcess } from '../subject-process.js';

const LOAD_COMMANDS = 2_000;
const LOOK_MS = 15;
const LOOK_OFTEN_MS = 2;
/** How long is waited for the workers at the most: a view that is parked comes to no end. */
const WAIT_MS_MAX = 1_800_000;

/** Several worker processes that keep one view between them, seen from outside. */
export class Crew {
  readonly #connections: RedisConnections;
  readonly #ports: Ports;
  readonly workers: SubjectProcess[] = [];

  private constructor(
    readonly redis: BenchRedis,
    readonly prefix: string,
    readonly spec: ViewSpec,
    readonly limits: Partial<Limits>,
    readonly profileInto: string | null,
  ) {
    this.#connections = new RedisConnections({ url: redis.url });
    this.#ports = redisPorts(this.#connections, { prefix, consumer: 'bench' });
  }

  static async start(
    redis: BenchRedis,
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
    let serving: Generation | undefined;
    await this.#until(LOOK_MS, async () => {
      serving = await this.#serving();
      if (serving === undefined) return 'it is not served';
      const { statuses } = await this.progress(serving);
      const owners = new Set(statuses.map(({ owner }) => owner));
      const partitions = Math.max(...statuses.map(({ task }) => task.partition)) + 1;
      const wanted = Math.min(this.workers.length, partitions);
      return !owners.has(null) && owners.size >= wanted
        ? null
        : `${owners.size} of ${wanted} workers have it`;
    });
    return serving!;
  }

  progress(generation: Generation): Promise<Progress> {
    return progressOf(generation, this.#ports.tasks, this.#ports.log);
  }

  /** Waits until all that the logs hold is contained. */
  contained(generation: Generation): Promise<void> {
    return this.#until(LOOK_MS, async () => {
      const { atEnd, frontier } = await this.progress(generation);
      return atEnd ? null : `it contains ${JSON.stringify(frontier)}`;
    });
  }

  /** Of what was appended at these times, when each was seen to be contained: how long that took, in the order of being seen. */
  async freshness(
    generation: Generation,
    sent: ReadonlyMap<string, Sent[]>,
    until: () => boolean,
  ): Promise<number[]> {
    const took: number[] = [];
    const seen = new Map<string, number>();
    await this.#until(LOOK_OFTEN_MS, async () => {
      const over = until();
      const { frontier } = await this.progress((await this.#serving()) ?? generation);
      const now = performance.now();
      let left = 0;
      for (const [redisKey, entries] of sent) {
        let at = seen.get(redisKey) ?? 0;
        for (; at < entries.length && comparePositions(entries[at]!.id, frontier[redisKey]!) <= 0; at++)
          took.push(now - entries[at]!.at);
        seen.set(redisKey, at);
        left += entries.length - at;
      }
      return over && left === 0 ? null : `it lacks ${left} of the events that were sent`;
    });
    return took;
  }

  async #serving(): Promise<Generation | undefined> {
    const { generations } = await this.#ports.registry.read();
    return generations.find(({ view, state }) => view === this.spec.name && state === 'serving');
  }

  /** Looks again and again until nothing is missing any more. */
  async #until(everyMs: number, missing: () => Promise<string | null>): Promise<void> {
    const end = performance.now() + WAIT_MS_MAX;
    for (;;) {
      const what = await missing();
      if (what === null) return;
      if (performance.now() > end)
        throw new Error(`The view "${this.spec.name}" is not there after ${WAIT_MS_MAX} ms: ${what}.`);
      await sleep(everyMs);
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
    readonly redis: Redis | Cluster,
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
      // Of a cluster each stream may be on another node.
      const pipelines = new Map<string, ChainableCommander>();
      for (let index = loaded; index < Math.min(count, loaded + LOAD_COMMANDS); index++) {
        const [redisKey, text] = this.#next();
        let pipeline = pipelines.get(redisKey);
        if (pipeline === undefined) pipelines.set(redisKey, (pipeline = this.redis.pipeline()));
        pipeline.xadd(redisKey, '*', 'data', text);
      }
      await Promise.all([...pipelines.values()].map((pipeline) => pipeline.exec()));
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
