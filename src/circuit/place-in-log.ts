/**
 * A row's place in the log of its stream, as an order text (`Delta.orders`): the event's time, an instant of 24
 * characters, and then the position, which alone is the order of the log: entry id and index in the entry, padded.
 *
 *   2001-01-01T05:00:00.000Z00978325200000-000000000003.000000
 */
const INSTANT_LENGTH = 24;

/** The position in an order text: as texts they are in the order of the log. */
export const positionIn = (order: string): string => order.slice(INSTANT_LENGTH);

/** The id of the entry, as Redis writes it: `978325200000-3`. */
export function entryOf(order: string): string {
  const [milliseconds, rest] = positionIn(order).split('-') as [string, string];
  return `${Number(milliseconds)}-${Number(rest.slice(0, rest.indexOf('.')))}`;
}
