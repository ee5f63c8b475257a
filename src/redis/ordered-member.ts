import { escapeText, unescapeText } from '../zset/text-order.js';

/**
 * How a member of an ordered state lies in its sorted set, where every score is 0 and Redis orders by bytes:
 *
 *   group NUL member              of weight 1
 *   group NUL member NUL weight   of any other weight
 *
 * Group and member are escaped, so that NUL only separates. Escaping keeps the order, and NUL comes before every
 * other byte: members keep their order whatever they hold, also where one is the beginning of another.
 */
export function encodeMember(beginning: string, member: string, weight: number): string {
  const text = beginning + escapeText(member);
  return weight === 1 ? text : `${text}\0${weight}`;
}

/** What all members of a group begin with: they mostly come one after the other. */
export const encodeGroup = (group: string): string => `${escapeText(group)}\0`;

export function decodeMember(text: string): [member: string, weight: number] {
  const start = text.indexOf('\0') + 1;
  const end = text.indexOf('\0', start);
  if (end === -1) return [unescapeText(text.slice(start)), 1];
  return [unescapeText(text.slice(start, end)), Number(text.slice(end + 1))];
}

/** The bounds of a group's members from `from` on up to but not including `to`, for `ZRANGEBYLEX`. */
export function rangeOf(group: string, from: string, to: string | null): [from: string, to: string] {
  const text = escapeText(group);
  return [`[${text}\0${escapeText(from)}`, to === null ? `(${text}\u0001` : `(${text}\0${escapeText(to)}`];
}

/** The bounds of one member, whatever its weight. */
export function memberRange(group: string, member: string): [from: string, to: string] {
  const text = `${escapeText(group)}\0${escapeText(member)}`;
  return [`[${text}`, `(${text}\u0001`];
}
