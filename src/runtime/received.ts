import { readSent } from '../circuit/exchange-output.js';
import { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import { decodeEntry, type ExchangeEntry, lastSent, NOTHING_SENT } from './exchange-entry.js';
import { type Heard, NO_FACTS } from './followed.js';
import { LogLost } from './input.js';
import type { CommitId, Received } from './ports/task-store.js';
import { type TaskId, taskName } from './task-id.js';

export const NOTHING_HEARD: Heard = { ...NOTHING_SENT, ...NO_FACTS, upTo: 0 };

/** What was asked of one sender, and of whom. */
export interface Asked {
  readonly sender: TaskId;
  readonly receiver: number;
  readonly heard: Readonly<CommitId>;
  readonly countMax: number;
  /** Whether a sender that is behind what is had of it makes that again, and then goes on from there. */
  readonly regains?: () => boolean;
}

export interface Following {
  readonly entries: readonly ExchangeEntry[];
  /** There are no more for now. */
  readonly isAll: boolean;
  /** The last of them, or the last that is had where there are none, is the last that the sender knows of. */
  readonly isKnown: boolean;
}

/**
 * The entries that follow what is had of a sender. Each names the one before it. Where that is not the one we have, or the
 * sender does not know of that, its slot went back and its lost ticks were made again, cut otherwise, or what we have not
 * read was trimmed: null.
 */
export function following({ record, entries: raw }: Received, asked: Asked): Following | null {
  const entries = raw.map(decodeEntry);
  return followingIn(entries, entries.length >= asked.countMax, record, asked);
}

/** The same in entries that are read already, and may be followed by more. */
export function followingIn(
  entries: readonly ExchangeEntry[],
  isPart: boolean,
  record: Received['record'],
  { receiver, heard, regains = () => false }: Omit<Asked, 'countMax'>,
): Following | null {
  let last = heard;
  for (const entry of entries) {
    if (entry.previous !== last.commit) return null;
    last = entry;
  }
  if (isPart) return { entries, isAll: false, isKnown: false };
  const head = record === null ? NOTHING_SENT : lastSent(record, receiver);
  // The record was read first: where it knows of an entry that was not there, or not of the last one we have, it is another past.
  const isKnown = head.tick === last.tick && head.commit === last.commit;
  if (!isKnown && entries.length === 0 && head.tick < last.tick && regains())
    return { entries, isAll: true, isKnown };
  if (!isKnown && (entries.length === 0 || head.tick > last.tick)) return null;
  return { entries, isAll: true, isKnown };
}

/** The same where it must follow. @throws LogLost */
export function entriesFollowing(answer: Received, asked: Asked): Following {
  const found = following(answer, asked);
  if (found === null) throw lostBy(asked.sender, asked.heard);
  return found;
}

export const lostBy = (sender: TaskId, { tick }: Readonly<CommitId>): LogLost =>
  new LogLost(
    'exchange-lost',
    `What ${taskName(sender)} sent after its tick ${tick} does not follow what was received of it: ` +
      `its Redis went back to an earlier state, or what this task had not read was trimmed.\n` +
      `Nothing was read past the gap. Rebuild the view.`,
  );

/** What is heard of a sender after its next entry. */
export const withEntry = (before: Heard, { tick, commit }: Readonly<CommitId>): Heard => ({
  ...before,
  tick,
  commit,
  entries: before.entries + 1,
});

/** The rows of entries, by the circuit's inputs. */
export function deltasOf(
  entries: Iterable<Pick<ExchangeEntry, 'rows'>>,
  exchanges: readonly string[],
): ReadonlyMap<string, Delta> {
  const deltas = exchanges.map(() => new Delta<Row>([], [], undefined, []));
  for (const { rows } of entries)
    rows.forEach((text, exchange) => {
      if (text !== NO_ROWS) readSent(text, deltas[exchange]!);
    });
  return new Map(
    exchanges.map((name, exchange) => {
      const { rows, weights, lates } = deltas[exchange]!;
      const anyLate = lates!.some((late) => late !== -Infinity);
      return [name, anyLate ? deltas[exchange]! : new Delta(rows, weights)];
    }),
  );
}

/** What a sender says that has no rows of an exchange. */
export const NO_ROWS = '[]';

/** Entries one read of a sender asks for, at first and at the most: how much each holds is not known before. */
const ENTRIES_MIN = 10;
const ENTRIES_MAX = 500;
/** Of all senders together. */
const ENTRIES_OF_ALL_MAX = 8_000;

/**
 * Of the bytes that a read may have so many: a few ticks. What comes while they are made waits for them, also of senders that have
 * sent nothing else.
 */
const READ_SHARE = 1 / 2;

/** A tick may send thousands of rows: as many entries are asked for as fit, and twice as many as before at the most. */
export class EntriesAsked {
  max: number;

  constructor(
    readonly readBytesMax: number,
    readonly senders: number,
    /** Of each sender no more than these. */
    readonly entriesMax = ENTRIES_MAX,
  ) {
    this.max = Math.min(ENTRIES_MIN, entriesMax);
  }

  saw(answers: readonly Received[]): void {
    let bytes = 0;
    let count = 0;
    for (const { entries } of answers)
      for (const [, fields] of entries) {
        bytes += fields[1]!.length;
        count++;
      }
    if (count === 0) return;
    const { senders } = this;
    const fitting = (this.readBytesMax * READ_SHARE) / senders / Math.max(1, bytes / count);
    const most = Math.min(this.entriesMax, ENTRIES_OF_ALL_MAX / senders, fitting, this.max * 2);
    this.max = Math.max(1, Math.floor(most));
  }
}
