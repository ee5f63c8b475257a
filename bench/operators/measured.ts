import type { Redis } from 'ioredis';
import type { ViewSpec } from '../declared-views.js';
import { endOf } from '../load.js';
import type { RedisServer } from '../redis-server.js';
import { inSubject, type SubjectProcess } from '../subject-process.js';
import { madeRow } from './made-rows.js';
import { type Subject, viewNameOf } from './subjects.js';

const WITHIN_MS = 900_000;
const ENTRIES_OF_PIPELINE = 500;
const ROWS_OF_ENTRY = 50;
/** State is made in large commits, and measured in those that are usual. */
const FILLING = { commitWritesMax: 20_000, registryRefreshMs: 100 };
const MEASURING = { registryRefreshMs: 100 };
const REPETITIONS = 3;

/** Microseconds for each changed row, the least of several measurements, and what a row takes in Redis. */
export interface OperatorReading {
  readonly size: number;
  readonly warmInsertUs: number;
  /** Null where nothing can be retracted. */
  readonly warmRetractUs: number | null;
  readonly coldInsertUs: number;
  readonly coldRetractUs: number | null;
  readonly bytesPerRow: number;
}

/** A Redis with the log of a relation of one size, which each operator has a copy of. */
export class Relation {
  #copies = 0;
  readonly client: Redis;

  private constructor(
    readonly server: RedisServer,
    readonly size: number,
  ) {
    this.client = server.client();
  }

  static async make(server: RedisServer, size: number): Promise<Relation> {
    const relation = new Relation(server, size);
    await relation.#append(
      'rows',
      Array.from({ length: size }, (_, id) => id),
    );
    return relation;
  }

  /**
   * As many rows are inserted as are retracted, so that the size stays: rows that came a batch before where it is warm,
   * any rows where another process begins with nothing in memory. All code has run before. Rows of a stream only come.
   */
  async measure(subject: Subject, changes: number, changesCold: number): Promise<OperatorReading> {
    const stream = `copy${++this.#copies}`;
    const spec: ViewSpec = { name: viewNameOf(subject.name), stream, shape: 'operator' };
    const small: ViewSpec = { ...spec, stream: `${stream}-small` };
    await this.client.copy('rows', stream);
    await this.client.copy('rows', `${stream}-other`);
    await this.#append(small.stream, ids(0, 500));
    await this.#append(`${small.stream}-other`, ids(0, 500));
    await this.#fill(spec);
    const bytes = await this.#bytes(stream);

    let next = this.size;
    const warm: [insert: number[], retract: number[]] = [[], []];
    const cold: [insert: number[], retract: number[]] = [[], []];
    await this.#inWarmCode(subject, [small, spec], async (process) => {
      let before: number[] = [];
      for (let repetition = 0; repetition <= REPETITIONS; repetition++) {
        const some = ids(next, (next += changes));
        const insert = await this.#changed(process, spec, () => this.#append(stream, some));
        const retract = subject.appends
          ? null
          : await this.#changed(process, spec, () => this.#retract(stream, before));
        before = some;
        if (repetition === 0) continue;
        warm[0].push((insert * 1_000) / changes);
        if (retract !== null) warm[1].push((retract * 1_000) / changes);
      }
      if (!subject.appends) await this.#changed(process, spec, () => this.#retract(stream, before));
    });
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      const gone = subject.appends
        ? ids(next, (next += changesCold))
        : Array.from({ length: changesCold }, (_, place) => (place * STEP + repetition) % this.size);
      for (const retracts of subject.appends ? [false] : [true, false])
        await this.#inWarmCode(subject, [small, null], async (process) => {
          const end = await (retracts ? this.#retract(stream, gone) : this.#append(stream, gone));
          await process.call('start', {
            url: this.server.url,
            prefix: stream,
            views: [spec],
            limits: MEASURING,
          });
          const { ms } = await process.call('maintained', { stream, end, withinMs: WITHIN_MS });
          cold[retracts ? 1 : 0].push((ms * 1_000) / changesCold);
        });
    }
    await this.#forget(stream);
    return {
      size: this.size,
      warmInsertUs: Math.min(...warm[0]),
      warmRetractUs: subject.appends ? null : Math.min(...warm[1]),
      coldInsertUs: Math.min(...cold[0]),
      coldRetractUs: subject.appends ? null : Math.min(...cold[1]),
      bytesPerRow: bytes / this.size,
    };
  }

  async #fill(spec: ViewSpec): Promise<void> {
    await inSubject(async (process) => {
      await process.call('start', {
        url: this.server.url,
        prefix: spec.stream,
        views: [spec],
        limits: FILLING,
      });
      await this.#contained(process, spec);
    });
  }

  /** A process that has run all of it on a small relation, and then begins with the large one, if one is given. */
  async #inWarmCode(
    { appends = false }: Subject,
    [small, spec]: readonly [small: ViewSpec, spec: ViewSpec | null],
    measure: (process: SubjectProcess) => Promise<void>,
  ): Promise<void> {
    await inSubject(async (process) => {
      const prefix = `${small.stream}${++this.#copies}`;
      await process.call('start', { url: this.server.url, prefix, views: [small], limits: MEASURING });
      await this.#contained(process, small);
      const first = appends ? 500 * ++this.#copies : 0;
      for (const some of [ids(first, first + 250), ids(first + 250, first + 500)]) {
        if (!appends) await this.#changed(process, small, () => this.#retract(small.stream, some));
        await this.#changed(process, small, () => this.#append(small.stream, some));
      }
      await process.call('stop', null);
      if (spec !== null) {
        await process.call('start', {
          url: this.server.url,
          prefix: spec.stream,
          views: [spec],
          limits: MEASURING,
        });
        await this.#contained(process, spec);
      }
      await measure(process);
    });
  }

  async #contained(process: SubjectProcess, { stream }: ViewSpec): Promise<void> {
    for (const one of [stream, `${stream}-other`])
      if (one === stream || (await process.call('reads', one)))
        await process.call('maintained', {
          stream: one,
          end: await endOf(this.client, one),
          withinMs: WITHIN_MS,
        });
  }

  /** Milliseconds from the first read to the commit that contains a change, which was there before it was read. */
  async #changed(
    process: SubjectProcess,
    { stream }: ViewSpec,
    change: () => Promise<string>,
  ): Promise<number> {
    await process.call('pause', true);
    const end = await change();
    await process.call('pause', false);
    return (await process.call('maintained', { stream, end, withinMs: WITHIN_MS })).ms;
  }

  async #append(stream: string, some: readonly number[]): Promise<string> {
    for (let from = 0; from < some.length; from += ROWS_OF_ENTRY * ENTRIES_OF_PIPELINE) {
      const pipeline = this.client.pipeline();
      for (
        let at = from;
        at < Math.min(some.length, from + ROWS_OF_ENTRY * ENTRIES_OF_PIPELINE);
        at += ROWS_OF_ENTRY
      )
        pipeline.xadd(
          stream,
          '*',
          'batch',
          JSON.stringify(some.slice(at, at + ROWS_OF_ENTRY).map((id) => madeRow(id, this.size))),
        );
      await pipeline.exec();
    }
    return endOf(this.client, stream);
  }

  async #retract(stream: string, some: readonly number[]): Promise<string> {
    const pipeline = this.client.pipeline();
    for (const id of some) pipeline.xadd(stream, '*', 'op', 'delete', 'data', JSON.stringify({ id }));
    await pipeline.exec();
    return endOf(this.client, stream);
  }

  async #bytes(prefix: string): Promise<number> {
    let bytes = 0;
    for await (const keys of this.client.scanStream({ match: `{${prefix}:*:[koi]:*`, count: 1_000 }))
      for (const key of keys as string[]) bytes += (await this.client.memory('USAGE', key)) ?? 0;
    return bytes;
  }

  async #forget(stream: string): Promise<void> {
    for await (const keys of this.client.scanStream({ match: `*${stream}*`, count: 1_000 }))
      if (keys.length > 0) await this.client.unlink(...(keys as string[]));
  }
}

/** Has no divisor in common with a power of ten. */
const STEP = 7_919;
const ids = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, place) => from + place);
