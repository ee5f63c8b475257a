import { lastSent } from '../../src/runtime/exchange-entry.js';
import type { Heard } from '../../src/runtime/followed.js';
import {
  nextRegained,
  receiversAhead,
  regained,
  regainingIn,
  withRegaining,
} from '../../src/runtime/regaining.js';
import type { TaskRecord, TaskStatus, TaskStore } from '../../src/runtime/ports/task-store.js';
import type { TaskId } from '../../src/runtime/task-id.js';

const heard = (tick: number, upTo = tick, more = false): Heard => ({
  tick,
  commit: `c${tick}`,
  entries: tick,
  upTo,
  more,
  frontier: { log: `${upTo}-0` },
  clocks: {},
});
const record = (tick: number, clocks = {}): TaskRecord =>
  ({ tick, extra: {}, frontier: { log: `${tick}-0` }, reaching: null, clocks }) as unknown as TaskRecord;
const task: TaskId = { view: 'v', generation: 1, stage: 0, partition: 1 };

/** Receivers as they have stored what they heard, of two senders; and who was fenced. */
class Store {
  readonly fenced: number[] = [];
  constructor(readonly told: (Heard | null)[]) {}
  readonly receivers = (): TaskId[] => this.told.map((_, partition) => ({ ...task, stage: 1, partition }));
  status = async (tasks: readonly TaskId[]): Promise<TaskStatus[]> =>
    tasks.map((of) => {
      const one = this.told[of.partition]!;
      const kept = one && ({ extra: { exchange: [heard(99), one] } } as unknown as TaskRecord);
      return { task: of, owner: null, epoch: 1, parked: null, record: kept };
    });
  claim = async ({ partition }: TaskId) => {
    this.fenced.push(partition);
    return { token: { epoch: 2, nonce: '' }, record: null, grants: 1, attempt: null };
  };
  release = async (): Promise<void> => {};
  ahead = (of: TaskRecord, wentBack = false) =>
    receiversAhead({ task, receivers: this.receivers(), store: this as unknown as TaskStore, wentBack }, of);
}

describe('a task whose receivers have what it has lost', () => {
  it('fences nobody, and makes nothing again, where no receiver is ahead', async () => {
    const store = new Store([heard(5), null, heard(3, 7)]);
    expect(await store.ahead(record(7))).toEqual({});
    expect(store.fenced).toEqual([]);
  });

  it('fences all, and knows where each is that is ahead', async () => {
    const store = new Store([heard(8, 9), null, heard(3, 7)]);
    expect(await store.ahead(record(7))).toEqual({ 0: heard(8, 9) });
    expect(store.fenced).toEqual([0, 1, 2]);
  });

  it('fences them also where it only knows that it went back itself: somebody may be about to store more', async () => {
    const store = new Store([heard(5)]);
    expect(await store.ahead(record(7), true)).toEqual({});
    expect(store.fenced).toEqual([0]);
  });

  it('goes on with what another owner began', async () => {
    const store = new Store([heard(8, 9), heard(10)]);
    const begun = withRegaining(record(12), { 0: heard(8, 9) });
    expect(await store.ahead(begun)).toEqual({ 0: heard(8, 9) });
    expect(store.fenced).toEqual([]);
  });

  it('makes nothing again for a receiver that has heard half of what came at once', async () => {
    expect(await new Store([heard(9, 9, true), heard(8)]).ahead(record(7))).toEqual({ 1: heard(8) });
  });

  it('does not give up a receiver to whom it has not sent what it made again, wherever that is now', async () => {
    const begun = withRegaining(record(8), { 0: heard(10), 1: heard(12) });
    // The slot of one went back; what another has is more than was known.
    const store = new Store([heard(5, 7), heard(12), heard(11)]);
    expect(await store.ahead(begun)).toEqual({ 0: heard(10), 1: heard(12), 2: heard(11) });
    const inTheMiddle = new Store([heard(10, 11, true), heard(12), heard(11)]);
    expect(await inTheMiddle.ahead(begun)).toEqual({ 0: heard(10), 1: heard(12), 2: heard(11) });
  });

  it('makes nothing again where a receiver is at a place that the task is past, in the log or in time', async () => {
    const past = { ...heard(9), frontier: { log: '6-0' } };
    expect(await new Store([past]).ahead(record(7))).toEqual({});
    const at = (clock: number): Heard => ({ ...heard(9), clocks: { log: clock } });
    expect(await new Store([at(4)]).ahead(record(7, { in: { log: 5 } }))).toEqual({});
    expect(await new Store([at(5)]).ahead(record(7, { in: { log: 5 } }))).toEqual({ 0: at(5) });
  });

  it('makes nothing again where a receiver is at a commit of a view that the task is past, or that is no more', async () => {
    const at = (tick: number, commit = `u${tick}`): Heard => ({
      ...{ ...heard(9), frontier: {} },
      read: { 'view:u': { tick, commit } },
    });
    const here = {
      ...record(7),
      frontier: {},
      positions: { 'view:u': { position: '4-0', entries: 9 } },
      extra: { 'view:u': { commit: 'u4', more: false, snapshot: null } },
    } as unknown as TaskRecord;
    const ahead = async (of: Heard, record = here) => Object.values(await new Store([of]).ahead(record));
    expect(await ahead(at(5))).toEqual([at(5)]);
    expect(await ahead(at(4))).toEqual([at(4)]);
    expect(await ahead(at(4, 'other'))).toEqual([]);
    expect(await ahead(at(3))).toEqual([]);
    // What has said nothing of it is of before all of them.
    expect(await ahead({ ...heard(9), frontier: {} })).toEqual([]);
    // Of a snapshot the newest page counts, not the commit from which the changelog is read.
    const last = { tick: 6, commit: 'u6' };
    const paged = { ...here, extra: { 'view:u': { commit: 'u4', more: true, snapshot: { last } } } };
    expect(await ahead(at(5), paged)).toEqual([]);
    expect(await ahead(at(6), paged)).toEqual([at(6)]);
  });

  it('tries to fence a receiver that others are quicker to take, and not for ever', async () => {
    const store = new Store([heard(9)]);
    let tried = 0;
    store.claim = async () => {
      tried++;
      return null as never;
    };
    await expect(store.ahead(record(7))).rejects.toMatchObject({ code: 'redis-unavailable' });
    expect(tried).toBe(10);
  });

  it('comes to the place that is before the others, whichever numbers these know of', () => {
    const at = (position: string, upTo: number): Heard => ({ ...heard(upTo), frontier: { log: position } });
    const all = withRegaining(record(2), { 0: at('14-0', 6), 1: at('14-0', 5), 2: at('16-0', 4) });
    expect(nextRegained(all)).toEqual({ receiver: 1, heard: at('14-0', 5) });
    expect(nextRegained(regained(regained(all, 1), 0))).toEqual({ receiver: 2, heard: at('16-0', 4) });
  });

  it('comes to one after the other, and takes over what each was sent last', () => {
    const all = withRegaining(record(7), { 0: heard(10), 3: heard(8, 9) });
    expect(nextRegained(all)).toEqual({ receiver: 3, heard: heard(8, 9) });
    const some = regained(all, 3);
    expect(lastSent(some, 3)).toEqual({ tick: 8, commit: 'c8', entries: 8 });
    expect(nextRegained(some)).toEqual({ receiver: 0, heard: heard(10) });
    const none = regained(some, 0);
    expect(nextRegained(none)).toBeNull();
    expect(regainingIn(none)).toEqual({});
    expect(Object.keys(none.extra)).toEqual(['sent']);
  });
});
