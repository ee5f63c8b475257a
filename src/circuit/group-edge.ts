import { compareText } from '../zset/text-order.js';
import type { Ordered } from './operator.js';
import type { GroupChanges } from './ordered-rows.js';

/** A group's first member, or its last, before a tick's changes and after them; null where it has none. */
export interface GroupEdge {
  readonly before: string | null;
  readonly after: string | null;
}

/** Null while it is not loaded: it is asked for then. What is read grows with what goes, not with the group. */
export function groupEdge(
  rows: Ordered,
  group: string,
  edge: 'first' | 'last',
  changes: GroupChanges,
): GroupEdge | null {
  const end = edge === 'first' ? 'least' : 'greatest';
  const count = changes.retracted + 1;
  if (!rows.wantEnd(group, end, count, 0)) return null;
  const members = rows.end(group, end, count);
  const stays = members.find(([member, weight]) => weight + (changes.nets.get(member) ?? 0) > 0);
  const comes = (edge === 'first' ? changes.sorted : [...changes.sorted].reverse()).find(
    ([, net]) => net > 0,
  );
  const before = members[0]?.[0] ?? null;
  if (stays === undefined || comes === undefined) return { before, after: (stays ?? comes)?.[0] ?? null };
  const isNearer = compareText(comes[0], stays[0]) < 0 === (edge === 'first');
  return { before, after: isNearer ? comes[0] : stays[0] };
}
