import type { Cluster, Redis } from 'ioredis';
import type { RedisCluster } from './redis-cluster.js';
import type { RedisServer } from './redis-server.js';

/** One Redis, or a cluster. */
export interface BenchRedis {
  readonly url: string;
  /** A client that is closed with it. */
  client(): Redis | Cluster;
  /** Everything in it goes. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** How much is measured. */
export interface Scale {
  /** Events of the streams of end-to-end, rebuild and many-views; null for each figure's own number. */
  readonly events: number | null;
  /** So few that the figures mean nothing: to see that all of it still runs. */
  readonly quick: boolean;
}

export interface Bench {
  readonly scale: Scale;
  /** A Redis of the figure's own, empty, gone when the figure is done. */
  redis(): Promise<RedisServer>;
  /** A cluster of the figure's own, as empty, and gone as soon. */
  cluster(): Promise<RedisCluster>;
  /** Says what is being done, for those who watch. */
  note(text: string): void;
  /** Where V8 is to write profiles of the measured processes; null for none. */
  readonly profileInto: string | null;
}

/** What is to be reached. */
export interface Target {
  readonly is: '≥' | '≤' | '<';
  readonly value: number;
}

/** One number of a figure. */
export interface Reading {
  /** Unchanging name, for programs. */
  readonly name: string;
  /** What it is, for people. */
  readonly label: string;
  readonly value: number;
  readonly unit: 'events/s' | '×' | 'ms' | 'µs/event' | 'MB' | 'count' | 'each';
  readonly target?: Target;
}

export interface Figure {
  readonly name: string;
  readonly title: string;
  measure(bench: Bench): Promise<Reading[]>;
}

export const reached = ({ value, target }: Reading): boolean | null =>
  target === undefined
    ? null
    : target.is === '≥'
      ? value >= target.value
      : target.is === '≤'
        ? value <= target.value
        : value < target.value;
