import { begunIn } from './begun.js';
import type { Clock } from './clock.js';
import { encodeEntry, lastSent, withLastSent, withSent } from './exchange-entry.js';
import { EntriesOfRounds } from './entries-of-rounds.js';
import { commitsRead, factsOf, heardIn, isBetween } from './followed.js';
import { givenAgain, nextGiven, roundGivenBy, withNextGiven } from './given-again.js';
import type { Limits } from './limits.js';
import { madeAgain } from './made-again.js';
import type { CommitId, SentEntry, TaskRecord } from './ports/task-store.js';
import { NO_ROWS } from './received.js';
import { regainingIn } from './regaining.js';
import type { Receivers } from './receivers.js';
import { encodeCut, givesRounds, roundOf, ROUNDS, ROUNDS_AHEAD_MAX, roundsDone } from './rounds.js';
import type { TaskId } from './task-id.js';

export interface SendingOptions {
  /** The tasks of the next stage. */
  readonly receivers: Receivers;
  /** Null where rows move once; else of the task that gives the rounds those that follow it. */
  readonly rounds: { readonly followers: Receivers | null } | null;
}

/** So often a task that waits for a receiver looks how far that is; where it has a thousand entries to read, and where a few rounds. */
const BACKLOG_MS = 50;
const ROUNDS_MS = 10;

/** What a task sends to the next stage: when there is room for it, and what goes into a commit. */
export class Sending {
  #ofRounds = new EntriesOfRounds();

  constructor(
    readonly task: TaskId,
    readonly options: SendingOptions,
    readonly limits: Pick<Limits, 'exchangeEntriesMax' | 'readerReportMs'>,
    readonly clock: Clock,
  ) {}

  /**
   * Waits while a receiver has so much left to read that no more is to be sent. Where there are rounds, not in the middle of
   * what came at once: receivers take it whole, and read none of it before all is there. Nor while something is made or given again:
   * there was room for that, and receivers that have it wait for the end.
   */
  async room(record: TaskRecord, waiting: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { limits, clock } = this;
    const isAgain = (madeAgain(record)?.round ?? null) !== null || nextGiven(record) !== undefined;
    if (this.options.rounds !== null && (isBetween(record) || isAgain)) return;
    for (let first = true; !signal.aborted; first = false) {
      const aheadMs = first ? limits.readerReportMs : BACKLOG_MS;
      const isAhead = (await this.#backlog(record, aheadMs)) >= limits.exchangeEntriesMax;
      const roundsMs = first ? limits.readerReportMs : ROUNDS_MS;
      if (!isAhead && (await this.#roundsAhead(record, roundsMs)) < ROUNDS_AHEAD_MAX) return;
      await waiting();
      if (!first) await clock.sleep(isAhead ? BACKLOG_MS : ROUNDS_MS, signal);
    }
  }

  /** The store is elsewhere than it was: so may be what receivers have read. */
  forget(): void {
    this.#ofRounds = new EntriesOfRounds();
    this.options.receivers.forget();
    this.options.rounds?.followers?.forget();
  }

  async #backlog(record: TaskRecord, ageMs: number): Promise<number> {
    const { receivers, rounds } = this.options;
    const read = await receivers.heard(this.task.partition, ageMs);
    const at = rounds !== null && this.task.stage > 0 ? await receivers.heard(ROUNDS, ageMs) : [];
    // Who stands there has all that it can read, whatever it has counted: rounds that are made again are of other entries.
    const done = rounds === null ? 0 : roundsDone(this.task, record);
    // Who has read nothing since something was made or given again has counted what there was before.
    const uncounted = (madeAgain(record) ?? givenAgain(record))?.upTo ?? -1;
    const backlog = read.map((heard, receiver) =>
      (at[receiver] !== undefined && at[receiver].tick >= done) ||
      ((receiver > 0 || this.task.stage > 0) && (heard?.tick ?? 0) <= uncounted)
        ? 0
        : lastSent(record, receiver).entries - (heard?.entries ?? 0),
    );
    return Math.max(...backlog);
  }

  /** Of whoever gives rounds: how many that it has given somebody has not read. */
  async #roundsAhead(record: TaskRecord, ageMs: number): Promise<number> {
    const read = (await this.options.rounds?.followers?.entriesRead(ROUNDS, ageMs)) ?? [];
    return Math.max(0, ...read.map((entries) => lastSent(record, ROUNDS).entries - entries));
  }

  /**
   * By receiver the tick of an entry that it had read a while ago. Where it stands at rounds it says by these: it may know ticks
   * that have become others since.
   */
  async #readBefore(record: TaskRecord): Promise<readonly number[]> {
    const { receivers, rounds } = this.options;
    if (rounds === null || this.task.stage === 0) {
      const lost = madeAgain(record)?.upTo ?? 0;
      const read = await receivers.ticksReadBefore(this.task.partition);
      return read.map((tick) => (tick > lost ? tick : 0));
    }
    const read = await receivers.ticksReadBefore(ROUNDS);
    return read.map((round, receiver) => {
      this.#ofRounds.known(receiver, roundOf(this.task, record), lastSent(record, receiver).tick);
      return this.#ofRounds.lastUpTo(receiver, round);
    });
  }

  /** What a tick sends, and its record, which says that it did. */
  async entries(
    record: TaskRecord,
    rows: ReadonlyMap<number, readonly string[]>,
    exchanges: number,
  ): Promise<{ record: TaskRecord; sent: SentEntry[] }> {
    const { rounds } = this.options;
    const kept = await this.#readBefore(record);
    const regaining = regainingIn(record);
    const none = new Array<string>(exchanges).fill(NO_ROWS);
    // Whoever gives the rounds says of each of our ticks to which it belongs.
    const all =
      rounds !== null && this.task.stage === 0 && !rows.has(0) ? [...rows, [0, none] as const] : [...rows];
    const sent = all
      .filter(([receiver]) => regaining[receiver] === undefined)
      .map(([receiver, texts]) => ({ receiver, texts, from: kept[receiver] ?? 0 }));
    const given = rounds !== null && givesRounds(this.task) ? roundGivenBy(record) : null;
    if (given !== null) sent.push(await this.#givenBy(record));
    const facts = { ...factsOf(record), ...commitsRead(record) };
    const round = rounds === null ? 0 : roundOf(this.task, record);
    for (const { receiver } of sent) this.#ofRounds.sent(receiver, round, record.tick);
    const extra = withSent(
      record,
      sent.map(({ receiver }) => receiver),
    );
    return {
      record: given === null ? { ...record, extra } : withGiven({ ...record, extra }, given),
      sent: sent.map(({ receiver, texts, from }) => {
        const { commit: previous } = lastSent(record, receiver);
        const { commit } = receiver === ROUNDS ? given! : record;
        return { receiver, text: encodeEntry({ ...facts, commit, previous, round, rows: texts }), from };
      }),
    };
  }

  /** What a commit says that gives a round. */
  async #givenBy(record: TaskRecord): Promise<{ receiver: number; texts: string[]; from: number }> {
    const read = await this.options.rounds!.followers!.ticksReadBefore(ROUNDS);
    const cut = encodeCut(heardIn(record)!, factsOf(record).clocks);
    return { receiver: ROUNDS, texts: [cut, JSON.stringify(begunIn(record))], from: Math.min(...read) };
  }
}

/** A record of a commit that gives a round. It says of rounds which was the last: one that is given again is not of the number of its commit. */
function withGiven(record: TaskRecord, { tick, commit }: Readonly<CommitId>): TaskRecord {
  const { entries } = lastSent(record, ROUNDS);
  const extra = withLastSent(record.extra, new Map([[ROUNDS, { tick, commit, entries }]]));
  return withNextGiven({ ...record, extra });
}
