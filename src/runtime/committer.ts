import type { OutputResult } from '../circuit/view-output.js';
import { messageOf } from '../errors/stillwater-error.js';
import { encodeChangelog } from './changelog.js';
import { factsOf } from './followed.js';
import type { CommitOutcome, CommitRequest, TaskRecord } from './ports/task-store.js';
import { Diverged, Ended, isTransient } from './task-end.js';
import type { TaskOptions } from './task-options.js';

/** After so many commits the store is asked again whether somebody reads the changelog. */
const ASK_AGAIN_TICKS = 256;

export type Commit = Omit<CommitRequest, 'changelog' | 'changelogFrom'>;

/**
 * Sends a task's commits, one after the other, and repeats each until its outcome is known: a commit carries its own
 * identity, so repeating it is safe. While Redis takes no writes it waits and tries again.
 */
export class Committer {
  #inFlight: Promise<void> = Promise.resolve();
  #failure: unknown = null;
  #committed: TaskRecord | null = null;
  /** Somebody reads the changelog: the store said so. */
  #changelog = false;
  #changelogFrom = 0;
  /** Why commits are being refused at the moment, for people. */
  refused: string | null = null;

  constructor(
    readonly options: TaskOptions,
    /** Aborted when the task is to end: a commit that cannot be settled then is left to the next owner. */
    readonly stopping: AbortSignal,
  ) {
    this.#committed = options.record;
  }

  get committed(): TaskRecord | null {
    return this.#committed;
  }

  /** Changelog entries of lower ticks have no reader left. */
  trimChangelog(tick: number): void {
    this.#changelogFrom = tick;
  }

  submit(
    commit: Commit,
    result: Pick<OutputResult, 'changes'>,
    { onCommitted }: { onCommitted: () => void },
  ): void {
    this.#inFlight = this.#send(commit, result).then(
      () => {
        this.#committed = commit.record;
        onCommitted();
      },
      (thrown) => {
        this.#failure = thrown;
      },
    );
  }

  /** Waits for the answer to the last commit. @throws Ended, Diverged */
  async settled(): Promise<void> {
    await this.#inFlight;
    if (this.#failure !== null) {
      const failure = this.#failure;
      this.#failure = null;
      throw failure;
    }
  }

  /** The store was read again: this is what it holds. */
  reset(record: TaskRecord): void {
    this.#committed = record.tick > 0 ? record : null;
    this.#failure = null;
  }

  async #send(commit: Commit, result: Pick<OutputResult, 'changes'>): Promise<void> {
    const { store, limits, metrics, clock, spent, id } = this.options;
    const facts = {
      ...factsOf(commit.record),
      previous: this.#committed?.commit ?? '',
      commit: commit.nonce,
    };
    let retryMs = limits.retryMsMin;
    for (;;) {
      const changelog = this.#changelog ? encodeChangelog(result.changes, facts) : null;
      const started = clock.monotonicMs();
      let outcome: CommitOutcome;
      try {
        const changelogFrom = Math.min(this.#changelogFrom, commit.tick - limits.changelogEntriesMin);
        outcome = await spent.on(() =>
          store.commit({ ...commit, changelog, changelogFrom: Math.max(0, changelogFrom) }),
        );
      } catch (thrown) {
        if (!isTransient(thrown)) throw thrown;
        metrics.commits.add({ view: id.view, outcome: 'unknown' });
        this.refused = messageOf(thrown);
        retryMs = await this.#pause(retryMs);
        continue;
      }
      metrics.commits.add({ view: id.view, outcome: outcome.status });
      metrics.commitMs.observe({ view: id.view }, clock.monotonicMs() - started);
      switch (outcome.status) {
        case 'committed':
        case 'alreadyCommitted':
          this.refused = null;
          // Readers go without a word: now and then the store is asked anew whether anybody reads.
          if (commit.tick % ASK_AGAIN_TICKS === 0) this.#changelog = false;
          return;
        case 'wantsChangelog':
          this.#changelog = true;
          continue;
        case 'refused':
          this.refused = outcome.reason;
          retryMs = await this.#pause(retryMs);
          continue;
        case 'fenced':
          metrics.fenced.add({ view: id.view });
          throw new Ended({ how: 'fenced' });
        case 'diverged':
          throw new Diverged(
            `The store stands at tick ${outcome.tick}, the owner thought ${commit.tick - 1}.`,
          );
        case 'failed':
          throw new Ended({
            how: 'parked',
            reason: {
              code: 'commit-failed',
              message:
                `A commit of the view "${id.view}" broke: ${outcome.reason}\nA script that errors is not rolled back, so its state cannot be trusted. ` +
                `It is not continued. Correct the key, then rebuild the view (\`stillwater rebuild ${id.view}\`).`,
            },
          });
      }
    }
  }

  /** The next pause is twice as long. @throws Ended when the task is to end. */
  async #pause(retryMs: number): Promise<number> {
    const { clock, limits } = this.options;
    if (this.stopping.aborted) throw new Ended({ how: 'released' });
    await clock.sleep(retryMs, this.stopping);
    return Math.min(retryMs * 2, limits.retryMsMax);
  }
}
