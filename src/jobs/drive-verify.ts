import { abortTogether } from '../runtime/abort-together.js';
import type { Verifier } from '../runtime/verifier.js';
import { type VerifyNote, waitingVerifyNote } from './rebuild-queue.js';

/** How often a comparison begins anew when somebody else put its generation away or let the live view go on. */
const RUNS_MAX = 3;

export interface VerifyDrive {
  readonly id: string;
  readonly view: string;
  /** What it came to with another worker, to whom the job was given too; null: nothing yet. */
  readonly finished: () => Promise<VerifyNote | null>;
  /** Why it was cancelled; null: it was not. */
  readonly cancelled: () => Promise<string | null>;
  readonly report: (note: VerifyNote) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Runs a verification, or goes on with one whose worker died. A worker that stops in good order, or is told that nobody
 * wants it any more, lets go of the generations, and of the live view which it may have held; whoever goes on then needs a
 * new one under a new name. Where two drive one job, the first to end lets go of what both compare: the other begins anew,
 * unless the job has its result by then. Null if the signal was aborted.
 */
export async function driveVerify(
  verifier: Verifier,
  { id, view, finished, cancelled, report, signal }: VerifyDrive,
): Promise<VerifyNote | null> {
  const over = new AbortController();
  const letGo = abortTogether(over, [signal]);
  let note: VerifyNote = waitingVerifyNote;
  const ended = async (): Promise<VerifyNote | null> => {
    const result = await finished();
    if (result) return result;
    const reason = await cancelled();
    return reason === null ? null : { ...note, state: 'cancelled', reason };
  };
  try {
    for (let run = 1; ; run++) {
      const before = await ended();
      if (before) return before;
      note = await verifier.run(
        await freeName(verifier, id),
        view,
        async (progress) => {
          note = progress;
          await report(progress);
          if ((await ended()) !== null) over.abort();
        },
        over.signal,
      );
      if (note.state !== 'cancelled') return note;
      const after = await ended();
      if (after) return after;
      if (signal.aborted) return null;
      if (run === RUNS_MAX)
        return {
          ...note,
          reason:
            note.reason ??
            `The view "${view}" is not served, or ${RUNS_MAX} times its replay was put away or the view let go while both were compared.`,
        };
    }
  } finally {
    letGo();
  }
}

async function freeName(verifier: Verifier, id: string): Promise<string> {
  const { rebuilder, registry } = verifier.options;
  await registry.refresh();
  for (let run = 1; ; run++) {
    const name = run === 1 ? id : `${id}.${run}`;
    if (rebuilder.generationsOf(name).every(({ state }) => state !== 'dropping')) return name;
  }
}
