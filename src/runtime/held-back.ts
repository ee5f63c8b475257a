import { counted } from '../errors/counted.js';
import type { Generation } from './ports/registry.js';
import type { Progress } from './progress.js';

/** Of so many entries `errorsMax` is said. */
const THOUSAND = 1_000;

export const errorsIn = ({ statuses }: Progress): number =>
  statuses.reduce((sum, { record }) => sum + (record?.errors ?? 0), 0);

/**
 * Why a generation that has caught up is not promoted by itself; null if nothing is to be said against it.
 *
 * A definition that fails on the rows of a short log has no thousand entries to be parked for, and would be served all the
 * same. So it is held if of all that it has replayed more is in error than `errorsMax` allows, and more than in what serves:
 * data that no definition can use hold nothing back.
 */
export function heldBack(
  { view, number }: Pick<Generation, 'view' | 'number'>,
  built: Progress,
  served: Progress | null,
  errorsMax: number,
): string | null {
  const errors = errorsIn(built);
  const before = served === null ? 0 : errorsIn(served);
  if (errors <= before || errors * THOUSAND <= errorsMax * built.entriesDone) return null;
  return (
    `"${view}" is not promoted by itself: generation ${number} has ${counted(errors, 'error')} in ${counted(built.entriesDone, 'entry', 'entries')}, ` +
    `${served === null ? 'and nothing of it is served yet' : `what serves has ${before}`}; errorsMax allows ${errorsMax} of ${THOUSAND}. ` +
    `What was served before is served on. See GET /views/${encodeURIComponent(view)}/errors?generation=${number}, then correct the view, or promote it all the same.`
  );
}
