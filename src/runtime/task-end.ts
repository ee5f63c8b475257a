import type { ParkReason } from './ports/task-store.js';

/**
 * How a task ended.
 *
 *   released   it was asked to stop, and gave the task up
 *   fenced     another worker owns it
 *   parked     it cannot go on, and the store says why
 *   failed     an invariant did not hold: nothing of the tick was committed
 */
export type TaskEnd =
  { how: 'released' | 'fenced' } | { how: 'parked'; reason: ParkReason } | { how: 'failed'; thrown: unknown };

/** Thrown inside the loop to end it. */
export class Ended extends Error {
  constructor(readonly end: TaskEnd) {
    super(end.how);
  }
}

/** The store stands elsewhere than the owner thought. */
export class Diverged extends Error {}

/** Codes of trouble that passes: of the ports, and of connections below them. */
const TRANSIENT =
  /^(redis-unavailable|redis-refused|append-outcome-unknown|ECONN\w*|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)$/;

/** Trouble of the connection or of the server, which passes: what failed is tried again. */
export function isTransient(thrown: unknown): boolean {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === 'string' && TRANSIENT.test(code);
}
