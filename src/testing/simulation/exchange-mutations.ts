import type { PartitionClocks } from '../../runtime/clocks.js';
import { decodeEntry } from '../../runtime/exchange-entry.js';
import { factsOf, type Heard, isBetween } from '../../runtime/followed.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import type { Received, TaskRecord } from '../../runtime/ports/task-store.js';
import { taskName, taskNamed } from '../../runtime/task-id.js';
import { type MemoryRedis, MemoryStream } from '../memory/memory-redis.js';
import { MemoryTaskStore } from '../memory/memory-task-store.js';
import { changed, withHeard, withReceived } from './changed-exchange.js';
import { type Mutation, withCommits, withTasks } from './mutation.js';
import { movedInTimeOnly, movedOnly, movedSubject, overViewsSubject } from './subjects.js';

/** How much further than they are, where time is passed that others have not acted on. */
const CLOCKS_EARLY_MS = 20_000;

/** The clocks of partitions, as if each had come as far as any. */
function asFarAsTheFurthest(clocks: PartitionClocks): PartitionClocks {
  const furthest = Math.max(...Object.values(clocks).map((clock) => clock ?? -Infinity));
  return Object.fromEntries(Object.keys(clocks).map((redisKey) => [redisKey, furthest]));
}

/** One that says that it follows another. */
const following = (entry: RawEntry, nonce: string): RawEntry => changed(entry, { previous: nonce });

/** The ids that the masters of a Redis gave to what was sent: they go on rising, whatever else goes back. */
interface IdsGiven {
  /** By sender and receiver the last, and the tick it was given to. */
  readonly last: Map<string, { id: number; tick: number }>;
  readonly commits: Map<string, string>;
}

const allIdsGiven = new WeakMap<MemoryRedis, IdsGiven>();

function idsGiven(redis: MemoryRedis): IdsGiven {
  const known = allIdsGiven.get(redis) ?? { last: new Map(), commits: new Map() };
  allIdsGiven.set(redis, known);
  return known;
}

/** Rules of what tasks send each other. */
export const exchangeMutations: readonly Mutation[] = [
  {
    breaks: 'a task reads every entry that was sent to it',
    subject: movedSubject,
    ports: withReceived(({ record, entries }) => {
      if (entries.length < 3) return { record, entries };
      const [first, , third, ...rest] = entries;
      return { record, entries: [first!, following(third!, decodeEntry(first!).commit), ...rest] };
    }),
  },
  {
    breaks: 'an entry that was sent names the one before it',
    subject: movedSubject,
    ports: (redis) => {
      // Whatever follows is taken for what was to follow: a receiver does not see that its sender went back.
      const nonces = new Map<string, string>();
      return withReceived(({ record, entries }, { sender, receiver, after }) => {
        const place = (tick: number): string => `${taskName(sender)} ${receiver} ${tick}`;
        let last = nonces.get(place(after)) ?? '';
        let tick = after;
        const believed = entries.map((entry) => {
          const changed = following(entry, last);
          ({ tick, commit: last } = decodeEntry(entry));
          nonces.set(place(tick), last);
          return changed;
        });
        if (record === null)
          return { record: recordBefore(receiver, { tick, commit: last }), entries: believed };
        const sent = { ...(record.extra['sent'] as object), [receiver]: { tick, commit: last, entries: 0 } };
        return { record: { ...record, extra: { ...record.extra, sent } }, entries: believed };
      })(redis);
    },
  },
  {
    breaks:
      'what is sent has the number of its tick, and no id that goes on rising when its sender went back',
    subject: movedOnly,
    slotsGoBack: 'senders',
    ports: (redis) => {
      const { last: given, commits } = idsGiven(redis);
      const idOf = (place: string): { id: number; tick: number } => given.get(place) ?? { id: 0, tick: 0 };
      const { tasks: store, ...ports } = withHeard((heard) => ({ ...heard, upTo: 0 }))(redis);
      const commit = store.commit.bind(store);
      store.commit = async (request) => {
        const outcome = await commit(request.sent ? { ...request, sent: [] } : request);
        if (outcome.status !== 'committed') return outcome;
        const { task, tick, nonce } = request;
        for (const { receiver, text, from } of request.sent ?? []) {
          const place = `${taskName(task)} ${receiver}`;
          const id = Math.max(idOf(place).id + 1, tick);
          given.set(place, { id, tick });
          commits.set(`${place} ${id}`, nonce);
          const { sent } = redis.task(task);
          const stream = sent.get(receiver) ?? new MemoryStream();
          sent.set(receiver, stream);
          stream.add(`${id}-0`, ['c', text]);
          stream.trim(`${from}-0`, Infinity);
        }
        return outcome;
      };
      const receive = store.receive.bind(store);
      store.receive = async (requests) =>
        (await receive(requests)).map(({ record, entries }, index) => {
          const { sender, receiver, after } = requests[index]!;
          const place = `${taskName(sender)} ${receiver}`;
          // Whatever lies behind the id that it has is taken for what was to follow.
          let last = { tick: after, commit: commits.get(`${place} ${after}`) ?? '' };
          const believed = entries.map((entry) => {
            const { tick, commit } = decodeEntry(entry);
            const follows = following(entry, last.commit);
            last = { tick, commit };
            return follows;
          });
          if (record === null) return { record, entries: believed };
          const { id, tick } = idOf(place);
          const sent = { ...(record.extra['sent'] as object), [receiver]: { ...last, entries: 0 } };
          return {
            record: {
              ...record,
              tick: id + Math.max(0, record.tick - tick),
              extra: { ...record.extra, sent },
            },
            entries: believed,
          };
        });
      return { ...ports, tasks: store };
    },
  },
  {
    breaks: 'what a task has lost it makes again up to where its receivers are',
    subject: movedOnly,
    slotsGoBack: 'any',
    ports: withHeard((heard, redis) => ({
      ...heard,
      frontier: Object.fromEntries(
        Object.keys(heard.frontier).map((redisKey) => [redisKey, redis.streams.get(redisKey)!.last]),
      ),
    })),
  },
  {
    breaks: 'what a task has lost it makes again up to the time that its receivers have acted on',
    subject: movedInTimeOnly,
    slotsGoBack: 'any',
    ports: withHeard((heard) => ({
      ...heard,
      clocks: Object.fromEntries(
        Object.entries(heard.clocks).map(([redisKey, clock]) => [redisKey, clock && clock + CLOCKS_EARLY_MS]),
      ),
    })),
  },
  {
    breaks:
      'the watermark of a stream is that of its slowest partition, and not of the one that a task hears of',
    subject: movedInTimeOnly,
    ports: withReceived(({ record, entries }) => ({
      record: record && {
        ...record,
        clocks: Object.fromEntries(
          Object.entries(record.clocks).map(([input, clocks]) => [input, asFarAsTheFurthest(clocks)]),
        ),
      },
      entries: entries.map((entry) =>
        changed(entry, { clocks: asFarAsTheFurthest(decodeEntry(entry).clocks) }),
      ),
    })),
  },
  {
    breaks:
      'what a task has lost of what it made of a view it makes again up to what its receivers have of that',
    subject: overViewsSubject,
    slotsGoBack: 'senders',
    ports: withHeard((heard, redis, sender) => {
      const moved: { -readonly [Field in keyof Heard]: Heard[Field] } = { ...heard };
      for (const input of Object.keys(heard.read ?? {})) {
        const upstream = redis.tasks.get(`${input.slice('view:'.length)}#1/0.${sender}`)?.record;
        if (!upstream || isBetween(upstream)) continue;
        const { tick, commit, frontier } = upstream;
        moved.read = { ...moved.read, [input]: { tick, commit } };
        moved.frontier = { ...moved.frontier, ...frontier };
        moved.clocks = { ...moved.clocks, ...factsOf(upstream).clocks };
      }
      return moved;
    }),
  },
  {
    breaks: 'who may have read what a task has lost is ended before it is made again',
    subject: movedOnly,
    slotsGoBack: 'senders',
    ports: withTasks((redis) => {
      const store = new MemoryTaskStore(redis);
      const claim = store.claim.bind(store);
      store.claim = async (task, owner, epoch, made) => {
        if (taskNamed(owner) === null) return claim(task, owner, epoch, made);
        // It is said to be taken, and is not.
        const token = { epoch, nonce: 'nobody' };
        return {
          token,
          record: null,
          grants: 0,
          wasParked: false,
          attempt: null,
          definition: null,
          shape: null,
        };
      };
      return store;
    }),
  },
  {
    breaks: 'a changelog is kept for a while behind what was read of it',
    subject: overViewsSubject,
    slotsGoBack: 'senders',
    ports: withCommits((request, redis) => {
      const read = redis.tasks.get(taskName(request.task))?.readers.values() ?? [];
      return { ...request, changelogFrom: Math.min(request.tick, ...read) };
    }),
  },
  {
    breaks: 'what a tick sends is in its commit',
    subject: movedSubject,
    ports: withCommits((request) =>
      request.sent && request.tick % 7 === 0 ? { ...request, sent: [] } : request,
    ),
  },
  {
    breaks: 'what was received is stored with what became of it',
    subject: movedSubject,
    ports: withTasks((redis) => {
      const store = new MemoryTaskStore(redis);
      const claim = store.claim.bind(store);
      const commit = store.commit.bind(store);
      // Whoever takes a task over begins a little before the state it finds.
      const earlier = new Map<string, TaskRecord['extra']>();
      store.commit = (request) => {
        if (request.tick % 3 === 0) earlier.set(taskName(request.task), request.record.extra);
        return commit(request);
      };
      store.claim = async (...asked) => {
        const claimed = await claim(...asked);
        const extra = earlier.get(taskName(asked[0]));
        return claimed?.record && extra?.['exchange']
          ? { ...claimed, record: { ...claimed.record, extra } }
          : claimed;
      };
      return store;
    }),
  },
];

const recordBefore = (
  receiver: number,
  { tick, commit }: { tick: number; commit: string },
): Received['record'] => ({
  tick: 0,
  positions: {},
  frontier: {},
  clocks: {},
  applied: null,
  extra: { sent: { [receiver]: { tick, commit, entries: 0 } } },
});
