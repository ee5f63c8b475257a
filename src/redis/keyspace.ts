import { hash32 } from '../zset/checksum.js';
import { type TaskId, taskName } from '../runtime/task-id.js';

/** How many hash tags all keys of tasks share: enough to spread over any cluster, few enough to wait on. */
export const TAGS = 64;

/** How a state lies in Redis; the letter of its keys. */
const LETTER = { keyed: 'k', ordered: 'o', index: 'i' } as const;
export type StateKind = keyof typeof LETTER;

/**
 * Every key, its type and its slot.
 *
 *   {sw:17}:<view>#<generation>/<stage>.<partition>        all keys of a task, one slot
 *     :task                  hash     owner, token, tick, positions, frontier, record, of what it is made
 *     :k:<state>:<bucket>    hash     keyed state, by the bucket of the key; rows are the state `rows`
 *     :o:<state>:<bucket>    zset     ordered state, by the bucket of the group; scores are 0
 *     :i:<state>             zset     an index, or of rows in blocks (`zset/row-block.ts`) the first keys; scores are 0
 *     :changes               stream   the changelog, ids `<tick>-0`
 *     :out:<receiver>        stream   what it sends to a task of the next stage, ids `<tick>-0`; to -1: the rounds
 *     :sent                  stream   an entry for each commit of a task that sends, to be waited for; only the last stays
 *     :readers               hash     dependents, and the tick each has reached
 *     :subscribed            string   there while somebody listens to the changelog
 *   <prefix>:registry        hash     releases and generations
 *   <prefix>:workers         hash     who is alive
 *   <prefix>:announcements   channel
 *   <prefix>:blamed:<fingerprint>   set   entries that ended workers, `[redisKey, id]`; outlives the generations
 *   <prefix>:{<stream>}:append:<key>   string   what the request with this idempotency key said, and was answered here, for a while
 *
 *   <prefix>:{<slot>}:acknowledged          string   written before replicas are waited for
 *   <prefix>:{<stream>}:heartbeats:<stream>   zset     time that passed in silence, by the entry it passed after
 *   <prefix>:{<stream>}:begun:<stream>        hash     the first entry that each task took of a stream
 *   <prefix>:{<stream>}:silence:<stream>      string   since when a stream is silent, and where its clock stood then
 *
 * Streams keep their own names; the consumer group on them is named by the prefix.
 *
 * Hashes and ordered states are bucketed, so that none grows long: of a view of six million rows a bucket holds
 * 100,000, and a view declares more `buckets` where it expects more. An index is one sorted set for a partition and may
 * be larger: its ranges go through all members, and a bucket by hash would scatter them.
 */
export class Keyspace {
  constructor(readonly prefix: string = 'sw') {}

  get group(): string {
    return this.prefix;
  }
  get registry(): string {
    return `${this.prefix}:registry`;
  }
  get workers(): string {
    return `${this.prefix}:workers`;
  }
  get announcements(): string {
    return `${this.prefix}:announcements`;
  }

  /** Lies in the slot of the key whose write replicas are waited for: on the same server. */
  acknowledged(redisKey: string): string {
    return `${this.prefix}:{${tagOf(redisKey)}}:acknowledged`;
  }

  blamed(fingerprint: string): string {
    return `${this.prefix}:blamed:${fingerprint}`;
  }

  /** What the keys of a task begin with. The partitions of one view lie in different slots. */
  base(task: TaskId): string {
    return `{${this.prefix}:${(hash32(task.view) + task.partition) % TAGS}}:${taskName(task)}`;
  }
  task(task: TaskId): string {
    return `${this.base(task)}:task`;
  }
  changes(task: TaskId): string {
    return `${this.base(task)}:changes`;
  }
  out(task: TaskId, receiver: number): string {
    return `${this.base(task)}:out:${receiver}`;
  }
  sent(task: TaskId): string {
    return `${this.base(task)}:sent`;
  }
  readers(task: TaskId): string {
    return `${this.base(task)}:readers`;
  }
  subscribed(task: TaskId): string {
    return `${this.base(task)}:subscribed`;
  }
  keyed(task: TaskId, state: string, bucket: number): string {
    return `${this.base(task)}:${LETTER.keyed}:${state}:${bucket}`;
  }
  ordered(task: TaskId, state: string, bucket: number): string {
    return `${this.base(task)}:${LETTER.ordered}:${state}:${bucket}`;
  }
  index(task: TaskId, state: string): string {
    return `${this.base(task)}:${LETTER.index}:${state}`;
  }

  /** The keys of one state, all that can exist. */
  *state(task: TaskId, state: string, kind: StateKind, buckets: number): IterableIterator<string> {
    const base = `${this.base(task)}:${LETTER[kind]}:${state}`;
    if (kind === 'index') yield base;
    else for (let bucket = 0; bucket < buckets; bucket++) yield `${base}:${bucket}`;
  }

  /** Lies in the slot of the stream, so that one script can append and remember. */
  append(redisKey: string, idempotencyKey: string): string {
    return `${this.prefix}:{${tagOf(redisKey)}}:append:${idempotencyKey}`;
  }

  /** Lies in the slot of the stream: it is there wherever is gone what was trimmed after it. */
  begun(redisKey: string): string {
    return `${this.prefix}:{${tagOf(redisKey)}}:begun:${redisKey}`;
  }

  /** Lie in the slot of the stream: a heartbeat is written only while its anchor is the last entry. */
  heartbeats(redisKey: string): string {
    return `${this.prefix}:{${tagOf(redisKey)}}:heartbeats:${redisKey}`;
  }
  silence(redisKey: string): string {
    return `${this.prefix}:{${tagOf(redisKey)}}:silence:${redisKey}`;
  }
}

/** The part of a key that Redis Cluster hashes. */
export function tagOf(redisKey: string): string {
  const open = redisKey.indexOf('{');
  if (open === -1) return redisKey;
  const close = redisKey.indexOf('}', open + 1);
  return close > open + 1 ? redisKey.slice(open + 1, close) : redisKey;
}
