import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DirectoryStore } from '../../src/archive/directory-store.js';
import { Keyspace } from '../../src/redis/keyspace.js';
import { partitionKeys, partitionOf, type RecordSource } from '../../src/runtime/placement.js';
import { BEGINNING, type Position } from '../../src/runtime/position.js';
import { progressOf } from '../../src/runtime/progress.js';
import { isTransient } from '../../src/runtime/task-end.js';
import type { Row } from '../../src/zset/value.js';
import { compiled } from '../support/compiled.js';
import { Random } from '../support/random.js';
import { eventually, System } from '../support/system.js';
import { aCluster, type FaultTarget, oneServer, pause, underSentinels } from './fault-target.js';
import {
  type Customer,
  customerOf,
  customersSource,
  expectedTills,
  type Sale,
  saleOf,
  salesSource,
  tills,
} from './tills.js';

const WORKER = fileURLToPath(new URL('./tills-process.ts', import.meta.url));
const WORKERS = 2;
const LEASE_MS = 1_000;
const BATCH_MAX = 200;
const BATCH_EVERY_MS = 40;
const LOOK_EVERY_MS = 50;
const MEND_EVERY_MS = 500;
const SETTLES_WITHIN_MS = 60_000;
/** So often a view is rebuilt that nothing is wrong with. */
const REBUILD_EVERY_MS = 8_000;
/** A parked view with one of these codes contains what its log lost: it is rebuilt, as an operator would do. */
const REBUILT = new Set([
  'ahead-of-its-log',
  'exchange-lost',
  'upstream-went-back',
  'changelog-lost',
  'entry-deleted',
]);

/** What is broken, and how it is called. */
export const PLACES = {
  server: 'one Redis',
  sentinel: 'a Redis under sentinels',
  cluster: 'a cluster',
} as const;
export type Place = keyof typeof PLACES;

export interface FaultOptions {
  readonly on: Place;
  readonly ms: number;
  readonly seed: number;
  readonly say?: (line: string) => void;
}

export interface FaultFigures {
  on: Place;
  seed: number;
  /** How often each kind of fault came. */
  faults: Record<string, number>;
  eventsSent: number;
  eventsCounted: number;
  /** Events that count more than once, and that were acknowledged and do not count. */
  duplicates: number;
  losses: number;
  /** Rows that are not what the log says. */
  wrongRows: number;
  fencedCommits: number;
  /** Times that a task made again what its slot had lost. */
  recoveries: number;
  /** Tasks taken over from workers that were gone. */
  takeovers: number;
  /** Workers that ended by themselves when they had begun: none should. */
  workersEnded: number;
  /** Views that were ahead of a log that went back, and rebuilt. */
  rebuilds: number;
  /** Views that were rebuilt while they were maintained, and nothing was wrong with them. */
  rebuiltMeanwhile: number;
  /** Entries that retention took out of logs: they are in the archive. */
  entriesArchived: number;
  /** By reason. */
  parked: Record<string, number>;
  /** The longest time for which an acknowledged event was not seen in a view. */
  longestGapMs: number;
  /** The same, of those for which no view was parked: what contains more than its log waits to be rebuilt. */
  longestGapUnparkedMs: number;
}

/** What a worker counts. */
interface Seen {
  readonly fenced: number;
  readonly takeovers: number;
  readonly recoveries: number;
}

/** What it comes to once Redis answers: connections that broke last are still being made again. */
async function answeredInTheEnd<T>(read: () => Promise<T>): Promise<T> {
  const until = performance.now() + SETTLES_WITHIN_MS;
  for (;;) {
    try {
      return await read();
    } catch (thrown) {
      if (!isTransient(thrown) || performance.now() > until) throw thrown;
      await pause(100);
    }
  }
}

/** Breaks whatever can be broken for a while, under load, and then compares every row with the log. */
export async function breakEverything(options: FaultOptions): Promise<FaultFigures> {
  const choices = new Random(options.seed);
  const random = (): number => choices.next();
  const streams = [...partitionKeys(salesSource), ...partitionKeys(customersSource)];
  const tasks = tills.flatMap(({ name: view }) =>
    [0, 1].map((partition) => new Keyspace().task({ view, generation: 1, stage: 0, partition })),
  );
  const targets = {
    server: () => oneServer(random),
    sentinel: () => underSentinels(random),
    cluster: () => aCluster(random, [...streams, ...tasks]),
  };
  const target = await targets[options.on]();
  const run = new FaultRun(target, random, options);
  try {
    return await run.toTheEnd();
  } finally {
    await run.stop();
    await target.stop();
  }
}

class FaultRun {
  readonly #workers = new Set<ChildProcess>();
  /** What each worker that ever was said last. */
  readonly #seen = new Map<ChildProcess, Seen>();
  readonly #said: string[] = [];
  readonly #faults: Record<string, number> = {};
  readonly #parked: Record<string, number> = {};
  readonly #reader: System;
  readonly #streams = partitionKeys(salesSource);
  readonly #archive = mkdtempSync(join(tmpdir(), 'stillwater-faults-'));
  /** When which number of sales had been acknowledged. */
  readonly #acknowledged: { sales: number; at: number }[] = [];
  #next = 0;
  #sent = 0;
  #longestGapMs = 0;
  #longestGapUnparkedMs = 0;
  /** When a view was parked last; Infinity while one is. */
  #parkedAt = -Infinity;
  #rebuilds = 0;
  #rebuiltMeanwhile = 0;
  #records = 0;
  #lastRebuilt = performance.now();
  /** Of the rebuild that is under way, if there is one. */
  #rebuilding: string | null = null;
  #ended = 0;
  #ending = false;

  constructor(
    readonly target: FaultTarget,
    readonly random: () => number,
    readonly options: FaultOptions,
  ) {
    this.#reader = new System({
      url: target.url,
      declarations: tills,
      commandTimeoutMs: 1_000,
      archive: new DirectoryStore(this.#archive),
    });
  }

  async toTheEnd(): Promise<FaultFigures> {
    const until = performance.now() + this.options.ms;
    for (let worker = 0; worker < WORKERS; worker++) await this.#startWorker();
    await this.#reader.registry.refresh();
    const sending = this.#send();
    const around = [
      this.#every(LOOK_EVERY_MS, () => this.#look()),
      this.#every(MEND_EVERY_MS, () => this.#mend()),
    ];
    const breaking = Promise.all([
      this.#repeat(until, this.#workerFaults(), 1_500),
      this.#repeat(until, this.#wireFaults(), 1_000),
      this.#repeat(until, Object.entries(this.target.faults), 3_000),
    ]);
    await breaking;
    this.#ending = true;
    await sending;
    await this.#settle();
    const figures = await answeredInTheEnd(async () => {
      await this.#look();
      return this.#figures();
    });
    this.#over.abort();
    await Promise.all(around);
    return figures;
  }

  readonly #over = new AbortController();

  async stop(): Promise<void> {
    this.#over.abort();
    this.#ending = true;
    for (const worker of this.#workers) worker.kill('SIGKILL');
    await this.#reader.connections.close();
    rmSync(this.#archive, { recursive: true, force: true });
  }

  async #startWorker(): Promise<void> {
    const worker = spawn(
      process.execPath,
      [await compiled(WORKER), JSON.stringify(this.target.address), String(LEASE_MS), this.#archive],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#workers.add(worker);
    let ready = false;
    for (const stream of [worker.stdout, worker.stderr])
      stream.on('data', (data: Buffer) => {
        for (const line of String(data).split('\n')) {
          if (line === 'ready') ready = true;
          if (line.startsWith('seen {')) this.#note(worker, line.slice(5));
          else if (line !== '') this.#said.push(line);
        }
        if (this.#said.length > 500) this.#said.splice(0, 250);
      });
    worker.once('exit', (code) => {
      this.#workers.delete(worker);
      if (!ready || code === null) return;
      this.#ended += 1;
      this.options.say?.(`a worker ended by itself:\n${this.#said.slice(-12).join('\n')}`);
    });
    // Its Redis may be away at the moment; it ends then, and is started again.
    await eventually(() => ready || worker.exitCode !== null || worker.signalCode !== null, 60_000);
  }

  #note(worker: ChildProcess, text: string): void {
    try {
      this.#seen.set(worker, JSON.parse(text) as Seen);
    } catch {
      // Half a line: the next one says it again.
    }
  }

  /** Workers that ended by themselves, or were killed, are started again. */
  async #fill(): Promise<void> {
    while (this.#workers.size < WORKERS) await this.#startWorker();
  }

  #some<T>(all: Iterable<T>): T {
    const array = [...all];
    return array[Math.floor(this.random() * array.length)]!;
  }

  #workerFaults(): [string, () => Promise<void>][] {
    return [
      [
        'worker killed',
        async () => {
          const worker = this.#some(this.#workers);
          worker?.kill('SIGKILL');
          await pause(this.random() * 500);
          await this.#fill();
        },
      ],
      [
        'worker paused',
        async () => {
          const worker = this.#some(this.#workers);
          worker?.kill('SIGSTOP');
          await pause(this.random() * 2.5 * LEASE_MS);
          worker?.kill('SIGCONT');
          await this.#fill();
        },
      ],
    ];
  }

  #wireFaults(): [string, () => Promise<void>][] {
    const proxy = () => this.#some(this.target.proxies);
    return [
      ['connections cut', async () => proxy().cutAll()],
      ['request lost', async () => proxy().mode('cutBefore', this.random() < 0.7 ? 'evalsha' : null)],
      ['reply lost', async () => proxy().mode('cutAfter', this.random() < 0.7 ? 'evalsha' : null)],
      [
        'wire stalled',
        async () => {
          const one = proxy();
          one.mode('stall');
          await pause(this.random() * 1_500);
          one.mode('pass');
        },
      ],
      [
        'wire slow',
        async () => {
          const one = proxy();
          one.delayMs = 5 + this.random() * 40;
          await pause(this.random() * 1_000);
          // What is still on its way must not be overtaken.
          one.cutAll();
          one.delayMs = 0;
        },
      ],
    ];
  }

  async #repeat(
    until: number,
    faults: readonly [string, () => Promise<void>][],
    restMs = 400,
  ): Promise<void> {
    await pause(this.random() * restMs);
    // In turns at first, so that each comes; then as it happens.
    for (let round = 0; performance.now() < until; round++) {
      const [name, fault] = faults[round] ?? this.#some(faults);
      this.#faults[name] = (this.#faults[name] ?? 0) + 1;
      this.options.say?.(name);
      await fault();
      await pause(this.random() * restMs);
    }
  }

  /** Appends sales until the end, each until it is safe, whatever happens meanwhile. */
  async #send(): Promise<void> {
    while (!this.#ending) {
      const sales = Array.from({ length: 1 + Math.floor(this.random() * BATCH_MAX) }, () =>
        saleOf(this.#next++),
      );
      const records = Array.from({ length: Math.floor(this.random() * 3) }, () =>
        customerOf(this.#records++),
      );
      await Promise.all([
        this.#appendAll(salesSource, sales, `batch ${sales[0]!.sale}`),
        this.#appendAll(customersSource, records, `records ${this.#records}`),
      ]);
      this.#sent += sales.length;
      this.#acknowledged.push({ sales: this.#sent, at: performance.now() });
      await pause(this.random() * BATCH_EVERY_MS);
    }
  }

  /** Appends records where each belongs. */
  async #appendAll(source: RecordSource, records: readonly object[], idempotencyKey: string): Promise<void> {
    const placed = partitionOf(source)!;
    const entries = partitionKeys(source).map((): string[][] => []);
    for (const record of records) entries[placed(record as Row)]!.push(['data', JSON.stringify(record)]);
    await Promise.all(
      partitionKeys(source).map((redisKey, partition) =>
        entries[partition]!.length === 0
          ? undefined
          : this.#append(redisKey, entries[partition]!, idempotencyKey),
      ),
    );
  }

  async #append(redisKey: string, entries: string[][], idempotencyKey: string): Promise<void> {
    const { connections, log } = this.#reader;
    const request = { redisKey, entries, idempotencyKey, memoryMs: 3_600_000 };
    for (let answered = false; ; await pause(20)) {
      try {
        const { repeated } = await log.append(request);
        // There when it was marked, and still there: the mark came after it.
        if (repeated && answered) return;
        answered = await this.target.isSafe(connections, redisKey);
      } catch {
        answered = false;
      }
    }
  }

  async #every(ms: number, work: () => Promise<void>): Promise<void> {
    while (!this.#over.signal.aborted) {
      await work().catch(() => {});
      await pause(ms);
    }
  }

  /** How long the oldest acknowledged event that is not seen has been waited for. */
  async #look(): Promise<void> {
    const asked = performance.now();
    let seen = 0;
    for (const { sales } of (await this.#reader.rows('total')).values()) seen = sales;
    while (this.#acknowledged.length > 0 && this.#acknowledged[0]!.sales <= seen) {
      const { at } = this.#acknowledged[0]!;
      this.#longestGapMs = Math.max(this.#longestGapMs, asked - at);
      if (at > this.#parkedAt) this.#longestGapUnparkedMs = Math.max(this.#longestGapUnparkedMs, asked - at);
      this.#acknowledged.shift();
    }
  }

  /** Rebuilds what is ahead of its log, as an operator does who reads that it is parked. */
  async #mend(): Promise<void> {
    const { registry, tasks, log } = this.#reader;
    await registry.refresh();
    const ahead = new Set<string>();
    for (const { name } of tills) {
      const generation = registry.serving(name);
      if (!generation) continue;
      for (const { parked } of (await progressOf(generation, tasks, log)).statuses)
        if (parked && REBUILT.has(parked.code)) {
          ahead.add(name);
          this.#parked[parked.code] = (this.#parked[parked.code] ?? 0) + 1;
          this.options.say?.(`${name} is parked: ${parked.code}`);
        }
    }
    if (ahead.size > 0) {
      this.#parkedAt = Infinity;
      await this.#rebuild(`rebuild-${++this.#rebuilds}`, [...ahead]).finally(
        () => (this.#parkedAt = performance.now()),
      );
    } else if (!this.#ending && performance.now() - this.#lastRebuilt > REBUILD_EVERY_MS) {
      const { name } = this.#some(tills);
      this.options.say?.(`rebuild of ${name}`);
      if (await this.#rebuild(`rebuild-meanwhile-${performance.now()}`, [name])) this.#rebuiltMeanwhile += 1;
      this.#lastRebuilt = performance.now();
    }
  }

  /** Whether it came to its end. */
  async #rebuild(id: string, views: readonly string[]): Promise<boolean> {
    this.#rebuilding = `${id} of ${views.join(', ')}`;
    try {
      return await this.#rebuilt(id, views);
    } finally {
      this.#rebuilding = null;
    }
  }

  async #rebuilt(id: string, views: readonly string[]): Promise<boolean> {
    const { rebuilder } = this.#reader;
    await rebuilder.begin(id, rebuilder.affected(views), 'building', false);
    for (;;) {
      const { state, reason } = await rebuilder.advance(id).catch(() => ({ state: 'away', reason: null }));
      if (state === 'promoted' || state === 'cancelled') return state === 'promoted';
      if (state === 'failed') {
        this.options.say?.(`${id} failed: ${reason}`);
        await rebuilder.cancel(id);
        return false;
      }
      if (this.#over.signal.aborted) return false;
      await pause(100);
    }
  }

  /** Nothing breaks any more: all views come to the end of the log, and so does a rebuild that is under way. */
  async #settle(): Promise<void> {
    for (const proxy of this.target.proxies) {
      proxy.mode('pass');
      proxy.cutAll();
      proxy.delayMs = 0;
    }
    for (const worker of this.#workers) worker.kill('SIGCONT');
    await this.#fill();
    try {
      await eventually(
        async () => {
          try {
            if (this.#rebuilding !== null) return false;
            await this.#reader.registry.refresh();
            for (const { name } of tills) {
              const { registry, tasks, log } = this.#reader;
              const progress = await progressOf(registry.serving(name)!, tasks, log);
              if (!progress.atEnd || progress.statuses.some(({ parked }) => parked !== null)) return false;
            }
            return true;
          } catch {
            return false;
          }
        },
        SETTLES_WITHIN_MS,
        100,
      );
    } catch {
      const { registry, tasks, log } = this.#reader;
      const where = await Promise.all(
        tills.map(async ({ name }) => {
          const { statuses, lagEntries } = await progressOf(registry.serving(name)!, tasks, log);
          return `${name}: ${lagEntries} behind, ${statuses.map(({ owner, parked }) => parked?.message ?? owner).join('; ')}`;
        }),
      );
      throw new Error(
        `The views did not come to the end of their log.\n${where.join('\n')}\nrebuilding: ${this.#rebuilding ?? 'nothing'}\n${this.#said.slice(-40).join('\n')}`,
      );
    }
  }

  /** All that the logs of a source hold, with what is archived of them. */
  async #recordsIn<Of>(source: RecordSource): Promise<Of[]> {
    const records: Of[] = [];
    for (const redisKey of partitionKeys(source))
      for (let position: Position = BEGINNING; ;) {
        const request = { redisKey, position, entriesRead: 0, countMax: 5_000, through: 'range' } as const;
        const read = await this.#reader.log.read(request);
        if (read.status !== 'read') throw new Error(`${redisKey} cannot be read from ${position} on.`);
        if (read.entries.length === 0) break;
        for (const [, [, text]] of read.entries) records.push(JSON.parse(text!) as Of);
        position = read.entries.at(-1)![0];
      }
    return records;
  }

  /** What is in the archive alone. */
  async #archived(): Promise<number> {
    const keys = [salesSource, customersSource].flatMap(partitionKeys);
    const ends = await this.#reader.log.ends(keys);
    return ends.reduce((sum, { archived }) => sum + (archived?.entries ?? 0), 0);
  }

  async #figures(): Promise<FaultFigures> {
    const logged = await this.#recordsIn<Sale>(salesSource);
    const customers = await this.#recordsIn<Customer>(customersSource);
    const regions = new Map(customers.map(({ customer, region }) => [customer, region]));
    const expected = expectedTills(logged, regions);
    let wrongRows = 0;
    for (const { name } of tills) {
      const rows = [...(await this.#reader.rows(name)).values()];
      const shown = new Map(rows.map((row) => [String(Object.values(row)[0]), JSON.stringify(row)]));
      const wanted =
        name === 'total'
          ? new Map(
              [...expected.total!.values()].map((row) => [String(Object.values(row as object)[0]), row]),
            )
          : expected[name]!;
      for (const [key, row] of wanted) if (shown.get(key) !== JSON.stringify(row)) wrongRows += 1;
      for (const key of shown.keys()) if (!wanted.has(key)) wrongRows += 1;
    }
    const times = new Map<number, number>();
    for (const row of (await this.#reader.rows('counted')).values()) times.set(row.sale, row.times);
    let [counted, duplicates, losses] = [0, 0, 0];
    for (const often of times.values()) {
      counted += often;
      duplicates += Math.max(0, often - 1);
    }
    for (let sale = 0; sale < this.#sent; sale++) if (!times.has(sale)) losses += 1;
    const seen = [...this.#seen.values()];
    return {
      on: this.options.on,
      seed: this.options.seed,
      faults: this.#faults,
      eventsSent: this.#sent,
      eventsCounted: counted,
      duplicates,
      losses,
      wrongRows,
      fencedCommits: seen.reduce((sum, { fenced }) => sum + fenced, 0),
      recoveries: seen.reduce((sum, { recoveries }) => sum + recoveries, 0),
      takeovers: seen.reduce((sum, { takeovers }) => sum + takeovers, 0),
      workersEnded: this.#ended,
      rebuilds: this.#rebuilds,
      rebuiltMeanwhile: this.#rebuiltMeanwhile,
      entriesArchived: await this.#archived(),
      parked: this.#parked,
      longestGapMs: Math.round(this.#longestGapMs),
      longestGapUnparkedMs: Math.round(this.#longestGapUnparkedMs),
    };
  }
}
