import type { ViewChange } from '../../circuit/view-output.js';
import { bucketOf } from '../../zset/bucket-of.js';
import { StillwaterError } from '../../errors/stillwater-error.js';
import { abortTogether } from '../abort-together.js';
import type { Clock } from '../clock.js';
import type { Metrics } from '../metrics.js';
import { NewsDesk } from '../news-desk.js';
import { isSameCommit, readChangelog } from '../read-changelog.js';
import type { CommitId } from '../ports/task-store.js';
import type { SourceLog } from '../ports/source-log.js';
import type { ViewStore } from '../ports/view-store.js';
import type { ReadingLimits } from './reading-limits.js';
import type { FoundRow, RowsReader } from './rows-reader.js';
import type { ServedView } from './served-view.js';
import type { ServedViews } from './served-views.js';
import { commitsOf, parseVersion, versionText } from './view-version.js';

/**
 * snapshot  rows as they are, in one or several messages; before the first of them what was known is void
 * ready     everything up to `id` has been said
 * changes   what one commit changed; `id` is where to go on after it
 * resync    what follows cannot be joined to what was said before: read the rows again
 */
export type FeedMessage =
  | { kind: 'snapshot'; rows: FoundRow[]; first: boolean }
  | { kind: 'ready'; id: string }
  | { kind: 'changes'; id: string; changes: readonly ViewChange[] }
  | { kind: 'resync'; reason: string };

const WENT_BACK = 'The view has gone back behind the position.';

export interface FollowOptions {
  /** Where to go on: the id of an earlier message, or the version of rows that were read. */
  after: string | null;
  snapshot: boolean;
  signal: AbortSignal;
}

/** Follows the commits of views. One blocking read serves all followers of a process. */
export class ChangeFeed {
  readonly #news: NewsDesk;
  readonly #closed = new AbortController();
  #followers = 0;

  constructor(
    readonly views: ServedViews,
    readonly reader: RowsReader,
    readonly store: ViewStore,
    readonly log: SourceLog,
    readonly clock: Clock,
    readonly metrics: Metrics,
    readonly limits: ReadingLimits,
  ) {
    this.#news = new NewsDesk(log, limits.registryRefreshMs);
  }

  /** Ends all following. */
  close(): void {
    this.#closed.abort();
  }

  /** @throws StillwaterError `unknown-view`, `not-serving`, `followers-max`, before the first message. */
  async *follow(name: string, options: FollowOptions): AsyncGenerator<FeedMessage> {
    if (this.#followers >= this.limits.followersMax)
      throw new StillwaterError('followers-max', {
        what: `This process follows no more changes.`,
        evidence: `followers  ${this.#followers}\nlimit      ${this.limits.followersMax}`,
        consequence: 'The connection was not opened.',
        remedy: 'Try again later, or raise `followersMax`.',
      });
    this.#followers++;
    this.metrics.subscribers.set({}, this.#followers);
    const over = new AbortController();
    const letGo = abortTogether(over, [options.signal, this.#closed.signal]);
    try {
      const { signal } = over;
      let { after } = options;
      while (!signal.aborted) {
        const view = await this.views.get(name);
        const reason = yield* this.#followGeneration(view, { ...options, signal, after });
        if (reason === null) return;
        yield { kind: 'resync', reason };
        after = null;
      }
    } finally {
      letGo();
      this.#followers--;
      this.metrics.subscribers.set({}, this.#followers);
    }
  }

  /** Until the signal is aborted (null), or until it cannot go on: the reason. */
  async *#followGeneration(
    view: ServedView,
    { after, snapshot, signal }: FollowOptions,
  ): AsyncGenerator<FeedMessage, string | null> {
    const { tasks } = view;
    let commits = await this.#subscribe(view);
    let subscribed = this.clock.monotonicMs();
    // Rows of a snapshot are newer than the position it starts from: by partition and bucket, the commit they are of.
    let known: CommitId[][] = [];
    if (after !== null) {
      const from = parseVersion(after);
      if (!from || from.generation !== view.generation.number || from.commits.length !== tasks.length)
        yield { kind: 'resync', reason: 'The position is none of the generation that is served.' };
      else {
        commits = from.commits;
        snapshot = false;
      }
    }
    if (snapshot) {
      if (!(yield* this.#snapshot(view, known))) return 'Changes made while rows were read are not kept.';
      commits = known.map((buckets) =>
        buckets.reduce((oldest, commit) => (commit.tick < oldest.tick ? commit : oldest)),
      );
    }
    // Changes that are already there come before `ready` when a follower goes on somewhere.
    for (let ready = false; !signal.aborted;) {
      let more = false;
      for (const [partition, task] of tasks.entries()) {
        const following = await readChangelog(
          this.store,
          task,
          commits[partition]!,
          this.limits.changelogPageMax,
        );
        if (following.status === 'gone') return 'Changes since the position are no longer kept.';
        if (following.status === 'forked') return WENT_BACK;
        more ||= following.entries.length > 0;
        const ofSnapshot = known[partition];
        for (const { tick, commit, changes } of following.entries) {
          commits[partition] = { tick, commit };
          if (ofSnapshot?.some((read) => read.tick === tick && !isSameCommit(read, { tick, commit })))
            return WENT_BACK;
          const fresh = ofSnapshot
            ? changes.filter(({ key }) => tick > ofSnapshot[bucketOf(key, ofSnapshot.length)]!.tick)
            : changes;
          if (fresh.length > 0) yield { kind: 'changes', id: versionText(view, commits), changes: fresh };
          if (signal.aborted) return null;
        }
      }
      if (more) continue;
      // Rows that were read are of commits that are there no longer.
      if (known.some((read, partition) => read.some(({ tick }) => tick > commits[partition]!.tick)))
        return WENT_BACK;
      known = [];
      if (!ready) yield { kind: 'ready', id: versionText(view, commits) };
      ready = true;
      if (this.views.find(view.generation.view)?.generation.number !== view.generation.number)
        return 'Another generation of the view is served now.';
      if (this.clock.monotonicMs() - subscribed > this.limits.subscriptionMs / 3) {
        await this.#subscribe(view);
        subscribed = this.clock.monotonicMs();
      }
      await this.#waitForNews(view, commits, signal);
    }
    return null;
  }

  /**
   * Small views in one commit; large ones bucket by bucket. Fills `commits`: by partition, the
   * commit each bucket's rows are of. False if it could not be read to its end.
   */
  async *#snapshot(view: ServedView, commits: CommitId[][]): AsyncGenerator<FeedMessage, boolean> {
    const { buckets } = view.generation;
    const records = await this.reader.records(view);
    const small =
      records.reduce((sum, record) => sum + (record?.rows ?? 0), 0) <= this.limits.unindexedRowsMax;
    let first = true;
    let rows: FoundRow[] = [];
    for (const task of view.tasks) {
      const read: CommitId[] = [];
      for (let bucket = 0; bucket < (small ? 1 : buckets); bucket++) {
        const page = small
          ? await this.reader.snapshot(view, task)
          : await this.reader.bucket(view, task, bucket);
        if (page === null) return false;
        read.push(...commitsOf([page.record]));
        rows.push(...page.rows);
        if (rows.length < this.limits.rowsLimitMax) continue;
        yield { kind: 'snapshot', rows, first };
        first = false;
        rows = [];
      }
      commits.push(read);
    }
    if (first || rows.length > 0) yield { kind: 'snapshot', rows, first };
    return true;
  }

  #subscribe(view: ServedView): Promise<CommitId[]> {
    return Promise.all(view.tasks.map((task) => this.store.subscribe(task, this.limits.subscriptionMs)));
  }

  async #waitForNews(view: ServedView, commits: readonly CommitId[], signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const letGo = abortTogether(over, [signal]);
    await Promise.race(
      view.tasks.map((task, partition) =>
        this.#news.wait(this.store.changelogKey(task), `${commits[partition]!.tick}-0`, over.signal),
      ),
    );
    letGo();
    over.abort();
  }
}
