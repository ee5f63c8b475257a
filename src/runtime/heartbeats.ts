import type { Clock } from './clock.js';
import type { PartitionClocks } from './clocks.js';
import { partitionKeys, type RecordSource } from './placement.js';
import type { HeartbeatRequest, SourceLog } from './ports/source-log.js';
import type { Position } from './position.js';

/** A source partition on whose time a task acts: how far it has read, and the clocks it knows of the whole source. */
export interface TimedPartition {
  readonly source: RecordSource;
  readonly redisKey: string;
  readonly position: Position;
  readonly clocks: PartitionClocks;
}

/**
 * Sees to it that time passes in partitions that are silent.
 *
 * A partition is silent when its last entry is the one it was a round before, and everything up to it has been read. Then a
 * heartbeat is proposed, never by a clock of ours:
 *
 *   others of the source move, or have moved on since    the least of their watermarks: they bring nothing older on time
 *   all are silent               its own clock, and what passes from when that was first written down
 *
 * Any worker that reads the partition may propose: the log takes one only for its last entry and only upward, and what it
 * took is part of it, for every reader and every replay.
 */
export class Heartbeats {
  /** The last entries as the round before found them. */
  readonly #lasts = new Map<string, Position>();

  constructor(
    readonly log: SourceLog,
    readonly clock: Clock,
    readonly idleMs: number,
  ) {}

  /** One round after another, until the signal is aborted. What fails is tried again in the next. */
  async run(watched: () => readonly TimedPartition[], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.clock.sleep(this.idleMs, signal);
      if (!signal.aborted) await this.beat(watched()).catch(() => {});
    }
  }

  async beat(watched: readonly TimedPartition[]): Promise<void> {
    // By key: while a view is edited, a stream is there in two declarations.
    const bySource = new Map<string, TimedPartition[]>();
    for (const partition of watched) {
      const { redisKey } = partition.source;
      bySource.set(redisKey, [...(bySource.get(redisKey) ?? []), partition]);
    }
    for (const partitions of bySource.values()) await this.#roundOf(partitions[0]!.source, partitions);
  }

  async #roundOf(source: RecordSource, watched: readonly TimedPartition[]): Promise<void> {
    const redisKeys = partitionKeys(source);
    const moving: string[] = [];
    const silent = new Map<string, Position>();
    for (const { redisKey, last } of await this.log.ends(redisKeys)) {
      const before = this.#lasts.get(redisKey);
      this.#lasts.set(redisKey, last);
      if (before === last) silent.set(redisKey, last);
      else if (before !== undefined) moving.push(redisKey);
    }
    const clocks = greatest(watched);
    for (const redisKey of silent.keys()) {
      const anchor = silent.get(redisKey)!;
      if (!watched.some((of) => of.redisKey === redisKey && of.position === anchor)) continue;
      const value = this.#proposal(redisKey, { source, moving, clocks });
      if (value !== null) await this.log.recordHeartbeat({ redisKey, anchor, ...value });
    }
  }

  #proposal(
    redisKey: string,
    { source, moving, clocks }: Known,
  ): Pick<HeartbeatRequest, 'mode' | 'clock'> | null {
    const own = clocks.get(redisKey) ?? -Infinity;
    const watermark = (other: string): number => (clocks.get(other) ?? -Infinity) - (source.latenessMs ?? 0);
    // In silence all clocks go on alike, and are apart by no more than what passes between two rounds.
    const ahead = [...clocks.keys()].filter((other) => watermark(other) > own + 2 * this.idleMs);
    if (moving.length + ahead.length === 0) return own === -Infinity ? null : { mode: 'silent', clock: own };
    const clock = Math.min(...(moving.length > 0 ? moving : ahead).map(watermark));
    return clock > own ? { mode: 'moving', clock } : null;
  }
}

interface Known {
  source: RecordSource;
  moving: readonly string[];
  clocks: ReadonlyMap<string, number>;
}

/** The clocks as those know them who have come furthest. */
function greatest(watched: readonly TimedPartition[]): ReadonlyMap<string, number> {
  const clocks = new Map<string, number>();
  for (const { clocks: known } of watched)
    for (const [redisKey, clock] of Object.entries(known))
      if (clock !== null) clocks.set(redisKey, Math.max(clock, clocks.get(redisKey) ?? -Infinity));
  return clocks;
}
