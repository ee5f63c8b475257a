import type { MemoryRedis } from '../memory/memory-redis.js';
import type { Random } from '../random.js';
import { checkpoint, type Checkpoint, rollBack, rollBackStream, rollBackTask } from './rollback.js';
import { WentBack } from './went-back.js';

export interface CheckpointsOptions {
  /** The source partitions, by Redis key. */
  readonly logs: readonly string[];
  /** Older ones are not gone back to; null: all may be. */
  readonly ageMsMax: number | null;
  /** Slots of tasks go back often, and nothing else does. */
  readonly slotsOnly: boolean;
}

/** The Redis of a run as it was at several times; now and then it goes back to one of them, all of it or a part. */
export class Checkpoints {
  readonly wentBack = new WentBack();
  #kept: Checkpoint[] = [];

  constructor(
    readonly redis: MemoryRedis,
    readonly random: Random,
    readonly options: CheckpointsOptions,
  ) {}

  take(): void {
    this.#kept.push(checkpoint(this.redis));
  }

  /** Whether something went back. */
  mayGoBack(): boolean {
    const { ageMsMax, slotsOnly } = this.options;
    if (ageMsMax !== null) {
      const first = this.redis.clock.now() - ageMsMax;
      this.#kept = this.#kept.filter(({ at }) => at > first);
    }
    if (this.#kept.length === 0 || !this.random.chance(slotsOnly ? 0.5 : 0.12)) return false;
    this.#goBack(this.random.of(this.#kept));
    return true;
  }

  #goBack(to: Checkpoint): void {
    const { redis, random } = this;
    const { logs, slotsOnly } = this.options;
    if (!slotsOnly && random.chance(0.5)) {
      rollBack(redis, to);
      this.wentBack.all();
      // What came after it is not to be gone back to: it never was.
      this.#kept.splice(this.#kept.indexOf(to) + 1);
    } else if (!slotsOnly && random.chance(0.3)) {
      rollBackStream(redis, to, random.of(logs));
      this.wentBack.stream();
    } else {
      const names = this.#slotsThatGoBack();
      for (const name of names) rollBackTask(redis, to, name);
      this.wentBack.tasks(names);
    }
  }

  /** Those of one task, or of several: a master holds many. */
  #slotsThatGoBack(): string[] {
    const { random } = this;
    const tasks = [...this.redis.tasks.keys()];
    if (tasks.length === 0) return [];
    if (!this.options.slotsOnly || random.chance(0.7)) return [random.of(tasks)];
    return tasks.filter(() => random.chance(0.5));
  }
}
