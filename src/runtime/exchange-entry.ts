import type { PartitionClocks } from './clocks.js';
import type { CommitFacts, Place } from './followed.js';
import type { Frontier } from './frontier.js';
import type { RawEntry } from './ports/source-log.js';
import type { CommitId, TaskRecord } from './ports/task-store.js';

/** What one commit of a task sent to one receiver. */
export interface ExchangeEntry extends CommitFacts, Place, CommitId {
  /** The first round that is not before this commit; 0 where rounds name it (`rounds.ts`). */
  readonly round: number;
  /** The nonce of the commit that sent the entry before; empty where this is the first. */
  readonly previous: string;
  /** Of each exchange the rows, as `ExchangeOutput` writes them. */
  readonly rows: readonly string[];
}

/**
 * In lines, for JSON texts hold no line feed:
 *
 *     the nonce of the commit that sent the entry before, its own, the round, and what it has read of views where it reads any
 *     frontier
 *     clocks
 *     `more`, or nothing
 *     the rows of each exchange
 *
 * The entry it becomes has the id `<tick>-0` and the text in its field `c`.
 */
export const encodeEntry = ({
  previous,
  commit,
  round,
  frontier,
  clocks,
  more,
  read,
  rows,
}: Omit<ExchangeEntry, 'tick'>): string =>
  [
    `${previous} ${commit} ${round}${read ? ` ${JSON.stringify(read)}` : ''}`,
    JSON.stringify(frontier),
    JSON.stringify(clocks),
    more ? MORE : '',
    ...rows,
  ].join('\n');

/** The inverse, from the entry as it lies in the stream. */
export function decodeEntry([id, fields]: RawEntry): ExchangeEntry {
  const [commits, frontier, clocks, more, ...rows] = fields[1]!.split('\n');
  const [previous, commit, round, ...read] = commits!.split(' ');
  return {
    tick: Number(id.slice(0, id.indexOf('-'))),
    commit: commit!,
    previous: previous!,
    round: Number(round),
    frontier: JSON.parse(frontier!) as Frontier,
    clocks: JSON.parse(clocks!) as PartitionClocks,
    more: more === MORE,
    ...(read.length > 0 && { read: JSON.parse(read.join(' ')) as NonNullable<Place['read']> }),
    rows,
  };
}

const MORE = 'more';

/** The last commit of a task that sent something to a receiver, and how many did; kept in the sender's record. */
export interface LastSent extends Readonly<CommitId> {
  readonly entries: number;
}

export const NOTHING_SENT: LastSent = { tick: 0, commit: '', entries: 0 };

/** The name under which a sender's record says what it has sent. No input has it: theirs say what they are of. */
const SENT = 'sent';

export const lastSent = ({ extra }: Pick<TaskRecord, 'extra'>, receiver: number): LastSent =>
  (extra[SENT] as Record<number, LastSent> | undefined)?.[receiver] ?? NOTHING_SENT;

/** `extra` of the record of a commit that sends something to these receivers. */
export function withSent(
  record: Pick<TaskRecord, 'extra' | 'tick' | 'commit'>,
  receivers: readonly number[],
): TaskRecord['extra'] {
  const { tick, commit, extra } = record;
  return withLastSent(
    extra,
    new Map(
      receivers.map((receiver) => [
        receiver,
        { tick, commit, entries: lastSent(record, receiver).entries + 1 },
      ]),
    ),
  );
}

export const withLastSent = (
  extra: TaskRecord['extra'],
  sent: ReadonlyMap<number, LastSent>,
): TaskRecord['extra'] => ({
  ...extra,
  [SENT]: { ...(extra[SENT] as Record<number, LastSent> | undefined), ...Object.fromEntries(sent) },
});
