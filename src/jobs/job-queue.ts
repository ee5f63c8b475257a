import { randomUUID } from 'node:crypto';
import type { Job, JobType, Queue } from 'bullmq';
import type { Logger } from '../runtime/logger.js';
import { answered } from './answered.js';
import {
  inJobId,
  type JobData,
  type JobLimits,
  jobOptions,
  type RebuildJobData,
  type VerifyJobData,
} from './rebuild-queue.js';
import { queueFull } from './refusals.js';

const UNDER_WAY: JobType[] = ['active', 'waiting', 'prioritized', 'delayed', 'paused' as JobType];
const FINISHED: JobType[] = ['completed', 'failed'];

/**
 * The jobs in BullMQ's queue, by what they are asked to do. Every question is answered within `answerMsMax`, or refused.
 * @throws StillwaterError all of it `redis-unreachable`, `redis-refuses`
 */
export class JobQueue {
  constructor(
    readonly queue: Queue<JobData>,
    readonly limits: JobLimits,
    logger: Logger,
  ) {
    let complained = '';
    queue.on('error', ({ message }: Error) => {
      if (message !== complained) logger.warn(`The queue of rebuilds: ${message}`);
      complained = message;
    });
  }

  async rebuild(id: string): Promise<Job<RebuildJobData> | null> {
    const job = await this.#job(id);
    return isRebuild(job) ? job : null;
  }

  async verification(id: string): Promise<Job<VerifyJobData> | null> {
    const job = await this.#job(id);
    return job?.data.kind === 'verify' ? (job as Job<VerifyJobData>) : null;
  }

  /** Whether there is such a job, finished or not. */
  async has(id: string): Promise<boolean> {
    return (await this.#job(id)) !== undefined;
  }

  /** Whether a job is there and has not come to an end. */
  async isUnderWay(id: string): Promise<boolean> {
    const job = await this.#job(id);
    return job !== undefined && !job.finishedOn;
  }

  rebuilds(): Promise<Job<RebuildJobData>[]> {
    const { rebuildsQueuedMax, finishedJobsMax } = this.limits;
    return this.#rebuilds([...UNDER_WAY, ...FINISHED], rebuildsQueuedMax + 2 * finishedJobsMax);
  }

  /** Those that wait, and so many at the most that are worked on. */
  async rebuildsUnderWay(workedOnMax: number): Promise<Job<RebuildJobData>[]> {
    const jobs = await this.#rebuilds(UNDER_WAY, this.limits.rebuildsQueuedMax + workedOnMax);
    return jobs.filter(({ data }) => data.cancelled === null);
  }

  /**
   * `id`: of a rebuild that everybody who asks for it means. Without it this is one of its own, unless one of the view that
   * was asked for in the same way is under way.
   */
  async addRebuild(data: RebuildJobData, id?: string): Promise<Job<RebuildJobData>> {
    const added = await this.#add(data, id);
    // Two that ask at once get the same job; its data are those of the first.
    return (await this.rebuild(added.id!)) ?? (added as Job<RebuildJobData>);
  }

  /** The name of the verification of a view: of the one under way, where there is one. */
  async addVerification(data: VerifyJobData): Promise<string> {
    return (await this.#add(data)).id!;
  }

  /** @throws StillwaterError `rebuilds-max` */
  async requireRoom(): Promise<void> {
    const waiting = await this.#answered(this.queue.getJobCountByTypes('waiting', 'prioritized', 'delayed'));
    if (waiting >= this.limits.rebuildsQueuedMax) throw queueFull(waiting, this.limits.rebuildsQueuedMax);
  }

  async update<Data extends JobData>(job: Job<Data>, changes: Partial<Data>): Promise<void> {
    await this.#answered(job.updateData({ ...job.data, ...changes }));
  }

  /** What is asked for from now on is another job. */
  async cancel(job: Job<RebuildJobData> | Job<VerifyJobData>, reason: string): Promise<void> {
    await this.update(job as Job<JobData>, { cancelled: reason });
    if (job.deduplicationId) await this.#answered(this.queue.removeDeduplicationKey(job.deduplicationId));
  }

  /** Lets the worker look at once at a job that rests. */
  async wake(job: Job): Promise<void> {
    if (await this.#answered(job.isDelayed())) await this.#answered(job.promote()).catch(() => {});
  }

  #add(data: JobData, id?: string): Promise<Job<JobData>> {
    const name = `${data.kind}-${inJobId(data.view)}`;
    return this.#answered(
      this.queue.add(data.kind, data, {
        ...jobOptions(this.limits),
        ...(id === undefined ? { jobId: `${name}-${nonce()}`, deduplication: { id: name } } : { jobId: id }),
      }),
    );
  }

  async #rebuilds(types: JobType[], most: number): Promise<Job<RebuildJobData>[]> {
    const jobs: readonly (Job<JobData> | undefined)[] = await this.#answered(
      this.queue.getJobs(types, 0, most),
    );
    return jobs.filter(isRebuild);
  }

  #job(id: string): Promise<Job<JobData> | undefined> {
    return this.#answered(this.queue.getJob(id));
  }

  #answered<T>(asked: Promise<T>): Promise<T> {
    return answered(asked, this.limits.answerMsMax);
  }
}

const nonce = (): string => `${Date.now().toString(36)}${randomUUID().slice(0, 4)}`;

/** Lists of jobs have holes where one was removed while they were read. */
const isRebuild = (job: Job<JobData> | undefined): job is Job<RebuildJobData> =>
  job?.data?.kind === 'rebuild';
