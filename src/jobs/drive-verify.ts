import { abortTogether } from '../runtime/abort-together.js';
import type { Verifier } from '../runtime/verifier.js';
import { type VerifyNote, waitingVerifyNote } from './rebuild-queue.js';

/** How often a comparison begins anew when somebody else put its generation away. */
const RUNS_MAX = 3;

export interface VerifyDrive {
  readonly id: string;
  readonly view: string;
  /** Why it was cancelled; null: it was not. */
  readonly cancelled: () => Promise<string | null>;
  readonly report: (note: VerifyNote) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Runs a verification, or goes on with one whose worker died. A worker that stops in good order, or is told that nobody
 * wants it any more, lets go of the generations, and of the live view which it may have held; whoever goes on then needs a
 * new one under a new name. Null if the signal was aborted.
 */
export async function driveVerify(
  verifier: Verifier,
  { id, view, cancelled, report, signal }: VerifyDrive,
): Promise<VerifyNote | null> {
  const over = new AbortController();
  const letGo = abortTogether(over, [signal]);
  let note: VerifyNote = waitingVerifyNote;
  const called = async (): Promise<VerifyNote | null> => {
    const reason = await cancelled();
    return reason === null ? null : { ...note, state: 'cancelled', reason };
  };
  try {
    for (let run = 1; ; run++) {
      const before = await called();
      if (before) return before;
      note = await verifier.run(
        await freeName(verifier, id),
        view,
        async (progress) => {
          note = progress;
          await report(progress);
          if ((await cancelled()) !== null) over.abort();
        },
        over.signal,
      );
      if (note.state !== 'cancelled') return note;
      const after = await called();
      if (after) return after;
      if (signal.aborted) return null;
      if (run === RUNS_MAX)
        return {
          ...note,
          reason:
            note.reason ?? `The view "${view}" is not served, or its replay was put away ${RUNS_MAX} times.`,
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
