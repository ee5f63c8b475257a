import { setMaxListeners } from 'node:events';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { abortTogether } from './abort-together.js';
import { raised } from './clocks.js';
import type { TimedPartition } from './heartbeats.js';
import { type InputBatch, LogLost, type TaskInput } from './input.js';
import { LostInRounds } from './lost-in-rounds.js';
import { LostRounds } from './lost-rounds.js';
import { LostTicks } from './lost-ticks.js';
import type { ParkReason, TaskRecord } from './ports/task-store.js';
import { comparePositions } from './position.js';
import type { TaskId } from './task-id.js';
import { Diverged, Ended, isTransient, type TaskEnd } from './task-end.js';
import type { TaskOptions } from './task-options.js';
import { Ticks } from './ticks.js';

/**
 * One (view, stage, partition) being maintained by its owner: what comes next is read and taken in, until the task is stopped, or
 * cannot go on.
 */
export class Task {
  readonly id: TaskId;
  readonly #ticks: Ticks;
  readonly #lost: LostTicks | LostInRounds | LostRounds | null;
  readonly #stop = new AbortController();
  #idle = false;
  #end: TaskEnd | null = null;

  constructor(readonly options: TaskOptions) {
    this.id = options.id;
    this.#ticks = new Ticks(options, this.#stop.signal);
    const ticks = this.#ticks;
    this.#lost =
      LostTicks.of(options, ticks) ?? LostInRounds.of(options, ticks) ?? LostRounds.of(options, ticks);
    // Each of its inputs may wait for it.
    setMaxListeners(0, this.#stop.signal);
  }

  /** What the last answered commit stored. */
  get record(): TaskRecord {
    return this.#ticks.committed;
  }

  /** The source partitions on whose time the view acts, as far as the task reads them itself. */
  get timedPartitions(): TimedPartition[] {
    return this.#ticks.timedPartitions;
  }

  /** Asks the task to end after the tick in hand. */
  stop(): void {
    this.#stop.abort();
  }

  /** Changelog entries of lower ticks have no reader left. */
  trimChangelog(tick: number): void {
    this.#ticks.trimChangelog(tick);
  }

  /** Why its commits are being refused at the moment. */
  get refused(): string | null {
    return this.#ticks.refused;
  }

  /** While nothing is to be done: lets go of cached state that was not used for long. */
  settle(): void {
    if (this.#idle) this.options.view.circuit.settle();
  }

  /** Runs until stopped, fenced, parked or failed. Never throws. */
  async run(): Promise<TaskEnd> {
    while (this.#end === null) {
      try {
        await this.#maintain();
        await this.#ticks.settled();
        this.#end ??= { how: 'released' };
      } catch (thrown) {
        await this.#recover(thrown);
      }
    }
    for (const input of this.options.inputs) await input.close?.().catch(() => {});
    if (this.#end.how === 'released')
      await this.options.store.release(this.id, this.options.token).catch(() => {});
    return this.#end;
  }

  /** What to do about what ended the loop: the task ends, or goes on from what the store holds. */
  async #recover(thrown: unknown): Promise<void> {
    const { store, token, limits, clock } = this.options;
    this.#ticks.drop();
    // A commit may still be under way; what it stores, and whether we were its owner, must be known first.
    let cause = thrown;
    await this.#ticks.settled().catch((failure) => (cause = failure));
    if (cause instanceof Ended) this.#end = cause.end;
    else if (!(cause instanceof Diverged) && !isTransient(cause) && !(await this.#ticks.storeMoved()))
      this.#end =
        cause instanceof StillwaterError || cause instanceof LogLost
          ? { how: 'parked', reason: { code: cause.code, message: cause.message, at: clock.now() } }
          : { how: 'failed', thrown: cause };
    if (this.#end?.how === 'parked') await this.#park(this.#end.reason);
    if (this.#end?.how === 'failed')
      await this.#park({ code: 'invariant', message: messageOf(cause), at: clock.now() });
    if (this.#end) return;

    for (const input of this.options.inputs) input.forget?.();
    this.options.sending?.forget();
    for (
      let retryMs = limits.retryMsMin;
      !this.#stop.signal.aborted;
      retryMs = Math.min(retryMs * 2, limits.retryMsMax)
    ) {
      try {
        const stored = await store.reload(this.id, token);
        if (stored === null) this.#end = { how: 'fenced' };
        else {
          if ((stored.record?.tick ?? 0) < this.record.tick) this.#lost?.wentBack();
          this.#ticks.found(stored.record);
        }
        return;
      } catch {
        await clock.sleep(retryMs, this.#stop.signal);
      }
    }
    this.#end = { how: 'released' };
  }

  async #park(reason: ParkReason): Promise<void> {
    this.options.metrics.parked.add({ view: this.id.view, reason: reason.code });
    await this.options.store.park(this.id, this.options.token, reason).catch(() => {});
  }

  async #maintain(): Promise<void> {
    const { inputs, limits, clock } = this.options;
    const { signal } = this.#stop;
    const ticks = this.#ticks;
    /** Inputs that were read to their end; each is read again when it may have something, or after a while. */
    const waiting = new Map<TaskInput, Promise<void>>();
    await ticks.judge();
    await this.#lost?.find();
    await ticks.finish();
    await this.#lost?.makeAgain(signal);
    while (!signal.aborted) {
      if (this.options.generation()?.paused) {
        await ticks.settled();
        await clock.sleep(limits.registryRefreshMs, signal);
        continue;
      }
      await ticks.learn();
      for (const input of inputs) {
        if (signal.aborted) return;
        if (waiting.has(input)) continue;
        const { extra, clocks } = ticks.record;
        const batch = await input.next(ticks.positionOf(input), extra[input.name], clocks[input.name]);
        if (batch !== null) await this.#take(input, batch);
        else
          waiting.set(
            input,
            input.wait(ticks.positionOf(input), signal).finally(() => waiting.delete(input)),
          );
      }
      if (waiting.size === inputs.length) {
        // Taken together now: those that end meanwhile leave the map, and a race of nobody never ends.
        const news = [...waiting.values()];
        await ticks.settled();
        this.#idle = true;
        await this.#any(news);
        this.#idle = false;
        await this.#ticks.look();
      }
    }
  }

  /** Returns with the first of the waits, or when it is time to look at the store or to ask the other tasks of the view. */
  async #any(waits: readonly Promise<void>[]): Promise<void> {
    const { siblings, limits, clock } = this.options;
    const over = new AbortController();
    const letGo = abortTogether(over, [this.#stop.signal]);
    await Promise.race([
      ...waits,
      clock.sleep(siblings === null ? limits.leaseMs : limits.clocksMs, over.signal),
    ]);
    letGo();
    over.abort(OVER);
  }

  /** Applies a batch in ticks, up to the place where the task is to stop. */
  async #take(input: TaskInput, batch: InputBatch): Promise<void> {
    const ticks = this.#ticks;
    const size = this.#sizeBeforeStop(batch);
    if (size > 0) return ticks.take(input, batch, size);
    await ticks.passTime(raised(ticks.record.clocks, input.name, batch.clocksAfter?.(0)));
    if (batch.size === 0) return;
    await ticks.settled();
    await this.options.clock.sleep(this.options.limits.registryRefreshMs / 4, this.#stop.signal);
  }

  /** How many entries of the batch lie at or before the frontier at which the generation is told to stop. */
  #sizeBeforeStop(batch: InputBatch): number {
    const stopAt = this.options.generation()?.stopAt;
    if (!stopAt) return batch.size;
    const isBeyond = (size: number): boolean =>
      Object.entries(batch.frontierAfter(size)).some(
        ([log, position]) => stopAt[log] !== undefined && comparePositions(position, stopAt[log]!) > 0,
      );
    // Frontiers only rise: the last that is not beyond is found by halves.
    let [before, beyond] = [0, batch.size + 1];
    while (beyond - before > 1) {
      const middle = (before + beyond) >> 1;
      if (isBeyond(middle)) beyond = middle;
      else before = middle;
    }
    return before;
  }
}

/** Why waits end: nobody reads it, and the error made in its place would take down where it was made, each time. */
const OVER = 'over';
