import { compareText } from '../zset/text-order.js';
import { justAbove } from './known-group.js';
import type { Ordered } from './operator.js';
import type { GroupChanges, Member } from './ordered-rows.js';
import type { Span } from './spans.js';

/** Behind every member. */
export const END = '\u{10ffff}';

/**
 * A range of a group's members around some that a tick changes: on each side of each of them at least as many that it does not
 * change as were asked for, unless the group ends there.
 */
export interface Neighbourhood extends Span {
  /** The first of the changed members. */
  readonly start: string;
}

/**
 * The neighbourhoods of a group's changed members, in order; those that are near one another share one. Null while some of
 * it is not loaded: it is asked for then. What is read grows with the number of changes, not with the group.
 */
export function neighbourhoods(
  members: Ordered,
  group: string,
  changes: GroupChanges,
  count: number,
): readonly Neighbourhood[] | null {
  const { nets, sorted: changed } = changes;
  const found: Neighbourhood[] = [];
  let loaded = true;
  for (let at = 0; at < changed.length;) {
    const start = changed[at]![0];
    // None is changed below it that is nearer than `count` others.
    const below = members.wantFrom(group, start, 'down', count + 1, 0);
    const above = ascend(members, group, { changed, at, nets, count });
    if (!below || above === null) {
      loaded = false;
      at++;
      continue;
    }
    const least = members.from(group, start, 'down', count + 1);
    found.push({ start, from: least.length > count ? least.at(-1)![0] : '', to: above.to });
    at = above.next;
  }
  return loaded ? found : null;
}

/** Goes up from a changed member until `count` others have followed the last changed one. */
function ascend(
  members: Ordered,
  group: string,
  {
    changed,
    at,
    nets,
    count,
  }: { changed: readonly Member[]; at: number; nets: ReadonlyMap<string, number>; count: number },
): { to: string; next: number } | null {
  let next = at + 1;
  let passed = 0;
  // Where much is changed, few looks see past it.
  for (let from = changed[at]![0], size = count + 1; ; size *= 4) {
    if (!members.wantFrom(group, from, 'up', size, 0)) return null;
    const found = members.from(group, from, 'up', size);
    for (const [member] of found) {
      for (; next < changed.length && compareText(changed[next]![0], member) <= 0; next++) passed = 0;
      if (nets.has(member)) continue;
      if (++passed === count) return { to: justAbove(member), next };
    }
    if (found.length < size) return { to: END, next: changed.length };
    from = justAbove(found.at(-1)![0]);
  }
}

/** Where `count` members that are not changed lie beyond a span's end, or the group does. Null while that is not loaded. */
export function beyond(
  members: Ordered,
  group: string,
  { from, to }: Span,
  direction: 'up' | 'down',
  { count, nets }: { count: number; nets: ReadonlyMap<string, number> },
): string | null {
  const start = direction === 'up' ? to : from;
  for (let size = count + 1; ; size *= 4) {
    if (!members.wantFrom(group, start, direction, size, 0)) return null;
    const found = members.from(group, start, direction, size);
    const others = found.filter(
      ([member]) => !nets.has(member) && (direction === 'up' || compareText(member, from) < 0),
    );
    if (others.length >= count)
      return direction === 'up' ? justAbove(others[count - 1]![0]) : others[count - 1]![0];
    if (found.length < size) return direction === 'up' ? END : '';
  }
}

/** The members of a span as they are, and as the tick's changes in it make them. */
export function membersAround(
  members: Ordered,
  group: string,
  { from, to }: Span,
  nets: readonly Member[],
): { before: readonly Member[]; after: readonly Member[] } {
  const before: Member[] = [...members.between(group, from, to)];
  const weights = new Map(before);
  for (const [member, net] of nets) weights.set(member, (weights.get(member) ?? 0) + net);
  const after = [...weights].filter(([, weight]) => weight > 0);
  return { before, after: after.sort(([left], [right]) => compareText(left, right)) };
}
