import type { Time } from '../circuit/time.js';
import type { Clocks } from './clocks.js';
import type { TimedPartition } from './heartbeats.js';
import { partitionKeys } from './placement.js';
import type { TaskRecord } from './ports/task-store.js';
import { BEGINNING } from './position.js';
import type { TaskOptions } from './task-options.js';
import { ViewTime } from './view-time.js';

/** What a task knows of time: what its record's clocks come to, and what all operators have acted on. */
export class TaskTime {
  readonly #view: ViewTime;
  #applied: Time;

  constructor(readonly options: Pick<TaskOptions, 'id' | 'view' | 'siblings'>) {
    this.#view = new ViewTime(options.view, options.id.partition);
    this.#applied = this.#view.at(this.#view.unknown);
  }

  /** Goes on from a record as the store has it; the same with all clocks that matter named. */
  found(record: TaskRecord): TaskRecord {
    const clocks = this.#view.complete(record.clocks);
    this.#applied = this.#view.at(record.applied ?? clocks);
    return { ...record, clocks };
  }

  /** The time with these clocks, and the one that all operators have acted on; one object where no time has passed. */
  with(clocks: Clocks): readonly [time: Time, before: Time] {
    return [this.#view.at(clocks, this.#applied), this.#applied];
  }

  /** All operators have acted on it. */
  applied(time: Time): void {
    this.#applied = time;
  }

  /** The clocks with what the other tasks of the view have committed of theirs. */
  async learn(clocks: Clocks): Promise<Clocks> {
    for (const other of (await this.options.siblings?.latest()) ?? [])
      clocks = this.#view.learn(clocks, other);
    return clocks;
  }

  /** The source partitions on whose time the view acts, as far as the task reads them itself. */
  partitions({ clocks, positions }: TaskRecord): TimedPartition[] {
    const { id, view } = this.options;
    return view.inputs.flatMap((input) => {
      const { name, source } = input;
      if (source.kind === 'view' || !this.#view.isBroughtBy(input)) return [];
      const redisKey = partitionKeys(source)[id.partition];
      if (redisKey === undefined) return [];
      return [{ source, redisKey, position: positions[name]?.position ?? BEGINNING, clocks: clocks[name]! }];
    });
  }
}
