import { inRange } from '../in-range.js';
import type { OrderedRead } from '../../circuit/ordered-state.js';
import { assert } from '../../assert.js';
import { messageOf } from '../../errors/stillwater-error.js';
import {
  TaskStore,
  type Attempt,
  type BlamedEntry,
  type Claimed,
  type CommitOutcome,
  type CommitRequest,
  type FetchedState,
  type InputPosition,
  type Made,
  type ParkReason,
  type Received,
  type ReceiveRequest,
  type StoredState,
  type TaskRecord,
  type TaskStatus,
} from '../../runtime/ports/task-store.js';
import { type OwnerToken, type TaskId, taskName } from '../../runtime/task-id.js';
import {
  changelogKey,
  type MemoryRedis,
  MemoryStream,
  stored,
  type MemoryTask,
  sentKey,
} from './memory-redis.js';

/** The nonce of a commit that has not come to its end. */
const BROKE_OFF = '';

/** What tasks keep, in memory: the same outcomes in the same cases as in Redis. */
export class MemoryTaskStore extends TaskStore {
  constructor(readonly redis: MemoryRedis) {
    super();
  }

  async claim(task: TaskId, owner: string, epoch: number, made?: Made): Promise<Claimed | null> {
    const kept = this.redis.task(task);
    if (kept.epoch !== epoch || kept.parked !== null) return null;
    const token = { epoch: epoch + 1, nonce: this.redis.nonce() };
    kept.owner = owner;
    kept.epoch = token.epoch;
    kept.nonce = token.nonce;
    kept.grants += 1;
    if (made) kept.definition ??= made.definition;
    if (made && kept.definition === made.definition) kept.shape = stored(made.shape);
    const { record, grants, attempt, parkedSince } = kept;
    const wasParked = parkedSince?.tick === (record?.tick ?? 0);
    return { token, record, grants, wasParked, attempt, definition: kept.definition, shape: kept.shape };
  }

  async release(task: TaskId, token: OwnerToken): Promise<void> {
    const kept = this.#owned(task, token);
    if (kept === null) return;
    kept.owner = null;
    kept.nonce = null;
    kept.grants = 0;
    kept.attempt = null;
  }

  async reload(task: TaskId, token: OwnerToken): Promise<{ record: TaskRecord | null } | null> {
    const kept = this.#owned(task, token);
    return kept && { record: kept.record };
  }

  async attempt(task: TaskId, token: OwnerToken, attempt: Attempt | null): Promise<boolean> {
    const kept = this.#owned(task, token);
    if (kept) kept.attempt = stored(attempt);
    if (kept && attempt === null) kept.grants = 0;
    return kept !== null;
  }

  async blame(fingerprint: string, blamed: BlamedEntry): Promise<void> {
    const known = await this.blamed(fingerprint);
    if (known.some(({ redisKey, entry }) => redisKey === blamed.redisKey && entry === blamed.entry)) return;
    this.redis.blamed.set(fingerprint, [...known, { ...blamed }]);
  }

  async blamed(fingerprint: string): Promise<BlamedEntry[]> {
    return [...(this.redis.blamed.get(fingerprint) ?? [])];
  }

  async status(tasks: readonly TaskId[]): Promise<TaskStatus[]> {
    return tasks.map((task) => {
      const kept = this.redis.tasks.get(taskName(task));
      return {
        task,
        owner: kept?.owner ?? null,
        epoch: kept?.epoch ?? 0,
        record: kept?.record ?? null,
        parked: kept?.parked ?? null,
      };
    });
  }

  async clocks(tasks: readonly TaskId[]): Promise<(TaskRecord['clocks'] | null)[]> {
    return tasks.map((task) => this.redis.tasks.get(taskName(task))?.record?.clocks ?? null);
  }

  async park(task: TaskId, token: OwnerToken, reason: ParkReason | null): Promise<void> {
    const kept = this.#owned(task, token);
    if (kept === null) return;
    const at = this.redis.clock.now();
    const tick = kept.record?.tick ?? 0;
    const since = kept.parkedSince?.tick === tick ? kept.parkedSince.at : null;
    kept.parkedSince = reason && { at: since ?? at, tick };
    kept.parked = reason && {
      ...{ code: reason.code, message: reason.message.toWellFormed(), at },
      ...(since !== null && { since }),
    };
  }

  async unpark(task: TaskId): Promise<void> {
    const kept = this.redis.tasks.get(taskName(task));
    if (!kept) return;
    kept.parked = null;
    kept.grants = 0;
    kept.attempt = null;
  }

  async commit(request: CommitRequest): Promise<CommitOutcome> {
    if (this.redis.refusing !== null) return { status: 'refused', reason: this.redis.refusing };
    const kept = this.#owned(request.task, request.token);
    if (kept === null) {
      const found = this.redis.tasks.get(taskName(request.task));
      return { status: 'fenced', owner: found?.owner ?? '', epoch: found?.epoch ?? 0 };
    }
    const tick = kept.record?.tick ?? 0;
    if (tick === request.tick && kept.commit === request.nonce) return { status: 'alreadyCommitted' };
    if (kept.commit === BROKE_OFF)
      return { status: 'failed', reason: 'A commit before this one broke off half way.' };
    if (
      tick >= request.tick ||
      (kept.commit ?? '') !== request.follows ||
      (kept.record !== null && !samePositions(kept.record.positions, request.from))
    )
      return { status: 'diverged', tick };
    if (
      request.changelog === null &&
      (kept.readers.size > 0 || kept.subscribedUntil > this.redis.clock.now())
    )
      return { status: 'wantsChangelog' };

    if (request.changelog !== null) {
      try {
        kept.changes.add(`${request.tick}-0`, ['c', request.changelog]);
      } catch (thrown) {
        return { status: 'failed', reason: messageOf(thrown) };
      }
      kept.changes.trim(`${request.changelogFrom}-0`, Infinity);
    }
    kept.commit = BROKE_OFF;
    let left = this.redis.breaksOff() ?? Infinity;
    const writes = this.#writes(kept, request);
    while (left-- > 0) if (writes.next().done) return { status: 'committed' };
    if (kept.record) kept.record = { ...kept.record, commit: BROKE_OFF };
    return { status: 'failed', reason: 'The commit broke off half way.' };
  }

  /** What a commit writes behind its changelog, one write after the other; its nonce with the last of them. */
  *#writes(kept: MemoryTask, request: CommitRequest): Generator<void> {
    if (request.sent !== undefined) {
      const id = `${request.tick}-0`;
      for (const { receiver, text, from } of request.sent) {
        const stream = stateOf(kept.sent, receiver, () => new MemoryStream());
        stream.add(id, ['c', text]);
        stream.trim(`${from}-0`, Infinity);
        yield;
      }
      kept.commits.add(id, ['c', '']);
      kept.commits.trim(id, Infinity);
    }
    for (const { state, writes } of request.keyed) {
      const values = stateOf(kept.keyed, state, () => new Map<string, string>());
      for (const [key, text] of writes) {
        if (text === null) values.delete(key);
        else values.set(key, text);
        yield;
      }
    }
    for (const { state, writes } of request.ordered) {
      const groups = stateOf(kept.ordered, state, () => new Map<string, Map<string, number>>());
      for (const { group, member, before, after } of writes) {
        const members = stateOf(groups, group, () => new Map<string, number>());
        assert(
          (members.get(member) ?? 0) === before,
          `The member ${JSON.stringify(member)} of ${state} has not the weight that its writer believed.`,
        );
        if (after > 0) members.set(member, after);
        else members.delete(member);
        if (members.size === 0) groups.delete(group);
        yield;
      }
    }
    for (const { state, writes } of request.indexes) {
      const members = stateOf(kept.indexes, state, () => new Set<string>());
      for (const [member, present] of writes) {
        if (present) members.add(member);
        else members.delete(member);
        yield;
      }
    }
    kept.record = stored({ ...request.record, tick: request.tick, commit: request.nonce });
    kept.commit = request.nonce;
    kept.buckets = request.buckets;
    kept.grants = 0;
    if (request.changelog !== null || request.sent !== undefined) this.redis.wake();
  }

  async receive(requests: readonly ReceiveRequest[]): Promise<Received[]> {
    const records = requests.map(({ sender }) => this.redis.tasks.get(taskName(sender))?.record ?? null);
    // As in Redis others come between the two.
    await Promise.resolve();
    return requests.map(({ sender, receiver, after, countMax }, index) => {
      const stream = this.redis.tasks.get(taskName(sender))?.sent.get(receiver);
      return { record: records[index]!, entries: stream?.after(`${after}-0`, countMax) ?? [] };
    });
  }

  sentKey(task: TaskId): string {
    return sentKey(task);
  }

  async fetch(task: TaskId, _buckets: number, state: StoredState): Promise<FetchedState> {
    const kept = this.redis.tasks.get(taskName(task));
    return {
      commit: kept?.commit ?? '',
      keyed: state.keyed.map(({ state: name, keys }) =>
        keys.map((key) => kept?.keyed.get(name)?.get(key) ?? null),
      ),
      ordered: state.ordered.map(({ state: name, reads }) =>
        reads.map((read) => rangeOf(kept?.ordered.get(name)?.get(read.group), read)),
      ),
    };
  }

  async drop(task: TaskId, token: OwnerToken): Promise<boolean> {
    if (this.#owned(task, token) === null) return false;
    this.redis.tasks.delete(taskName(task));
    this.redis.streams.delete(changelogKey(task));
    this.redis.streams.delete(sentKey(task));
    return true;
  }

  #owned(task: TaskId, token: OwnerToken): MemoryTask | null {
    const kept = this.redis.tasks.get(taskName(task));
    return kept && kept.nonce !== null && kept.nonce === token.nonce && kept.epoch === token.epoch
      ? kept
      : null;
  }
}

function stateOf<K, V>(states: Map<K, V>, name: K, make: () => V): V {
  let state = states.get(name);
  if (state === undefined) states.set(name, (state = make()));
  return state;
}

function rangeOf(members: ReadonlyMap<string, number> | undefined, read: OrderedRead): [string, number][] {
  if (members === undefined) return [];
  if (!('member' in read)) return inRange(members, read);
  const weight = members.get(read.member);
  return weight === undefined ? [] : [[read.member, weight]];
}

function samePositions(
  left: Readonly<Record<string, InputPosition>>,
  right: Readonly<Record<string, InputPosition>>,
): boolean {
  const inputs = Object.keys(left);
  if (inputs.length !== Object.keys(right).length) return false;
  return inputs.every(
    (input) =>
      left[input]!.position === right[input]?.position && left[input]!.entries === right[input]?.entries,
  );
}
