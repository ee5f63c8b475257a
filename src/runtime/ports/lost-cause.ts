import type { LogEnd, LostCause } from './source-log.js';
import { comparePositions, type Position } from '../position.js';

/**
 * Why a log has no entry at a position that had been read, and goes on after it.
 *
 *   went-back   the log ends before the position, or never lost an entry, or has older entries and none was deleted up to
 *               there: it is another log, or an earlier state of it that was continued differently
 *   deleted     an entry at or after the position was deleted by hand
 *   trimmed     the log begins after the position
 */
export function lostCause(end: LogEnd, position: Position): LostCause {
  if (comparePositions(end.last, position) < 0) return 'went-back';
  if (comparePositions(end.maxDeleted, position) >= 0) return 'deleted';
  if (end.entriesAdded === end.length) return 'went-back';
  if (end.first === null || comparePositions(end.first, position) > 0) return 'trimmed';
  return 'went-back';
}
