import type { Redis } from 'ioredis';
import { RedisConnections } from '../../src/redis/connections.js';
import { Keyspace } from '../../src/redis/keyspace.js';
import { RedisViewStore } from '../../src/redis/redis-view-store.js';
import { sourcesOf } from '../../src/view/plan-nodes.js';
import type { Took } from '../cost.js';
import { endOf, load } from '../load.js';
import type { Ends } from '../maintainer.js';
import { RedisServer } from '../redis-server.js';
import { inSubject, type SubjectProcess } from '../subject-process.js';
import { CanonicalAnswer } from './canonical.js';
import type { DataSet, StreamName } from './data-set.js';
import type { Query } from './queries.js';

const STREAMS: readonly StreamName[] = ['persons', 'auctions', 'bids', 'side_input'];
const WITHIN_MS = 600_000;
/** Through how many events a process has gone before it is measured: until then a pass is quicker than the one before. */
const WARM_EVENTS = 200_000;
const WARM_PASSES_MAX = 20;

/** A Redis of its own that holds the streams of a data set, and measures one query over them after the other. */
export class LoadedEvents {
  #passes = 0;

  private constructor(
    readonly server: RedisServer,
    readonly client: Redis,
    readonly events: number,
    readonly counts: Readonly<Record<string, number>>,
    readonly ends: Ends,
  ) {}

  static async load(dataSet: DataSet): Promise<LoadedEvents> {
    const server = await RedisServer.start({ aof: false });
    const client = server.client();
    const counts: Record<string, number> = {};
    const ends: Record<string, string> = {};
    for (const stream of STREAMS) {
      counts[stream] = await load(client, stream, dataSet.textsOf(stream));
      ends[stream] = await endOf(client, stream);
    }
    return new LoadedEvents(server, client, dataSet.events.length, counts, ends);
  }

  /** The answer to a query when its view contains all of the streams. */
  async answer(query: Query): Promise<CanonicalAnswer> {
    return inSubject(async (subject) => {
      const { prefix } = await this.#maintain(subject, query);
      return this.#answerAndForget(query, prefix);
    });
  }

  /**
   * The answer, and the rate at which the view takes events against reading and parsing them, turn by turn. Both
   * processes have done it before, with so many events: what is compared is not how quickly code is compiled. The turns count
   * together, as one long run: a collection of garbage makes half as much again of a short one, and comes in some of them.
   */
  async measure(query: Query, repetitions: number, profileInto: string | null = null): Promise<Measured> {
    const streams = this.#streamsOf(query);
    const events = streams.reduce((sum, stream) => sum + this.counts[stream]!, 0);
    const warming = Math.min(WARM_PASSES_MAX, Math.ceil(WARM_EVENTS / events));
    const drain: Took = { ms: 0, cpuMs: 0 };
    const view: Took = { ms: 0, cpuMs: 0 };
    let answer: CanonicalAnswer | null = null;
    const measureBoth = async (reader: SubjectProcess, subject: SubjectProcess): Promise<void> => {
      for (let repetition = 0; repetition < warming + repetitions; repetition++) {
        const isWarm = repetition >= warming;
        for (const stream of streams) {
          const took = await reader.call('drain', { url: this.server.url, stream });
          if (isWarm) add(drain, took);
        }
        const { took, prefix } = await this.#maintain(subject, query);
        if (isWarm) add(view, took);
        answer = await this.#answerAndForget(query, prefix);
      }
    };
    await inSubject((reader) => inSubject((subject) => measureBoth(reader, subject), { profileInto }));
    return {
      answer: answer!,
      events,
      rate: (events * repetitions * 1_000) / view.ms,
      drain: (events * repetitions * 1_000) / drain.ms,
      ofDrain: drain.ms / view.ms,
      ofDrainByProcessor: drain.cpuMs / view.cpuMs,
    };
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  /** The view's streams from their beginning, into a view of nothing. */
  async #maintain(subject: SubjectProcess, query: Query): Promise<{ took: Took; prefix: string }> {
    const prefix = `pass${++this.#passes}`;
    const ends = Object.fromEntries(this.#streamsOf(query).map((stream) => [stream, this.ends[stream]!]));
    await subject.call('start', {
      url: this.server.url,
      prefix,
      views: [{ name: query.name, stream: '', shape: 'nexmark' }],
    });
    const took = await subject.call('maintainedAll', { ends, withinMs: WITHIN_MS });
    await subject.call('stop', null);
    return { took, prefix };
  }

  async #answerAndForget(query: Query, prefix: string): Promise<CanonicalAnswer> {
    const connections = new RedisConnections({ url: this.server.url });
    try {
      const store = new RedisViewStore(connections, new Keyspace(prefix));
      const task = { view: query.name, generation: 1, stage: 0, partition: 0 };
      const [error] = await store.errors(task, query.view.declaration.buckets, 1);
      if (error) throw new Error(`The view of ${query.name} has errors: ${error.text}`);
      const cells = [];
      for (let bucket = 0; bucket < query.view.declaration.buckets; bucket++)
        for (const { text } of (await store.bucket(task, bucket)).rows)
          cells.push(query.cells(JSON.parse(text)));
      return new CanonicalAnswer(cells);
    } finally {
      await connections.close();
      for (const stream of this.#streamsOf(query)) await this.client.xgroup('DESTROY', stream, prefix);
      for await (const keys of this.client.scanStream({ match: `*${prefix}:*`, count: 1_000 }))
        if (keys.length > 0) await this.client.unlink(...(keys as string[]));
    }
  }

  #streamsOf(query: Query): string[] {
    return sourcesOf(query.view.declaration.plan).flatMap((source) =>
      'redisKey' in source ? [source.redisKey] : [],
    );
  }
}

function add(all: Took, took: Took): void {
  all.ms += took.ms;
  all.cpuMs += took.cpuMs;
}

export interface Measured {
  readonly answer: CanonicalAnswer;
  /** How many events it reads. */
  readonly events: number;
  /** Events a second: the view, and the bare drain. */
  readonly rate: number;
  readonly drain: number;
  readonly ofDrain: number;
  /** The same by the processors' time that the two processes took: on a busy machine the truer one. */
  readonly ofDrainByProcessor: number;
}
