import { setMaxListeners } from 'node:events';
import { assert } from '../assert.js';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import type { Time } from '../circuit/time.js';
import { Checksum } from '../zset/checksum.js';
import { abortTogether } from './abort-together.js';
import { Caution } from './caution.js';
import { type Clocks, NO_CLOCKS, raised } from './clocks.js';
import { type Commit, Committer } from './committer.js';
import { drive } from './drive.js';
import type { CommitFacts } from './followed.js';
import type { TimedPartition } from './heartbeats.js';
import { type InputBatch, LogLost, type TaskInput } from './input.js';
import type { ParkReason, TaskRecord } from './ports/task-store.js';
import { BEGINNING, comparePositions } from './position.js';
import { isSameCommit } from './read-changelog.js';
import { RecentErrors } from './recent-errors.js';
import { nextRegained, receiversAhead, regained, withRegaining } from './regaining.js';
import { type TaskId, taskName } from './task-id.js';
import { Diverged, Ended, isTransient, type TaskEnd } from './task-end.js';
import type { TaskOptions } from './task-options.js';
import { withTallies } from './tallies.js';
import { TaskTime } from './task-time.js';
import { type Tick, tickOfTime, tickOver, writesOf } from './tick.js';
import { TickSize } from './tick-size.js';

const emptyRecord: TaskRecord = {
  tick: 0,
  commit: '',
  positions: {},
  frontier: {},
  reaching: null,
  rows: 0,
  conflicts: 0,
  errors: 0,
  checksum: '0'.repeat(16),
  clocks: NO_CLOCKS,
  applied: null,
  late: 0,
  extra: {},
};

/**
 * One (view, stage, partition) being maintained by its owner.
 *
 *     next batch ──▶ step ──▶ commit ──▶ next batch …
 *                      ▲         │
 *                      └ at most one commit is unanswered while the next tick is stepped
 *
 * The circuit holds what ticks changed; the record is where the last *submitted* tick left the inputs. If a commit is
 * refused because the store stands elsewhere, both are dropped and read again.
 */
export class Task {
  readonly id: TaskId;
  #record: TaskRecord;
  readonly #time: TaskTime;
  readonly #committer: Committer;
  readonly #size: TickSize;
  readonly #caution: Caution;
  readonly #stop = new AbortController();
  readonly #recentErrors: RecentErrors;
  #idle = false;
  /** When it was last seen that the store stands where the last commit left it. */
  #looked: number;
  /** The store was found to be behind what was stored. */
  #wentBack = false;
  #end: TaskEnd | null = null;

  constructor(readonly options: TaskOptions) {
    this.id = options.id;
    this.#time = new TaskTime(options);
    this.#record = this.#found(options.record);
    this.#committer = new Committer(options, this.#stop.signal);
    this.#size = new TickSize(options.limits.commitWritesMax);
    this.#caution = new Caution(options);
    this.#recentErrors = new RecentErrors(options);
    this.#looked = options.clock.monotonicMs();
    // Each of its inputs may wait for it.
    setMaxListeners(0, this.#stop.signal);
  }

  /** What the last answered commit stored. */
  get record(): TaskRecord {
    return this.#committer.committed ?? this.options.record ?? emptyRecord;
  }

  /** The source partitions on whose time the view acts, as far as the task reads them itself. */
  get timedPartitions(): TimedPartition[] {
    return this.#time.partitions(this.#record);
  }

  /** Asks the task to end after the tick in hand. */
  stop(): void {
    this.#stop.abort();
  }

  /** Changelog entries of lower ticks have no reader left. */
  trimChangelog(tick: number): void {
    this.#committer.trimChangelog(tick);
  }

  /** Why its commits are being refused at the moment. */
  get refused(): string | null {
    return this.#committer.refused;
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
        await this.#committer.settled();
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
    const { store, token, view, limits, clock } = this.options;
    view.circuit.drop();
    view.output.takeResult();
    view.errors.takeResult();
    // A commit may still be under way; what it stores, and whether we were its owner, must be known first.
    let cause = thrown;
    await this.#committer.settled().catch((failure) => (cause = failure));
    if (cause instanceof Ended) this.#end = cause.end;
    else if (!(cause instanceof Diverged) && !isTransient(cause) && !(await this.#storeMoved()))
      this.#end =
        cause instanceof StillwaterError || cause instanceof LogLost
          ? { how: 'parked', reason: { code: cause.code, message: cause.message, at: clock.now() } }
          : { how: 'failed', thrown: cause };
    if (this.#end?.how === 'parked') await this.#park(this.#end.reason);
    if (this.#end?.how === 'failed')
      await this.#park({ code: 'invariant', message: messageOf(cause), at: clock.now() });
    if (this.#end) return;

    for (const input of this.options.inputs) input.forget?.();
    this.options.sending?.options.receivers.forget();
    for (
      let retryMs = limits.retryMsMin;
      !this.#stop.signal.aborted;
      retryMs = Math.min(retryMs * 2, limits.retryMsMax)
    ) {
      try {
        const stored = await store.reload(this.id, token);
        if (stored === null) this.#end = { how: 'fenced' };
        else {
          this.#wentBack ||= (stored.record?.tick ?? 0) < (this.#committer.committed?.tick ?? 0);
          this.#record = this.#found(stored.record);
          this.#committer.reset(this.#record);
        }
        return;
      } catch {
        await clock.sleep(retryMs, this.#stop.signal);
      }
    }
    this.#end = { how: 'released' };
  }

  /** Goes on from what the store holds: a record, or nothing at all. */
  #found(record: TaskRecord | null): TaskRecord {
    if (record === null) this.options.view.circuit.beginEmpty();
    return this.#time.found(record ?? emptyRecord);
  }

  /**
   * Whether the store is elsewhere than the last answered commit left it. Where a Redis lost its last writes, state and
   * log went back together, and it is only this task that is ahead of both: what it knows of state is of two times.
   */
  async #storeMoved(): Promise<boolean> {
    const stored = await this.options.store.reload(this.id, this.options.token).catch(() => null);
    return (
      stored === null || !isSameCommit(stored.record ?? emptyRecord, this.#committer.committed ?? emptyRecord)
    );
  }

  async #park(reason: ParkReason): Promise<void> {
    this.options.metrics.parked.add({ view: this.id.view, reason: reason.code });
    await this.options.store.park(this.id, this.options.token, reason).catch(() => {});
  }

  async #maintain(): Promise<void> {
    const { inputs, limits, clock } = this.options;
    const { signal } = this.#stop;
    /** Inputs that were read to their end; each is read again when it may have something, or after a while. */
    const waiting = new Map<TaskInput, Promise<void>>();
    await this.#caution.judge();
    await this.#findAhead();
    await this.#finish();
    await this.#regain();
    while (!signal.aborted) {
      if (this.options.generation()?.paused) {
        await this.#committer.settled();
        await clock.sleep(limits.registryRefreshMs, signal);
        continue;
      }
      await this.#learn();
      for (const input of inputs) {
        if (signal.aborted) return;
        if (waiting.has(input)) continue;
        const { extra, clocks } = this.#record;
        const batch = await input.next(this.#positionOf(input), extra[input.name], clocks[input.name]);
        if (batch !== null) await this.#take(input, batch);
        else
          waiting.set(
            input,
            input.wait(this.#positionOf(input), signal).finally(() => waiting.delete(input)),
          );
      }
      if (waiting.size === inputs.length) {
        // Taken together now: those that end meanwhile leave the map, and a race of nobody never ends.
        const news = [...waiting.values()];
        await this.#committer.settled();
        this.#idle = true;
        await this.#any(news);
        this.#idle = false;
        await this.#look();
      }
    }
  }

  /** Whether receivers have what this task has lost. What acts on time is not cut at places in logs alone. */
  async #findAhead(): Promise<void> {
    const { id, sending, store, view, inputs } = this.options;
    if (sending === null || id.stage > 0 || sending.options.rounds !== null) return;
    if (view.timed.size > 0 || inputs.some(({ redisKey }) => redisKey === undefined)) return;
    const receivers = sending.options.receivers.tasks;
    const ahead = await receiversAhead({ task: id, receivers, store }, this.#record, this.#wentBack);
    this.#wentBack = false;
    this.#record = withRegaining(this.#record, ahead);
  }

  /** Makes again what it has lost and receivers have, and is cut where each of these is. */
  async #regain(): Promise<void> {
    const { signal } = this.#stop;
    for (let next; (next = nextRegained(this.#record)) !== null && !signal.aborted;) {
      for (const input of this.options.inputs) await this.#regainUpTo(input, next.heard);
      if (signal.aborted) return;
      this.#record = regained(this.#record, next.receiver);
      do await this.#tickOfTime(this.#record.clocks);
      while (this.#record.tick < next.heard.upTo && !signal.aborted);
    }
  }

  async #regainUpTo(input: TaskInput, { frontier }: CommitFacts): Promise<void> {
    const { signal } = this.#stop;
    const end = frontier[input.redisKey!] ?? BEGINNING;
    while (comparePositions(this.#positionOf(input).position, end) < 0 && !signal.aborted) {
      const batch = await input.next(this.#positionOf(input), this.#record.extra[input.name]);
      let size = 0;
      while (
        batch !== null &&
        size < batch.size &&
        comparePositions(batch.positionAfter(size + 1).position, end) <= 0
      )
        size++;
      if (size === 0) break;
      for (let from = 0; from < size && !signal.aborted;) {
        await this.#room();
        if (signal.aborted) return;
        const to = Math.min(this.#size.next(from, size), from + this.#caution.entriesMax);
        from = await this.#tick(input, batch!, from, to);
      }
    }
    if (this.#positionOf(input).position !== end && !signal.aborted)
      throw new LogLost(
        'ahead-of-its-log',
        `The stream "${input.redisKey}" does not hold the entry ${end} any more, of which ${taskName(this.id)} had sent what came of it.\n` +
          `Both went back, and the tasks that received it did not: the view contains entries that no log holds. Rebuild it (\`stillwater rebuild <view>\`).`,
      );
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
    over.abort();
  }

  /**
   * A task with nothing to commit would never learn that its slot lost its last writes: it looks now and then.
   * @throws Diverged
   */
  async #look(): Promise<void> {
    const { limits, clock } = this.options;
    const now = clock.monotonicMs();
    if (now - this.#looked < limits.leaseMs) return;
    this.#looked = now;
    if (await this.#storeMoved()) throw new Diverged();
  }

  /** Time that has passed in the partitions that other tasks read. It is stored with the next commit, which may be for time alone. */
  async #learn(): Promise<void> {
    if (this.options.siblings === null) return;
    const clocks = await this.#time.learn(this.#record.clocks);
    const [time, before] = this.#time.with(clocks);
    if (time !== before) await this.#passTime(clocks);
    else if (clocks !== this.#record.clocks) this.#record = { ...this.#record, clocks };
    if (this.options.generation()?.stopAt) await this.#storeClocks();
  }

  /** Where generations are compared, what they have stored of time must come to be the same, also what changes no row. */
  async #storeClocks(): Promise<void> {
    await this.#committer.settled();
    if (this.#record.clocks !== this.record.clocks) await this.#tickOfTime(this.#record.clocks);
  }

  #positionOf(input: TaskInput) {
    return this.#record.positions[input.name] ?? input.beginning;
  }

  /** Applies a batch in ticks, up to the place where the task is to stop. */
  async #take(input: TaskInput, batch: InputBatch): Promise<void> {
    const size = this.#sizeBeforeStop(batch);
    if (size === 0) await this.#passTime(raised(this.#record.clocks, input.name, batch.clocksAfter?.(0)));
    if (size < batch.size && size === 0) {
      await this.#committer.settled();
      await this.options.clock.sleep(this.options.limits.registryRefreshMs / 4, this.#stop.signal);
    }
    for (let from = 0; from < size && !this.#stop.signal.aborted;) {
      await this.#room();
      if (this.#stop.signal.aborted) return;
      const { entriesMax } = this.#caution;
      const to = Math.min(this.#size.next(from, size), from + entriesMax);
      const most = Math.min(to + (to - from), from + entriesMax, size);
      from = await this.#tick(input, batch, from, batch.wholeAt?.(from, to, most) ?? to);
    }
  }

  async #room(): Promise<void> {
    await this.options.sending?.room(this.#record, () => this.#committer.settled(), this.#stop.signal);
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

  /** One tick over the entries [from, to) or fewer, and all that becomes due with it. Where it ended. */
  async #tick(input: TaskInput, batch: InputBatch, from: number, to: number): Promise<number> {
    const { view, limits } = this.options;
    for (;;) {
      const tick = tickOver(input, batch, [from, to], this.#record);
      const time = await this.#step(tick);
      const writes = view.circuit.changed + (view.sent?.changed ?? 0);
      this.#size.saw(to - from, writes);
      if (writes <= limits.commitWritesMax * OVERSHOOT || to - from === 1) {
        await this.#submit(tick, time);
        await this.#finish();
        return to;
      }
      view.circuit.discard();
      view.output.takeResult();
      view.errors.takeResult();
      to = from + Math.max(1, (to - from) >> 1);
    }
  }

  /** A tick in which nothing comes but time, if the clocks say other than is stored. */
  async #passTime(clocks: Clocks): Promise<void> {
    if (clocks === this.#record.clocks) return;
    await this.#tickOfTime(clocks);
    await this.#finish();
  }

  /** Before anything else is taken in: ticks without input, until nothing more is due. */
  async #finish(): Promise<void> {
    while (this.#record.applied !== null && !this.#stop.signal.aborted)
      await this.#tickOfTime(this.#record.clocks);
  }

  async #tickOfTime(clocks: Clocks): Promise<void> {
    await this.#room();
    if (this.#stop.signal.aborted) return;
    const tick = tickOfTime(clocks, this.#record);
    await this.#submit(tick, await this.#step(tick));
  }

  /** Steps the circuit. What it then knows of time. */
  async #step({ input, entry, entries, inputs, errors, after }: Tick): Promise<Time> {
    const { view, store, metrics, clock, step } = this.options;
    const { circuit } = view;
    const sink = view.errors.sink('entry');
    for (const { id, raw, reason } of errors) sink.add({ entry: id, raw }, 1, reason);
    const [time, before] = this.#time.with(after.clocks);
    const started = clock.monotonicMs();
    const about = { tick: this.#record.tick + 1, input, entry, entries: Math.max(1, entries) };
    await this.#caution.step(about, () =>
      drive(
        circuit,
        inputs,
        (wanted) => {
          metrics.stateReads.add(
            { view: this.id.view },
            wanted.keyed.reduce((sum, { keys }) => sum + keys.length, 0),
          );
          return store.fetch(
            this.id,
            this.options.generation()?.buckets ?? view.output.options.buckets,
            wanted,
          );
        },
        step,
        [time, before],
      ),
    );
    metrics.stepMs.observe({ view: this.id.view }, clock.monotonicMs() - started);
    return time;
  }

  async #submit({ input, entries, skippedTypes, after, onCommitted }: Tick, time: Time): Promise<void> {
    const { view, metrics } = this.options;
    const { circuit, output } = view;
    const result = output.takeResult();
    const { errors } = view.errors.takeResult();
    const { late } = view.lates?.takeResult() ?? { late: 0 };
    const before = this.#record;
    const { unfinished } = circuit;
    const nonce = this.options.nonce();
    let record: TaskRecord = {
      ...after,
      tick: before.tick + 1,
      commit: nonce,
      // Until all that follows from what came is done, the rows show no more than was contained before it.
      frontier: unfinished ? before.frontier : after.frontier,
      reaching: unfinished ? after.frontier : null,
      applied: unfinished ? (before.applied ?? before.clocks) : null,
      rows: before.rows + result.rows,
      conflicts: before.conflicts + result.conflicts,
      errors: before.errors + errors,
      late: before.late + late,
      checksum: Checksum.parse(before.checksum).merge(result.checksum).toString(),
      extra: withTallies(before, after.extra, view.parking.takeResult(), { input, types: skippedTypes }),
    };
    assert(record.rows >= 0, `The view "${this.id.view}" would have ${record.rows} rows.`);
    const rows = view.sent?.takeResult();
    const sending = rows && (await this.options.sending!.entries(record, rows, view.sent!.exchanges.length));
    if (sending) record = sending.record;
    const commit: Commit = {
      task: this.id,
      token: this.options.token,
      tick: record.tick,
      nonce,
      ...(sending && { sent: sending.sent }),
      buckets: output.options.buckets,
      record,
      from: before.positions,
      ...writesOf(circuit),
    };
    metrics.ticks.add({ view: this.id.view });
    metrics.events.add({ view: this.id.view }, entries);
    metrics.rowChanges.add({ view: this.id.view }, result.changes.length);
    metrics.stateWrites.add({ view: this.id.view }, circuit.changed);
    if (errors > 0) metrics.errors.add({ view: this.id.view }, errors);
    if (late > 0) metrics.lateRows.add({ view: this.id.view }, late);

    await this.#committer.settled();
    circuit.seal();
    this.#record = record;
    if (!unfinished) this.#time.applied(time);
    this.#committer.submit(commit, result.changes, {
      onCommitted: () => {
        circuit.acknowledge();
        onCommitted?.();
      },
    });
    this.#recentErrors.add(entries, errors, record);
  }
}

/** A tick may write this much more than planned before it is taken back and made smaller. */
const OVERSHOOT = 1.5;
