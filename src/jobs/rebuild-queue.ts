import type { JobsOptions } from 'bullmq';
import type { RebuildStatus, VerifyStatus } from '../runtime/rebuilds.js';

/**
 * The queue's name, for dashboards too. It is the same in every application: what tells two of them apart in one Redis is
 * the prefix of BullMQ's keys, `{<prefix>:bull}`: in braces, so that a cluster keeps all of them in one slot.
 */
export const REBUILDS_QUEUE = 'stillwater-rebuilds';

export const bullPrefix = (prefix: string): string => `{${prefix}:bull}`;

/** What a rebuild is asked to do. Where it stands lies in the registry, not here: any worker can go on with it. */
export interface RebuildJobData {
  readonly kind: 'rebuild';
  /** The view that was asked for. */
  readonly view: string;
  /** It and everything that reads it, upstreams first. */
  readonly views: readonly string[];
  /** Of each of them: a worker without this code leaves the job to others. */
  readonly fingerprints: Readonly<Record<string, string>>;
  readonly acceptTrimmed: boolean;
  /** Asked for before its generations existed; later the registry knows. */
  readonly paused: boolean;
  /** Why it was cancelled; null: it was not. */
  readonly cancelled: string | null;
}

export interface VerifyJobData {
  readonly kind: 'verify';
  readonly view: string;
  readonly fingerprints: Readonly<Record<string, string>>;
  /** Why it was cancelled; null: it was not. */
  readonly cancelled: string | null;
}

export type JobData = RebuildJobData | VerifyJobData;

/** Every bound of the jobs, by name. */
export interface JobLimits {
  /** Jobs one process works on at a time; null: as many as the runtime's `rebuildsMax`. */
  rebuildsMax: number | null;
  /** Jobs that may wait for their turn. */
  rebuildsQueuedMax: number;
  /** Finished jobs that are kept, so that people can read how they went. */
  finishedJobsMax: number;
  /** How often a rebuild is looked at while it replays. */
  driveMs: number;
  /** How often one is looked at that waits for people: paused, or to be promoted. It takes no worker's place meanwhile. */
  restMs: number;
  /** How often it is looked for rebuilds and verifications whose jobs are gone. */
  lostMs: number;
  /** How often a job is tried again after an error of the machinery, and the pause between. */
  attemptsMax: number;
  retryMs: number;
  /** How long Redis may take to answer before a caller is told that it does not. */
  answerMsMax: number;
  /** How long jobs may take to be handed back when a process stops. */
  closeMsMax: number;
}

export const defaultJobLimits: JobLimits = {
  rebuildsMax: null,
  rebuildsQueuedMax: 100,
  finishedJobsMax: 200,
  driveMs: 250,
  restMs: 2_000,
  lostMs: 10_000,
  attemptsMax: 10_000,
  retryMs: 2_000,
  answerMsMax: 5_000,
  closeMsMax: 8_000,
};

/** How long a job stays with a worker that does not say that it is alive; then another takes it over. */
export const LOCK_MS = 5_000;
/** How often it is looked for such jobs. */
export const STALLED_MS = 2_500;
/** After a lost connection a worker rests so long before it asks for jobs again; a process that stops waits for that too. */
export const RUN_RETRY_MS = 1_000;
/** Workers die; a job that was taken over many times is still a job. */
export const STALLED_COUNT_MAX = 1_000_000;

export const jobOptions = (limits: JobLimits): JobsOptions => ({
  attempts: limits.attemptsMax,
  backoff: { type: 'fixed', delay: limits.retryMs },
  removeOnComplete: { count: limits.finishedJobsMax },
  removeOnFail: { count: limits.finishedJobsMax },
  stackTraceLimit: 3,
});

/** A name as part of a job's id: BullMQ keeps the colon for itself. */
export const inJobId = (view: string): string => encodeURIComponent(view);

/** What a rebuild's driver writes down as it goes. */
export type RebuildNote = Pick<
  RebuildStatus,
  | 'generations'
  | 'state'
  | 'reason'
  | 'entriesDone'
  | 'entriesTotal'
  | 'errors'
  | 'entriesPerSecond'
  | 'remainingMs'
>;

export type VerifyNote = Omit<VerifyStatus, 'id' | 'view' | 'startedAt' | 'finishedAt'>;

export const waitingNote: RebuildNote = {
  generations: [],
  state: 'waiting',
  reason: null,
  entriesDone: 0,
  entriesTotal: 0,
  errors: 0,
  entriesPerSecond: null,
  remainingMs: null,
};

export const waitingVerifyNote: VerifyNote = {
  state: 'waiting',
  reason: null,
  entriesDone: 0,
  entriesTotal: 0,
  frontier: null,
  live: null,
  replayed: null,
  differences: [],
};
