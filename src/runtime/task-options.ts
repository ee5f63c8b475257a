import type { CompiledView } from '../view/compile-plan.js';
import type { Clock } from './clock.js';
import type { TaskInput } from './input.js';
import type { Limits } from './limits.js';
import type { Metrics } from './metrics.js';
import type { Generation } from './ports/registry.js';
import type { TaskRecord, TaskStore } from './ports/task-store.js';
import type { OwnerToken, TaskId } from './task-id.js';

/** What a task is made of. */
export interface TaskOptions {
  id: TaskId;
  token: OwnerToken;
  record: TaskRecord | null;
  /** Grants since the last commit; from the third on something keeps ending the owners. */
  grants: number;
  view: CompiledView;
  inputs: readonly TaskInput[];
  errorsMax: number;
  store: TaskStore;
  limits: Limits;
  metrics: Metrics;
  clock: Clock;
  /** The generation as the registry has it now: paused, where to stop. */
  generation: () => Generation | null;
  nonce: () => string;
  /** Runs one synchronous step: without clock and randomness, and under watch. */
  step: <T>(step: () => T) => T;
}

