import type { CompiledView } from '../view/compile-plan.js';
import type { Clock } from './clock.js';
import { EntryDecoder } from './decode-entry.js';
import type { TaskInput } from './input.js';
import type { Limits } from './limits.js';
import type { Metrics } from './metrics.js';
import { NewsDesk } from './news-desk.js';
import { partitionKeys, type RecordSource } from './placement.js';
import type { Generation } from './ports/registry.js';
import type { SourceLog } from './ports/source-log.js';
import type { BlamedEntry, TaskStore } from './ports/task-store.js';
import type { ViewStore } from './ports/view-store.js';
import type { RegistryWatch } from './registry-watch.js';
import { SiblingClocks } from './sibling-clocks.js';
import { SourceReader } from './source-reader.js';
import { StreamInput } from './stream-input.js';
import { type TaskId, taskName } from './task-id.js';
import { UpstreamInput } from './upstream-input.js';
import { ViewTime } from './view-time.js';

export interface WorkerInputsOptions {
  registry: RegistryWatch;
  tasks: TaskStore;
  views: ViewStore;
  log: SourceLog;
  limits: Limits;
  metrics: Metrics;
  clock: Clock;
}

/** What a worker's tasks read. Those that read the same share it: entries are read and decoded once, clocks asked for once. */
export class WorkerInputs {
  readonly #readers = new Map<RecordSource, Map<number, SourceReader>>();
  readonly #siblings = new Map<string, SiblingClocks>();
  readonly #news: NewsDesk;

  constructor(readonly options: WorkerInputsOptions) {
    this.#news = new NewsDesk(options.log, options.limits.waitMs, options.clock);
  }

  inputsOf(
    id: TaskId,
    generation: Generation,
    { inputs }: CompiledView,
    blamed: readonly BlamedEntry[],
  ): TaskInput[] {
    const { registry, views, limits, clock } = this.options;
    return inputs.map(({ name, source, needsOrder }) => {
      if (source.kind !== 'view') {
        const reader = this.#reader(source, id.partition);
        const ofReader = blamed.filter(({ redisKey }) => redisKey === reader.redisKey);
        return new StreamInput(
          name,
          reader,
          needsOrder,
          ofReader.map(({ entry }) => entry),
        );
      }
      const upstream: TaskId = {
        view: source.name,
        generation: generation.upstreams[source.name]!,
        stage: 0,
        partition: id.partition,
      };
      const buckets = registry.generation(upstream.view, upstream.generation)?.buckets ?? source.buckets;
      return new UpstreamInput(name, upstream, buckets, taskName(id), views, this.#news, {
        now: () => clock.monotonicMs(),
        reportMs: limits.readerReportMs,
        pageRowsMax: Math.floor(limits.commitWritesMax / 2),
        readBytesMax: limits.readBytesMax,
      });
    });
  }

  /** What the other tasks of a view know of time; null where none of it matters. */
  siblingsOf(id: TaskId, { partitions }: Generation, compiled: CompiledView): SiblingClocks | null {
    if (!new ViewTime(compiled, id.partition).needsOthers) return null;
    const { registry } = this.options;
    for (const [name, { tasks }] of this.#siblings)
      if (!registry.generation(tasks[0]!.view, tasks[0]!.generation)) this.#siblings.delete(name);
    const name = `${id.view}#${id.generation}`;
    let siblings = this.#siblings.get(name);
    if (siblings === undefined) {
      const { tasks, clock, limits } = this.options;
      const all = Array.from({ length: partitions }, (_, partition) => ({ ...id, partition }));
      this.#siblings.set(name, (siblings = new SiblingClocks(all, tasks, clock, limits.clocksMs)));
    }
    return siblings;
  }

  #reader(source: RecordSource, partition: number): SourceReader {
    let partitions = this.#readers.get(source);
    if (!partitions) this.#readers.set(source, (partitions = new Map()));
    let reader = partitions.get(partition);
    if (!reader) {
      const { log, limits, metrics, clock } = this.options;
      reader = new SourceReader(
        partitionKeys(source)[partition]!,
        new EntryDecoder(source, partition),
        log,
        this.#news,
        limits,
        metrics,
        clock,
      );
      partitions.set(partition, reader);
    }
    return reader;
  }
}
