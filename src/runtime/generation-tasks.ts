import type { Generation, GenerationShape } from './ports/registry.js';
import { ROUNDS } from './rounds.js';
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

/** To what the tasks of a stage may have sent entries: to those of the next, by their number, and as `rounds.ts` says. */
export const receiversOf = (generation: Generation, stage: number): number[] =>
  stage < lastStage(generation) ? [ROUNDS, ...tasksOfStage(generation, stage + 1).keys()] : [];

/** Whether its rows move more than once, so that its tasks must agree where to stop. */
export const hasRounds = (generation: Generation): boolean => lastStage(generation) > 1;

/** The task that says where a round ends. */
export const roundGiver = (generation: Generation): TaskId => tasksOfStage(generation, 1)[0]!;

/** All that stop where it says. */
export const roundFollowers = (generation: Generation): TaskId[] =>
  allTasks(generation).filter(({ stage, partition }) => stage > 1 || (stage === 1 && partition > 0));

/** What a task keeps of its generation, so that the keys of one that the registry has lost are found. */
export const shapeOf = ({
  partitions,
  stages,
  buckets,
  states,
  upstreams,
}: GenerationShape): GenerationShape => ({
  partitions,
  // Said also where there are none: laid over another generation it takes away what that has.
  stages: stages ?? [],
  buckets,
  states,
  upstreams,
});
