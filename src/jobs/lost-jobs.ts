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
