import type { CommitRequest, InputPosition, TaskRecord } from '../../src/runtime/ports/task-store.js';
import type { OwnerToken, TaskId } from '../../src/runtime/task-id.js';

export const TASK: TaskId = { view: 'revenue', generation: 1, stage: 0, partition: 0 };
export const BUCKETS = 8;

/** The positions after a tick, in these tests: one entry a tick. */
export const positionsAfter = (tick: number): Record<string, InputPosition> =>
  tick === 0 ? {} : { 'stream:orders': { position: `${tick}-0`, entries: tick } };

export const recordOf = (tick: number, changed: Partial<TaskRecord> = {}): TaskRecord => ({
  tick,
  commit: `commit-${tick}`,
  positions: positionsAfter(tick),
  frontier: { orders: `${tick}-0` },
  rows: 0,
  conflicts: 0,
  errors: 0,
  checksum: '0000000000000000',
  extra: {},
  clocks: {},
  applied: null,
  reaching: null,
  late: 0,
  ...changed,
});

/** A commit of `tick` that changes what `changed` says. */
export function commitOf(
  token: OwnerToken,
  tick: number,
  changed: Partial<CommitRequest> = {},
): CommitRequest {
  return {
    task: TASK,
    token,
    tick,
    nonce: `commit-${tick}`,
    buckets: BUCKETS,
    record: recordOf(tick),
    from: positionsAfter(tick - 1),
    follows: tick === 1 ? '' : `commit-${tick - 1}`,
    keyed: [],
    ordered: [],
    indexes: [],
    changelog: null,
    changelogFrom: 0,
    ...changed,
  };
}

/** Rows as writes of the state `rows`. */
export const rowsWrites = (rows: Record<string, unknown>): CommitRequest['keyed'] => [
  {
    state: 'rows',
    writes: new Map(
      Object.entries(rows).map(([key, row]) => [key, row === null ? null : JSON.stringify(row)] as const),
    ),
  },
];
