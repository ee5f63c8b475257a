import type { Texts } from '../../circuit/keyed-state.js';
import type { OrderedWrite } from '../../circuit/group-writes.js';
import type { OrderedRead } from '../../circuit/ordered-state.js';
import type { Clocks } from '../clocks.js';
import type { Position } from '../position.js';
import type { RawEntry } from './source-log.js';
import type { OwnerToken, TaskId } from '../task-id.js';
import type { GenerationShape } from './registry.js';

/** A commit of a task, told from any other that a history which was lost had under its number. */
export interface CommitId {
  /** Rises with every commit: by one, but where numbers are passed over that others have heard of. */
  tick: number;
  /** Its nonce; empty before the first, and where it is not known. */
  commit: string;
}

/** What a commit stores of a task beside its state; what the next owner starts from. */
export interface TaskRecord extends CommitId {
  /** By input of the circuit: `stream:flights`, `table:airports`, `view:delays-by-airport`. */
  positions: Readonly<Record<string, InputPosition>>;
  /**
   * Per source partition (its Redis key), the position whose effects the state contains, all of them. It may contain some
   * of what follows.
   */
  frontier: Readonly<Record<string, Position>>;
  /**
   * What the frontier becomes with the last of several ticks over which the effects of what was taken in are spread: not
   * before, for who reads a frontier relies on all of them. Null where nothing is left to be done.
   */
  reaching: Readonly<Record<string, Position>> | null;
  rows: number;
  conflicts: number;
  /** Rows and entries in error now, by weight. */
  errors: number;
  /** Rows that came too late and were left out, by weight. */
  late: number;
  /** 16 hex digits. */
  checksum: string;
  /** Of a view that acts on time: the clocks that its inputs have brought at the frontier. */
  clocks: Clocks;
  /**
   * The clocks that all operators have acted on, where more was due than the tick came to; null where these are
   * `clocks`. Null when `reaching` is.
   */
  applied: Clocks | null;
  /** Anything else that the task must find again, small. */
  extra: Readonly<Record<string, unknown>>;
}

export interface InputPosition {
  position: Position;
  /** Entries read so far. */
  entries: number;
}

export interface KeyedWrites {
  state: string;
  writes: Texts;
}
export interface OrderedWrites {
  state: string;
  writes: Iterable<OrderedWrite>;
}
export interface IndexWrites {
  state: string;
  writes: Iterable<readonly [member: string, present: boolean]>;
}

export interface CommitRequest {
  task: TaskId;
  token: OwnerToken;
  /** The tick being committed: later than the stored one. What it follows is told by `follows`. */
  tick: number;
  /** Random; the same for every repeat of this commit. */
  nonce: string;
  buckets: number;
  record: TaskRecord;
  /** The positions the tick started from, and the nonce of the commit it follows, empty for the first; compared with what is stored. */
  from: Readonly<Record<string, InputPosition>>;
  follows: string;
  keyed: readonly KeyedWrites[];
  ordered: readonly OrderedWrites[];
  indexes: readonly IndexWrites[];
  /** The changelog entry, id `<tick>-0`; null where the view has nobody to tell. */
  changelog: string | null;
  /** Changelog entries with a lower tick may go. */
  changelogFrom: number;
  /** What the tick sends to the tasks of the next stage; absent of a task that has none. */
  sent?: readonly SentEntry[];
}

/** An entry for one receiver, id `<tick>-0`. */
export interface SentEntry {
  /** Its partition; -1 is nobody's, and read by many. */
  receiver: number;
  text: string;
  /** The receiver's entries with a lower tick may go. */
  from: number;
}

/** What a receiver asks a sender for. */
export interface ReceiveRequest {
  sender: TaskId;
  receiver: number;
  /** The tick of the last entry it has. */
  after: number;
  countMax: number;
}

/** Entries that follow, and the sender's record as it was before they were read; null if it never has committed. */
export interface Received {
  record: Pick<TaskRecord, 'tick' | 'positions' | 'frontier' | 'clocks' | 'applied' | 'extra'> | null;
  entries: RawEntry[];
}

/**
 * committed          it is done
 * alreadyCommitted   it was done before: the reply had been lost
 * fenced             another worker owns the task now: let go of it
 * diverged           the store holds another commit or other positions than this was computed from: drop the cache, load again
 * wantsChangelog     nothing was done: somebody reads the changelog; send it with the entry
 * refused            nothing was done: Redis takes no writes now (full, read-only, loading); wait and try again
 * failed             the script broke: the task parks for good
 */
export type CommitOutcome =
  | { status: 'committed' | 'alreadyCommitted' | 'wantsChangelog' }
  | { status: 'fenced'; owner: string; epoch: number }
  | { status: 'diverged'; tick: number }
  | { status: 'refused'; reason: string }
  | { status: 'failed'; reason: string };

export interface Claimed {
  token: OwnerToken;
  /** Null for a task that never committed. */
  record: TaskRecord | null;
  /** Grants since the last commit, or since an owner said that it survived a step: from the third on something seems to end them. */
  grants: number;
  /** It was parked after its last commit, and nobody has said since that it goes on. */
  wasParked: boolean;
  /** What an owner was stepping when it ended without a word; null where all that was attempted was survived. */
  attempt: Attempt | null;
  /** What the task's state is made of: what its first owner said; null where nobody has said it. */
  definition: string | null;
  /** Of which keys the generation of that definition is made; null where nobody has said it. */
  shape: GenerationShape | null;
}

/** What an owner says of the state that it makes. */
export interface Made {
  definition: string;
  shape: GenerationShape;
}

/** A tick about to be stepped, written down because steps have ended owners. */
export interface Attempt {
  tick: number;
  input: string;
  /** The position of its first entry. */
  entry: Position;
  entries: number;
  /** How many owners the same attempt had ended before. */
  ended: number;
}

/** An entry that ended workers: an error in every generation of the definition. */
export interface BlamedEntry {
  redisKey: string;
  entry: Position;
}

export interface TaskStatus {
  task: TaskId;
  owner: string | null;
  epoch: number;
  record: TaskRecord | null;
  /** Why nobody goes on with it. */
  parked: Parked | null;
}

export interface ParkReason {
  code: string;
  message: string;
}

/** Why a task is parked, and when that was, in milliseconds by the time of the store. */
export interface Parked extends ParkReason {
  at: number;
  /** When it was parked first, where it was tried again since and has committed nothing. */
  since?: number;
}

export interface StoredState {
  keyed: { state: string; keys: readonly string[] }[];
  ordered: { state: string; reads: readonly OrderedRead[] }[];
}

/** Answers in the order asked; null for a key that holds nothing. */
export interface FetchedState {
  /** The nonce of the commit as of which it is, at the latest; empty if there is none. */
  commit: string;
  keyed: (string | null)[][];
  ordered: (readonly (readonly [member: string, weight: number])[])[][];
}

/**
 * What tasks keep: rows, indexes, operator state, changelog, and where they are. All keys of a task lie in one hash
 * slot, and a commit changes all of them or none.
 */
export abstract class TaskStore {
  /**
   * Makes `owner` the owner of a task, if its epoch is still `epoch` (what the caller saw when it decided that the task
   * may be taken). Raises the epoch, so that commits of earlier owners are fenced. Null if somebody else was quicker.
   *
   * The first that says a definition decides what the task's state is made of; later ones compare it with theirs. The shape
   * is of the definition that decided, for who deletes the task.
   */
  abstract claim(task: TaskId, owner: string, epoch: number, made?: Made): Promise<Claimed | null>;

  /** Gives a task up, so that others need not wait for the lease to end. Nothing happens if the token is not in force. */
  abstract release(task: TaskId, token: OwnerToken): Promise<void>;

  /** The record as it is stored now, for an owner that must load again. Null if the token is not in force. */
  abstract reload(task: TaskId, token: OwnerToken): Promise<{ record: TaskRecord | null } | null>;

  /** Writes down what is about to be stepped; null: it was survived, and grants are counted anew. False if the token is not in force. */
  abstract attempt(task: TaskId, token: OwnerToken, attempt: Attempt | null): Promise<boolean>;

  /** Remembers for all generations of a definition, these and later ones, that an entry ended workers. Repeatable. */
  abstract blame(fingerprint: string, blamed: BlamedEntry): Promise<void>;

  abstract blamed(fingerprint: string): Promise<BlamedEntry[]>;

  abstract status(tasks: readonly TaskId[]): Promise<TaskStatus[]>;

  /** The clocks that tasks have committed, in the order asked; null for one that never has. Light: it is asked for often. */
  abstract clocks(tasks: readonly TaskId[]): Promise<(Clocks | null)[]>;

  /**
   * Says why a task does not go on, as of now by the time of the store; null: it goes on. Shown to people, and kept by `claim` from
   * starting it. Who is parked again without a commit in between, and without a word that it goes on, is parked since the first time.
   */
  abstract park(task: TaskId, token: OwnerToken, reason: ParkReason | null): Promise<void>;

  /** Takes back a park from outside, whoever owns the task, so that it is tried. What comes of that is not known yet. */
  abstract unpark(task: TaskId): Promise<void>;

  /**
   * Stores one tick, all or nothing. Repeating it after a lost reply is safe.
   * @throws where the outcome is unknown; StillwaterError `wrong-type` where a key holds another type, and nothing was done
   */
  abstract commit(request: CommitRequest): Promise<CommitOutcome>;

  /**
   * What senders have for a receiver, in the order asked. Never waits for a commit. Whether the entries follow what the receiver
   * has is for it to see.
   */
  abstract receive(requests: readonly ReceiveRequest[]): Promise<Received[]>;

  /** The Redis key of a stream that has an entry `<tick>-0` of the last commit of a task that sends, for `SourceLog.waitForNews`. */
  abstract sentKey(task: TaskId): string;

  abstract fetch(task: TaskId, buckets: number, state: StoredState): Promise<FetchedState>;

  /**
   * Deletes all keys of a task, a bounded number at a time, what `claim` tells of it last. False as soon as the token is in
   * force no longer: what is there then is another's. Repeatable with the token of another claim.
   */
  abstract drop(
    task: TaskId,
    token: OwnerToken,
    states: readonly { name: string; kind: 'keyed' | 'ordered' | 'index' }[],
    buckets: number,
    /** To whom it may have sent entries. */
    receivers?: readonly number[],
  ): Promise<boolean>;
}
