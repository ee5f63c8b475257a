import { RedisSourceLog } from '../src/redis/redis-source-log.js';
import { RedisTaskStore } from '../src/redis/redis-task-store.js';
import { comparePositions, type Position } from '../src/runtime/position.js';
import type { ReadOutcome, ReadRequest } from '../src/runtime/ports/source-log.js';
import type { Claimed, CommitOutcome, CommitRequest } from '../src/runtime/ports/task-store.js';
import { type TaskId, taskName } from '../src/runtime/task-id.js';

/** A log that knows when it was first read since `restart`, and what the process had spent by then. */
export class ObservedSourceLog extends RedisSourceLog {
  firstRead: { at: number; cpu: NodeJS.CpuUsage } | null = null;

  restart(): void {
    this.firstRead = null;
  }

  override read(request: ReadRequest): Promise<ReadOutcome> {
    this.firstRead ??= { at: performance.now(), cpu: process.cpuUsage() };
    return super.read(request);
  }
}

/** What is known of one task's claims and commits. */
interface Progress {
  claimAskedAt: number;
  firstCommitAt: number | null;
  lastCommitAt: number;
  frontier: Readonly<Record<string, Position>>;
}

/** A store that knows when tasks were claimed and what their commits, once answered, contain. */
export class ObservedTaskStore extends RedisTaskStore {
  readonly #tasks = new Map<string, Progress>();
  readonly #listeners = new Set<() => void>();

  override async claim(...of: Parameters<RedisTaskStore['claim']>): Promise<Claimed | null> {
    const claimAskedAt = performance.now();
    const claimed = await super.claim(...of);
    if (claimed)
      this.#tasks.set(taskName(of[0]), {
        claimAskedAt,
        firstCommitAt: null,
        lastCommitAt: 0,
        frontier: claimed.record?.frontier ?? {},
      });
    this.#tell();
    return claimed;
  }

  override async commit(request: CommitRequest): Promise<CommitOutcome> {
    const outcome = await super.commit(request);
    const progress = this.#tasks.get(taskName(request.task));
    if (progress && (outcome.status === 'committed' || outcome.status === 'alreadyCommitted')) {
      progress.lastCommitAt = performance.now();
      progress.firstCommitAt ??= progress.lastCommitAt;
      progress.frontier = request.record.frontier;
      this.#tell();
    }
    return outcome;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** When the last of the tasks had committed everything up to `end`. Fails after `withinMs`. */
  passed(tasks: readonly TaskId[], stream: string, end: Position, withinMs: number): Promise<number> {
    const at = (): number | null => {
      let last = 0;
      for (const task of tasks) {
        const progress = this.#tasks.get(taskName(task));
        if (!progress || comparePositions(progress.frontier[stream] ?? '0-0', end) < 0) return null;
        last = Math.max(last, progress.lastCommitAt);
      }
      return last;
    };
    return this.#when(at, withinMs, () => `${tasks.map(taskName).join(', ')} at ${stream} ${end}`);
  }

  /** Milliseconds from asking for a task to the answer to its first commit. */
  claimToCommitMs(task: TaskId, withinMs: number): Promise<number> {
    const took = (): number | null => {
      const progress = this.#tasks.get(taskName(task));
      return progress?.firstCommitAt ? progress.firstCommitAt - progress.claimAskedAt : null;
    };
    return this.#when(took, withinMs, () => `the first commit of ${taskName(task)}`);
  }

  #when(answer: () => number | null, withinMs: number, what: () => string): Promise<number> {
    return new Promise((resolve, reject) => {
      const settle = (): boolean => {
        const found = answer();
        if (found === null) return false;
        this.#listeners.delete(settle);
        clearTimeout(timer);
        resolve(found);
        return true;
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(settle);
        reject(new Error(`Not within ${withinMs} ms: ${what()}.`));
      }, withinMs);
      if (!settle()) this.#listeners.add(settle);
    });
  }
}
