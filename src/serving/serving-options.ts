import type { ServingLimits } from './serving-limits.js';

export interface ServingOptions {
  /** What writes and administration must bring as `Authorization: Bearer …`; null asks for nothing. */
  readonly token: string | null;
  readonly limits?: Partial<ServingLimits>;
  /** Answer unknown routes and malformed bodies of the whole application as problems too. Default: true. */
  readonly standalone?: boolean;
}

/** What `ServingModule.forRoot` was given, with all limits. */
export class ResolvedServingOptions {
  constructor(
    readonly token: string | null,
    readonly limits: ServingLimits,
    readonly standalone: boolean,
  ) {}
}
