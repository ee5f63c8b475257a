import { decodeEntry, type ExchangeEntry, lastSent, NOTHING_SENT } from './exchange-entry.js';
import type { Heard } from './followed.js';
import type { Received, TaskStore } from './ports/task-store.js';
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

/** @throws LogLost where what lies between the round and what there is was trimmed */
export async function placeByRound(
  store: TaskStore,
  { sender, receiver, heard, countMax }: Asked & { readonly heard: Heard },
  round: number,
): Promise<PlaceByRound> {
  const entries: ExchangeEntry[] = [];
  for (;;) {
    const after = entries.at(-1)?.tick ?? 0;
    const [answer] = await store.receive([{ sender, receiver, after, countMax }]);
    const page = answer!.entries.map(decodeEntry);
    // What was read so far was trimmed meanwhile, and more: all that counts is what is there, and whether it is enough is seen in the end.
    if (page.length > 0 && page[0]!.previous !== (entries.at(-1)?.commit ?? '')) entries.length = 0;
    entries.push(...page);
    if (answer!.entries.length < countMax) return placeIn(entries, answer!);
  }

  function placeIn(entries: readonly ExchangeEntry[], answer: Received): PlaceByRound {
    const head = answer.record === null ? NOTHING_SENT : lastSent(answer.record, receiver);
    const follow = entries.every(
      ({ previous }, index) => index === 0 || previous === entries[index - 1]!.commit,
    );
    const isThere =
      head.tick === 0 || entries.some(({ tick, commit }) => tick === head.tick && commit === head.commit);
    // No number is named again that anybody has heard of: what has a higher one is behind.
    const first = entries.findIndex((entry) =>
      isNamed(sender, entry) ? entry.tick > heard.tick : entry.round > round,
    );
    const behind = first < 0 ? [] : entries.slice(first);
    const before = entries.at(-behind.length - 1) ?? NOTHING_SENT;
    const isFirst = behind.length === 0 || behind[0]!.previous === before.commit;
    if (!follow || !isThere || !isFirst) throw lostBy(sender, heard);
    const unread = behind.filter(({ tick }) => tick <= head.tick).length;
    return {
      heard: { ...heard, tick: before.tick, commit: before.commit, entries: head.entries - unread },
      following: { entries: behind, isAll: true, isKnown: entries.at(-1)?.tick === head.tick },
      answer,
    };
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
