import type { Generation } from './ports/registry.js';

/** A generation as it is once it has taken another state. */
export const inState = (generation: Generation, state: Generation['state'], now: number): Generation => ({
  ...generation,
  state,
  since: now,
});
