import type { Job } from 'bullmq';
import { StillwaterError } from '../errors/stillwater-error.js';
import type { Logger } from '../runtime/logger.js';
import type { Generation } from '../runtime/ports/registry.js';
import type { Rebuilder } from '../runtime/rebuilder.js';
import { Rebuilds, type RebuildStatus, type VerifyStatus } from '../runtime/rebuilds.js';
import type { Verifier } from '../runtime/verifier.js';
import { takenWhenProcessed } from '../view/stamp.js';
import { connectedSets } from './connected-sets.js';
import type { JobQueue } from './job-queue.js';
import { rebuildStatus, verifyStatus } from './job-status.js';
import { inJobId, type RebuildJobData } from './rebuild-queue.js';
import {
  finished,
  notCaughtUp,
  ofProcessing,
  otherDefinition,
  overlapping,
  superseded,
  notDeclared,
  unknownRebuild,
  unknownVerification,
  unknownView,
  verified,
} from './refusals.js';

/**
 * Rebuilds as BullMQ jobs. A job says what is asked for and how far it is; what has been built, and whether it is paused
 * or promoted, is in the registry. So every process can be asked, whichever works on the job.
 */
export class BullRebuilds extends Rebuilds {
  /** The release of this process, as the last deployment said; null before it. */
  #release: number | null = null;

  constructor(
    readonly options: {
      queue: JobQueue;
      rebuilder: Rebuilder;
      verifier: Verifier;
      logger: Logger;
    },
  ) {
    super();
  }

  /** @throws StillwaterError also `release-superseded`, `rebuild-state` where another rebuild of some of the views is under way. */
  async start(view: string, { acceptTrimmed }: { acceptTrimmed: boolean }): Promise<RebuildStatus> {
    const { queue, rebuilder } = this.options;
    this.#known(view);
    await this.#leads(`The view "${view}" was not rebuilt`);
    const views = rebuilder.affected([view]);
    for (const job of await this.#underWay()) {
      if (!job.data.views.some((other) => views.includes(other))) continue;
      const sameCode = Object.entries(this.#fingerprints(views)).every(
        ([name, fingerprint]) => (job.data.fingerprints[name] ?? fingerprint) === fingerprint,
      );
      if (sameCode && job.data.views.includes(view)) return await this.#status(job);
      if (!sameCode || job.data.views.every((other) => views.includes(other))) {
        await this.#cancel(job, `A rebuild of ${views.join(', ')} takes its place.`);
        continue;
      }
      throw overlapping(view, views, { id: job.id!, views: job.data.views });
    }
    await rebuilder.check(views, acceptTrimmed);
    await queue.requireRoom();
    return await this.#status(await queue.addRebuild(this.#asked(view, views, acceptTrimmed)));
  }

  /**
   * What a deployment leads to: one rebuild for each connected set of changed views, the same one however many processes
   * start with the release. Rebuilds under way for other definitions than the ones deployed are cancelled. Only for a
   * release that leads. A view that cannot be rebuilt is logged; it is served as before.
   */
  async startChanged(
    changed: readonly string[],
    release = this.options.rebuilder.options.registry.snapshot.release,
  ): Promise<RebuildStatus[]> {
    const { queue, rebuilder, logger } = this.options;
    this.#release = release;
    if (!(await this.#isNewest())) return [];
    const { views: declared } = rebuilder.options.catalog();
    for (const job of await this.#underWay()) {
      const other = job.data.views.filter(
        (view) => declared.get(view)?.fingerprint !== job.data.fingerprints[view],
      );
      if (other.length > 0)
        await this.#cancel(job, `Release ${release} defines ${other.join(', ')} otherwise.`);
    }
    const statuses: RebuildStatus[] = [];
    for (const set of connectedSets(changed.map((view) => rebuilder.affected([view])))) {
      const views = rebuilder.affected(set);
      const asked = changed.find((view) => set.includes(view))!;
      const id = `rebuild-${release}-${inJobId(asked)}`;
      try {
        const before = await queue.rebuild(id);
        // A start is the occasion to try again what failed; what people cancelled stays cancelled.
        if (before && rebuildStatus(before, []).state === 'failed') await before.remove();
        else if (before) {
          statuses.push(await this.#status(before));
          continue;
        }
        await rebuilder.check(views, false);
        statuses.push(await this.#status(await queue.addRebuild(this.#asked(asked, views, false), id)));
      } catch (thrown) {
        if (!(thrown instanceof StillwaterError)) throw thrown;
        logger.warn(`${thrown.message}\nThe definition deployed before is served on.`);
      }
    }
    return statuses;
  }

  async get(id: string): Promise<RebuildStatus | null> {
    const generations = await this.#generations();
    const job = await this.options.queue.rebuild(id);
    return job && rebuildStatus(job, generations(id));
  }

  async list(view: string | null): Promise<RebuildStatus[]> {
    const generations = await this.#generations();
    const rebuilds = (await this.options.queue.rebuilds()).filter(
      ({ data }) => view === null || data.views.includes(view),
    );
    return rebuilds
      .map((job) => rebuildStatus(job, generations(job.id!)))
      .sort((left, right) => right.startedAt - left.startedAt);
  }

  async pause(id: string): Promise<RebuildStatus> {
    const job = await this.#going(id, 'paused');
    await this.options.queue.update(job, { paused: true });
    await this.options.rebuilder.pause(id, true);
    return await this.#again(id);
  }

  async resume(id: string): Promise<RebuildStatus> {
    const job = await this.#going(id, 'resumed');
    await this.options.queue.update(job, { paused: false });
    await this.options.rebuilder.pause(id, false);
    await this.options.queue.wake(job);
    return await this.#again(id);
  }

  async cancel(id: string): Promise<RebuildStatus> {
    await this.#cancel(await this.#going(id, 'cancelled'), 'It was asked for.');
    return await this.#again(id);
  }

  async promote(id: string): Promise<RebuildStatus> {
    const job = await this.#going(id, 'promoted');
    const { rebuilder } = this.options;
    await rebuilder.options.registry.refresh();
    const begun = rebuilder.generationsOf(id).length > 0;
    const progress = begun ? await rebuilder.advance(id, true) : null;
    if (progress?.state !== 'promoted') {
      const status = await this.#status(job);
      throw notCaughtUp(id, progress ?? status, status.state === 'paused');
    }
    await this.options.queue.wake(job);
    return await this.#again(id);
  }

  async rollback(view: string): Promise<{ view: string; generation: number }[]> {
    this.#known(view, true);
    return await this.options.rebuilder.rollback(view);
  }

  async startVerify(view: string): Promise<VerifyStatus> {
    const declared = this.#known(view);
    const streams = takenWhenProcessed(declared);
    if (streams.length > 0) throw ofProcessing(view, streams);
    const { queue, rebuilder } = this.options;
    await rebuilder.options.registry.refresh();
    const serving = rebuilder.options.registry.serving(view);
    if (serving?.fingerprint !== declared.fingerprint)
      throw otherDefinition(view, declared.fingerprint, serving);
    await queue.requireRoom();
    const id = await queue.addVerification({
      kind: 'verify',
      view,
      fingerprints: this.#fingerprints([view]),
      cancelled: null,
    });
    return (await this.getVerify(id))!;
  }

  async getVerify(id: string): Promise<VerifyStatus | null> {
    const job = await this.options.queue.verification(id);
    return job && verifyStatus(job);
  }

  async cancelVerify(id: string): Promise<VerifyStatus> {
    const { queue, verifier } = this.options;
    const job = await queue.verification(id);
    if (!job) throw unknownVerification(id, queue.limits.finishedJobsMax);
    const status = verifyStatus(job);
    if (job.finishedOn || status.state === 'cancelled') throw verified(status);
    await queue.cancel(job, 'It was asked for.');
    // Whoever works on it sees it soon; if nobody does, the live view must not wait for somebody.
    await verifier.letGo(id, job.data.view);
    await queue.wake(job);
    return (await this.getVerify(id)) ?? { ...status, state: 'cancelled' };
  }

  // ---- what they share

  #asked(view: string, views: readonly string[], acceptTrimmed: boolean): RebuildJobData {
    return {
      kind: 'rebuild',
      view,
      views,
      fingerprints: this.#fingerprints(views),
      acceptTrimmed,
      paused: false,
      cancelled: null,
    };
  }

  async #cancel(job: Job<RebuildJobData>, reason: string): Promise<void> {
    const { queue, rebuilder } = this.options;
    await queue.cancel(job, reason);
    await rebuilder.cancel(job.id!);
    await queue.wake(job);
  }

  #underWay(): Promise<Job<RebuildJobData>[]> {
    const { queue, rebuilder } = this.options;
    return queue.rebuildsUnderWay(rebuilder.options.limits.rebuildsMax);
  }

  /**
   * What each rebuild has made, as of now: to be asked before its job is read. What is promoted was noted in the job
   * before; read the other way round, it would be promoted with nothing done.
   */
  async #generations(): Promise<(id: string) => Generation[]> {
    const { generations } = await this.options.rebuilder.options.registry.refresh();
    return (id) => generations.filter(({ rebuild }) => rebuild === id);
  }

  async #status(job: Job<RebuildJobData>): Promise<RebuildStatus> {
    await this.options.rebuilder.options.registry.refresh();
    return rebuildStatus(job, this.options.rebuilder.generationsOf(job.id!));
  }

  async #again(id: string): Promise<RebuildStatus> {
    return (await this.get(id)) ?? this.#unknown(id);
  }

  /** The job, if it has not come to an end. */
  async #going(id: string, wanted: string): Promise<Job<RebuildJobData>> {
    const job = await this.options.queue.rebuild(id);
    if (!job) return this.#unknown(id);
    const status = await this.#status(job);
    if (status.state !== 'promoted' && status.state !== 'cancelled' && status.state !== 'failed') return job;
    throw finished(status, wanted);
  }

  #unknown(id: string): never {
    throw unknownRebuild(id, this.options.queue.limits.finishedJobsMax);
  }

  #known(view: string, orRegistered = false) {
    const { catalog, registry } = this.options.rebuilder.options;
    const declared = catalog().views.get(view);
    const registered = registry.snapshot.generations.some((generation) => generation.view === view);
    if (declared || (orRegistered && registered)) return declared!;
    if (registered) throw notDeclared(view);
    throw unknownView(view, [...catalog().views.keys()]);
  }

  #fingerprints(views: readonly string[]): Record<string, string> {
    const declared = this.options.rebuilder.options.catalog().views;
    return Object.fromEntries(views.map((view) => [view, declared.get(view)?.fingerprint ?? '']));
  }

  async #isNewest(): Promise<boolean> {
    const { registry } = this.options.rebuilder.options;
    await registry.refresh();
    return this.#release === null || this.#release >= registry.snapshot.release;
  }

  async #leads(what: string): Promise<void> {
    if (await this.#isNewest()) return;
    throw superseded(what, this.#release, this.options.rebuilder.options.registry.snapshot.release);
  }
}
