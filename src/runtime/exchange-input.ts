import { readSent } from '../circuit/exchange-output.js';
import { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import type { PartitionClocks } from './clocks.js';
import { decodeEntry, type ExchangeEntry, lastSent, NOTHING_SENT } from './exchange-entry.js';
import { type CommitFacts, EXCHANGE, factsOf, type Heard, NO_FACTS } from './followed.js';
import { type Frontier, maxFrontier } from './frontier.js';
import { type EntryError, type InputBatch, LogLost, type TaskInput } from './input.js';
import type { NewsDesk } from './news-desk.js';
import type { CommitId, InputPosition, Received, TaskStore } from './ports/task-store.js';
import { BEGINNING, earlierOf, type Position } from './position.js';
import { type TaskId, taskName } from './task-id.js';

const NOTHING_HEARD: Heard = { ...NOTHING_SENT, ...NO_FACTS, upTo: 0 };

/** Entries one read of a sender asks for, at first and at the most: how much each holds is not known before. */
const ENTRIES_MIN = 10;
const ENTRIES_MAX = 500;

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
 * Each entry names the one before it. Where that is not the one we have, the sender's slot went back and its lost ticks were
 * made again, cut otherwise, or what we have not read was trimmed: nothing is read past that.
 */
export class ExchangeInput implements TaskInput {
  readonly name = EXCHANGE;
  readonly beginning: InputPosition = { position: BEGINNING, entries: 0 };
  #entriesMax = ENTRIES_MIN;
  /** The commit of each sender that the last read saw. */
  #seen: number[];

  constructor(
    readonly senders: readonly Sender[],
    readonly receiver: number,
    readonly exchanges: readonly string[],
    readonly store: TaskStore,
    readonly news: NewsDesk,
    readonly readBytesMax: number,
  ) {
    this.#seen = senders.map(() => 0);
  }

  async next(position: InputPosition, note: unknown, clocks?: PartitionClocks): Promise<InputBatch | null> {
    const heard = (note as readonly Heard[] | undefined) ?? this.senders.map(() => NOTHING_HEARD);
    const countMax = this.#entriesMax;
    const answers = await this.store.receive(
      this.senders.map(({ task }, index) => ({
        sender: task,
        receiver: this.receiver,
        after: heard[index]!.tick,
        countMax,
      })),
    );
    const parts: Part[] = [];
    answers.forEach((answer, sender) => {
      this.#seen[sender] = answer.record?.tick ?? 0;
      parts.push(...this.#partsOf(answer, { sender, heard: heard[sender]!, countMax }));
    });
    this.#adapt(answers);
    if (parts.length === 0) return null;
    return new ExchangeBatch(parts, {
      position,
      heard,
      senders: this.senders,
      exchanges: this.exchanges,
      clocks,
    });
  }

  /** What follows what is heard of a sender: its entries, and what its record says beside. */
  #partsOf(
    { record, entries: raw }: Received,
    { sender, heard, countMax }: { sender: number; heard: Heard; countMax: number },
  ): Part[] {
    const entries = raw.map(decodeEntry);
    let last: CommitId = heard;
    for (const entry of entries) {
      if (entry.previous !== last.commit) throw this.#lost(sender, heard);
      last = entry;
    }
    const parts: Part[] = entries.map((entry) => ({ sender, entry, told: entry }));
    if (entries.length >= countMax) return parts;
    const head = record === null ? NOTHING_SENT : lastSent(record, this.receiver);
    // The record was read first: where it knows of an entry that was not there, or not of the last one we have, it is another past.
    const knows = head.tick === last.tick && head.commit === last.commit;
    if (!knows && (entries.length === 0 || head.tick > last.tick)) throw this.#lost(sender, heard);
    const before = entries.at(-1) ?? heard;
    if (record === null || !knows || record.tick <= ('upTo' in before ? before.upTo : before.tick))
      return parts;
    const told = { tick: record.tick, ...factsOf(record) };
    if (brings(before, told)) parts.push({ sender, entry: null, told });
    return parts;
  }

  #lost(sender: number, heard: Heard): LogLost {
    return new LogLost(
      'exchange-lost',
      `What ${taskName(this.senders[sender]!.task)} sent after its tick ${heard.tick} does not follow what was received of it: ` +
        `its Redis went back to an earlier state, or what this task had not read was trimmed.\n` +
        `Nothing was read past the gap. Rebuild the view.`,
    );
  }

  /** A tick may send thousands of rows: asks for as many entries as fit, and doubles at the most. */
  #adapt(answers: readonly Received[]): void {
    let bytes = 0;
    let count = 0;
    for (const { entries } of answers)
      for (const [, fields] of entries) {
        bytes += fields[1]!.length;
        count++;
      }
    if (count === 0) return;
    const fitting = Math.floor(this.readBytesMax / this.senders.length / Math.max(1, bytes / count));
    this.#entriesMax = Math.max(1, Math.min(ENTRIES_MAX, fitting, this.#entriesMax * 2));
  }

  wait(_position: InputPosition, signal: AbortSignal): Promise<void> {
    return this.news.waitForAny(
      new Map(this.senders.map(({ task }, index) => [this.store.sentKey(task), `${this.#seen[index]!}-0`])),
      signal,
    );
  }
}

/** Whether a sender says something new of what it contains or of time. */
const brings = (before: CommitFacts, after: CommitFacts): boolean =>
  JSON.stringify([before.frontier, before.clocks, before.more]) !==
  JSON.stringify([after.frontier, after.clocks, after.more]);

/** An entry; or a tick that had nothing for us, of which only the progress counts. */
interface Part {
  readonly sender: number;
  readonly entry: ExchangeEntry | null;
  readonly told: CommitFacts & { readonly tick: number };
}

interface BatchOf {
  readonly position: InputPosition;
  readonly heard: readonly Heard[];
  readonly senders: readonly Sender[];
  readonly exchanges: readonly string[];
  readonly clocks: PartitionClocks | undefined;
}

class ExchangeBatch implements InputBatch {
  readonly size: number;
  /** What is heard after so many parts. */
  readonly #heard: (readonly Heard[])[];

  constructor(
    readonly parts: readonly Part[],
    readonly of: BatchOf,
  ) {
    this.size = parts.length;
    this.#heard = [of.heard];
    for (const { sender, entry, told } of parts) {
      const known = this.#heard.at(-1)!;
      const before = known[sender]!;
      const after: Heard = {
        ...(entry === null
          ? { tick: before.tick, commit: before.commit, entries: before.entries }
          : { tick: entry.tick, commit: entry.commit, entries: before.entries + 1 }),
        upTo: told.tick,
        more: told.more,
        // A sender whose slot went back says less for a while; what we have does not get less.
        frontier: maxFrontier(before.frontier, told.frontier),
        clocks: latestClocks(before.clocks, told.clocks),
      };
      this.#heard.push(known.map((one, index) => (index === sender ? after : one)));
    }
  }

  inputs(from: number, to: number): ReadonlyMap<string, Delta> {
    const { exchanges } = this.of;
    const deltas = exchanges.map(() => new Delta<Row>([], [], undefined, []));
    for (let index = from; index < to; index++)
      this.parts[index]!.entry?.rows.forEach((text, exchange) => readSent(text, deltas[exchange]!));
    return new Map(
      exchanges.map((name, exchange) => {
        const { rows, weights, lates } = deltas[exchange]!;
        const anyLate = lates!.some((late) => late !== -Infinity);
        return [name, anyLate ? deltas[exchange]! : new Delta(rows, weights)];
      }),
    );
  }

  positionAfter(to: number): InputPosition {
    const entries = this.of.position.entries + to;
    return { position: `${entries}-0`, entries };
  }

  frontierAfter(to: number): Frontier {
    const { senders } = this.of;
    const heard = this.#heard[to]!;
    const frontier: Record<string, Position> = {};
    senders.forEach(({ reads }, sender) => {
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

  clocksAfter(to: number): PartitionClocks {
    const clocks: Record<string, number | null> = {};
    for (const redisKey of Object.keys(this.of.clocks ?? {})) {
      let least: number | null = Infinity;
      for (const { clocks: told } of this.#heard[to]!) {
        const clock: number | null = told[redisKey] ?? null;
        least = least === null || clock === null ? null : Math.min(least, clock);
      }
      clocks[redisKey] = least;
    }
    return clocks;
  }

  noteAfter(to: number): readonly Heard[] {
    return this.#heard[to]!;
  }

  errors(): EntryError[] {
    return [];
  }
}

function latestClocks(before: PartitionClocks, after: PartitionClocks): PartitionClocks {
  const clocks: Record<string, number | null> = { ...before };
  for (const [redisKey, clock] of Object.entries(after))
    if (clock !== null && clock > (clocks[redisKey] ?? -Infinity)) clocks[redisKey] = clock;
    else clocks[redisKey] ??= null;
  return clocks;
}
