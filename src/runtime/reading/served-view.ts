import { shownBy } from '../generation-tasks.js';
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
  return { generation, description: descriptionOf(generation), tasks: shownBy(generation) };
}
