/**
 * A row's place in the log of its stream, as an order text (`Delta.orders`): where the plan asks for it the event's time, an
 * instant of 24 characters, and then the position, which alone is the order of the log: entry id and index in the entry, padded.
 *
 *   2001-01-01T05:00:00.000Z00978325200000-000000000003.000000
 *                           00978325200000-000000000003.000000
 */
const INSTANT_LENGTH = 24;
/** What comes after a year; a position has a digit there. */
const AFTER_YEAR = 4;
const DASH = 0x2d;

/** What a plan needs of its rows' places in their log: the position alone, or the event's time before it. */
export type LogOrder = 'position' | 'time';

/** The position in an order text: as texts they are in the order of the log. */
export const positionIn = (order: string): string =>
  order.charCodeAt(AFTER_YEAR) === DASH ? order.slice(INSTANT_LENGTH) : order;

/** The id of the entry, as Redis writes it: `978325200000-3`. */
export function entryOf(order: string): string {
  const [milliseconds, rest] = positionIn(order).split('-') as [string, string];
  return `${Number(milliseconds)}-${Number(rest.slice(0, rest.indexOf('.')))}`;
}
