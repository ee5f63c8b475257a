import { randomUUID } from 'node:crypto';
import { messageOf } from '../errors/stillwater-error.js';
import {
  TaskStore,
  type Attempt,
  type BlamedEntry,
  type Claimed,
  type CommitOutcome,
  type CommitRequest,
  type FetchedState,
  type Made,
  type Parked,
  type ParkReason,
  type Received,
  type ReceiveRequest,
  type StoredState,
  type TaskRecord,
  type TaskStatus,
} from '../runtime/ports/task-store.js';
import type { GenerationShape } from '../runtime/ports/registry.js';
import type { RawEntry } from '../runtime/ports/source-log.js';
import { type OwnerToken, type TaskId, taskName } from '../runtime/task-id.js';
import type { Acknowledgement } from './acknowledgement.js';
import { commitArguments } from './commit-arguments.js';
import type { RedisConnections } from './connections.js';
import { fetchState } from './fetch-state.js';
import type { Keyspace } from './keyspace.js';
import { answered, isReply, isWrongType, redisError, refusalOf, valueOf } from './replies.js';
import {
  callAttempt,
  callClaim,
  callCommit,
  callPark,
  callRelease,
  callUnlink,
  type CommitReply,
  wrongType,
} from './scripts/call.js';
import { Pipelines } from './slots.js';
import { decodeClocks, decodeRecord, RECORD_FIELDS } from './task-record.js';

/** Keys unlinked by one call. */
const DROP_KEYS_MAX = 100;
/** Tasks whose status is asked for in one pipeline. */
const STATUS_TASKS_MAX = 500;

/** What tasks keep, in Redis: see `keyspace.ts` for where, `scripts/commit.lua` for how. */
export class RedisTaskStore extends TaskStore {
  /** Keys of tasks that hold another type, and since when that was seen here: they cannot keep it themselves. */
  readonly #foreign = new Map<string, number>();

  constructor(
    readonly connections: RedisConnections,
    readonly keyspace: Keyspace,
    /** Of commits by replicas; null: a commit counts when Redis has answered it. */
    readonly acknowledgement: Acknowledgement | null = null,
  ) {
    super();
  }

  claim(task: TaskId, owner: string, epoch: number, made?: Made): Promise<Claimed | null> {
    const what = `Claiming ${taskName(task)}`;
    return answered(what, async () => {
      const nonce = randomUUID();
      const reply = await callClaim(this.connections.commits, this.keyspace.task(task), {
        owner,
        epoch,
        nonce,
        definition: made?.definition ?? '',
        shape: made ? JSON.stringify(made.shape) : '',
      });
      if (reply[0] === 'WRONG_TYPE') throw wrongType(reply[1], reply[2], what);
      if (reply[0] !== 'CLAIMED') return null;
      const [, grants, attempt, definition, shape, parkedTick, ...fields] = reply;
      const record = decodeRecord(fields);
      return {
        token: { epoch: epoch + 1, nonce },
        record,
        wasParked: parkedTick === String(record?.tick ?? 0),
        grants,
        attempt: attempt ? (JSON.parse(attempt) as Attempt) : null,
        definition,
        shape: shape === null ? null : (JSON.parse(shape) as GenerationShape),
      };
    });
  }

  async release(task: TaskId, token: OwnerToken): Promise<void> {
    await answered(`Releasing ${taskName(task)}`, () =>
      callRelease(this.connections.commits, this.keyspace.task(task), token),
    );
  }

  reload(task: TaskId, token: OwnerToken): Promise<{ record: TaskRecord | null } | null> {
    return answered(`Loading ${taskName(task)}`, async () => {
      const [epoch, nonce, ...record] = await this.connections.commits.hmget(
        this.keyspace.task(task),
        'epoch',
        'nonce',
        ...RECORD_FIELDS,
      );
      if (epoch !== String(token.epoch) || nonce !== token.nonce) return null;
      return { record: decodeRecord(record) };
    });
  }

  attempt(task: TaskId, token: OwnerToken, attempt: Attempt | null): Promise<boolean> {
    return answered(`Noting what ${taskName(task)} steps`, async () => {
      const text = attempt === null ? '' : JSON.stringify(attempt);
      const [tag] = await callAttempt(this.connections.commits, this.keyspace.task(task), token, text);
      return tag === 'NOTED';
    });
  }

  async blame(fingerprint: string, { redisKey, entry }: BlamedEntry): Promise<void> {
    await answered('Blaming an entry', () =>
      this.connections.control.sadd(this.keyspace.blamed(fingerprint), JSON.stringify([redisKey, entry])),
    );
  }

  blamed(fingerprint: string): Promise<BlamedEntry[]> {
    return answered('Reading which entries are blamed', async () => {
      const members = await this.connections.control.smembers(this.keyspace.blamed(fingerprint));
      return members.map((member) => {
        const [redisKey, entry] = JSON.parse(member) as [string, string];
        return { redisKey, entry };
      });
    });
  }

  status(tasks: readonly TaskId[]): Promise<TaskStatus[]> {
    return answered('Reading the status of tasks', async () => {
      const out: TaskStatus[] = [];
      for (let at = 0; at < tasks.length; at += STATUS_TASKS_MAX) {
        const some = tasks.slice(at, at + STATUS_TASKS_MAX);
        const pipelines = new Pipelines(this.connections.control);
        for (const task of some) {
          const redisKey = this.keyspace.task(task);
          pipelines.at(redisKey).hmget(redisKey, 'owner', 'epoch', 'parked', ...RECORD_FIELDS);
        }
        const replies = await pipelines.exec();
        some.forEach((task, index) => {
          const [failure] = replies[index]!;
          if (isWrongType(failure)) {
            // One key that is not ours must not hide how all other tasks are.
            out.push({ task, owner: null, epoch: 0, record: null, parked: this.#parkedByForeignKey(task) });
            return;
          }
          this.#foreign.delete(this.keyspace.task(task));
          const [owner, epoch, parked, ...record] = valueOf(replies, index) as (string | null)[];
          out.push({
            task,
            owner: owner || null,
            epoch: Number(epoch ?? 0),
            record: decodeRecord(record),
            parked: parked ? (JSON.parse(parked) as Parked) : null,
          });
        });
      }
      return out;
    });
  }

  #parkedByForeignKey(task: TaskId): Parked {
    const redisKey = this.keyspace.task(task);
    const { message } = wrongType(redisKey, 'another type', `Reading the status of ${taskName(task)}`);
    const at = this.#foreign.get(redisKey) ?? Date.now();
    this.#foreign.set(redisKey, at);
    return { code: 'wrong-type', message, at };
  }

  clocks(tasks: readonly TaskId[]): Promise<(TaskRecord['clocks'] | null)[]> {
    return answered('Reading the clocks of tasks', async () => {
      const pipelines = new Pipelines(this.connections.control);
      for (const redisKey of tasks.map((task) => this.keyspace.task(task)))
        pipelines.at(redisKey).hget(redisKey, 'clocks');
      const replies = await pipelines.exec();
      return tasks.map((_, index) => {
        const text = valueOf(replies, index) as string | null;
        return text === null ? null : decodeClocks(text).clocks;
      });
    });
  }

  async park(task: TaskId, token: OwnerToken, reason: ParkReason | null): Promise<void> {
    await answered(`Parking ${taskName(task)}`, () =>
      callPark(
        this.connections.commits,
        this.keyspace.task(task),
        token,
        // What no script can read, half a character, comes with what functions throw.
        reason === null ? '' : JSON.stringify({ ...reason, message: reason.message.toWellFormed() }),
      ),
    );
  }

  async unpark(task: TaskId): Promise<void> {
    await answered(`Taking back the park of ${taskName(task)}`, () =>
      this.connections.control.hdel(this.keyspace.task(task), 'parked', 'grants', 'attempt'),
    );
  }

  async commit(request: CommitRequest): Promise<CommitOutcome> {
    const all = commitArguments(this.keyspace, request);
    let reply: CommitReply;
    let connection = 0;
    try {
      if (this.acknowledgement !== null)
        connection = await this.acknowledgement.connection(this.keyspace.task(request.task));
      reply = await callCommit(this.connections.commits, all);
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      if (refusal !== null) return { status: 'refused', reason: refusal };
      if (isReply(thrown)) return { status: 'failed', reason: messageOf(thrown) };
      throw redisError(thrown, `The commit of tick ${request.tick} of ${taskName(request.task)}`);
    }
    switch (reply[0]) {
      case 'COMMITTED':
        return this.#acknowledged(request.task, connection, 'committed');
      case 'ALREADY':
        return this.#acknowledged(request.task, connection, 'alreadyCommitted');
      case 'WANTS_CHANGELOG':
        return { status: 'wantsChangelog' };
      case 'FENCED':
        return { status: 'fenced', owner: reply[1], epoch: Number(reply[2]) };
      case 'DIVERGED':
        return { status: 'diverged', tick: Number(reply[1]) };
      case 'WRONG_TYPE':
        throw wrongType(
          reply[1],
          reply[2],
          `The commit of tick ${request.tick} of ${taskName(request.task)}`,
        );
      case 'BROKE_OFF':
        return { status: 'failed', reason: 'A commit before this one broke off half way.' };
      case 'MALFORMED':
        return { status: 'failed', reason: `The commit was not accepted: ${reply[1]}.` };
    }
  }

  /** What replicas have not got yet is tried again like what was refused: the repeat finds it done, and waits for them once more. */
  async #acknowledged(
    task: TaskId,
    connection: number,
    status: 'committed' | 'alreadyCommitted',
  ): Promise<CommitOutcome> {
    const reason = (await this.acknowledgement?.missing(this.keyspace.task(task), connection)) ?? null;
    return reason === null ? { status } : { status: 'refused', reason };
  }

  receive(requests: readonly ReceiveRequest[]): Promise<Received[]> {
    return answered('Reading what was sent', async () => {
      const pipelines = new Pipelines(this.connections.commits);
      for (const { sender, receiver, after, countMax } of requests) {
        const task = this.keyspace.task(sender);
        const out = this.keyspace.out(sender, receiver);
        // The record first: what it says was sent is there when the entries are read. Both lie in one slot.
        pipelines.at(task).hmget(task, ...RECORD_FIELDS);
        pipelines.at(out).xrange(out, `(${after}-0`, '+', 'COUNT', countMax);
      }
      const replies = await pipelines.exec();
      return requests.map((_, index) => ({
        record: decodeRecord(valueOf(replies, 2 * index) as (string | null)[]),
        entries: valueOf(replies, 2 * index + 1) as RawEntry[],
      }));
    });
  }

  sentKey(task: TaskId): string {
    return this.keyspace.sent(task);
  }

  fetch(task: TaskId, buckets: number, state: StoredState): Promise<FetchedState> {
    return answered(`Fetching state of ${taskName(task)}`, () =>
      fetchState(this.connections.commits, this.keyspace, task, buckets, state),
    );
  }

  drop(
    task: TaskId,
    token: OwnerToken,
    states: readonly { name: string; kind: 'keyed' | 'ordered' | 'index' }[],
    buckets: number,
    receivers: readonly number[] = [],
  ): Promise<boolean> {
    return answered(`Deleting ${taskName(task)}`, async () => {
      const redisKeys = receivers.map((receiver) => this.keyspace.out(task, receiver));
      for (const { name, kind } of states)
        for (const key of this.keyspace.state(task, name, kind, buckets)) redisKeys.push(key);
      // What the task says of itself goes last: until then it says what else there is to go.
      redisKeys.push(
        this.keyspace.changes(task),
        this.keyspace.readers(task),
        this.keyspace.subscribed(task),
        this.keyspace.sent(task),
        this.keyspace.task(task),
      );
      for (let at = 0; at < redisKeys.length; at += DROP_KEYS_MAX) {
        const some = redisKeys.slice(at, at + DROP_KEYS_MAX);
        const [tag] = await callUnlink(this.connections.control, this.keyspace.task(task), token, some);
        if (tag === 'FENCED') return false;
      }
      return true;
    });
  }
}
