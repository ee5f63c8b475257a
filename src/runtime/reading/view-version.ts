import type { TaskRecord } from '../ports/task-store.js';
import type { ServedView } from './served-view.js';

/** Generation and tick per partition, as text: `3.17-5`. What `ETag` and the ids of changes are. */
export const versionText = (view: ServedView, ticks: readonly number[]): string =>
  `${view.generation.number}.${ticks.join('-')}`;

export const ticksOf = (records: readonly (TaskRecord | null)[]): number[] =>
  records.map((record) => record?.tick ?? 0);

/** Null for a text that is none. */
export function parseVersion(text: string): { generation: number; ticks: number[] } | null {
  const found = /^(\d{1,15})\.(\d{1,15}(?:-\d{1,15})*)$/.exec(text);
  return found && { generation: Number(found[1]), ticks: found[2]!.split('-').map(Number) };
}
