import { leastClocks, type PartitionClocks } from './clocks.js';
import { isInEntry } from './entry-parts.js';
import { covers, type Frontier } from './frontier.js';
import type { CommitId, TaskRecord } from './ports/task-store.js';
import { BEGINNING, type Position, tickOf } from './position.js';

/** What is said of a commit beside what it changed. */
export interface CommitFacts {
  /** Per source partition, the position whose effects the task contained after the commit. */
  readonly frontier: Frontier;
  /** Of a view that acts on time: the clocks that its rows are of. */
  readonly clocks: PartitionClocks;
  /** What was taken in had more effects than one commit takes, and further commits bring more of them. */
  readonly more: boolean;
}

/** Where a task that sends is or was: in logs, in the views that it reads, and in time. */
export interface Place extends Pick<CommitFacts, 'frontier' | 'clocks'> {
  /** Of each view that it reads, by input, the newest commit of which it has taken anything; absent where there is none. */
  readonly read?: Readonly<Record<string, Readonly<CommitId>>>;
}

/** What a task keeps of a view that it reads, beside the position: in its record, under the input's name. */
export interface Followed {
  /** The nonce of the upstream's commit at the position; empty while there is none. */
  readonly commit: string;
  /** That commit is not the last that brings the effects of what it took in. */
  readonly more: boolean;
  /** Null when it is left behind. */
  readonly snapshot: Snapshot | null;
}

/** The name of the input of a stage that reads another: no source has it, for theirs begin with their kind. */
export const EXCHANGE = 'exchange';

/** What a task keeps of one of the tasks that send to it: the last entry it has, and what is contained in that or was said since. */
export interface Heard extends CommitFacts, Place, Readonly<CommitId> {
  /** How many entries it has. */
  readonly entries: number;
  /** The sender's tick of which the facts are: a later one, if that sent nothing here. */
  readonly upTo: number;
}

/** What a task's record says of its senders; null before it received anything. */
export const heardIn = ({ extra }: Pick<TaskRecord, 'extra'>): readonly Heard[] | null =>
  (extra[EXCHANGE] as readonly Heard[] | undefined) ?? null;

/**
 * How far the snapshot of an upstream partition has come, until the changelog has caught up with all of it.
 *
 * A bucket is taken page by page; a page's rows are of one tick. So each bucket is a list of *runs*: rows with keys up to
 * `upTo` (null: to the end) are as of one commit. The changelog then applies to a row from the tick of its run on.
 */
export interface Snapshot {
  readonly runs: readonly (readonly Run[])[];
  /** What the last page was read with; once the changelog reaches this commit the snapshot is left behind. */
  readonly last: CommitId;
  readonly facts: CommitFacts;
}

export interface Run extends Readonly<CommitId> {
  readonly upTo: string | null;
}

/** The commit from which the changelog is read: the oldest that any run was read at. They are read in the order of commits. */
export const oldestOf = ({ runs }: Snapshot): Run => runs[0]![0]!;

/** The newest commit of a view of which something was taken: pages of a snapshot may be newer than the position. */
export const newestRead = (position: Position, note: Followed | undefined): Readonly<CommitId> =>
  note?.snapshot?.last ?? { tick: tickOf(position), commit: note?.commit ?? '' };

/** What a task has read of views, as a part of its place. */
export function commitsRead({
  positions,
  extra,
}: Pick<TaskRecord, 'positions' | 'extra'>): Pick<Place, 'read'> {
  const read = Object.entries(extra)
    .filter(([input]) => isOfView(input))
    .map(([input, note]) => {
      const { tick, commit } = newestRead(positions[input]?.position ?? BEGINNING, note as Followed);
      return [input, { tick, commit }] as const;
    });
  return read.length === 0 ? {} : { read: Object.fromEntries(read) };
}

const isOfView = (input: string): boolean => input.startsWith('view:');

/**
 * Whether a task's rows lie between two frontiers: of what it takes in, or a view that it reads has taken in, some effects
 * are there and some are not.
 */
export const isBetween = ({ applied, extra }: Pick<TaskRecord, 'applied' | 'extra'>): boolean =>
  applied !== null ||
  isInEntry({ extra }) ||
  (heardIn({ extra })?.some(({ more }) => more) ?? false) ||
  Object.entries(extra).some(([input, note]) => isOfView(input) && (note as Followed).more);

/** What a dependent gets with the rows. While more is due than was done, the rows are of the time and the frontier before. */
export const factsOf = (
  record: Pick<TaskRecord, 'frontier' | 'clocks' | 'applied' | 'extra'>,
): CommitFacts => ({
  frontier: record.frontier,
  clocks: leastClocks(record.applied ?? record.clocks),
  more: isBetween(record),
});

/** Whether whoever is here has been there: it contains no less of any log or view, and no clock of it is behind. */
export const reaches = (here: Place, there: Place): boolean =>
  covers(here.frontier, there.frontier) &&
  Object.entries(there.clocks).every(
    ([redisKey, clock]) => clock === null || (here.clocks[redisKey] ?? -Infinity) >= clock,
  ) &&
  Object.entries(there.read ?? {}).every(([input, { tick, commit }]) => {
    const own = here.read?.[input] ?? { tick: 0, commit: '' };
    return own.tick > tick || (own.tick === tick && own.commit === commit);
  });

export const NO_FACTS: CommitFacts = { frontier: {}, clocks: {}, more: false };
