import type { KeptError } from '../../circuit/error-collection.js';
import type { KeptLateRow } from '../../circuit/late-rows.js';
import { allTasks } from '../generation-tasks.js';
import type { TaskId } from '../task-id.js';
import type { ViewStore } from '../ports/view-store.js';
import type { ServedView } from './served-view.js';

/** An entry or row that a view could not use, and where it is kept. */
export interface ErrorOfView extends KeptError {
  partition: number;
}

/** A row that came too late for a view, and where it is kept. */
export interface LateRowOfView extends KeptLateRow {
  partition: number;
}

/** The newest kept errors of a view. */
export const errorsOf = (store: ViewStore, view: ServedView, limit: number): Promise<ErrorOfView[]> =>
  newestOf(view, limit, (task) => store.errors(task, view.generation.buckets, limit));

/** The newest kept rows that came too late for a view. */
export const lateRowsOf = (store: ViewStore, view: ServedView, limit: number): Promise<LateRowOfView[]> =>
  newestOf(view, limit, (task) => store.late(task, view.generation.buckets, limit));

async function newestOf<T extends { seen: number }>(
  view: ServedView,
  limit: number,
  read: (task: TaskId) => Promise<{ text: string }[]>,
): Promise<T[]> {
  const all = await Promise.all(
    allTasks(view.generation).map(async (task) =>
      (await read(task)).map(({ text }) => ({ partition: task.partition, ...JSON.parse(text) }) as T),
    ),
  );
  return all
    .flat()
    .sort((left, right) => right.seen - left.seen)
    .slice(0, limit);
}
