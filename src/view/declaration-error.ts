import { StillwaterError } from '../errors/stillwater-error.js';
import type { Problem } from './problem.js';

/** One mistake in a declaration, with the place where it was written. */
export class DeclarationError extends StillwaterError {
  override readonly name = 'DeclarationError';
  readonly place: string | null;

  constructor(problem: Problem, consequence: string) {
    const evidence = { ...problem.evidence, ...(problem.place !== null && { 'written at': problem.place }) };
    const width = Math.max(0, ...Object.keys(evidence).map((label) => label.length));
    super(problem.code, {
      what: problem.what,
      evidence: Object.entries(evidence)
        .map(([label, text]) => `  ${label.padEnd(width)}  ${text}`)
        .join('\n'),
      consequence: problem.consequence ?? consequence,
      remedy: problem.remedy,
    });
    this.place = problem.place;
  }
}
