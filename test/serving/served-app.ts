import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import { instant, stream, table, view, count, max } from '../../src/index.js';
import { declarationOf } from '../../src/view/declaration-of.js';
import { indexMember } from '../../src/circuit/view-output.js';
import { bucketOf } from '../../src/zset/bucket-of.js';
import { HealthModule } from '../../src/health/health.module.js';
import { Catalog } from '../../src/runtime/catalog.js';
import { encodeChangelog } from '../../src/runtime/changelog.js';
import { NO_FACTS } from '../../src/runtime/followed.js';
import { Clock, SystemClock } from '../../src/runtime/clock.js';
import { silent } from '../../src/runtime/logger.js';
import { Metrics } from '../../src/runtime/metrics.js';
import { Registry, type Generation } from '../../src/runtime/ports/registry.js';
import { SourceLog } from '../../src/runtime/ports/source-log.js';
import { TaskStore } from '../../src/runtime/ports/task-store.js';
import { ViewStore } from '../../src/runtime/ports/view-store.js';
import { Workers } from '../../src/runtime/ports/workers.js';
import { Rebuilds, type RebuildStatus, type VerifyStatus } from '../../src/runtime/rebuilds.js';
import type { Clocks } from '../../src/runtime/clocks.js';
import { Reading } from '../../src/runtime/reading/reading.js';
import { describeView, keyPartsOf } from '../../src/runtime/reading/view-description.js';
import { RegistryWatch } from '../../src/runtime/registry-watch.js';
import { mountDocs } from '../../src/serving/open-api/mount-docs.js';
import { servingAdapter } from '../../src/serving/serving-adapter.js';
import { ServingModule } from '../../src/serving/serving.module.js';
import type { ServingLimits } from '../../src/serving/serving-limits.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';
import type { Ports } from '../../src/runtime/ports/ports.js';
import { indexOrderText, indexState } from '../../src/view/index-order.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { Checksum } from '../../src/zset/checksum.js';
import { keyTextOfValues, readPath } from '../../src/zset/row-key.js';
import type { Row } from '../../src/zset/value.js';

export const flights = stream('flights', {
  schema: z.object({ at: instant(), delay: z.int(), origin: z.string(), destination: z.string() }),
  eventTime: 'at',
  lateness: '1h',
});
export const parted = stream('parted', {
  schema: z.object({ id: z.string(), n: z.int() }),
  partitions: 2,
  partitionBy: ['id'],
});
export const items = table('items', {
  schema: z.object({
    id: z.string(),
    kind: z.enum(['book', 'film', 'song']),
    n: z.int().nullable(),
    price: z.number(),
    active: z.boolean(),
    at: instant(),
    place: z.object({ city: z.string(), state: z.string().nullable() }),
  }),
  key: 'id',
});
export const shop = view('shop', {
  from: items,
  indexes: ['n.desc', 'kind,n', 'place.city'],
  description: 'All items.',
});
export const plain = view('plain', { from: items });
export const routes = view('routes', {
  from: flights.groupBy('origin', 'destination').aggregate({ flights: count(), worst: max('delay') }),
});
export const halves = view('halves', {
  from: parted.groupBy('id').aggregate({ total: max('n') }),
  indexes: ['total.desc'],
});

/** A view as if a worker had maintained it: rows go in by commits, with their index members, and lie as its circuit would lay them. */
export class Writer {
  #tick = 0;
  #epoch = 0;
  #rows = new Map<string, Row>();
  #positions: Record<string, { position: string; entries: number }> = {};
  #frontier: Record<string, string> = {};
  readonly #checksum = new Checksum();

  constructor(
    readonly ports: Ports,
    readonly declaration: ViewDeclaration,
    readonly generation: number,
    readonly partition = 0,
    /** Begins the nonces of its commits: where Redis goes back, another one makes other commits of the same ticks. */
    readonly history = 'nonce',
  ) {}

  async put(
    rows: readonly Row[],
    {
      frontier = {},
      entries = 0,
      gone = [] as string[],
      errors = 0,
      clocks = {} as Clocks,
      lates = [] as readonly object[],
    } = {},
  ): Promise<void> {
    const { declaration } = this;
    const task = { view: declaration.name, generation: this.generation, stage: 0, partition: this.partition };
    const claimed = await this.ports.tasks.claim(task, 'worker-1', this.#epoch);
    this.#epoch++;
    const parts = keyPartsOf(describeView(declaration));
    const keyOf = (row: Row): string =>
      keyTextOfValues(
        parts.map(({ path }) => readPath(path)(row)),
        parts,
      );
    const keyed: [string, string | null][] = [];
    const members: [string, boolean][][] = declaration.indexes.map(() => []);
    const changes = [];
    for (const [key, row] of [
      ...rows.map((each) => [keyOf(each), each] as const),
      ...gone.map((each) => [each, null] as const),
    ]) {
      const before = this.#rows.get(key) ?? null;
      declaration.indexes.forEach((index, place) => {
        const member = (each: Row): string =>
          indexMember(indexOrderText(index)(each), bucketOf(key, declaration.buckets), key);
        if (before) members[place]!.push([member(before), false]);
        if (row) members[place]!.push([member(row), true]);
      });
      keyed.push([key, row && JSON.stringify(row)]);
      changes.push({ key, before, after: row });
      if (before) this.#checksum.add(JSON.stringify(before), -1);
      if (row) this.#checksum.add(JSON.stringify(row), 1);
      if (row) this.#rows.set(key, row);
      else this.#rows.delete(key);
    }
    const from = this.#positions;
    this.#frontier = { ...this.#frontier, ...frontier };
    const input = [...Object.keys(this.#frontier)][0];
    if (input)
      this.#positions = { [`stream:${input.split(':')[0]}`]: { position: this.#frontier[input]!, entries } };
    const outcome = await this.ports.tasks.commit({
      task,
      token: claimed!.token,
      tick: this.#tick + 1,
      nonce: `${this.history}-${this.#tick}`,
      buckets: declaration.buckets,
      record: {
        tick: this.#tick + 1,
        commit: `${this.history}-${this.#tick}`,
        positions: this.#positions,
        frontier: this.#frontier,
        rows: this.#rows.size,
        conflicts: 0,
        errors,
        checksum: this.#checksum.toString(),
        clocks,
        applied: null,
        reaching: null,
        late: lates.length,
        extra: {},
      },
      from,
      follows: claimed!.record?.commit ?? '',
      keyed: [
        { state: 'rows', writes: new Map(keyed) },
        { state: 'lates', writes: new Map(lates.map((late, seen) => [String(seen), JSON.stringify(late)])) },
      ],
      ordered: [],
      indexes: members.map((writes, place) => ({ state: indexState(place), writes })),
      changelog: encodeChangelog(changes, {
        ...NO_FACTS,
        frontier: this.#frontier,
        previous: this.#tick === 0 ? '' : `${this.history}-${this.#tick - 1}`,
        commit: `${this.history}-${this.#tick}`,
      }),
      changelogFrom: 0,
    });
    if (outcome.status !== 'committed') throw new Error(`The test's commit was ${outcome.status}.`);
    this.#tick++;
  }
}

/** Rebuilds that remember what was asked of them: jobs are tested where they are. */
class KeptRebuilds extends Rebuilds {
  readonly kept = new Map<string, RebuildStatus>();
  async start(name: string): Promise<RebuildStatus> {
    const status: RebuildStatus = {
      id: `r${this.kept.size + 1}`,
      view: name,
      generations: [{ view: name, generation: 2 }],
      state: 'waiting',
      reason: null,
      entriesDone: 0,
      entriesTotal: 10,
      errors: 0,
      entriesPerSecond: null,
      remainingMs: null,
      startedAt: 1,
      finishedAt: null,
    };
    this.kept.set(status.id, status);
    return status;
  }
  async get(id: string) {
    return this.kept.get(id) ?? null;
  }
  async list(name: string | null) {
    return [...this.kept.values()].filter((each) => name === null || each.view === name);
  }
  #set(id: string, state: RebuildStatus['state']): RebuildStatus {
    const status = { ...this.kept.get(id)!, state };
    this.kept.set(id, status);
    return status;
  }
  async pause(id: string) {
    return this.#set(id, 'paused');
  }
  async resume(id: string) {
    return this.#set(id, 'replaying');
  }
  async cancel(id: string) {
    return this.#set(id, 'cancelled');
  }
  async promote(id: string) {
    return this.#set(id, 'promoted');
  }
  async rollback(name: string) {
    return [{ view: name, generation: 1 }];
  }
  async startVerify(name: string): Promise<VerifyStatus> {
    return {
      id: 'v1',
      view: name,
      state: 'waiting',
      reason: null,
      entriesDone: 0,
      entriesTotal: 0,
      frontier: null,
      live: null,
      replayed: null,
      differences: [],
      startedAt: 1,
      finishedAt: null,
    };
  }
  async cancelVerify(id: string): Promise<VerifyStatus> {
    return { ...(await this.getVerify(id))!, state: 'cancelled' };
  }
  async getVerify(id: string) {
    return id === 'v1' ? this.startVerify('shop') : null;
  }
}

export interface ServedApp {
  app: NestFastifyApplication;
  ports: Ports;
  reading: Reading;
  writer(name: string, partition?: number): Writer;
  serve(name: string, number: number, changes?: Partial<Generation>): Promise<void>;
  close(): Promise<void>;
}

export const row = (id: string, changes: Partial<Record<string, unknown>> = {}): Row =>
  ({
    id,
    kind: 'book',
    n: 1,
    price: 1.5,
    active: true,
    at: '2001-01-01T00:00:00.000Z',
    place: { city: 'Oslo', state: null },
    ...changes,
  }) as Row;

export async function servedApp({
  token = null as string | null,
  limits = {} as Partial<ServingLimits>,
  serving = true,
  ports = memoryPorts() as Ports,
} = {}): Promise<ServedApp> {
  const catalog = new Catalog([shop, plain, routes, halves].map((each) => declarationOf(each)!));
  const metrics = new Metrics();
  const clock = new SystemClock();
  const watch = new RegistryWatch(ports.registry, ports.workers, clock, 20, silent);
  const reading = new Reading({
    catalog: () => catalog,
    watch,
    store: ports.views,
    tasks: ports.tasks,
    log: ports.log,
    workers: ports.workers,
    clock,
    metrics,
    limits,
  });

  const serve = async (name: string, number: number, changes: Partial<Generation> = {}): Promise<void> => {
    const declaration = catalog.views.get(name)!;
    const snapshot = await ports.registry.read();
    const old = snapshot.generations
      .filter((each) => each.view === name && each.state === 'serving')
      .map((each) => ({ ...each, state: 'kept' as const }));
    const partitions = declaration.plan.relation.partitions;
    const source = name === 'halves' ? ['parted:0', 'parted:1'] : name === 'routes' ? ['flights'] : ['items'];
    await ports.registry.change(
      snapshot.revision,
      [
        ...old,
        {
          view: name,
          number,
          fingerprint: declaration.fingerprint,
          release: 1,
          state: 'serving',
          since: 1,
          paused: false,
          partitions,
          buckets: declaration.buckets,
          states: [],
          upstreams: {},
          sources: source,
          stopAt: null,
          rebuild: null,
          promote: 'auto',
          acceptTrimmed: false,
          createdAt: 1,
          description: JSON.parse(JSON.stringify(describeView(declaration))) as unknown,
          format: 1,
          ...changes,
        },
      ],
      [],
    );
    await watch.refresh();
  };
  if (serving) for (const name of catalog.views.keys()) await serve(name, 1);
  await watch.start();
  await ports.workers.renew(
    {
      id: 'worker-1',
      fingerprints: [...catalog.views.values()].map(({ fingerprint }) => fingerprint),
      role: 'worker',
      startedAt: 1,
    },
    60_000,
  );

  @Global()
  @Module({})
  class PortsModule {
    static forRoot(): DynamicModule {
      const providers = [
        { provide: SourceLog, useValue: ports.log },
        { provide: TaskStore, useValue: ports.tasks },
        { provide: ViewStore, useValue: ports.views },
        { provide: Registry, useValue: ports.registry },
        { provide: Workers, useValue: ports.workers },
        { provide: Rebuilds, useValue: new KeptRebuilds() },
        { provide: Clock, useValue: clock },
        { provide: Metrics, useValue: metrics },
        { provide: Reading, useValue: reading },
      ];
      return { module: PortsModule, providers, exports: providers.map(({ provide }) => provide) };
    }
  }

  const root = {
    module: class Root {},
    imports: [PortsModule.forRoot(), ServingModule.forRoot({ token, limits }), HealthModule.forRoot()],
  };
  const app = await NestFactory.create<NestFastifyApplication>(root, servingAdapter(limits), {
    logger: false,
  });
  mountDocs(app);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  const writers = new Map<string, Writer>();
  return {
    app,
    ports,
    reading,
    serve,
    writer(name, partition = 0) {
      const number = watch.serving(name)!.number;
      const id = `${name}#${number}/${partition}`;
      let writer = writers.get(id);
      if (!writer) writers.set(id, (writer = new Writer(ports, catalog.views.get(name)!, number, partition)));
      return writer;
    },
    async close() {
      reading.close();
      await watch.stop();
      await app.close();
    },
  };
}
