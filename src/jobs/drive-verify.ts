import type { Verifier } from '../runtime/verifier.js';
import type { VerifyNote } from './rebuild-queue.js';

/** How often a comparison begins anew when somebody else put its generation away. */
const RUNS_MAX = 3;

/**
 * Runs a verification, or goes on with one whose worker died. A worker that stops in good order lets go of the
 * generations, and of the live view which it may have held; whoever goes on then needs a new one under a new name.
 * Null if the signal was aborted.
 */
export async function driveVerify(
  verifier: Verifier,
  {
    id,
    view,
    report,
    signal,
  }: { id: string; view: string; report: (note: VerifyNote) => Promise<void>; signal: AbortSignal },
): Promise<VerifyNote | null> {
  for (let run = 1; ; run++) {
    const note = await verifier.run(await freeName(verifier, id), view, report, signal);
    if (note.state !== 'cancelled') return note;
    if (signal.aborted) return null;
    if (run === RUNS_MAX)
      return {
        ...note,
        reason:
          note.reason ?? `The view "${view}" is not served, or its replay was put away ${RUNS_MAX} times.`,
      };
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
