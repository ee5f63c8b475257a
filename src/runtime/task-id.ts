/** What a task maintains: one partition of one stage of one generation of a view. */
export interface TaskId {
  readonly view: string;
  readonly generation: number;
  readonly stage: number;
  readonly partition: number;
}

/** `flights-by-hour#3/0.1`: generation 3, stage 0, partition 1. */
export const taskName = (task: TaskId): string =>
  `${task.view}#${task.generation}/${task.stage}.${task.partition}`;

/** The task of a name; null where it is of none. */
export function taskNamed(name: string): TaskId | null {
  const found = /^(.+)#(\d+)\/(\d+)\.(\d+)$/s.exec(name);
  if (found === null) return null;
  const [generation, stage, partition] = found.slice(2).map(Number) as [number, number, number];
  return { view: found[1]!, generation, stage, partition };
}

/** Proof of owning a task: a rising epoch, and a nonce because a Redis that lost its last second may grant an epoch twice. */
export interface OwnerToken {
  readonly epoch: number;
  readonly nonce: string;
}
