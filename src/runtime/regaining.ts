import { StillwaterError } from '../errors/stillwater-error.js';
import { leastClocks } from './clocks.js';
import { withLastSent } from './exchange-entry.js';
import { commitsRead, type Heard, heardIn, type Place, reaches } from './followed.js';
import type { TaskRecord, TaskStore } from './ports/task-store.js';
import { type TaskId, taskName } from './task-id.js';

/**
 * Where the slot of a task that sends went back, and those of its receivers did not, these have what it has lost: they are
 * *ahead* of it.
 *
 *     what it had sent     ──[8]────[9]────[10]──▶
 *     it has                  7
 *     receiver 0 has                  9                made again: 7 ──▶ where 9 ended ──▶ where 10 ended ──▶ …
 *     receiver 1 has                         10                    to nobody      to 0        to both
 *
 * A receiver says where in the logs, and in the views that are read, the last commit was of which it heard. The task makes its
 * lost ticks again, cut exactly there. What it makes up to where a receiver is, that receiver has, however it was cut then: deltas
 * over equal input add up to equal deltas. So it is sent nothing of it; from there on it is, as if the entry that it had last were
 * the last that was sent to it, and under numbers that follow those it has heard of.
 *
 * Whoever maintains a receiver may have read more of what is lost than was committed. So the owners of all receivers are fenced first,
 * and only what they have stored counts: nothing can be added to that any more but what is sent anew.
 */

/** By receiver, what it has that its sender has lost; kept in the sender's record until it is made again. */
export type Regaining = Readonly<Record<number, Heard>>;

const REGAINING = 'regaining';

export const regainingIn = ({ extra }: Pick<TaskRecord, 'extra'>): Regaining =>
  (extra[REGAINING] as Regaining | undefined) ?? {};

/** Who asks what its receivers have stored. */
export interface Asking {
  readonly task: TaskId;
  readonly receivers: readonly TaskId[];
  readonly store: TaskStore;
  /** It is known to have gone back: receivers may be about to store what they have read of it. */
  readonly wentBack: boolean;
}

/**
 * What the receivers of a task have stored, once their owners are fenced and can add nothing to it; null where that is not called
 * for, for none of them is ahead.
 */
export async function storedByReceivers(
  { task, receivers, store, wentBack }: Asking,
  isAhead: (heard: readonly Heard[], receiver: number) => boolean,
): Promise<readonly (readonly Heard[] | null)[] | null> {
  const stored = async (): Promise<(readonly Heard[] | null)[]> =>
    (await store.status(receivers)).map(({ record }) => record && heardIn(record));
  const isAny = (await stored()).some((heard, receiver) => heard !== null && isAhead(heard, receiver));
  if (!wentBack && !isAny) return null;
  for (const receiver of receivers) await fence(receiver, taskName(task), store);
  return stored();
}

/** Which of its receivers are ahead of a task, by what they have stored. */
export async function receiversAhead(asking: Asking, record: TaskRecord): Promise<Regaining> {
  const { partition } = asking.task;
  const known = regainingIn(record);
  const isAhead = ({ upTo }: Heard): boolean => upTo > record.tick;
  const stored = await storedByReceivers(asking, (heard, receiver) => {
    const own = heard[partition]!;
    return isAhead(own) && own.upTo !== known[receiver]?.upTo;
  });
  if (stored === null) return known;
  const here = placeOf(record);
  const ahead: Record<number, Heard> = { ...known };
  stored.forEach((heard, receiver) => {
    const own = heard?.[partition];
    if (own === undefined || !(isAhead(own) || known[receiver] !== undefined)) return;
    // In the middle of what came at once there is no place to cut at, nor at one that is behind: such a receiver finds out. One that
    // was not sent all since stays in the list: it has what it had last, or not what is said to it then.
    if (!own.more && reaches(own, here)) ahead[receiver] = own;
  });
  return ahead;
}

/** Where a task is, once it has done all that follows from what it took in. */
export const placeOf = (
  record: Pick<TaskRecord, 'frontier' | 'reaching' | 'clocks' | 'positions' | 'extra'>,
): Place => ({
  frontier: record.reaching ?? record.frontier,
  clocks: leastClocks(record.clocks),
  ...commitsRead(record),
});

/** So often it is tried to fence somebody while others are quicker. */
const FENCES_MAX = 10;

/**
 * Ends whoever maintains a task: what it has not stored it will not. Others take the task up.
 * @throws StillwaterError `redis-unavailable`, which passes
 */
async function fence(task: TaskId, by: string, store: TaskStore): Promise<void> {
  for (let tried = 0; tried < FENCES_MAX; tried++) {
    const [status] = await store.status([task]);
    if (status!.parked !== null) return;
    const claimed = await store.claim(task, by, status!.epoch);
    if (claimed !== null) return store.release(task, claimed.token);
  }
  throw new StillwaterError('redis-unavailable', {
    what: `${taskName(task)} could not be taken from its owner.`,
    evidence: `  by     ${by}\n  tried  ${FENCES_MAX} times; each time somebody else took it`,
    consequence: 'Nothing was made again of what its sender lost.',
    remedy: 'It is tried again.',
  });
}

/** A record that says what is to be made again. */
export function withRegaining(record: TaskRecord, regaining: Regaining): TaskRecord {
  const { [REGAINING]: _, ...extra } = record.extra;
  return {
    ...record,
    extra: Object.keys(regaining).length === 0 ? extra : { ...extra, [REGAINING]: regaining },
  };
}

/**
 * The receiver to whose place the task comes first. A slot may go back again while what it lost is made again: then others are at numbers
 * of several histories, and these do not say whose place is before whose.
 */
export function nextRegained(record: TaskRecord): { receiver: number; heard: Heard } | null {
  const all = Object.entries(regainingIn(record));
  const isFirst = ([, one]: [string, Heard]): boolean =>
    all.every(([, other]) => reaches(other, one) || !reaches(one, other));
  const [next] = all.filter(isFirst).sort(([, left], [, right]) => left.upTo - right.upTo);
  return next === undefined ? null : { receiver: Number(next[0]), heard: next[1] };
}

/** A record of where a receiver is: from here on it is sent what comes. */
export function regained(record: TaskRecord, receiver: number): TaskRecord {
  const { [receiver]: heard, ...others } = regainingIn(record);
  const { tick, commit, entries } = heard!;
  return withRegaining(
    { ...record, extra: withLastSent(record.extra, new Map([[receiver, { tick, commit, entries }]])) },
    others,
  );
}
