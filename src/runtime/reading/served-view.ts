import type { Generation } from '../ports/registry.js';
import type { TaskId } from '../task-id.js';
import { descriptionOf, type ViewDescription } from './view-description.js';

/** The generation of a view that readers get, with all that reading it takes. */
export interface ServedView {
  readonly generation: Generation;
  readonly description: ViewDescription;
  /** The tasks of the last stage, by partition. */
  readonly tasks: readonly TaskId[];
}

export function servedView(generation: Generation): ServedView {
  const tasks = Array.from({ length: generation.partitions }, (_, partition) => ({
    view: generation.view,
    generation: generation.number,
    stage: 0,
    partition,
  }));
  return { generation, description: descriptionOf(generation), tasks };
}
