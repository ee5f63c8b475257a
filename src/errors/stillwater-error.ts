/**
 * A deliberate error. Its text has four parts, in this order: *what* happened (view, partition, entry), the
 * *evidence* (values side by side), the *consequence* (what was and was not done) and the *remedy*
 * (a thing to type, or "no action").
 */
export class StillwaterError extends Error {
  override readonly name: string = 'StillwaterError';
  constructor(
    /** Stable, for machines: `unknown-column`, `log-trimmed`, … */
    readonly code: string,
    readonly parts: ErrorParts,
    options?: ErrorOptions,
  ) {
    super([parts.what, parts.evidence, parts.consequence, parts.remedy].filter(Boolean).join('\n'), options);
  }
}

export interface ErrorParts {
  what: string;
  evidence?: string;
  consequence?: string;
  remedy?: string;
}

/** All that is wrong with a set of declarations, found in one go. */
export class DeclarationErrors extends StillwaterError {
  override readonly name = 'DeclarationErrors';
  constructor(readonly errors: readonly StillwaterError[]) {
    super('declaration-errors', {
      what:
        errors.length === 1
          ? errors[0]!.message
          : `${errors.length} declarations are wrong.\n\n${errors.map((error) => error.message).join('\n\n')}`,
    });
  }
}

/** The text of anything that was thrown. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);
