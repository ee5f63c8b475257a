import { ArchivedLog } from '../../runtime/archive/archived-log.js';
import { decodeEntry, encodeEntry, type ExchangeEntry, lastSent } from '../../runtime/exchange-entry.js';
import { EXCHANGE, type Heard, heardIn } from '../../runtime/followed.js';
import type {
  CommitOutcome,
  CommitRequest,
  Received,
  ReceiveRequest,
  TaskRecord,
} from '../../runtime/ports/task-store.js';
import type { RawEntry, ReadOutcome, ReadRequest } from '../../runtime/ports/source-log.js';
import type { Ports } from '../../runtime/ports/ports.js';
import { followsRounds, ROUNDS, roundsDone } from '../../runtime/rounds.js';
import { taskName } from '../../runtime/task-id.js';
import type { ObjectStore } from '../../runtime/ports/object-store.js';
import { memoryPorts } from '../memory/memory-ports.js';
import type { MemoryRedis } from '../memory/memory-redis.js';
import { MemorySourceLog } from '../memory/memory-source-log.js';
import { MemoryTaskStore } from '../memory/memory-task-store.js';
import { MemoryViewStore } from '../memory/memory-view-store.js';
import type { Random } from '../random.js';
import type { SlotsThatGoBack } from './simulation.js';
import { SimulatedArchive } from './simulated-archive.js';
import {
  archivedSubject,
  chainedSubject,
  movedInTimeOnly,
  movedOnly,
  movedSubject,
  plainSubject,
  roundsSubject,
  stackedSubject,
  subjectInTime,
} from './subjects.js';
import type { Subject } from './subject.js';

/** How long before the entries, where heartbeats are read first. */
const HEARTBEATS_EARLY_MS = 1_200;

/** How much further than they are, where time is passed that others have not acted on. */
const CLOCKS_EARLY_MS = 20_000;

/** One rule of the protocol, broken on purpose. A simulation that does not notice proves nothing. */
export interface Mutation {
  /** What is no longer done. */
  readonly breaks: string;
  readonly ports: (redis: MemoryRedis) => Ports;
  /** How processes reach an archive, where it is there that the rule holds no longer. */
  readonly archive?: (redis: MemoryRedis) => SimulatedArchive;
  /** What shows it, where not any subject may. */
  readonly subject?: (random: Random) => Subject;
  /** Whether slots of tasks must go back for it, one at a time. */
  readonly slotsGoBack?: SlotsThatGoBack;
}

/** A commit as it would be answered if the store did not compare something: what it compares is made to agree first. */
class CredulousTaskStore extends MemoryTaskStore {
  constructor(
    redis: MemoryRedis,
    readonly agree: (
      kept: NonNullable<ReturnType<MemoryRedis['tasks']['get']>>,
      request: CommitRequest,
    ) => void,
  ) {
    super(redis);
  }

  override commit(request: CommitRequest): Promise<CommitOutcome> {
    const kept = this.redis.tasks.get(taskName(request.task));
    if (kept) this.agree(kept, request);
    return super.commit(request);
  }
}

const withTasks =
  (make: (redis: MemoryRedis) => MemoryTaskStore): Mutation['ports'] =>
  (redis) => ({ ...memoryPorts(redis), tasks: make(redis) });

const withLog =
  (read: (log: MemorySourceLog, request: ReadRequest) => Promise<ReadOutcome>): Mutation['ports'] =>
  (redis) => {
    const log = new MemorySourceLog(redis);
    const readRight = log.read.bind(log);
    const right = Object.assign(Object.create(log) as MemorySourceLog, { read: readRight });
    log.read = (request) => read(right, request);
    return { ...memoryPorts(redis), log };
  };

/** What tasks have stored of their senders, changed for whoever asks. */
const withHeard = (change: (heard: Heard, redis: MemoryRedis) => Heard): Mutation['ports'] =>
  withTasks((redis) => {
    const store = new MemoryTaskStore(redis);
    const status = store.status.bind(store);
    store.status = async (tasks) =>
      (await status(tasks)).map(({ record, ...rest }) => {
        const heard = record && heardIn(record);
        if (!heard) return { ...rest, record };
        const changed = heard.map((one) => change(one, redis));
        return { ...rest, record: { ...record, extra: { ...record.extra, [EXCHANGE]: changed } } };
      });
    return store;
  });

/** What tasks receive, changed on its way. */
const withReceived =
  (change: (received: Received, request: ReceiveRequest) => Received): Mutation['ports'] =>
  (redis) => {
    const store = new MemoryTaskStore(redis);
    const receive = store.receive.bind(store);
    store.receive = async (requests) =>
      (await receive(requests)).map((received, index) => change(received, requests[index]!));
    return { ...memoryPorts(redis), tasks: store };
  };

/** An entry that says something else. */
const changed = ([id, fields]: RawEntry, said: Partial<ExchangeEntry>): RawEntry => [
  id,
  ['c', encodeEntry({ ...decodeEntry([id, fields]), ...said })],
];

/** One that says that it follows another. */
const following = (entry: RawEntry, nonce: string): RawEntry => changed(entry, { previous: nonce });

/** A store that says of some objects that it has them, and has not. */
function forgetful(store: ObjectStore): ObjectStore {
  let puts = 0;
  const put: ObjectStore['put'] = (name, content) =>
    ++puts % 3 === 0 ? Promise.resolve() : store.put(name, content);
  return Object.assign(Object.create(store) as ObjectStore, { put });
}

/** What is read of the archive, changed on its way; `before`: the entry that was read last. */
const withSeam =
  (
    change: (entries: readonly RawEntry[], before: RawEntry | undefined) => readonly RawEntry[],
  ): NonNullable<Mutation['archive']> =>
  (redis) =>
    new SimulatedArchive(redis, undefined, (log, archive) => {
      const archived = new ArchivedLog(log, archive);
      const read = archived.read.bind(archived);
      let last: RawEntry | undefined;
      archived.read = async (request) => {
        const outcome = await read(request);
        if (outcome.status !== 'read' || !outcome.archived) return outcome;
        const before = last?.[0] === request.position ? last : undefined;
        last = outcome.entries.at(-1);
        return { ...outcome, entries: [...change(outcome.entries, before)] };
      };
      return archived;
    });

export const mutations: readonly Mutation[] = [
  {
    breaks: 'a commit is compared with the token in force',
    ports: withTasks(
      (redis) =>
        new CredulousTaskStore(redis, (kept, { token }) => {
          kept.epoch = token.epoch;
          kept.nonce = token.nonce;
        }),
    ),
  },
  {
    breaks: 'a commit that was made before is known by its nonce',
    ports: withTasks(
      (redis) =>
        new CredulousTaskStore(redis, (kept, { tick, from }) => {
          if (kept.record?.tick === tick) kept.record = { ...kept.record, tick: tick - 1, positions: from };
        }),
    ),
  },
  {
    breaks: 'a commit is compared with the tick and the positions that are stored',
    ports: withTasks(
      (redis) =>
        new CredulousTaskStore(redis, (kept, { tick, from, nonce }) => {
          if (kept.commit === nonce) return;
          if (kept.record) kept.record = { ...kept.record, tick: tick - 1, positions: from };
        }),
    ),
  },
  {
    breaks: 'taking a task over raises its epoch',
    ports: withTasks((redis) => {
      const store = new MemoryTaskStore(redis);
      const claim = store.claim.bind(store);
      store.claim = async (...asked) => {
        const [task, , epoch] = asked;
        const kept = redis.task(task);
        const { nonce } = kept;
        const claimed = await claim(...asked);
        if (claimed === null || nonce === null) return claimed;
        kept.epoch = epoch;
        kept.nonce = nonce;
        return { ...claimed, token: { epoch, nonce } };
      };
      return store;
    }),
  },
  {
    breaks: 'positions are stored with the state they belong to',
    ports: withTasks((redis) => {
      const store = new MemoryTaskStore(redis);
      const claim = store.claim.bind(store);
      // Whoever takes a task over begins a little before the state it finds.
      let earlier: TaskRecord['positions'] | null = null;
      const commit = store.commit.bind(store);
      store.commit = (request) => {
        if (request.tick % 5 === 0) earlier = request.from;
        return commit(request);
      };
      store.claim = async (...asked) => {
        const claimed = await claim(...asked);
        if (!claimed?.record || earlier === null) return claimed;
        const kept = redis.task(asked[0]);
        kept.record = { ...kept.record!, positions: { ...kept.record!.positions, ...earlier } };
        return { ...claimed, record: kept.record };
      };
      return store;
    }),
  },
  {
    breaks: 'all of a commit is stored, or nothing',
    ports: withTasks((redis) => {
      const store = new MemoryTaskStore(redis);
      const commit = store.commit.bind(store);
      store.commit = (request) =>
        commit(request.tick % 7 === 0 ? { ...request, keyed: request.keyed.slice(0, -1) } : request);
      return store;
    }),
  },
  {
    breaks: 'a read names the position it continues from',
    subject: plainSubject,
    ports: withLog(async (log, request) => {
      const cursor = log.redis.groups.get(request.redisKey)?.get(log.group);
      if (cursor === undefined || request.position === '0-0')
        return log.read({ ...request, through: 'group' });
      const outcome = await log.read({ ...request, position: cursor, through: 'group' });
      return outcome.status === 'lost' ? { status: 'read', entries: [] } : outcome;
    }),
  },
  {
    breaks: 'the entry at a position must still be there',
    ports: withLog(async (log, request) => {
      const outcome = await log.read(request);
      if (outcome.status === 'read') return outcome;
      const stream = log.redis.streams.get(request.redisKey);
      return { status: 'read', entries: stream?.after(request.position, request.countMax) ?? [] };
    }),
  },
  {
    breaks: 'heartbeats are read after the entries they lie among',
    subject: subjectInTime,
    ports: withLog(async (log, request) => {
      const heartbeats = new Map(log.redis.streams.get(request.redisKey)?.heartbeats);
      await new Promise((passed) => log.redis.clock.after(HEARTBEATS_EARLY_MS, () => passed(null)));
      const outcome = await log.read(request);
      if (outcome.status !== 'read' || outcome.heartbeats === undefined) return outcome;
      return {
        ...outcome,
        heartbeats: outcome.heartbeats.flatMap(({ anchor }) => {
          const clock = heartbeats.get(anchor);
          return clock === undefined ? [] : [{ anchor, clock }];
        }),
      };
    }),
  },
  {
    breaks: 'what is read again after a refused commit is what the store holds',
    ports: withTasks((redis) => {
      const store = new MemoryTaskStore(redis);
      const fetch = store.fetch.bind(store);
      // A cache that outlives its lease: every key is answered as it was when it was first read.
      const first = new Map<string, string | null>();
      store.fetch = async (task, buckets, state) => {
        const found = await fetch(task, buckets, state);
        return {
          ...found,
          keyed: found.keyed.map((texts, at) =>
            texts.map((text, index) => {
              const { state: name, keys } = state.keyed[at]!;
              const place = `${taskName(task)} ${name} ${keys[index]}`;
              if (!first.has(place)) first.set(place, text);
              return first.get(place)!;
            }),
          ),
        };
      };
      return store;
    }),
  },
  {
    breaks: 'a dependent reads every entry of a changelog',
    subject: stackedSubject,
    ports: (redis) => {
      const views = new MemoryViewStore(redis);
      const changes = views.changes.bind(views);
      views.changes = async (task, afterTick, countMax) => {
        const found = await changes(task, afterTick, countMax);
        return found && found.entries.length > 2
          ? { ...found, entries: found.entries.filter((_, index) => index !== 1) }
          : found;
      };
      return { ...memoryPorts(redis), views };
    },
  },
  {
    breaks: 'a dependent compares the history of what it reads with the one it has read',
    subject: stackedSubject,
    slotsGoBack: 'any',
    ports: (redis) => {
      const views = new MemoryViewStore(redis);
      const changes = views.changes.bind(views);
      views.changes = async (task, afterTick, countMax) => {
        const found = await changes(task, afterTick, countMax);
        const nameless = (text: string): string => `${text.slice(0, text.lastIndexOf('\n'))}\n `;
        return (
          found && {
            newest: { tick: Math.max(found.newest.tick, afterTick), commit: '' },
            entries: found.entries.map(([id, [field, text]]) => [id, [field!, nameless(text!)]]),
          }
        );
      };
      return { ...memoryPorts(redis), views };
    },
  },
  {
    breaks: 'a page of a snapshot says the tick it was read at',
    ports: (redis) => {
      const views = new MemoryViewStore(redis);
      const bucket = views.bucket.bind(views);
      views.bucket = async (task, number) => {
        const page = await bucket(task, number);
        const record = page.record && { ...page.record, tick: Math.max(0, page.record.tick - 1) };
        return { ...page, record };
      };
      return { ...memoryPorts(redis), views };
    },
  },
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
    breaks: 'an entry is taken with its round, and not before',
    subject: chainedSubject,
    ports: withReceived(({ record, entries }) => ({
      record,
      entries: entries.map((entry) => changed(entry, { round: Math.min(1, decodeEntry(entry).round) })),
    })),
  },
  {
    breaks: 'a round is taken when all that send to a task have come to its end',
    subject: chainedSubject,
    ports: (redis) =>
      withReceived(({ record, entries }, { sender }) => {
        const heard = record && heardIn(record);
        if (!heard || !followsRounds(sender)) return { record, entries };
        const giver = redis.tasks.get(taskName({ ...sender, stage: 1, partition: 0 }))!.record!;
        const ahead = [...heard.slice(0, ROUNDS), { ...heard.at(ROUNDS)!, ...lastSent(giver, ROUNDS) }];
        return { record: { ...record, extra: { ...record.extra, [EXCHANGE]: ahead } }, entries };
      })(redis),
  },
  {
    breaks: 'entries of rounds that are over are passed over where a sender made them again',
    subject: roundsSubject,
    slotsGoBack: 'followers',
    ports: (redis) => {
      const begun = new Set<string>();
      return withReceived(({ record, entries }, { sender, receiver, after }) => {
        const place = `${taskName(sender)} ${receiver}`;
        if (after > 0) begun.add(place);
        if (after > 0 || !begun.has(place) || !record || !followsRounds(sender)) return { record, entries };
        const round = roundsDone(sender, record);
        return { record, entries: entries.map((entry) => changed(entry, { round })) };
      })(redis);
    },
  },
  {
    breaks: 'what was sent is trimmed by the rounds at which receivers stand',
    subject: roundsSubject,
    slotsGoBack: 'followers',
    ports: withTasks((redis) => {
      const store = new MemoryTaskStore(redis);
      const commit = store.commit.bind(store);
      store.commit = (request) => {
        const { task } = request;
        const readBy = (partition: number): number => {
          const receiver = redis.tasks.get(taskName({ ...task, stage: task.stage + 1, partition }))?.record;
          return (receiver && heardIn(receiver)?.[task.partition]?.tick) ?? 0;
        };
        if (!followsRounds(task) || !request.sent) return commit(request);
        // What a receiver has read of the ticks that were lost.
        const sent = request.sent.map((one) => {
          const read = readBy(one.receiver);
          return read > request.tick ? { ...one, from: read } : one;
        });
        return commit({ ...request, sent });
      };
      return store;
    }),
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
    breaks: 'what a tick sends is in its commit',
    subject: movedSubject,
    ports: withTasks((redis) => {
      const store = new MemoryTaskStore(redis);
      const commit = store.commit.bind(store);
      store.commit = (request) =>
        commit(request.sent && request.tick % 7 === 0 ? { ...request, sent: [] } : request);
      return store;
    }),
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
  {
    breaks: 'nothing is trimmed before the archive has it',
    subject: archivedSubject,
    ports: memoryPorts,
    archive: (redis) => new SimulatedArchive(redis, forgetful),
  },
  {
    breaks: 'the last entry of the archive stays in the log',
    subject: archivedSubject,
    ports: (redis) => {
      const log = new MemorySourceLog(redis);
      const trim = log.trim.bind(log);
      log.trim = (redisKey, position, entriesMax) => {
        const after = redis.streams.get(redisKey)?.after(position, 1)[0]?.[0];
        return trim(redisKey, after ?? position, entriesMax);
      };
      return { ...memoryPorts(redis), log };
    },
  },
  {
    breaks: 'what is read of the archive begins behind the entry one stands at',
    subject: archivedSubject,
    ports: memoryPorts,
    archive: withSeam((entries, before) => (before === undefined ? entries : [before, ...entries])),
  },
  {
    breaks: 'what is read of the archive leaves nothing out',
    subject: archivedSubject,
    ports: memoryPorts,
    archive: withSeam((entries) => (entries.length > 1 ? entries.slice(1) : entries)),
  },
];

const recordBefore = (
  receiver: number,
  { tick, commit }: { tick: number; commit: string },
): Received['record'] => ({
  tick: 0,
  frontier: {},
  clocks: {},
  applied: null,
  extra: { sent: { [receiver]: { tick, commit, entries: 0 } } },
});
