import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Inject, type OnApplicationBootstrap } from '@nestjs/common';
import { DelayedError, Job, WaitingError } from 'bullmq';
import { messageOf } from '../errors/stillwater-error.js';
import { Rebuilder } from '../runtime/rebuilder.js';
import { Verifier } from '../runtime/verifier.js';
import { driveRebuild } from './drive-rebuild.js';
import { driveVerify } from './drive-verify.js';
import { JobQueue } from './job-queue.js';
import { noteOf, resultOf } from './job-status.js';
import { JOBS_OPTIONS, type JobsOptions, type JobsSettings, settingsOf } from './jobs-options.js';
import { JobsShutdown } from './jobs-shutdown.js';
import { cancelLost, letGoOfLost } from './lost-jobs.js';
import {
  type JobData,
  LOCK_MS,
  type RebuildJobData,
  type RebuildNote,
  REBUILDS_QUEUE,
  RUN_RETRY_MS,
  STALLED_COUNT_MAX,
  STALLED_MS,
  type VerifyJobData,
  type VerifyNote,
} from './rebuild-queue.js';

/**
 * The worker side of the queue: takes rebuilds and verifications, `limits.rebuildsMax` at a time, and drives each to its
 * end. Entries are replayed by the ordinary tasks, not here.
 *
 * A job whose worker was killed is taken over when its lock has run out. One that rests, or whose code this process does
 * not have, goes back into the queue and takes nobody's place meanwhile.
 */
@Processor(REBUILDS_QUEUE, {
  autorun: false,
  lockDuration: LOCK_MS,
  stalledInterval: STALLED_MS,
  maxStalledCount: STALLED_COUNT_MAX,
  runRetryDelay: RUN_RETRY_MS,
})
export class RebuildsProcessor
  extends WorkerHost
  implements OnApplicationBootstrap, BeforeApplicationShutdown
{
  readonly #settings: JobsSettings;
  #complaint = '';

  constructor(
    private readonly rebuilder: Rebuilder,
    private readonly verifier: Verifier,
    @Inject(JOBS_OPTIONS) options: JobsOptions,
    private readonly shutdown: JobsShutdown,
    private readonly queue: JobQueue,
  ) {
    super();
    this.#settings = settingsOf(options);
  }

  onApplicationBootstrap(): void {
    if (!this.#settings.worker) return;
    this.worker.concurrency = this.#settings.limits.rebuildsMax ?? this.rebuilder.options.limits.rebuildsMax;
    void this.#run().catch((thrown: unknown) => this.onError(thrown));
    void this.#lookForLost();
  }

  /** Only on connections that were made: of one that could not be, BullMQ asks again and again without letting go of the thread. */
  async #run(): Promise<void> {
    await this.worker.waitUntilReady();
    if (!this.shutdown.signal.aborted) await this.worker.run();
  }

  /**
   * Jobs go back into the queue before the worker is closed, so that others need not wait for the lock to run out. Where
   * Redis has just been away BullMQ may take long to close, or never end: it waits for a connection that rests before its
   * next attempt, and ioredis ends none that does. What else is to be handed over must not wait for it.
   */
  async beforeApplicationShutdown(): Promise<void> {
    this.shutdown.begin();
    await this.shutdown.attempted();
    let late: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      late = setTimeout(() => {
        void this.worker.disconnect().catch(() => {});
        // Nest asks for it once more, and would wait for the same end, which may never come.
        this.worker.close = () => Promise.resolve();
        resolve();
      }, this.#settings.limits.closeMsMax);
    });
    await Promise.race([this.worker.close().catch((thrown: unknown) => this.onError(thrown)), tooLate]);
    clearTimeout(late);
  }

  async process(job: Job<JobData>, token?: string): Promise<RebuildNote | VerifyNote> {
    return isVerify(job) ? this.#verify(job, token) : this.#rebuild(job as Job<RebuildJobData>, token);
  }

  @OnWorkerEvent('error')
  onError(thrown: unknown): void {
    if (this.shutdown.signal.aborted) return;
    const complaint = `Rebuilds cannot be worked on: ${messageOf(thrown)}. It is tried again.`;
    if (complaint !== this.#complaint) this.#settings.logger.warn(complaint);
    this.#complaint = complaint;
  }

  @OnWorkerEvent('active')
  onActive(): void {
    this.#complaint = '';
  }

  async #rebuild(job: Job<RebuildJobData>, token?: string): Promise<RebuildNote> {
    const { limits, logger } = this.#settings;
    const id = job.id!;
    const noted = noteOf(job);
    await this.rebuilder.options.registry.refresh();
    const begun = this.rebuilder.generationsOf(id).length > 0 || (noted?.generations.length ?? 0) > 0;
    if (!begun && !job.data.cancelled && !this.#hasCode(job.data.fingerprints))
      return this.#later(job, token);
    let shown = '';
    const outcome = await driveRebuild({
      id,
      rebuilder: this.rebuilder,
      data: () => this.#dataOf(job),
      noted,
      report: async (note) => {
        const text = JSON.stringify(note);
        if (text !== shown) await job.updateProgress(note as object);
        shown = text;
      },
      driveMs: limits.driveMs,
      signal: this.shutdown.signal,
    });
    if (outcome.status === 'stopped') return this.#handBack(job, token);
    if (outcome.status === 'resting') {
      if (noted === null || noted.state !== outcome.note.state) {
        await job.updateProgress(outcome.note as object);
        if (outcome.note.state === 'held') logger.warn(`The rebuild ${id} is held. ${outcome.note.reason}`);
      }
      return this.#later(job, token);
    }
    const { state, reason, generations } = outcome.note;
    const made =
      generations.map(({ view, generation }) => `${view}#${generation}`).join(', ') ||
      job.data.views.join(', ');
    if (state === 'failed')
      logger.error(`The rebuild ${id} of ${made} failed: ${reason}. What was served before is served on.`);
    else logger.info(`The rebuild ${id} of ${made} was ${state}${reason ? `: ${reason}` : ''}.`);
    return outcome.note;
  }

  async #verify(job: Job<VerifyJobData>, token?: string): Promise<VerifyNote> {
    await this.rebuilder.options.registry.refresh();
    const begun = this.rebuilder.generationsOf(job.id!).some(({ state }) => state === 'shadow');
    if (!begun && !job.data.cancelled && !this.#hasCode(job.data.fingerprints))
      return this.#later(job, token);
    const note = await driveVerify(this.verifier, {
      id: job.id!,
      view: job.data.view,
      finished: async () => resultOf(await Job.fromId(this.worker, job.id!)),
      cancelled: async () => (await this.#dataOf(job)).cancelled ?? null,
      report: (progress) => job.updateProgress(progress as object),
      signal: this.shutdown.signal,
    });
    return note ?? this.#handBack(job, token);
  }

  async #lookForLost(): Promise<void> {
    const { limits, logger } = this.#settings;
    const { signal } = this.shutdown;
    for (; !signal.aborted; await this.rebuilder.options.clock.sleep(limits.lostMs, signal))
      try {
        for (const name of await letGoOfLost(this.verifier, (id) => this.queue.isUnderWay(id)))
          logger.warn(`The verification ${name} is over: its job is gone. What it had held goes on.`);
        for (const id of await cancelLost(this.rebuilder, (id) => this.queue.has(id)))
          logger.warn(
            `The rebuild ${id} is cancelled: its job is gone. What was served before is served on.`,
          );
      } catch (thrown) {
        this.onError(thrown);
      }
  }

  /** As they are now: people may have changed their minds. */
  async #dataOf<T extends JobData>(job: Job<T>): Promise<T> {
    return ((await Job.fromId(this.worker, job.id!)) as Job<T> | undefined)?.data ?? job.data;
  }

  #hasCode(fingerprints: Readonly<Record<string, string>>): boolean {
    const { views } = this.rebuilder.options.catalog();
    return Object.entries(fingerprints).every(
      ([view, fingerprint]) => views.get(view)?.fingerprint === fingerprint,
    );
  }

  async #later(job: Job, token?: string): Promise<never> {
    await job.moveToDelayed(Date.now() + this.#settings.limits.restMs, token);
    throw new DelayedError();
  }

  async #handBack(job: Job, token?: string): Promise<never> {
    await job.moveToWait(token);
    throw new WaitingError();
  }
}

const isVerify = (job: Job<JobData>): job is Job<VerifyJobData> => job.data.kind === 'verify';
