import type { PartitionClocks } from './clocks.js';
import {
  type CommitFacts,
  commitsRead,
  EXCHANGE,
  factsOf,
  type Heard,
  type Place,
  reaches,
} from './followed.js';
import type { Frontier } from './frontier.js';
import type { CutAt } from './given-again.js';
import type { InputBatch, TaskInput } from './input.js';
import type { NewsDesk } from './news-desk.js';
import type { InputPosition, Received, TaskStore } from './ports/task-store.js';
import { BEGINNING, earlierOf, type Position } from './position.js';
import { QuietSenders } from './quiet-senders.js';
import { EntriesAsked, entriesFollowing, lostBy, NOTHING_HEARD, withEntry } from './received.js';
import { type Begun, type Part, ReceivedBatch } from './received-batch.js';
import { RegainWait } from './regain-wait.js';
import { regainingIn } from './regaining.js';
import type { TaskId } from './task-id.js';

/** Of a receiver's senders one, and the source partitions that what it sends is made of. */
export interface Sender {
  readonly task: TaskId;
  readonly reads: ReadonlySet<string>;
}

/**
 * What all tasks of the stage before send to one task, as one input.
 *
 *     sender 0   ──[tick 3]──────[tick 7]─▶
 *     sender 1   ──────────[tick 12]──────▶   each entry is taken whole; between senders the order does not matter
 *
 * An entry says what its sender contained after it, and a sender's record says so of the ticks that had nothing for us. What
 * we contain of a source partition is the least of what the senders that read it say, and so is time.
 *
 * So receives the last stage of two; of more, the task that gives the rounds (`rounds.ts`).
 */
export class ExchangeInput implements TaskInput {
  readonly name = EXCHANGE;
  readonly beginning: InputPosition = { position: BEGINNING, entries: 0 };
  readonly #asked: EntriesAsked;
  readonly #quiet: QuietSenders;
  /** By sender: for it to find out that it lost what we have. */
  readonly #waits: readonly RegainWait[];
  /** The commit of each sender that the last read saw. */
  #seen: number[];

  constructor(
    readonly senders: readonly Sender[],
    readonly receiver: number,
    readonly exchanges: readonly string[],
    readonly store: TaskStore,
    readonly news: NewsDesk,
    readBytesMax: number,
    /** So long a sender may take to find out that it lost what we have. */
    regainMs: number,
    /** Of each sender so many entries at a time. */
    entriesMax?: number,
  ) {
    this.#asked = new EntriesAsked(readBytesMax, senders.length, entriesMax);
    this.#waits = senders.map(() => new RegainWait(() => news.clock.monotonicMs(), regainMs));
    this.#quiet = new QuietSenders(senders.map(({ task }) => store.sentKey(task)));
    this.#seen = senders.map(() => 0);
  }

  /** Where it is told up to which commit of each sender to go, nothing behind that is taken. */
  async next(
    position: InputPosition,
    note: unknown,
    clocks?: PartitionClocks,
    upTo?: CutAt,
  ): Promise<InputBatch | null> {
    const heard = (note as readonly Heard[] | undefined) ?? this.senders.map(() => NOTHING_HEARD);
    const countMax = this.#asked.max;
    const asked = this.#quiet.ask();
    const answers = await this.store.receive(
      asked.map((index) => ({
        sender: this.senders[index]!.task,
        receiver: this.receiver,
        after: heard[index]!.tick,
        countMax,
      })),
    );
    const bySender = answers.map((answer, index) => {
      const sender = asked[index]!;
      this.#seen[sender] = answer.record?.tick ?? 0;
      const following = this.#partsOf(answer, { sender, heard: heard[sender]!, countMax });
      return following.filter(({ told }) => upTo === undefined || told.tick <= upTo[sender]![0]);
    });
    const parts = inTurn(bySender);
    this.#asked.saw(answers);
    if (parts.length === 0) return null;
    const { senders, exchanges } = this;
    return new ExchangeBatch(parts, { position, heard, exchanges }, { senders, clocks });
  }

  /**
   * What follows what is heard of a sender: its entries, and what its record says beside. Of a sender that makes again what it lost
   * the place counts that it said last (`regaining.ts`): what it says of an earlier one is passed over, and what it sends of one is
   * not taken.
   * @throws LogLost
   */
  #partsOf(
    answer: Received,
    { sender, heard, countMax }: { sender: number; heard: Heard; countMax: number },
  ): Told[] {
    const { record } = answer;
    const { task } = this.senders[sender]!;
    const asked = {
      sender: task,
      receiver: this.receiver,
      heard,
      countMax,
      regains: () => this.#regains(sender, heard, record),
    };
    const { entries, isKnown } = entriesFollowing(answer, asked);
    if (isKnown) this.#waits[sender]!.over();
    let before: Said & { readonly upTo: number } = heard;
    const parts: Told[] = [];
    const isBehind = (told: Place): boolean => !reaches(told, before);
    for (const entry of entries) {
      if (isBehind(entry)) throw lostBy(task, heard);
      parts.push({ sender, entry, told: entry });
      before = { ...entry, upTo: entry.tick };
    }
    if (record === null || !isKnown || record.tick <= before.upTo) return parts;
    // Of what it makes again it sends us nothing: what it says of that we may not have, if we went back since.
    if (this.#isRegained(record)) return parts;
    const told = { tick: record.tick, ...factsOf(record), ...commitsRead(record) };
    if (brings(before, told) && !isBehind(told)) parts.push({ sender, entry: null, told });
    return parts;
  }

  /** Whether to wait for a sender that is behind what we have of it (`regaining.ts`): it says so, or has not had the time to find out. */
  #regains(sender: number, { more }: Heard, record: Received['record']): boolean {
    if (more) return false;
    if (record !== null && this.#isRegained(record)) return true;
    return this.#waits[sender]!.goesOn(record?.tick ?? 0);
  }

  #isRegained(record: NonNullable<Received['record']>): boolean {
    return regainingIn(record)[this.receiver] !== undefined;
  }

  async wait(_position: InputPosition, signal: AbortSignal): Promise<void> {
    const news = await this.news.waitForAny(
      new Map(this.senders.map(({ task }, index) => [this.store.sentKey(task), `${this.#seen[index]!}-0`])),
      signal,
    );
    this.#quiet.heard(news);
  }

  forget(): void {
    this.#quiet.forget();
  }
}

/** What is said of a commit to those that it sends to. */
type Said = CommitFacts & Place;

/** Whether a sender says something new of what it contains or of time. */
const brings = (before: CommitFacts, after: CommitFacts): boolean =>
  JSON.stringify([before.frontier, before.clocks, before.more]) !==
  JSON.stringify([after.frontier, after.clocks, after.more]);

/** An entry; or a tick that had nothing for us, of which only the progress counts. */
interface Told extends Part {
  readonly sender: number;
  readonly told: Said & { readonly tick: number };
}

/** The first of each, then the second: what one has sent is not behind all that another has. */
function inTurn<T>(lists: readonly (readonly T[])[]): T[] {
  const all: T[] = [];
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  for (let at = 0; at < longest; at++) for (const list of lists) if (at < list.length) all.push(list[at]!);
  return all;
}

class ExchangeBatch extends ReceivedBatch<Told> {
  constructor(
    parts: readonly Told[],
    begun: Begun,
    readonly of: { readonly senders: readonly Sender[]; readonly clocks: PartitionClocks | undefined },
  ) {
    super(parts, begun);
  }

  protected override hear(heard: Heard[], { sender, entry, told }: Told): void {
    const before = heard[sender]!;
    const { tick: upTo, more, frontier, clocks, read } = told;
    heard[sender] = {
      ...(entry === null ? before : withEntry(before, entry)),
      ...{ upTo, more, frontier, clocks },
      ...(read && { read }),
    };
  }

  override frontierAfter(to: number): Frontier {
    const heard = this.noteAfter(to);
    const frontier: Record<string, Position> = {};
    this.of.senders.forEach(({ reads }, sender) => {
      for (const redisKey of reads) {
        const contained = heard[sender]!.frontier[redisKey] ?? BEGINNING;
        frontier[redisKey] =
          frontier[redisKey] === undefined ? contained : earlierOf(frontier[redisKey]!, contained);
      }
    });
    for (const redisKey of Object.keys(frontier))
      if (frontier[redisKey] === BEGINNING) delete frontier[redisKey];
    return frontier;
  }

  override clocksAfter(to: number): PartitionClocks {
    const heard = this.noteAfter(to);
    const clocks: Record<string, number | null> = {};
    for (const redisKey of Object.keys(this.of.clocks ?? {})) {
      let least: number | null = Infinity;
      for (const { clocks: told } of heard) {
        const clock: number | null = told[redisKey] ?? null;
        least = least === null || clock === null ? null : Math.min(least, clock);
      }
      clocks[redisKey] = least;
    }
    return clocks;
  }
}
