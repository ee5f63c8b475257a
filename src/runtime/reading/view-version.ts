import type { CommitId } from '../ports/task-store.js';
import type { ServedView } from './served-view.js';

/**
 * Generation, and the commit of each partition, as text: `3.17~x1.5~y2`; `0` where nothing was committed yet. What `ETag` and
 * the ids of changes are.
 *
 * Ticks alone would not do: where Redis lost its last writes they are made again, under the same numbers and with other rows.
 */
export const versionText = (view: ServedView, commits: readonly CommitId[]): string =>
  [
    view.generation.number,
    ...commits.map(({ tick, commit }) => (tick === 0 ? '0' : `${tick}~${commit}`)),
  ].join('.');

export const commitsOf = (records: readonly (CommitId | null)[]): CommitId[] =>
  records.map((record) => ({ tick: record?.tick ?? 0, commit: record?.commit ?? '' }));

/** Null for a text that is none. */
export function parseVersion(text: string): { generation: number; commits: CommitId[] } | null {
  const found = /^(\d{1,15})((?:\.(?:0|\d{1,15}~[\w-]{1,40}))+)$/.exec(text);
  return (
    found && {
      generation: Number(found[1]),
      commits: found[2]!
        .slice(1)
        .split('.')
        .map((each) => {
          const [tick, commit = ''] = each.split('~') as [string, string?];
          return { tick: Number(tick), commit };
        }),
    }
  );
}
