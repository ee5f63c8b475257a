import { assert } from '../assert.js';
import type { Time } from '../circuit/time.js';
import { Caution } from './caution.js';
import type { Clocks, PartitionClocks } from './clocks.js';
import { type Commit, Committer } from './committer.js';
import { drive } from './drive.js';
import type { TimedPartition } from './heartbeats.js';
import type { InputBatch, TaskInput } from './input.js';
import type { FetchedState, InputPosition, StoredState, TaskRecord } from './ports/task-store.js';
import { isSameCommit } from './read-changelog.js';
import { RecentErrors } from './recent-errors.js';
import { Diverged } from './task-end.js';
import type { TaskOptions } from './task-options.js';
import { TaskTime } from './task-time.js';
import { NO_TICK, recordAfter, type Tick, tickOfTime, tickOver, writesOf } from './tick.js';
import { TickSize } from './tick-size.js';

/** A tick may write this much more than planned before it is taken back and made smaller. */
const OVERSHOOT = 1.5;

/**
 * The ticks of a task, one after the other: each is stepped and submitted, and the next begins where it left the inputs.
 *
 *     step ──▶ commit
 *       ▲         │
 *       └ at most one commit is unanswered while the next tick is stepped
 *
 * The circuit holds what ticks changed; the record is where the last *submitted* tick left the inputs. If a commit is
 * refused because the store stands elsewhere, both are dropped, and what the store holds is `found`.
 */
export class Ticks {
  #record: TaskRecord;
  readonly #time: TaskTime;
  readonly #committer: Committer;
  readonly #size: TickSize;
  readonly #caution: Caution;
  readonly #recentErrors: RecentErrors;
  /** When it was last seen that the store stands where the last commit left it. */
  #looked: number;

  constructor(
    readonly options: TaskOptions,
    /** Aborted when the task is to end. */
    readonly stopping: AbortSignal,
  ) {
    this.#time = new TaskTime(options);
    this.#committer = new Committer(options, stopping);
    this.#size = new TickSize(options.limits.commitWritesMax);
    this.#caution = new Caution(options);
    this.#recentErrors = new RecentErrors(options);
    this.#record = this.#goingOnFrom(options.record);
    this.#looked = options.clock.monotonicMs();
  }

  /** Where the last submitted tick left the inputs. */
  get record(): TaskRecord {
    return this.#record;
  }

  /** What the last answered commit stored. */
  get committed(): TaskRecord {
    return this.#committer.committed ?? NO_TICK;
  }

  /** Why commits are being refused at the moment. */
  get refused(): string | null {
    return this.#committer.refused;
  }

  /** The source partitions on whose time the view acts, as far as the task reads them itself. */
  get timedPartitions(): TimedPartition[] {
    return this.#time.partitions(this.#record);
  }

  positionOf(input: TaskInput): InputPosition {
    return this.#record.positions[input.name] ?? input.beginning;
  }

  /** Changelog entries of lower ticks have no reader left. */
  trimChangelog(tick: number): void {
    this.#committer.trimChangelog(tick);
  }

  /** Blames the entry that ended the owners before, if it has come to that. @throws Ended to park the task */
  judge(): Promise<void> {
    return this.#caution.judge();
  }

  /** All that there was to be read was taken in, and is committed. */
  cameToEnd(): Promise<void> {
    return this.#caution.cameToEnd();
  }

  /** Waits for the answer to the last commit. @throws Ended, Diverged */
  settled(): Promise<void> {
    return this.#committer.settled();
  }

  /** Drops what was stepped and not submitted, and what is cached. */
  drop(): void {
    const { circuit, output, errors } = this.options.view;
    circuit.drop();
    output.takeResult();
    errors.takeResult();
  }

  /**
   * Whether the store is elsewhere than the last answered commit left it. Where a Redis lost its last writes, state and
   * log went back together, and it is only this task that is ahead of both: what it knows of state is of two times.
   */
  async storeMoved(): Promise<boolean> {
    const { id, token, store } = this.options;
    const stored = await store.reload(id, token).catch(() => null);
    return stored === null || !isSameCommit(stored.record ?? NO_TICK, this.committed);
  }

  /**
   * A task that commits nothing would never learn that its slot lost its last writes: it looks now and then.
   * @throws Diverged
   */
  async look(): Promise<void> {
    const { limits, clock } = this.options;
    const now = clock.monotonicMs();
    if (now - this.#looked < limits.leaseMs) return;
    this.#looked = now;
    if (await this.storeMoved()) throw new Diverged();
  }

  /** Goes on from what the store holds: a record, or nothing at all. */
  found(record: TaskRecord | null): void {
    this.#record = this.#goingOnFrom(record);
    this.#committer.reset(this.#record);
  }

  #goingOnFrom(record: TaskRecord | null): TaskRecord {
    if (record === null) this.options.view.circuit.beginEmpty();
    return this.#time.found(record ?? NO_TICK);
  }

  /** What the next tick is to store beside what it brings. */
  keep(extra: TaskRecord['extra']): void {
    this.#record = { ...this.#record, extra };
  }

  /**
   * Takes in the entries [from, to) of a batch, in as many ticks as it needs. Where it is told up to where clocks may go they do not
   * go beyond.
   */
  async take(
    input: TaskInput,
    batch: InputBatch,
    [first, size]: readonly [from: number, to: number] = [0, batch.size],
    clocksMax?: PartitionClocks,
  ): Promise<void> {
    for (let from = first; from < size && !this.stopping.aborted;) {
      await this.#room();
      if (this.stopping.aborted) return;
      const { entriesMax } = this.#caution;
      const to = Math.min(this.#size.next(from, size), from + entriesMax);
      const most = Math.min(to + (to - from), from + entriesMax, size);
      from = await this.#tick(input, batch, [from, batch.wholeAt?.(from, to, most) ?? to], clocksMax);
    }
  }

  /** Time that has passed in the partitions that other tasks read. It is stored with the next commit, which may be for time alone. */
  async learn(): Promise<void> {
    if (this.options.siblings === null) return;
    const clocks = await this.#time.learn(this.#record.clocks);
    const [time, before] = this.#time.with(clocks);
    if (time !== before) await this.passTime(clocks);
    else if (clocks !== this.#record.clocks) this.#record = { ...this.#record, clocks };
    if (this.options.generation()?.stopAt) await this.#storeClocks();
  }

  /** Where generations are compared, what they have stored of time must come to be the same, also what changes no row. */
  async #storeClocks(): Promise<void> {
    await this.settled();
    if (this.#record.clocks !== this.committed.clocks) await this.ofTime(this.#record.clocks);
  }

  /** A tick in which nothing comes but time, if the clocks say other than is stored. */
  async passTime(clocks: Clocks): Promise<void> {
    if (clocks === this.#record.clocks) return;
    await this.ofTime(clocks);
    await this.finish();
  }

  /** Before anything else is taken in: ticks without input, until nothing more is due. */
  async finish(): Promise<void> {
    while (this.#record.applied !== null && !this.stopping.aborted) await this.ofTime(this.#record.clocks);
  }

  /** A tick in which nothing comes, and which says what is kept. It waits for nobody: receivers may wait for what it says. */
  async say(): Promise<void> {
    await this.#tickOfTime(this.#record.clocks);
  }

  /**
   * The same, where ticks up to a number may be of a history that is lost, and others have heard of them: it is of this number at least,
   * and those between are passed over.
   */
  async passOver(upTo: number): Promise<void> {
    this.#record = { ...this.#record, tick: Math.max(this.#record.tick, upTo - 1) };
    await this.say();
  }

  /** One tick in which nothing comes but time, or not even that. */
  async ofTime(clocks: Clocks = this.#record.clocks): Promise<void> {
    await this.#room();
    if (!this.stopping.aborted) await this.#tickOfTime(clocks);
  }

  async #tickOfTime(clocks: Clocks): Promise<void> {
    const tick = tickOfTime(clocks, this.#record);
    await this.#submit(tick, await this.#step(tick));
  }

  /** What a receiver waits for may be what the slot has lost. @throws Diverged */
  async #room(): Promise<void> {
    const waiting = async (): Promise<void> => {
      await this.settled();
      await this.look();
    };
    await this.options.sending?.room(this.#record, waiting, this.stopping);
  }

  /** One tick over the entries [from, to) or fewer, and all that becomes due with it. Where it ended. */
  async #tick(
    input: TaskInput,
    batch: InputBatch,
    [from, to]: [number, number],
    clocksMax: PartitionClocks | undefined,
  ): Promise<number> {
    const { view, limits, spent } = this.options;
    for (;;) {
      const tick = spent.on(() => tickOver(input, batch, [from, to], this.#record, clocksMax));
      const time = await this.#step(tick);
      const writes = view.circuit.changed + (view.sent?.changed ?? 0);
      this.#size.saw(to - from, writes);
      if (writes <= limits.commitWritesMax * OVERSHOOT || to - from === 1) {
        await this.#submit(tick, time);
        await this.finish();
        return to;
      }
      view.circuit.discard();
      view.output.takeResult();
      view.errors.takeResult();
      to = from + Math.max(1, (to - from) >> 1);
    }
  }

  /** Steps the circuit. What it then knows of time. */
  async #step({ input, entry, entries, inputs, errors, after }: Tick): Promise<Time> {
    const { view, metrics, clock, step, spent, turns } = this.options;
    const { circuit } = view;
    const sink = view.errors.sink('entry');
    for (const { id, raw, reason } of errors) sink.add({ entry: id, raw }, 1, reason);
    const [time, before] = this.#time.with(after.clocks);
    const rows = this.#rowsOf(inputs);
    const started = clock.monotonicMs();
    const about = { tick: this.#record.tick + 1, input, entry, entries: Math.max(1, entries) };
    await this.#caution.step(about, () =>
      drive(
        circuit,
        inputs,
        (wanted) => this.#fetch(wanted),
        (work) => spent.on(() => step(work)),
        [time, before],
        () => turns.next(rows),
      ),
    );
    metrics.stepMs.observe({ view: this.options.id.view }, clock.monotonicMs() - started);
    return time;
  }

  /** How many rows come in; what was left of those that came before counts as many. */
  #rowsOf(inputs: Tick['inputs']): number {
    if (this.#record.applied !== null) return Infinity;
    let rows = 0;
    for (const { size } of inputs.values()) rows += size;
    return rows;
  }

  /** State as of the last commit, or of the one that is under way. @throws Diverged where somebody else has committed meanwhile */
  async #fetch(wanted: StoredState): Promise<FetchedState> {
    const { id, view, store, metrics, generation } = this.options;
    metrics.stateReads.add(
      { view: id.view },
      wanted.keyed.reduce((sum, { keys }) => sum + keys.length, 0),
    );
    const ours = [this.committed.commit, this.#record.commit];
    const fetched = await store.fetch(id, generation()?.buckets ?? view.output.options.buckets, wanted);
    // Another owner's, which might be lost again before our commit comes to it, and would not be told from ours there.
    if (!ours.includes(fetched.commit)) throw new Diverged();
    return fetched;
  }

  async #submit(tick: Tick, time: Time): Promise<void> {
    const { view, metrics, turns } = this.options;
    const { circuit, output } = view;
    const { unfinished } = circuit;
    const shown = output.takeResult();
    const { errors } = view.errors.takeResult();
    const { late } = view.lates?.takeResult() ?? { late: 0 };
    const result = { shown, errors, late, parking: view.parking.takeResult(), unfinished };
    const before = this.#record;
    let record = recordAfter(tick, before, result, this.options.nonce());
    assert(record.rows >= 0, `The view "${this.options.id.view}" would have ${record.rows} rows.`);
    const rows = view.sent?.takeResult();
    const sending = rows && (await this.options.sending!.entries(record, rows, view.sent!.exchanges.length));
    if (sending) record = sending.record;
    const commit: Commit = {
      task: this.options.id,
      token: this.options.token,
      tick: record.tick,
      nonce: record.commit,
      ...(sending && { sent: sending.sent }),
      buckets: output.options.buckets,
      record,
      from: before.positions,
      follows: before.commit,
      ...writesOf(circuit),
    };
    metrics.ticks.add({ view: this.options.id.view });
    metrics.events.add({ view: this.options.id.view }, tick.entries);
    metrics.rowChanges.add({ view: this.options.id.view }, shown.size);
    metrics.stateWrites.add({ view: this.options.id.view }, circuit.changed);
    if (errors > 0) metrics.errors.add({ view: this.options.id.view }, errors);
    if (late > 0) metrics.lateRows.add({ view: this.options.id.view }, late);

    await this.#committer.settled();
    await turns.next(this.#rowsOf(tick.inputs));
    circuit.seal();
    this.#record = record;
    if (!unfinished) this.#time.applied(time);
    this.#committer.submit(commit, shown, {
      onCommitted: () => {
        circuit.acknowledge();
        tick.onCommitted?.();
      },
    });
    this.#recentErrors.add(tick.entries, errors, record);
  }
}
