import type { Generation } from './ports/registry.js';
import type { TaskId } from './task-id.js';

/** The stage whose tasks keep the rows. */
export const lastStage = ({ stages }: Pick<Generation, 'stages'>): number => stages?.length ?? 0;

/** The tasks of one stage, by partition. */
export function tasksOfStage(generation: Generation, stage: number): TaskId[] {
  const { view, number, stages } = generation;
  const partitions = stages?.[stage]?.partitions ?? generation.partitions;
  return Array.from({ length: partitions }, (_, partition) => ({
    view,
    generation: number,
    stage,
    partition,
  }));
}

/** The tasks that keep the rows, by partition. */
export const shownBy = (generation: Generation): TaskId[] => tasksOfStage(generation, lastStage(generation));

/** All tasks, those that read logs first. */
export const allTasks = (generation: Generation): TaskId[] =>
  Array.from({ length: lastStage(generation) + 1 }, (_, stage) => tasksOfStage(generation, stage)).flat();

/** What the tasks of a stage keep. */
export const statesOf = (generation: Generation, stage: number): Generation['states'] =>
  generation.stages?.[stage]?.states ?? generation.states;

/** How many tasks receive what those of a stage send; none of the last. */
export const receiversOf = (generation: Generation, stage: number): number =>
  stage < lastStage(generation) ? tasksOfStage(generation, stage + 1).length : 0;
