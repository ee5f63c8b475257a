import type { CommitOutcome, CommitRequest, TaskRecord } from '../../runtime/ports/task-store.js';
import { isInEntry } from '../../runtime/entry-parts.js';
import { taskName } from '../../runtime/task-id.js';
import type { MemoryRedis } from '../memory/memory-redis.js';
import { MemoryTaskStore } from '../memory/memory-task-store.js';
import { type Mutation, withCommits, withTasks } from './mutation.js';
import { plainSubject } from './subjects.js';

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

/** Rules of how tasks are claimed, and their ticks committed. */
export const taskStoreMutations: readonly Mutation[] = [
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
        new CredulousTaskStore(redis, (kept, { tick, from, follows }) => {
          if (kept.record?.tick !== tick) return;
          kept.record = { ...kept.record, tick: tick - 1, positions: from };
          kept.commit = follows;
        }),
    ),
  },
  {
    breaks: 'a commit is compared with the tick, the commit and the positions that are stored',
    ports: withTasks(
      (redis) =>
        new CredulousTaskStore(redis, (kept, { tick, from, follows, nonce }) => {
          if (kept.commit === nonce) return;
          if (kept.record) kept.record = { ...kept.record, tick: tick - 1, positions: from };
          kept.commit = follows;
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
    breaks: 'whoever goes on with a task in the middle of an entry goes on behind what was taken of it',
    ports: withTasks((redis) => {
      const store = new MemoryTaskStore(redis);
      const [claim, reload] = [store.claim.bind(store), store.reload.bind(store)];
      store.claim = async (...asked) => {
        const claimed = await claim(...asked);
        return claimed && { ...claimed, record: withoutTaken(claimed.record) };
      };
      store.reload = async (...asked) => {
        const found = await reload(...asked);
        return found && { record: withoutTaken(found.record) };
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
    ports: withCommits((request) =>
      request.tick % 7 === 0 ? { ...request, keyed: request.keyed.slice(0, -1) } : request,
    ),
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
    breaks: 'nothing is stored behind a commit that broke off',
    ports: withTasks(
      (redis) =>
        new CredulousTaskStore(redis, (kept) => {
          kept.commit ||= null;
        }),
    ),
  },
  {
    breaks: 'a changelog says all that a commit changes',
    subject: plainSubject,
    ports: withCommits((request) => {
      if (request.changelog === null || request.tick % 5 !== 0) return request;
      const [changes, ...facts] = request.changelog.split('\n');
      const most = (JSON.parse(changes!) as unknown[]).slice(1);
      return { ...request, changelog: [JSON.stringify(most), ...facts].join('\n') };
    }),
  },
  {
    breaks: 'the number of rows that is stored is how many there are',
    subject: plainSubject,
    ports: withTasks((redis) => {
      const store = new MemoryTaskStore(redis);
      const claim = store.claim.bind(store);
      // Who takes a task over counts one row twice.
      store.claim = async (...asked) => {
        const claimed = await claim(...asked);
        const record = claimed?.record;
        return record ? { ...claimed, record: { ...record, rows: record.rows + 1 } } : claimed;
      };
      return store;
    }),
  },
];

/** A record that does not say of which entries some was taken. */
function withoutTaken(record: TaskRecord | null): TaskRecord | null {
  const notes = Object.entries(record?.extra ?? {});
  const extra = Object.fromEntries(notes.filter(([input, note]) => !isInEntry({ extra: { [input]: note } })));
  return record && { ...record, extra };
}
