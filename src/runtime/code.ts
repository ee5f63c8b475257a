import type { ViewDeclaration } from '../view/declarations.js';

/**
 * The code this process has, by fingerprint. A generation is maintained only by a process that has its code; while
 * views are edited the old module stays until its generation has been replaced.
 */
export class Code {
  readonly #views = new Map<string, ViewDeclaration>();

  add(views: Iterable<ViewDeclaration>): void {
    for (const view of views) this.#views.set(view.fingerprint, view);
  }

  /** Forgets all others: of what was saved again and again, only what is declared now or was made into a generation is needed. */
  keepOnly(fingerprints: Iterable<string>): void {
    const kept = new Set(fingerprints);
    for (const fingerprint of this.#views.keys()) if (!kept.has(fingerprint)) this.#views.delete(fingerprint);
  }

  view(fingerprint: string): ViewDeclaration | undefined {
    return this.#views.get(fingerprint);
  }

  get fingerprints(): string[] {
    return [...this.#views.keys()].sort();
  }
}
