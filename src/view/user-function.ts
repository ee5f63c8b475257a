/** A function a user wrote, with its text (for fingerprints) and what it gives (null for predicates). */
export interface UserFunction<R = unknown> {
  readonly call: (row: any) => R;
  readonly source: string;
}

/** A condition on a row of each of two collections. */
export interface PairFunction {
  readonly call: (left: any, right: any) => boolean;
  readonly source: string;
}

export const userFunction = <R>(call: (row: any) => R): UserFunction<R> => ({ call, source: sourceOf(call) });

/** Why a function cannot be one of a view; null where nothing speaks against it. */
export function functionProblem(call: unknown): string | null {
  if (typeof call !== 'function')
    return `a function is expected, not ${call === null ? 'null' : typeof call}`;
  const kind = Object.getPrototypeOf(call)?.constructor?.name as string | undefined;
  if (kind === 'AsyncFunction' || kind === 'AsyncGeneratorFunction') return 'the function is async';
  return null;
}

const sourceOf = (call: unknown): string =>
  typeof call === 'function' ? Function.prototype.toString.call(call) : '';
