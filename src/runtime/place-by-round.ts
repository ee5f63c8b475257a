import { decodeEntry, type ExchangeEntry, lastSent, NOTHING_SENT } from './exchange-entry.js';
import type { Heard } from './followed.js';
import type { CommitId, Received, TaskStore } from './ports/task-store.js';
import { isNamed } from './rounds.js';
import { type Asked, type Following, lostBy, withEntry } from './received.js';

/**
 * A receiver that stands at a round finds its place by it in what a sender says now:
 *
 *     it had sent      [5]─[8]─[8]─[9]           by the round of each entry
 *     it sends now     [5]──[8]────[9]──[12]─▶   after its slot went back, cut otherwise
 *                                ▲
 *                  a receiver that stands at 8, of whatever entry it knows
 *
 * What a task sends in a round is, added up, the same each time that it is made. So who stands at a round has what lies before,
 * and wants what lies behind.
 */
export interface PlaceByRound {
  /** What is heard of the sender, as if it had always said what it says now. */
  readonly heard: Heard;
  readonly following: Following;
  readonly answer: Received;
}

/**
 * Reads all that there is of a sender, and holds of what lies behind the round no more than one read does.
 *
 * @throws LogLost where what lies between the round and what there is was trimmed
 */
export async function placeByRound(
  store: TaskStore,
  asked: Asked & { readonly heard: Heard },
  round: number,
): Promise<PlaceByRound> {
  const { sender, receiver, heard, countMax } = asked;
  for (let passage = new Passage(asked, round); ;) {
    const after = passage.last.tick;
    const [answer] = (await store.receive([{ sender, receiver, after, countMax }])) as [Received];
    const head = answer.record === null ? NOTHING_SENT : lastSent(answer.record, receiver);
    const page = answer.entries.map(decodeEntry);
    const isTrimmed = page.length > 0 && page[0]!.previous !== passage.last.commit;
    // What was read so far was trimmed meanwhile, or is lost: all that counts is what is there, and whether it is enough is seen in the end.
    if (isTrimmed || head.tick < after) passage = new Passage(asked, round);
    if (head.tick < after) continue;
    const isThere =
      head.tick === 0 ||
      [passage.last, ...page].some(({ tick, commit }) => tick === head.tick && commit === head.commit);
    passage.take(page, head);
    if (page.length === countMax) continue;
    if (!isThere || !passage.isWhole) throw lostBy(sender, heard);
    const { before, behind, unread } = passage;
    const isAll = behind.length === passage.behindCount;
    return {
      heard: { ...heard, tick: before.tick, commit: before.commit, entries: head.entries - unread },
      following: { entries: behind, isAll, isKnown: isAll && passage.last.tick === head.tick },
      answer,
    };
  }
}

/** What was read of a sender, one page after the other. */
class Passage {
  last: Readonly<CommitId> = NOTHING_SENT;
  /** The last entry up to the round, and of those behind it the first ones, as many as one read may have. */
  before: Readonly<CommitId> = NOTHING_SENT;
  readonly behind: ExchangeEntry[] = [];
  behindCount = 0;
  /** Of those behind so many the sender knew of when the last page was read. */
  unread = 0;
  /** Each names the one before it. What is before the first that there is was trimmed, and must lie before the round. */
  isWhole = true;

  constructor(
    readonly asked: Asked & { readonly heard: Heard },
    readonly round: number,
  ) {}

  take(page: readonly ExchangeEntry[], head: Readonly<CommitId>): void {
    this.unread = this.behindCount;
    for (const entry of page) {
      const isFirst = this.last === NOTHING_SENT;
      if (this.behindCount > 0 || this.#isBehind(entry)) {
        if (this.behind.length < this.asked.countMax) this.behind.push(entry);
        this.behindCount++;
        if (entry.tick <= head.tick) this.unread++;
        this.isWhole &&= entry.previous === this.last.commit;
      } else {
        this.before = entry;
        this.isWhole &&= isFirst || entry.previous === this.last.commit;
      }
      this.last = entry;
    }
  }

  /** No number is named again that anybody has heard of: what has a higher one is behind. */
  #isBehind(entry: ExchangeEntry): boolean {
    const { sender, heard } = this.asked;
    return isNamed(sender, entry) ? entry.tick > heard.tick : entry.round > this.round;
  }
}

/** Passes over what was made again of rounds that are over, and follows what is had. What rounds name was not made again. */
export function passingOver(
  { sender, heard }: Asked & { readonly heard: Heard },
  { entries, ...rest }: Following,
  round: number,
): { heard: Heard; following: Following } {
  const over = entries.findIndex((entry) => entry.round > round || isNamed(sender, entry));
  const count = over < 0 ? entries.length : over;
  if (count === 0) return { heard, following: { entries, ...rest } };
  return {
    heard: entries.slice(0, count).reduce(withEntry, heard),
    following: { entries: entries.slice(count), ...rest },
  };
}
