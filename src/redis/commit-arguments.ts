import type { CommitRequest } from '../runtime/ports/task-store.js';
import { bucketOf } from '../zset/bucket-of.js';
import type { Keyspace } from './keyspace.js';
import { encodeGroup, encodeMember } from './ordered-member.js';
import { encodeClocks, encodeExtra, encodeFrontier, positionsText } from './task-record.js';

/** The number of keys before those of state. */
const FIXED_KEYS = 4;
const SCORE = '0';

type Operation = 'S' | 'D' | 'Z' | 'R' | 'X';

/** What one tick changes of one state, gathered by bucket: what is put and what goes. */
class Buckets {
  readonly touched: number[] = [];
  readonly puts: (string[] | undefined)[];
  readonly gone: (string[] | undefined)[];

  constructor(count: number) {
    this.puts = new Array(count);
    this.gone = new Array(count);
  }

  putsOf(bucket: number): string[] {
    return (this.puts[bucket] ??= this.#touch(bucket, this.gone));
  }

  goneOf(bucket: number): string[] {
    return (this.gone[bucket] ??= this.#touch(bucket, this.puts));
  }

  #touch(bucket: number, other: (string[] | undefined)[]): string[] {
    if (other[bucket] === undefined) this.touched.push(bucket);
    return [];
  }
}

/**
 * The arguments of `commit.lua` as EVALSHA takes them, in one flat array: place for the hash, number of keys, keys,
 * header, changes. This is on the path of every changed row, hence no objects for each of them.
 */
export function commitArguments(keyspace: Keyspace, request: CommitRequest): string[] {
  const { task, buckets, record } = request;
  const base = keyspace.base(task);
  const all: string[] = ['', '', `${base}:task`, `${base}:readers`, `${base}:subscribed`, `${base}:changes`];
  const changes: { key: number; operation: Operation; values: string[] }[] = [];
  let keys = FIXED_KEYS;
  const take = (prefix: string, state: Buckets, put: Operation, remove: Operation): void => {
    for (const bucket of state.touched) {
      all.push(prefix + bucket);
      keys += 1;
      const puts = state.puts[bucket];
      const gone = state.gone[bucket];
      // What goes first: a member whose weight changes is another text, a field that goes is not put.
      if (gone) changes.push({ key: keys, operation: remove, values: gone });
      if (puts) changes.push({ key: keys, operation: put, values: puts });
    }
  };

  for (const { state, writes } of request.keyed) {
    const changed = new Buckets(buckets);
    for (const [key, text] of writes) {
      const bucket = bucketOf(key, buckets);
      if (text === null) changed.goneOf(bucket).push(key);
      else changed.putsOf(bucket).push(key, text);
    }
    take(`${base}:k:${state}:`, changed, 'S', 'D');
  }
  for (const { state, writes } of request.ordered) {
    const changed = new Buckets(buckets);
    // Those of a group follow one another.
    let latest: string | null = null;
    let bucket = 0;
    let beginning = '';
    for (const { group, member, before, after } of writes) {
      if (group !== latest) {
        latest = group;
        bucket = bucketOf(group, buckets);
        beginning = encodeGroup(group);
      }
      if (before > 0) changed.goneOf(bucket).push(encodeMember(beginning, member, before));
      if (after > 0) changed.putsOf(bucket).push(SCORE, encodeMember(beginning, member, after));
    }
    take(`${base}:o:${state}:`, changed, 'Z', 'R');
  }
  for (const { state, writes } of request.indexes) {
    const puts: string[] = [];
    const gone: string[] = [];
    for (const [member, present] of writes) {
      if (present) puts.push(SCORE, member);
      else gone.push(member);
    }
    if (puts.length + gone.length === 0) continue;
    all.push(`${base}:i:${state}`);
    keys += 1;
    if (gone.length > 0) changes.push({ key: keys, operation: 'R', values: gone });
    if (puts.length > 0) changes.push({ key: keys, operation: 'Z', values: puts });
  }

  if (request.sent !== undefined) {
    const id = `${request.tick}-0`;
    const add = (redisKey: string, text: string, from: string): void => {
      all.push(redisKey);
      keys += 1;
      changes.push({ key: keys, operation: 'X', values: [id, from, text] });
    };
    for (const { receiver, text, from } of request.sent) add(`${base}:out:${receiver}`, text, `${from}-0`);
    add(`${base}:sent`, '', id);
  }

  all[1] = String(keys);
  all.push(
    String(request.token.epoch),
    request.token.nonce,
    String(request.tick),
    request.nonce,
    positionsText(request.from),
    positionsText(record.positions),
    encodeFrontier(record),
    String(record.rows),
    String(record.conflicts),
    String(record.errors),
    record.checksum,
    encodeExtra(record.extra),
    encodeClocks(record),
    String(record.late),
    request.changelog === null ? '0' : '1',
    request.changelog ?? '',
    String(Math.max(0, request.changelogFrom)),
    request.follows,
  );
  for (const { key, operation, values } of changes) {
    all.push(String(key), operation, String(values.length));
    for (const value of values) all.push(value);
  }
  return all;
}
