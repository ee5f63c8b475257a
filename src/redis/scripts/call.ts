import { StillwaterError } from '../../errors/stillwater-error.js';
import type { Connection } from '../connect.js';
import { Script } from './script.js';

const commitScript = new Script('commit');
const claimScript = new Script('claim');
const releaseScript = new Script('release');
const parkScript = new Script('park');
const attemptScript = new Script('attempt');
const unlinkScript = new Script('unlink');
const appendScript = new Script('append');
const heartbeatScript = new Script('heartbeat');
const renewScript = new Script('renew');
const knownWorkersScript = new Script('known-workers');
const readRowsScript = new Script('read-rows');
const registerScript = new Script('register');
const changeRegistryScript = new Script('change-registry');

export type CommitReply =
  | [tag: 'COMMITTED' | 'ALREADY' | 'WANTS_CHANGELOG' | 'BROKE_OFF']
  | [tag: 'FENCED', owner: string, epoch: string]
  | [tag: 'DIVERGED', tick: string]
  | [tag: 'WRONG_TYPE', key: string, type: string]
  | [tag: 'MALFORMED', what: string];

/** `all` are the arguments of EVALSHA made by `commitArguments`. */
export const callCommit = (redis: Connection, all: string[]): Promise<CommitReply> =>
  commitScript.runFlat(redis, all);

type WrongType = [tag: 'WRONG_TYPE', key: string, type: string];

export type ClaimReply =
  | [
      tag: 'CLAIMED',
      grants: number,
      attempt: string | null,
      definition: string | null,
      shape: string | null,
      parkedTick: string | null,
      ...record: (string | null)[],
    ]
  | [tag: 'TAKEN', epoch: string]
  | [tag: 'PARKED']
  | WrongType;

export const callClaim = (
  redis: Connection,
  taskKey: string,
  args: { owner: string; epoch: number; nonce: string; definition: string; shape: string },
): Promise<ClaimReply> =>
  claimScript.run(
    redis,
    [taskKey],
    [args.owner, String(args.epoch), args.nonce, args.definition, args.shape],
  );

type Fenced = [tag: 'FENCED', owner: string, epoch: string];
interface Token {
  epoch: number;
  nonce: string;
}

export const callRelease = (
  redis: Connection,
  taskKey: string,
  token: Token,
): Promise<[tag: 'RELEASED'] | Fenced> =>
  releaseScript.run(redis, [taskKey], [String(token.epoch), token.nonce]);

/** An empty reason takes a park back. */
export const callPark = (
  redis: Connection,
  taskKey: string,
  token: Token,
  reason: string,
): Promise<[tag: 'PARKED' | 'UNPARKED'] | Fenced> =>
  parkScript.run(redis, [taskKey], [String(token.epoch), token.nonce, reason]);

/** An empty attempt says that it was survived. */
export const callAttempt = (
  redis: Connection,
  taskKey: string,
  token: Token,
  attempt: string,
): Promise<[tag: 'NOTED'] | Fenced> =>
  attemptScript.run(redis, [taskKey], [String(token.epoch), token.nonce, attempt]);

/** What is to go may contain the task itself. */
export const callUnlink = (
  redis: Connection,
  taskKey: string,
  token: Token,
  redisKeys: readonly string[],
): Promise<[tag: 'UNLINKED', count: number] | Fenced> =>
  unlinkScript.run(redis, [taskKey, ...redisKeys], [String(token.epoch), token.nonce]);

export type AppendReply =
  | [tag: 'APPENDED' | 'REPEATED', ids: string]
  | [tag: 'REUSED']
  | [tag: 'REFUSED' | 'MALFORMED', what: string]
  | WrongType;

export function callAppend(
  redis: Connection,
  keys: { stream: string; memory: string | null },
  args: { memoryMs: number; digest: string; entries: readonly (readonly string[])[] },
): Promise<AppendReply> {
  const flat = [String(Math.max(1, Math.ceil(args.memoryMs))), args.digest];
  for (const entry of args.entries) {
    flat.push(String(entry.length));
    for (const text of entry) flat.push(text);
  }
  return appendScript.run(redis, keys.memory === null ? [keys.stream] : [keys.stream, keys.memory], flat);
}

export type HeartbeatReply =
  | [tag: 'RECORDED' | 'NOT_HIGHER', clock: string]
  | [tag: 'SILENT']
  | [tag: 'MOVED', last: string]
  | WrongType
  | [tag: 'MALFORMED', what: string];

export const callHeartbeat = (
  redis: Connection,
  keys: { stream: string; heartbeats: string; silence: string },
  args: { anchor: string; mode: 'moving' | 'silent'; clock: number },
): Promise<HeartbeatReply> =>
  heartbeatScript.run(
    redis,
    [keys.stream, keys.heartbeats, keys.silence],
    [args.anchor, args.mode, String(args.clock)],
  );

/** `live` holds id and info by turns; times are milliseconds of Redis's clock. */
export type RenewReply = [tag: 'LIVE', now: number, ...live: string[]];

/** With a lease of 0 nothing is renewed; the live workers are answered all the same. */
export const callRenew = (
  redis: Connection,
  workersKey: string,
  args: { id: string; info: string; leaseMs: number },
): Promise<RenewReply> => renewScript.run(redis, [workersKey], [args.id, String(args.leaseMs), args.info]);

export const callKnownWorkers = (redis: Connection, workersKey: string): Promise<RenewReply> =>
  knownWorkersScript.run(redis, [workersKey], []);

export type ReadRowsReply =
  | [tag: 'ROWS', record: (string | null)[], found: (string | null)[], members?: string[]]
  | WrongType
  | [tag: 'MALFORMED', what: string];

/** The rows under keys, by bucket; `found` answers in the order of the keys. */
export const callReadKeys = (
  redis: Connection,
  { task, blocks }: { task: string; blocks: string },
  buckets: readonly { redisKey: string; keys: readonly string[] }[],
): Promise<ReadRowsReply> =>
  readRowsScript.run(
    redis,
    [task, blocks, ...buckets.map((bucket) => bucket.redisKey)],
    ['keys', ...buckets.flatMap(({ keys }) => [String(keys.length), ...keys])],
  );

/** All rows of whole buckets; `found` holds key and text, or first key and block, by turns. */
export const callReadBuckets = (
  redis: Connection,
  taskKey: string,
  bucketKeys: readonly string[],
): Promise<ReadRowsReply> => readRowsScript.run(redis, [taskKey, ...bucketKeys], ['buckets']);

/** Some rows of a bucket; `found` as of whole ones, `members` where to go on. */
export const callScanBucket = (
  redis: Connection,
  taskKey: string,
  bucketKey: string,
  { cursor, count }: { cursor: string; count: number },
): Promise<ReadRowsReply> => readRowsScript.run(redis, [taskKey, bucketKey], ['scan', cursor, String(count)]);

/** Rows in the order of an index; `found` holds key and text by turns, `members` the members they were found by. */
export const callReadIndex = (
  redis: Connection,
  keys: { task: string; index: string; buckets: readonly string[] },
  range: { from: string; to: string; reverse: boolean; limit: number },
): Promise<ReadRowsReply> =>
  readRowsScript.run(
    redis,
    [keys.task, keys.index, ...keys.buckets],
    ['index', range.reverse ? '1' : '0', range.from, range.to, String(range.limit)],
  );

export const callRegister = (
  redis: Connection,
  registryKey: string,
  release: string,
): Promise<[tag: 'KNOWN' | 'NEW', number: number]> => registerScript.run(redis, [registryKey], [release]);

export const callChangeRegistry = (
  redis: Connection,
  registryKey: string,
  args: {
    revision: number;
    puts: readonly (readonly [field: string, text: string])[];
    removes: readonly string[];
  },
): Promise<[tag: 'CHANGED' | 'OTHER_REVISION', revision: number]> =>
  changeRegistryScript.run(
    redis,
    [registryKey],
    [String(args.revision), String(args.puts.length), ...args.puts.flat(), ...args.removes],
  );

/** The error for a key that holds another type than ours. */
export const wrongType = (key: string, type: string, what: string): StillwaterError =>
  new StillwaterError('wrong-type', {
    what: `${what} failed: a key holds another type than Stillwater keeps there.`,
    evidence: `  key      ${key}\n  holds    ${type}`,
    consequence: 'Nothing was changed.',
    remedy: `Rename or delete it (RENAME ${key} …), or give Stillwater another prefix.`,
  });
