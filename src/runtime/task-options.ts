import type { CompiledStage } from '../view/compiled-stage.js';
import type { Clock } from './clock.js';
import type { TaskInput } from './input.js';
import type { Laggards } from './laggards.js';
import type { Limits } from './limits.js';
import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';
import type { Generation } from './ports/registry.js';
import type { Attempt, TaskRecord, TaskStore } from './ports/task-store.js';
import type { Sending } from './sending.js';
import type { SiblingClocks } from './sibling-clocks.js';
import type { StepGate } from './step-gate.js';
import type { OwnerToken, TaskId } from './task-id.js';
import type { TimeSpent } from './time-spent.js';
import type { Turns } from './turns.js';

/** What a task is made of. */
export interface TaskOptions {
  id: TaskId;
  token: OwnerToken;
  record: TaskRecord | null;
  /** Grants since the last commit; from the third on something keeps ending the owners. */
  grants: number;
  /** What the owner before was stepping when it ended; null if nothing, or if it survived. */
  attempt: Attempt | null;
  /** It was parked after its last commit, and nobody has said since that it goes on. */
  wasParked: boolean;
  /** Of the view's definition: what is blamed is blamed in all its generations. */
  fingerprint: string;
  view: CompiledStage;
  inputs: readonly TaskInput[];
  /** The other tasks of the view; null where it acts on no time that they bring. */
  siblings: SiblingClocks | null;
  /** Whom it waits for while it replays; null where nobody else reads a log on whose time the view acts. */
  laggards: Laggards | null;
  /** Null of a task that sends nothing. */
  sending: Sending | null;
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
  /** How long it has worked. */
  spent: TimeSpent;
  /** The worker's: all its circuits step through it. */
  gate: StepGate;
  /** The worker's: its tasks take turns in it. */
  turns: Turns;
  logger: Logger;
}
