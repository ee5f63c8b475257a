import type { SourceDeclaration } from './plan.js';
import { attachProblems, type Problem } from './problem.js';

/** Registered, so that what another copy of this module made is known for what it is. */
const DECLARED = Symbol.for('stillwater.declared');

/** Marks what `stream`, `table` and `view` give, and freezes it. */
export function sealed(
  holder: { readonly declaration: SourceDeclaration },
  declaration: SourceDeclaration,
  problems: readonly Problem[],
): void {
  Object.freeze(attachProblems(declaration, problems));
  Object.defineProperty(holder, DECLARED, { value: true });
  Object.freeze(holder);
}

/** The declaration that `stream()`, `table()` or `view()` made; null for anything else. */
export function declarationOf<D extends SourceDeclaration>(value: { readonly declaration: D }): D;
export function declarationOf(value: unknown): SourceDeclaration | null;
export function declarationOf(value: unknown): SourceDeclaration | null {
  return typeof value === 'object' && value !== null && DECLARED in value ? (value as any).declaration : null;
}
