import { type ErrorParts, StillwaterError } from '../errors/stillwater-error.js';

/** What the service answered instead of what was asked: its `problem+json`, read back into the four parts. */
export class ServiceProblem extends StillwaterError {
  override readonly name = 'ServiceProblem';

  constructor(
    readonly status: number,
    readonly problem: Readonly<Record<string, any>>,
  ) {
    super(String(problem.code ?? 'service'), partsOf(status, problem));
  }
}

function partsOf(status: number, problem: Readonly<Record<string, any>>): ErrorParts {
  const text = (part: string): string | undefined =>
    typeof problem[part] === 'string' && problem[part] !== '' ? problem[part] : undefined;
  const parts = { evidence: text('evidence'), consequence: text('consequence'), remedy: text('remedy') };
  const what = text('what') ?? text('detail') ?? text('title') ?? `The service answered ${status}.`;
  return { what, ...Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) };
}
