import type { SourceDeclaration } from './declarations.js';

/** Registered, so that what another copy of this module made is known for what it is. */
const DECLARED = Symbol.for('stillwater.declared');

/** Marks what stands for a declaration, as what `stream`, `table` and `view` give does, and freezes it. */
export function sealed<Holder extends { readonly declaration: SourceDeclaration }>(holder: Holder): Holder {
  Object.defineProperty(holder, DECLARED, { value: true });
  return Object.freeze(holder);
}

/** The declaration that `stream()`, `table()` or `view()` made; null for anything else. */
export function declarationOf<D extends SourceDeclaration>(value: { readonly declaration: D }): D;
export function declarationOf(value: unknown): SourceDeclaration | null;
export function declarationOf(value: unknown): SourceDeclaration | null {
  return typeof value === 'object' && value !== null && DECLARED in value ? (value as any).declaration : null;
}
