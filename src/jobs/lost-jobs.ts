import type { Rebuilder } from '../runtime/rebuilder.js';
import type { Verifier } from '../runtime/verifier.js';

/**
 * Lets go of what verifications hold whose jobs are gone: removed by hand, after the worker had died that would have let go.
 * Else the live view would stand still for ever. Gives their names.
 */
export async function letGoOfLost(
  verifier: Verifier,
  isUnderWay: (jobId: string) => Promise<boolean>,
): Promise<string[]> {
  const { registry } = verifier.options;
  const { generations } = await registry.refresh();
  const lost: string[] = [];
  for (const { view, state, rebuild } of generations) {
    if (state !== 'shadow' || rebuild === null || (await isUnderWay(jobOf(rebuild)))) continue;
    await verifier.letGo(rebuild, view);
    lost.push(rebuild);
  }
  await verifier.letGoOfUnheld();
  return lost;
}

/** A verification that began anew has its job's name and a number. */
const jobOf = (name: string): string => name.replace(/\.\d+$/, '');

/**
 * Cancels rebuilds whose jobs are gone: nobody would go on with them, and what they have built would be maintained for ever. One
 * whose job has failed is left: a start tries it again, and goes on from where it stands. Gives their names.
 */
export async function cancelLost(
  rebuilder: Rebuilder,
  hasJob: (jobId: string) => Promise<boolean>,
): Promise<string[]> {
  const { registry, clock, limits } = rebuilder.options;
  const { generations } = await registry.refresh();
  const built = new Set(
    generations.flatMap(({ state, rebuild }) => (state === 'building' && rebuild !== null ? [rebuild] : [])),
  );
  const lost: string[] = [];
  for (const id of built) {
    if (await hasJob(id)) continue;
    // A start takes a failed job away and puts it back under its name.
    await clock.sleep(limits.registryRefreshMs);
    if (await hasJob(id)) continue;
    await rebuilder.cancel(id);
    lost.push(id);
  }
  return lost;
}
