/**
 * An invariant of Stillwater itself. A failure is our mistake, never the user's: the task that meets it
 * closes without committing, and the others go on. Asserted in production too.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Closes a switch over a union: the compiler refuses it while a case is missing. */
export function unreachable(value: never): never {
  throw new InvariantError(`No case for ${JSON.stringify(value)}.`);
}
