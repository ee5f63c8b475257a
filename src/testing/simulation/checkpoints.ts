import type { Limits } from '../../runtime/limits.js';
import type { MemoryRedis, MemoryTask } from '../memory/memory-redis.js';
import type { Random } from '../random.js';
import { ROUNDS } from '../../runtime/rounds.js';
import {
  checkpoint,
  type Checkpoint,
  NOTHING,
  rollBack,
  rollBackRegistry,
  rollBackStream,
  rollBackTask,
  rollBackWorkers,
} from './rollback.js';
import { isOfFirst, isOfFollower, isOfGiver, WentBack } from './went-back.js';

/**
 * Those of any task, of any but 1.0, of 1.0 alone, of such as follow rounds, or of such as are of the first stage and send. What a failover has lost
 * comes back only where it may be any.
 */
export type SlotsThatGoBack = keyof typeof OF_TASKS;

/** What lies in slots of its own beside tasks and streams, each or both. */
const BESIDE = [[rollBackRegistry], [rollBackWorkers], [rollBackRegistry, rollBackWorkers]];

const OF_TASKS = {
  any: () => true,
  allButTheGiver: (name: string) => !isOfGiver(name),
  giver: (name: string, { sent }: MemoryTask) => isOfGiver(name) && sent.has(ROUNDS),
  followers: isOfFollower,
  senders: (name: string, { sent }: MemoryTask) => isOfFirst(name) && sent.size > 0,
};

export interface CheckpointsOptions {
  /** The source partitions, by Redis key. */
  readonly logs: readonly string[];
  readonly limits: Limits;
  /** Logs are trimmed, and an archive has what they lose. */
  readonly archived: boolean;
  /** What logs lose is gone. */
  readonly forGood: boolean;
  /** Which slots of tasks go back often, and nothing else does; by default anything may. */
  readonly slotsGoBack: SlotsThatGoBack | undefined;
}

/** The Redis of a run as it was at several times; now and then it goes back to one of them, all of it or a part. */
export class Checkpoints {
  readonly wentBack: WentBack;
  /** Older ones are not gone back to; null: all may be. */
  readonly #ageMsMax: number | null;
  /** Which slots of tasks go back, and nothing else does; null: anything may. */
  readonly #slots: SlotsThatGoBack | null;
  /** How often something goes back. */
  readonly #rate: number;
  /** How often a slot that does loses everything. */
  readonly #losesAll: number;
  #kept: Checkpoint[] = [];
  /** Of each task that went back the times of which nothing is left. */
  readonly #lost = new Map<string, { after: number; until: number; commit: string | undefined }[]>();

  constructor(
    readonly redis: MemoryRedis,
    readonly random: Random,
    readonly options: CheckpointsOptions,
  ) {
    const { limits, archived, forGood, slotsGoBack } = options;
    // Younger entries are not archived: so far back, and not further, may a Redis with an archive go.
    this.#ageMsMax = archived ? limits.archiveAgeMs : null;
    // What else goes back takes with it what is known here of what was trimmed.
    this.#slots = slotsGoBack ?? (forGood ? 'any' : null);
    this.#rate = slotsGoBack ? 0.5 : 0.12;
    this.#losesAll = forGood ? 0.8 : 0.2;
    // Senders look now and then how far receivers are.
    this.wentBack = new WentBack({ forGood, keptMs: limits.exchangeKeptMs - limits.readerReportMs });
  }

  take(): void {
    this.#kept.push(checkpoint(this.redis));
  }

  /** Of which tasks, by name, the slots went back: of none where something else did. Null: nothing went back. */
  mayGoBack(): ReadonlySet<string> | null {
    if (this.#ageMsMax !== null) {
      const first = this.redis.clock.now() - this.#ageMsMax;
      this.#kept = this.#kept.filter(({ at }) => at > first);
    }
    if (this.#kept.length === 0 || !this.random.chance(this.#rate)) return null;
    return new Set(this.#goBack(this.random.of(this.#kept)));
  }

  #goBack(to: Checkpoint): Iterable<string> {
    const { redis, random } = this;
    const slots = this.#slots;
    if (!slots && random.chance(0.5)) {
      rollBack(redis, to);
      this.wentBack.all();
      // What came after it is not to be gone back to: it never was.
      this.#kept.splice(this.#kept.indexOf(to) + 1);
      return redis.tasks.keys();
    } else if (!slots && random.chance(0.2)) {
      for (const goBack of random.of(BESIDE)) goBack(redis, to);
      this.wentBack.beside();
    } else if (!slots && random.chance(0.3)) {
      rollBackStream(redis, to, random.of(this.options.logs));
      this.wentBack.stream();
    } else {
      if (random.chance(this.#losesAll)) to = NOTHING;
      const names = this.#slotsThatGoBack(to);
      const now = redis.clock.now();
      const ages = names.map((name): [string, number] => [name, now - this.#lastWritten(name, to)]);
      this.wentBack.tasks(new Map(ages));
      for (const name of names) {
        rollBackTask(redis, to, name);
        const lost = { after: to.at, until: now, commit: commitIn(to, name) };
        this.#lost.set(name, [...(this.#lost.get(name) ?? []), lost]);
      }
      return names;
    }
    return [];
  }

  /** Those of one task, or of several: a master holds many. */
  #slotsThatGoBack({ at }: Checkpoint): string[] {
    const { random } = this;
    const slots = this.#slots;
    const tasks = [...this.redis.tasks]
      .filter(([name, task]) => OF_TASKS[slots ?? 'any'](name, task))
      .map(([name]) => name)
      .filter((name) => !slots || slots === 'any' || !this.#isLost(name, at));
    if (tasks.length === 0) return [];
    if (!slots || random.chance(0.7)) return [random.of(tasks)];
    return tasks.filter(() => random.chance(0.5));
  }

  /** Of when a task's slot is in a checkpoint: it may be what it had gone back to before, and nothing since. */
  #lastWritten(name: string, to: Checkpoint): number {
    const before = (this.#lost.get(name) ?? []).findLast(({ until }) => until < to.at);
    return before !== undefined && before.commit === commitIn(to, name) ? before.after : to.at;
  }

  /** A failover does not bring back what one before it has lost. */
  #isLost(name: string, at: number): boolean {
    return (this.#lost.get(name) ?? []).some(({ after, until }) => after < at && at <= until);
  }
}

const commitIn = ({ tasks }: Checkpoint, name: string): string | undefined => tasks.get(name)?.record?.commit;
