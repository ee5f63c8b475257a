import type { UserFunction } from './plan.js';

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
