import type { SourceDeclaration } from './declarations.js';

/**
 * A mistake in a declaration. Builders run while modules load and never throw: they note what is wrong and go
 * on as well as they can, so that all mistakes of an application are told at once (`declarationErrors`).
 */
export interface Problem {
  readonly code: string;
  readonly what: string;
  /** Names and values side by side. */
  readonly evidence?: Readonly<Record<string, string>>;
  /** Where it is not simply that nothing was started. */
  readonly consequence?: string;
  readonly remedy: string;
  readonly place: string | null;
}

/** Registered, so that two copies of this module (one loaded by a bundler, one by Node) understand each other. */
const PROBLEMS = Symbol.for('stillwater.problems');

export function attachProblems<T extends object>(holder: T, problems: readonly Problem[]): T {
  if (problems.length > 0)
    Object.defineProperty(holder, PROBLEMS, { value: Object.freeze([...new Set(problems)]) });
  return holder;
}

export const problemsOf = (holder: SourceDeclaration | object): readonly Problem[] =>
  (holder as any)[PROBLEMS] ?? [];
