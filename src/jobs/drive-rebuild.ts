import type { Rebuilder } from '../runtime/rebuilder.js';
import { Rate } from './rate.js';
import { type RebuildJobData, type RebuildNote, waitingNote } from './rebuild-queue.js';

/**
 * finished   promoted, cancelled or failed: the note is the last word
 * resting    it waits for people (paused, held, or caught up and to be promoted by hand): look again later
 * stopped    the signal was aborted: somebody else is to go on
 */
export type DriveOutcome = { status: 'finished' | 'resting'; note: RebuildNote } | { status: 'stopped' };

export interface DriveOptions {
  readonly id: string;
  readonly rebuilder: Rebuilder;
  /** The job's data as they are now: a pause or a cancellation may have come before there was anything to pause. */
  readonly data: () => Promise<RebuildJobData>;
  /** What the last driver noted; null if there was none. */
  readonly noted: RebuildNote | null;
  readonly report: (note: RebuildNote) => Promise<void>;
  readonly driveMs: number;
  readonly signal: AbortSignal;
}

/**
 * Takes a rebuild from wherever it stands to its end. All that it knows lies in the registry and in the job, so that the
 * process may die on any line and the next one goes on; two drivers at once do no harm.
 */
export async function driveRebuild({
  id,
  rebuilder,
  data,
  noted,
  report,
  driveMs,
  signal,
}: DriveOptions): Promise<DriveOutcome> {
  const { registry, clock } = rebuilder.options;
  await registry.refresh();
  const asked = await data();
  if (rebuilder.generationsOf(id).length === 0) {
    if (asked.cancelled !== null)
      return { status: 'finished', note: { ...waitingNote, state: 'cancelled', reason: asked.cancelled } };
    // It had generations and they are gone: they were cancelled, and must not be made a second time.
    if (noted !== null && noted.generations.length > 0)
      return {
        status: 'finished',
        note: { ...noted, state: 'cancelled', reason: noted.reason ?? 'Its generations were dropped.' },
      };
    if (asked.paused) return { status: 'resting', note: { ...waitingNote, state: 'paused' } };
    await rebuilder.begin(id, asked.views, 'building', asked.acceptTrimmed);
    const meanwhile = await data();
    if (meanwhile.paused) await rebuilder.pause(id, true);
  }
  if ((await data()).cancelled !== null) await rebuilder.cancel(id);

  const rate = new Rate();
  for (;;) {
    if (signal.aborted) return { status: 'stopped' };
    const { generations, state, reason, entriesDone, entriesTotal, errors } = await rebuilder.advance(
      id,
      false,
      // Whoever asks between the promotion and the last note is told all the same what was done.
      ({ generations: made, entriesDone: done, entriesTotal: total, errors: wrong }) =>
        report(
          (noted = {
            ...waitingNote,
            generations: made,
            state: 'replaying',
            entriesDone: done,
            entriesTotal: total,
            errors: wrong,
          }),
        ),
    );
    rate.note(clock.monotonicMs(), entriesDone);
    const moves = state === 'replaying';
    const note: RebuildNote = {
      generations: generations.length > 0 ? generations : (noted?.generations ?? []),
      state,
      reason: state === 'cancelled' ? (await data()).cancelled : reason,
      entriesDone,
      entriesTotal,
      errors: state === 'promoted' ? (noted?.errors ?? 0) : errors,
      entriesPerSecond: moves ? rate.perSecond : null,
      remainingMs: moves ? rate.remainingMs(entriesTotal - entriesDone) : null,
    };
    if (state === 'failed') {
      // What it has built so far can never be served; the reason stays in the note.
      await rebuilder.cancel(id);
      return { status: 'finished', note };
    }
    if (state === 'promoted' || state === 'cancelled') {
      const last = state === 'promoted' ? lastNote(note, noted) : note;
      return { status: 'finished', note: last };
    }
    await report(note);
    noted = note;
    if (!moves) return { status: 'resting', note };
    await clock.sleep(driveMs, signal);
  }
}

/** Once promoted, its generations are no longer counted as being built: all that there was is done. */
function lastNote(note: RebuildNote, noted: RebuildNote | null): RebuildNote {
  const total = Math.max(note.entriesTotal, noted?.entriesTotal ?? 0);
  return { ...note, entriesDone: total, entriesTotal: total };
}
