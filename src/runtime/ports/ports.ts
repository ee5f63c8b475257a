import type { Registry } from './registry.js';
import type { SourceLog } from './source-log.js';
import type { TaskStore } from './task-store.js';
import type { ViewStore } from './view-store.js';
import type { Workers } from './workers.js';

/** Everything the runtime asks of what keeps streams, state and records. */
export interface Ports {
  readonly log: SourceLog;
  readonly tasks: TaskStore;
  readonly views: ViewStore;
  readonly registry: Registry;
  readonly workers: Workers;
}
