import type { PartitionClocks } from './clocks.js';
import type { Frontier } from './frontier.js';
import type { RawEntry } from './ports/source-log.js';
import type { TaskRecord } from './ports/task-store.js';

/** What one tick of a task sent to one receiver. */
export interface ExchangeEntry {
  readonly tick: number;
  /** The nonce of the commit that sent it, and of the one that sent the entry before: a slot that went back sends another. */
  readonly nonce: string;
  readonly after: string;
  /** What the sender contained after the tick, and the clocks that its rows are of. */
  readonly frontier: Frontier;
  readonly clocks: PartitionClocks;
  /** Of each exchange the rows, as `ExchangeOutput` writes them. */
  readonly rows: readonly string[];
}

/** `nonce LF nonce before LF frontier LF clocks LF rows of each exchange`: JSON texts hold no line feed, nor do nonces. */
export const encodeEntry = ({ nonce, after, frontier, clocks, rows }: Omit<ExchangeEntry, 'tick'>): string =>
  [nonce, after, JSON.stringify(frontier), JSON.stringify(clocks), ...rows].join('\n');

export function decodeEntry([id, fields]: RawEntry): ExchangeEntry {
  const [nonce, after, frontier, clocks, ...rows] = fields[1]!.split('\n');
  return {
    tick: Number(id.slice(0, id.indexOf('-'))),
    nonce: nonce!,
    after: after!,
    frontier: JSON.parse(frontier!) as Frontier,
    clocks: JSON.parse(clocks!) as PartitionClocks,
    rows,
  };
}

/** The last entry that a task has sent to a receiver, and how many they are; kept in the sender's record. */
export interface LastSent {
  readonly tick: number;
  readonly nonce: string;
  readonly entries: number;
}

export const NOTHING_SENT: LastSent = { tick: 0, nonce: '', entries: 0 };

/** The name under which a sender's record says what it has sent. No input has it: theirs say what they are of. */
const SENT = 'sent';

export const lastSent = ({ extra }: Pick<TaskRecord, 'extra'>, receiver: number): LastSent =>
  (extra[SENT] as Record<number, LastSent> | undefined)?.[receiver] ?? NOTHING_SENT;

/** `extra` of a record after a tick that sent something to these receivers. */
export function withSent(
  { extra }: Pick<TaskRecord, 'extra'>,
  receivers: Iterable<number>,
  { tick, nonce }: { readonly tick: number; readonly nonce: string },
): TaskRecord['extra'] {
  const sent = { ...(extra[SENT] as Record<number, LastSent> | undefined) };
  for (const receiver of receivers)
    sent[receiver] = { tick, nonce, entries: (sent[receiver]?.entries ?? 0) + 1 };
  return { ...extra, [SENT]: sent };
}
