import type { Verdict } from './case-file.js';

const MARK = 'unsupported: ';

/** What a case needs and this runner, or the product, does not have. It counts as unsupported, never as wrong. */
export class Unsupported extends Error {
  constructor(readonly what: string) {
    super(MARK + what);
  }
}

export function unsupported(what: string): never {
  throw new Unsupported(what);
}

/** What was unsupported, where a view's function said so and its message came back as an error of the view. */
export const unsupportedIn = (reason: string): string | null =>
  reason.includes(MARK) ? reason.slice(reason.indexOf(MARK) + MARK.length) : null;

/** What comes of a case that ended by an error. */
export function verdictOf(thrown: unknown): Verdict {
  if (thrown instanceof Unsupported) return { verdict: 'unsupported', reason: thrown.what };
  const { message, name } = thrown as Error;
  // A refused declaration is no wrong answer; it says why.
  if (name === 'DeclarationErrors') return { verdict: 'unsupported', reason: `refused: ${message}` };
  return { verdict: 'wrong', reason: message };
}
