import { setMaxListeners } from 'node:events';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { abortTogether } from './abort-together.js';
import { raised } from './clocks.js';
import type { TimedPartition } from './heartbeats.js';
import { type InputBatch, LogLost, type TaskInput } from './input.js';
import { ASKED_MS } from './laggards.js';
import { LostInRounds } from './lost-in-rounds.js';
import { LostRounds } from './lost-rounds.js';
import { LostTicks } from './lost-ticks.js';
import type { ParkReason, TaskRecord } from './ports/task-store.js';
import { comparePositions } from './position.js';
import { ReplaySkew } from './replay-skew.js';
import { type TaskId, taskName } from './task-id.js';
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
  readonly #skew: ReplaySkew;
  readonly #stop = new AbortController();
  #idle = false;
  #end: TaskEnd | null = null;
  #wasParked: boolean;
  /** Its slot was found to have lost ticks, and these were not made again yet. */
  #wentBack = false;

  constructor(readonly options: TaskOptions) {
    this.id = options.id;
    this.#wasParked = options.wasParked;
    this.#ticks = new Ticks(options, this.#stop.signal);
    const ticks = this.#ticks;
    this.#lost =
      LostTicks.of(options, ticks) ?? LostInRounds.of(options, ticks) ?? LostRounds.of(options, ticks);
    this.#skew = new ReplaySkew(options);
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
          ? { how: 'parked', reason: { code: cause.code, message: cause.message } }
          : { how: 'failed', thrown: cause };
    if (this.#end?.how === 'parked') await this.#park(this.#end.reason);
    if (this.#end?.how === 'failed') await this.#park({ code: 'invariant', message: messageOf(cause) });
    if (this.#end) return;

    for (const input of this.options.inputs) input.forget?.();
    this.options.sending?.forget();
    this.options.siblings?.forget();
    for (
      let retryMs = limits.retryMsMin;
      !this.#stop.signal.aborted;
      retryMs = Math.min(retryMs * 2, limits.retryMsMax)
    ) {
      try {
        const stored = await store.reload(this.id, token);
        if (stored === null) this.#end = { how: 'fenced' };
        else {
          if ((stored.record?.tick ?? 0) < this.record.tick) this.#foundBehind(stored.record?.tick ?? 0);
          this.#ticks.found(stored.record);
        }
        return;
      } catch {
        await clock.sleep(retryMs, this.#stop.signal);
      }
    }
    this.#end = { how: 'released' };
  }

  #foundBehind(tick: number): void {
    const name = taskName(this.id);
    this.options.logger.warn(
      `The hash slot of ${name} lost its last commits: it stands at tick ${tick}, and stood at ${this.record.tick}. What they held is made again.`,
    );
    this.#wentBack = true;
    this.#lost?.wentBack();
  }

  /** Makes again what others have of what its slot lost. What nobody else has comes by itself: it is read once more. */
  async #regain(): Promise<void> {
    const { metrics, logger } = this.options;
    await this.#lost?.find();
    await this.#ticks.finish();
    const sent = (await this.#lost?.makeAgain(this.#stop.signal)) ?? null;
    if (sent !== null)
      logger.warn(`${taskName(this.id)} made again what its hash slot lost and others have received.`);
    const kind = sent ?? (this.#wentBack ? 'ticks' : null);
    this.#wentBack = false;
    if (kind !== null) metrics.recoveries.add({ view: this.id.view, kind });
  }

  async #park(reason: ParkReason): Promise<void> {
    const { metrics, store, token, logger } = this.options;
    metrics.parked.add({ view: this.id.view, reason: reason.code });
    // Whoever takes it up comes to the same.
    await store.park(this.id, token, reason).catch((thrown: unknown) => {
      if (!isTransient(thrown))
        logger.error(`${taskName(this.id)} could not be parked: ${messageOf(thrown)}`);
    });
  }

  /** It has come to the end of all that it reads: what it was parked for before is past. Where it has committed since, the store knows. */
  async #goesOn(): Promise<void> {
    const { store, token, record } = this.options;
    await this.#ticks.cameToEnd();
    if (this.#wasParked && this.record.tick === (record?.tick ?? 0)) await store.park(this.id, token, null);
    this.#wasParked = false;
  }

  async #maintain(): Promise<void> {
    const { inputs, limits, clock } = this.options;
    const { signal } = this.#stop;
    const ticks = this.#ticks;
    /** Inputs that were read to their end; each is read again when it may have something, or after a while. */
    const waiting = new Map<TaskInput, Promise<void>>();
    /** What was read and is not taken before others have come near. */
    const held = new Map<TaskInput, Held>();
    await ticks.judge();
    await this.#regain();
    while (!signal.aborted) {
      if (this.options.generation()?.paused) {
        await ticks.settled();
        await clock.sleep(limits.registryRefreshMs, signal);
        continue;
      }
      await ticks.learn();
      let went = false;
      for (const input of inputs) {
        if (signal.aborted) return;
        if (!waiting.has(input) && (await this.#takeNext(input, waiting, held))) went = true;
      }
      if (held.size > 0 && !went) await this.#waitForOthers();
      // Taken together now: those that end meanwhile leave the map, and a race of nobody never ends.
      if (waiting.size === inputs.length) await this.#waitForNews([...waiting.values()]);
    }
  }

  /** Takes what comes next of an input. False where there is nothing, or it is held for others. */
  async #takeNext(
    input: TaskInput,
    waiting: Map<TaskInput, Promise<void>>,
    held: Map<TaskInput, Held>,
  ): Promise<boolean> {
    const read = this.#heldOf(input, held) ?? (await this.#read(input));
    if (read === null) {
      this.#skew.reachedEnd(input);
      const news = input.wait(this.#ticks.positionOf(input), this.#stop.signal);
      waiting.set(
        input,
        news.finally(() => waiting.delete(input)),
      );
      return false;
    }
    const went = await this.#take(input, read);
    if (!went) held.set(input, read);
    return went;
  }

  /** Those who are waited for know of this one what is committed. */
  async #waitForOthers(): Promise<void> {
    await this.#ticks.settled();
    await this.#ticks.look();
    await this.options.clock.sleep(ASKED_MS, this.#stop.signal);
  }

  /** All inputs were read to their ends. */
  async #waitForNews(news: readonly Promise<void>[]): Promise<void> {
    await this.#ticks.settled();
    await this.#goesOn();
    this.#idle = true;
    await this.#any(news);
    this.#idle = false;
    await this.#ticks.look();
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

  async #read(input: TaskInput): Promise<Held | null> {
    const { extra, clocks } = this.#ticks.record;
    const readAt = this.options.clock.monotonicMs();
    const position = this.#ticks.positionOf(input);
    const batch = await input.next(position, extra[input.name], clocks[input.name]);
    return batch && { batch, from: 0, readAt };
  }

  /** What is left of an earlier read, unless it is too old to be taken for what the log holds. */
  #heldOf(input: TaskInput, held: Map<TaskInput, Held>): Held | null {
    const { clock, limits } = this.options;
    const of = held.get(input);
    held.delete(input);
    return of && clock.monotonicMs() - of.readAt <= limits.sharedMsMax ? of : null;
  }

  /**
   * Applies a batch in ticks, up to the place where the task is to stop, or to wait for those with which it is replayed. Whether it
   * need not be held for these.
   */
  async #take(input: TaskInput, read: Held): Promise<boolean> {
    const ticks = this.#ticks;
    const { batch, from } = read;
    const stop = this.#sizeBeforeStop(batch);
    if (stop > from) {
      const to = await this.#skew.upTo(input, batch, [from, stop], ticks.record);
      if (to > from) await ticks.take(input, batch, [from, to]);
      read.from = to;
      return to === stop;
    }
    this.#skew.standsStill(input);
    await ticks.passTime(raised(ticks.record.clocks, input.name, batch.clocksAfter?.(from)));
    if (batch.size === 0) return true;
    await ticks.settled();
    await this.options.clock.sleep(this.options.limits.registryRefreshMs / 4, this.#stop.signal);
    return true;
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

/** Entries that were read, of which some were taken. */
interface Held {
  readonly batch: InputBatch;
  /** The first that was not. */
  from: number;
  readonly readAt: number;
}

/** Why waits end: nobody reads it, and the error made in its place would take down where it was made, each time. */
const OVER = 'over';
