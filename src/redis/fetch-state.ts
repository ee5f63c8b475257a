import type { OrderedRead } from '../circuit/ordered-state.js';
import type { FetchedState, StoredState } from '../runtime/ports/task-store.js';
import type { TaskId } from '../runtime/task-id.js';
import type { Connection } from './connect.js';
import { bucketOf } from '../zset/bucket-of.js';
import type { Keyspace } from './keyspace.js';
import { decodeMember, memberRange, rangeOf } from './ordered-member.js';
import { valueOf } from './replies.js';

/** Fields asked for in one HMGET, and members in one ZRANGEBYLEX: so much takes Redis about a millisecond. */
const FETCH_FIELDS_MAX = 2_000;
const FETCH_MEMBERS_MAX = 5_000;

/**
 * What a tick needs of a task's state, in as few round trips as its ranges have pages. In each the commit is asked for last: what
 * was read before it is of that commit or of earlier ones.
 */
export async function fetchState(
  redis: Connection,
  keyspace: Keyspace,
  task: TaskId,
  buckets: number,
  state: StoredState,
): Promise<FetchedState> {
  const round = new Round(redis, keyspace.task(task));
  const keyed = state.keyed.map(({ state: name, keys }) => {
    const values = new Array<string | null>(keys.length).fill(null);
    for (const [bucket, places] of byBucket(keys, buckets)) {
      const redisKey = keyspace.keyed(task, name, bucket);
      for (let at = 0; at < places.length; at += FETCH_FIELDS_MAX) {
        const some = places.slice(at, at + FETCH_FIELDS_MAX);
        round.ask(['hmget', redisKey, some.map((place) => keys[place]!)], (found: (string | null)[]) =>
          some.forEach((place, index) => (values[place] = found[index]!)),
        );
      }
    }
    return values;
  });
  const ordered = state.ordered.map(({ state: name, reads }) =>
    reads.map((read) => {
      const found: [string, number][] = [];
      askRange(round, keyspace.ordered(task, name, bucketOf(read.group, buckets)), read, found);
      return found;
    }),
  );
  const commit = await round.run();
  return { commit, keyed, ordered };
}

type Request =
  | readonly ['hmget', key: string, fields: string[]]
  | readonly ['zrangebylex' | 'zrevrangebylex', key: string, from: string, to: string, count: number];

/** Requests that go out in one pipeline; an answer may ask for more, which goes out in the next. */
class Round {
  #asked: { request: Request; take: (found: any) => void }[] = [];

  constructor(
    readonly redis: Connection,
    readonly taskKey: string,
  ) {}

  ask(request: Request, take: (found: any) => void): void {
    this.#asked.push({ request, take });
  }

  /** The nonce of the task's last commit, when all was read. */
  async run(): Promise<string> {
    let commit: string | null = null;
    while (this.#asked.length > 0) {
      const asked = this.#asked;
      this.#asked = [];
      const pipeline = this.redis.pipeline();
      for (const { request } of asked) {
        if (request[0] === 'hmget') pipeline.hmget(request[1], ...request[2]);
        else pipeline[request[0]](request[1], request[2], request[3], 'LIMIT', 0, request[4]);
      }
      pipeline.hget(this.taskKey, 'commit');
      const replies = await pipeline.exec();
      commit = valueOf(replies, asked.length) as string | null;
      asked.forEach(({ take }, index) => take(valueOf(replies, index)));
    }
    return commit ?? '';
  }
}

/** Asks for one range of an ordered state, in pages. */
function askRange(round: Round, redisKey: string, read: OrderedRead, found: [string, number][]): void {
  if ('member' in read) {
    const [from, to] = memberRange(read.group, read.member);
    round.ask(['zrangebylex', redisKey, from, to, 1], (texts: string[]) =>
      found.push(...texts.map(decodeMember)),
    );
    return;
  }
  const [from, to] = rangeOf(read.group, read.from, read.to);
  const { count } = read;
  const reverse = read.direction === 'down';
  const page = (after: string | null): void => {
    const size = Math.min(count - found.length, FETCH_MEMBERS_MAX);
    if (size <= 0) return;
    round.ask(
      reverse
        ? ['zrevrangebylex', redisKey, after === null ? to : `(${after}`, from, size]
        : ['zrangebylex', redisKey, after === null ? from : `(${after}`, to, size],
      (texts: string[]) => {
        for (const text of texts) found.push(decodeMember(text));
        if (texts.length === size) page(texts[texts.length - 1]!);
      },
    );
  };
  page(null);
}

/** The places of keys, by bucket. */
function byBucket(keys: readonly string[], buckets: number): Map<number, number[]> {
  const places = new Map<number, number[]>();
  for (let place = 0; place < keys.length; place++) {
    const bucket = bucketOf(keys[place]!, buckets);
    const some = places.get(bucket);
    if (some) some.push(place);
    else places.set(bucket, [place]);
  }
  return places;
}
