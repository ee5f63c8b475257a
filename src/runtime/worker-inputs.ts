import type { CompiledStage } from '../view/compiled-stage.js';
import { stagesOf } from '../view/stages.js';
import type { Clock } from './clock.js';
import { EntryDecoder } from './decode-entry.js';
import type { TaskInput } from './input.js';
import { Laggards, partitionsReadBy } from './laggards.js';
import type { Limits } from './limits.js';
import type { Metrics } from './metrics.js';
import { ExchangeInput } from './exchange-input.js';
import { hasRounds, lastStage, roundFollowers, roundGiver, tasksOfStage } from './generation-tasks.js';
import { LogBeginning } from './log-beginning.js';
import { logsReadBy } from './logs-read.js';
import { NewsDesk } from './news-desk.js';
import { partitionKeys, type RecordSource } from './placement.js';
import type { Generation } from './ports/registry.js';
import type { SourceLog } from './ports/source-log.js';
import type { BlamedEntry, TaskStore } from './ports/task-store.js';
import type { ViewStore } from './ports/view-store.js';
import type { RegistryWatch } from './registry-watch.js';
import { Receivers } from './receivers.js';
import { givesRounds, TICKS_OF_ROUND_MAX } from './rounds.js';
import { RoundsInput } from './rounds-input.js';
import { Sending } from './sending.js';
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
  readonly #laggards = new Map<string, Laggards>();
  readonly #receivers = new Map<string, Receivers>();
  readonly #news: NewsDesk;

  constructor(readonly options: WorkerInputsOptions) {
    this.#news = new NewsDesk(options.log, options.limits.waitMs, options.clock);
  }

  inputsOf(
    id: TaskId,
    generation: Generation,
    { stage, inputs, received, sources }: CompiledStage,
    blamed: readonly BlamedEntry[],
  ): TaskInput[] {
    const { registry, views, limits, clock, tasks } = this.options;
    if (stage > 0) {
      const before = tasksOfStage(generation, stage - 1);
      if (hasRounds(generation) && !givesRounds(id))
        return [
          new RoundsInput(
            roundGiver(generation),
            before,
            id.partition,
            received,
            tasks,
            this.#news,
            limits.readBytesMax,
            limits.regainMs,
          ),
        ];
      const senders = before.map((task) => ({ task, reads: logsReadBy(task, sources) }));
      return [
        new ExchangeInput(
          senders,
          id.partition,
          received,
          tasks,
          this.#news,
          limits.readBytesMax,
          limits.regainMs,
          hasRounds(generation) ? TICKS_OF_ROUND_MAX : undefined,
        ),
      ];
    }
    const read = inputs.filter(({ source }) => id.partition < source.partitions);
    return read.map(({ name, source, order }) => {
      if (source.kind !== 'view') {
        const reader = this.#reader(source, id.partition);
        const ofReader = blamed.filter(({ redisKey }) => redisKey === reader.redisKey);
        return new StreamInput(
          name,
          reader,
          order,
          new LogBeginning(
            reader,
            taskName(id),
            generation.rebuild !== null && !generation.acceptTrimmed ? 'with the first' : 'with what is left',
          ),
          ofReader.map(({ entry }) => entry),
        );
      }
      const number = generation.upstreams[source.name]!;
      const read = registry.generation(source.name, number);
      const upstream: TaskId = {
        view: source.name,
        generation: number,
        stage: read ? lastStage(read) : stagesOf(source) - 1,
        partition: id.partition,
      };
      const buckets = read?.buckets ?? source.buckets;
      return new UpstreamInput(name, upstream, buckets, taskName(id), views, this.#news, {
        now: () => clock.monotonicMs(),
        reportMs: limits.readerReportMs,
        pageRowsMax: Math.floor(limits.commitWritesMax / 2),
        readBytesMax: limits.readBytesMax,
      });
    });
  }

  /** What the other tasks of a view know of time; null where none of it matters. */
  siblingsOf(id: TaskId, generation: Generation, compiled: CompiledStage): SiblingClocks | null {
    if (!new ViewTime(compiled, id.partition).needsOthers) return null;
    const { registry } = this.options;
    for (const [name, { tasks }] of this.#siblings)
      if (!registry.generation(tasks[0]!.view, tasks[0]!.generation)) this.#siblings.delete(name);
    const name = `${id.view}#${id.generation}/${id.stage}`;
    let siblings = this.#siblings.get(name);
    if (siblings === undefined) {
      const { tasks, clock, limits } = this.options;
      const all = tasksOfStage(generation, id.stage);
      this.#siblings.set(name, (siblings = new SiblingClocks(all, tasks, clock, limits.clocksMs)));
    }
    siblings.forget();
    return siblings;
  }

  /** Whom a task waits for while it replays; null where no other reads a log on whose time the view acts. */
  laggardsOf(id: TaskId, generation: Generation, compiled: CompiledStage): Laggards | null {
    if (id.stage > 0) return null;
    const { registry, tasks, log, clock, limits } = this.options;
    const { view, number } = generation;
    for (const [name, { of }] of this.#laggards)
      if (!registry.generation(of.view, of.number)) this.#laggards.delete(name);
    const name = `${view}#${number}`;
    let laggards = this.#laggards.get(name);
    if (laggards === undefined) {
      const partitions = tasksOfStage(generation, 0).flatMap((task) => partitionsReadBy(task, compiled));
      const stopAt = (): Generation['stopAt'] => registry.generation(view, number)?.stopAt ?? null;
      laggards = new Laggards({ view, number }, partitions, stopAt, {
        ...{ tasks, log, clock },
        everyMsMax: limits.clocksMs,
      });
      this.#laggards.set(name, laggards);
    }
    return laggards.partitions.every(({ task }) => task.partition === id.partition) ? null : laggards;
  }

  /** How a task sends to the next stage; null of the last. */
  sendingOf(id: TaskId, generation: Generation): Sending | null {
    if (id.stage === lastStage(generation)) return null;
    const { registry, clock, limits } = this.options;
    for (const [name, of] of this.#receivers)
      if (!registry.generation(of.tasks[0]!.view, of.tasks[0]!.generation)) this.#receivers.delete(name);
    const receivers = this.#receiving(`${id.stage}`, tasksOfStage(generation, id.stage + 1));
    const rounds = hasRounds(generation) && {
      followers: givesRounds(id) ? this.#receiving('rounds', roundFollowers(generation)) : null,
    };
    const sending = new Sending(id, { receivers, rounds: rounds || null }, limits, clock);
    // Since others of them were asked for, the store may have gone back: it may be why the task is taken.
    sending.forget();
    return sending;
  }

  #receiving(what: string, of: readonly TaskId[]): Receivers {
    const { tasks, clock, limits } = this.options;
    const name = `${of[0]!.view}#${of[0]!.generation}/${what}`;
    let receivers = this.#receivers.get(name);
    if (receivers === undefined) {
      const options = { everyMs: limits.readerReportMs, keepMs: limits.exchangeKeptMs };
      this.#receivers.set(name, (receivers = new Receivers(of, tasks, clock, options)));
    }
    return receivers;
  }

  #reader(source: RecordSource, partition: number): SourceReader {
    let partitions = this.#readers.get(source);
    if (!partitions) this.#readers.set(source, (partitions = new Map()));
    let reader = partitions.get(partition);
    if (!reader) {
      const { log, limits, metrics, clock } = this.options;
      reader = new SourceReader(
        partitionKeys(source)[partition]!,
        new EntryDecoder(source, partition, undefined, () => clock.now()),
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
