export class HealthOptions {
  constructor(
    /** A loop that has not turned for longer is dead. */
    readonly stalledMsMax = 10_000,
    /** How long Redis may take to answer before it counts as gone. */
    readonly readyMsMax = 2_000,
  ) {}
}
