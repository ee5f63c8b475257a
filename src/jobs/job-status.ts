import type { Job } from 'bullmq';
import type { Generation } from '../runtime/ports/registry.js';
import type { RebuildStatus, VerifyStatus } from '../runtime/rebuilds.js';
import {
  type RebuildJobData,
  type RebuildNote,
  type VerifyJobData,
  type VerifyNote,
  waitingNote,
  waitingVerifyNote,
} from './rebuild-queue.js';

const isNote = (progress: unknown): boolean =>
  typeof progress === 'object' && progress !== null && 'state' in progress;

/** What the last driver wrote down; null for a job that no worker has begun. */
export const noteOf = (job: Pick<Job, 'progress'>): RebuildNote | null =>
  isNote(job.progress) ? (job.progress as RebuildNote) : null;

/**
 * How a rebuild stands: what its driver noted, corrected by what the registry says now. The driver may be between two
 * looks, or dead.
 */
export function rebuildStatus(job: Job<RebuildJobData>, generations: readonly Generation[]): RebuildStatus {
  const head = {
    id: job.id!,
    view: job.data.view,
    startedAt: job.timestamp,
    finishedAt: job.finishedOn ?? null,
  };
  if (isNote(job.returnvalue)) return { ...head, ...pick(job.returnvalue as RebuildNote) };
  const noted = noteOf(job);
  const note = noted ?? waitingNote;
  const still = { entriesPerSecond: null, remainingMs: null };
  if (job.finishedOn)
    return { ...head, ...pick(note), ...still, state: 'failed', reason: job.failedReason ?? note.reason };
  // A job between two attempts says what went wrong in the last one.
  const reason = note.reason ?? job.failedReason ?? null;
  if (job.data.cancelled !== null)
    return { ...head, ...pick(note), ...still, state: 'cancelled', reason: job.data.cancelled };
  const building = generations.filter(({ state }) => state === 'building');
  const made =
    generations.length > 0
      ? generations.map(({ view, number }) => ({ view, generation: number }))
      : note.generations;
  if (generations.length === 0)
    return {
      ...head,
      ...pick(note),
      ...still,
      reason,
      state: noted === null && job.data.paused ? 'paused' : note.state,
    };
  if (building.length === 0) {
    const promoted = generations.some(({ state }) => state === 'serving' || state === 'kept');
    return {
      ...head,
      ...pick(note),
      ...still,
      // The last note is from before the promotion: everything there was is done by now.
      ...(promoted && { entriesDone: note.entriesTotal }),
      generations: made,
      reason,
      state: promoted ? 'promoted' : 'cancelled',
    };
  }
  if (building.some(({ paused }) => paused))
    return { ...head, ...pick(note), ...still, generations: made, reason, state: 'paused' };
  const state = note.state === 'caughtUp' || note.state === 'held' ? note.state : 'replaying';
  return { ...head, ...pick(note), generations: made, reason, state };
}

/** What a verification has come to; null for one that has not, or of which nothing is known. */
export const resultOf = (job: Pick<Job, 'returnvalue'> | undefined): VerifyNote | null =>
  isNote(job?.returnvalue) ? (job!.returnvalue as VerifyNote) : null;

export function verifyStatus(job: Job<VerifyJobData>): VerifyStatus {
  const head = {
    id: job.id!,
    view: job.data.view,
    startedAt: job.timestamp,
    finishedAt: job.finishedOn ?? null,
  };
  const result = resultOf(job);
  if (result) return { ...head, ...result };
  const note = isNote(job.progress) ? (job.progress as VerifyNote) : waitingVerifyNote;
  const reason = note.reason ?? job.failedReason ?? null;
  if (!job.finishedOn && job.data.cancelled)
    return { ...head, ...note, state: 'cancelled', reason: job.data.cancelled };
  return job.finishedOn ? { ...head, ...note, state: 'failed', reason } : { ...head, ...note, reason };
}

/** The fields of a note and nothing else, whatever a job of another release may have written. */
function pick(note: RebuildNote): RebuildNote {
  const { generations, state, reason, entriesDone, entriesTotal, errors = 0 } = note;
  const { entriesPerSecond, remainingMs } = note;
  return { generations, state, reason, entriesDone, entriesTotal, errors, entriesPerSecond, remainingMs };
}
