import type { KeptError } from '../../circuit/error-collection.js';
import type { ViewStore } from '../ports/view-store.js';
import type { ServedView } from './served-view.js';

/** An entry or row that a view could not use, and where it is kept. */
export interface ErrorOfView extends KeptError {
  partition: number;
}

/** The newest kept errors of a view. */
export async function errorsOf(store: ViewStore, view: ServedView, limit: number): Promise<ErrorOfView[]> {
  const all = await Promise.all(
    view.tasks.map(async (task) =>
      (await store.errors(task, view.generation.buckets, limit)).map(({ text }) => ({
        partition: task.partition,
        ...(JSON.parse(text) as KeptError),
      })),
    ),
  );
  return all
    .flat()
    .sort((left, right) => right.seen - left.seen)
    .slice(0, limit);
}
