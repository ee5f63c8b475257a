import { pure } from '../../src/circuit/pure.js';
import { shownRows } from '../../src/zset/row-block.js';
import { SystemClock } from '../../src/runtime/clock.js';
import { EntryDecoder } from '../../src/runtime/decode-entry.js';
import { defaultLimits, type Limits } from '../../src/runtime/limits.js';
import { silent } from '../../src/runtime/logger.js';
import { LogBeginning } from '../../src/runtime/log-beginning.js';
import { Metrics } from '../../src/runtime/metrics.js';
import { NewsDesk } from '../../src/runtime/news-desk.js';
import { partitionKeys, type RecordSource } from '../../src/runtime/placement.js';
import type { TaskRecord } from '../../src/runtime/ports/task-store.js';
import { SourceReader } from '../../src/runtime/source-reader.js';
import { StepGate } from '../../src/runtime/step-gate.js';
import { StreamInput } from '../../src/runtime/stream-input.js';
import { Task } from '../../src/runtime/task.js';
import type { TaskEnd } from '../../src/runtime/task-end.js';
import { type TaskId, taskName } from '../../src/runtime/task-id.js';
import { TimeSpent } from '../../src/runtime/time-spent.js';
import type { TaskOptions } from '../../src/runtime/task-options.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';
import { MemoryRedis } from '../../src/testing/memory/memory-redis.js';
import { Turns } from '../../src/runtime/turns.js';
import { UpstreamInput } from '../../src/runtime/upstream-input.js';
import { compileView } from '../../src/view/compile-plan.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { eventually } from './system.js';

/** Of the view, whatever it is. */
const FINGERPRINT = 'f';

/** Tasks of one view over one stream, in memory, started and ended one by one. */
export class TaskRuns {
  readonly redis: MemoryRedis;
  readonly ports: ReturnType<typeof memoryPorts>;
  readonly limits: Limits;

  constructor(
    readonly source: RecordSource,
    readonly view: ViewDeclaration,
    { redis = new MemoryRedis(), limits = {} }: { redis?: MemoryRedis; limits?: Partial<Limits> } = {},
  ) {
    this.redis = redis;
    this.ports = memoryPorts(redis);
    this.limits = { ...defaultLimits, waitMs: 20, retryMsMin: 1, ...limits };
  }

  id(partition = 0, view = 'hours', generation = 1): TaskId {
    return { view, generation, stage: 0, partition };
  }

  redisKey(partition = 0): string {
    return partitionKeys(this.source)[partition]!;
  }

  append(events: readonly unknown[], partition = 0): void {
    const stream = this.redis.stream(this.redisKey(partition));
    for (const event of events)
      stream.add(stream.nextId(Date.parse('2001-01-02T12:00:00Z')), ['data', JSON.stringify(event)]);
    this.redis.wake();
  }

  /** Takes a task over from whoever has it, and runs it. */
  async start(id = this.id(), options: Partial<TaskOptions> = {}): Promise<RunningTask> {
    const { tasks, log } = this.ports;
    const [status] = await tasks.status([id]);
    const claimed = (await tasks.claim(id, 'worker', status!.epoch))!;
    const news = new NewsDesk(log, this.limits.waitMs);
    const compiled = compileView(this.view, { budget: { entriesMax: 100 } });
    const blamed = await tasks.blamed(FINGERPRINT);
    const metrics = new Metrics();
    const task = new Task({
      id,
      ...claimed,
      fingerprint: FINGERPRINT,
      view: compiled,
      inputs: compiled.inputs.map(({ name, source, order }) => {
        const key = partitionKeys(source as RecordSource)[id.partition]!;
        const decoder = new EntryDecoder(source as RecordSource, id.partition);
        const reader = new SourceReader(key, decoder, log, news, this.limits, metrics, new SystemClock());
        return new StreamInput(
          name,
          reader,
          order,
          new LogBeginning(reader, taskName(id), 'with what is left'),
          blamed.filter(({ redisKey }) => redisKey === key).map(({ entry }) => entry),
        );
      }),
      siblings: null,
      laggards: null,
      wasParked: false,
      sending: null,
      errorsMax: 1_000,
      store: tasks,
      limits: this.limits,
      metrics,
      clock: new SystemClock(),
      generation: () => null,
      nonce: this.redis.nonce,
      step: pure,
      spent: new TimeSpent(new SystemClock()),
      gate: new StepGate(),
      turns: new Turns(async () => {}),
      logger: silent,
      ...options,
    });
    return { task, ended: task.run() };
  }

  /** Starts a task of a view that reads the one that runs. */
  async startOver(
    dependent: ViewDeclaration,
    { pageRowsMax = 1_000, ...options }: Partial<TaskOptions> & { pageRowsMax?: number } = {},
  ): Promise<RunningTask> {
    const id = this.id(0, dependent.name);
    const { views, log } = this.ports;
    const compiled = compileView(dependent, { budget: { entriesMax: 100 } });
    const input = new UpstreamInput(
      compiled.inputs[0]!.name,
      this.id(),
      this.view.buckets,
      taskName(id),
      views,
      new NewsDesk(log, this.limits.waitMs),
      { now: () => 0, reportMs: 1, pageRowsMax, readBytesMax: 1_000_000 },
    );
    return this.start(id, { view: compiled, inputs: [input], ...options });
  }

  record(id = this.id()): TaskRecord | null {
    return this.redis.tasks.get(taskName(id))?.record ?? null;
  }

  rows(id = this.id()): unknown[] {
    const stored = this.redis.tasks.get(taskName(id))?.keyed.get('rows') ?? [];
    return [...stored]
      .flatMap(([key, text]) => shownRows(key, text))
      .map(({ text }) => text)
      .sort()
      .map((text) => JSON.parse(text) as unknown);
  }

  /** Waits until a task contains its log, and all that is due. */
  async caughtUp(id = this.id()): Promise<TaskRecord> {
    const end = this.redis.stream(this.redisKey(id.partition)).last;
    await eventually(() => {
      const record = this.record(id);
      return (
        record !== null && record.applied === null && record.frontier[this.redisKey(id.partition)] === end
      );
    });
    return this.record(id)!;
  }

  /** Lets a task work until all is contained, and ends it. */
  async runToEnd(id = this.id(), options: Partial<TaskOptions> = {}): Promise<TaskRecord> {
    const { task, ended } = await this.start(id, options);
    const record = await this.caughtUp(id);
    task.stop();
    await ended;
    return record;
  }
}

export interface RunningTask {
  task: Task;
  ended: Promise<TaskEnd>;
}
