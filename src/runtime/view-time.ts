import { NO_TIME, type SourceTime, type Time } from '../circuit/time.js';
import type { CompiledInput, CompiledStage } from '../view/compiled-stage.js';
import { sourcesOf } from '../view/plan-nodes.js';
import { inputNameOf, type SourceDeclaration } from '../view/declarations.js';
import { type Clocks, leastClocks, raised } from './clocks.js';
import { EXCHANGE } from './followed.js';
import { partitionKeys, type RecordSource } from './placement.js';

/**
 * What a view's circuit knows of time, as it follows from the clocks its inputs have brought.
 *
 *     clocks of partitions ──least over inputs──▶ of each partition ──least over partitions──▶ clock of the source
 *                                                                        watermark = clock − lateness
 *
 * The least is taken over all partitions of a source, also those the task does not read; one of which nothing is known
 * yet holds all back. A view that acts on no time has none, and nothing is kept of it.
 */
export class ViewTime {
  /** Before anything was read: every partition whose time an input brings, told by none. */
  readonly unknown: Clocks;
  readonly #sources: readonly { name: string; latenessMs: number | null; redisKeys: readonly string[] }[];

  /** Of the inputs that are streams and tables: the partitions whose time other tasks of the view bring. */
  readonly #others = new Map<string, readonly string[]>();

  constructor(
    {
      inputs,
      timed,
      received,
      sources: read,
    }: Pick<CompiledStage, 'inputs' | 'timed' | 'received' | 'sources'>,
    /** The one the task reads. */
    partition = 0,
  ) {
    const brought = inputs.map(({ name, source }) => ({ name, source, carries: recordSources(source) }));
    // What comes through an exchange brings all time there is.
    if (received.length > 0)
      brought.push({ name: EXCHANGE, source: read[0]!, carries: read.flatMap(recordSources) });
    const sources = new Map<string, RecordSource>();
    const unknown: Record<string, Record<string, null>> = {};
    for (const { name: input, source, carries } of brought)
      for (const carried of carries) {
        const name = inputNameOf(carried);
        if (!timed.has(name)) continue;
        sources.set(name, carried);
        const redisKeys = partitionKeys(carried);
        for (const redisKey of redisKeys) (unknown[input] ??= {})[redisKey] = null;
        if (input === EXCHANGE) continue;
        // The time of an upstream is what comes with its rows, to those that have a partition of it.
        const isRead = partition < source.partitions;
        const others = redisKeys.filter((_, index) => !isRead || (carried === source && index !== partition));
        if (others.length > 0 && (carried === source || !isRead))
          this.#others.set(input, [...(this.#others.get(input) ?? []), ...others]);
      }
    this.unknown = unknown;
    this.#sources = [...sources].map(([name, source]) => ({
      name,
      latenessMs: source.latenessMs,
      redisKeys: partitionKeys(source),
    }));
  }

  /** Whether an input brings time that matters. */
  isBroughtBy({ name }: Pick<CompiledInput, 'name'>): boolean {
    return this.unknown[name] !== undefined;
  }

  /** Whether some of the time must be learnt from other tasks of the view. */
  get needsOthers(): boolean {
    return this.#others.size > 0;
  }

  /** The clocks with what another task of the view knows of the partitions this one does not read. */
  learn(clocks: Clocks, from: Clocks): Clocks {
    for (const [input, redisKeys] of this.#others) {
      const brought = from[input];
      if (brought === undefined) continue;
      clocks = raised(
        clocks,
        input,
        Object.fromEntries(redisKeys.map((redisKey) => [redisKey, brought[redisKey] ?? null])),
      );
    }
    return clocks;
  }

  /** The clocks of a record, in which an input that never was read may be missing. */
  complete(stored: Clocks): Clocks {
    const clocks: Record<string, Clocks[string]> = {};
    for (const [input, partitions] of Object.entries(this.unknown))
      clocks[input] = { ...partitions, ...stored[input] };
    return clocks;
  }

  /** The time with these clocks; `before` itself where it is the same. */
  at(clocks: Clocks, before: Time = NO_TIME): Time {
    if (this.#sources.length === 0) return before;
    const least = leastClocks(clocks);
    const time = new Map<string, SourceTime>();
    let moved = false;
    for (const { name, latenessMs, redisKeys } of this.#sources) {
      let clock = Infinity;
      for (const redisKey of redisKeys) clock = Math.min(clock, least[redisKey] ?? -Infinity);
      time.set(name, { clock, watermark: latenessMs === null ? -Infinity : clock - latenessMs });
      moved ||= before.get(name)?.clock !== clock;
    }
    return moved ? time : before;
  }
}

/** The streams and tables whose time comes with a source: itself, or all that a view reads. */
function recordSources(source: SourceDeclaration): RecordSource[] {
  return source.kind === 'view' ? sourcesOf(source.plan).flatMap(recordSources) : [source];
}
