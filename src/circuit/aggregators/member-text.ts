import { descendingText, orderText, unescapeText } from '../../zset/text-order.js';
import type { Value } from '../../zset/value.js';

/**
 * Members of ordered state, which carry all that is to be known of them: the text that orders them, and after it,
 * where that is not the value itself, the value's JSON.
 */
export const memberOfValue = (value: Value): string => orderText(value);

export const memberBy = (by: Value, value: Value): string => orderText(by) + JSON.stringify(value);

/** Greatest `by` first; equal ones still by the least text of the value. */
export const memberByDescending = (by: Value, value: Value): string =>
  descendingText(orderText(by)) + JSON.stringify(value);

/** Equal `by` in the order of the values. */
export const memberInOrder = (by: Value, value: Value): string => orderText(by) + orderText(value);

/** The value of `memberInOrder`. */
export const valueInOrder = (member: string): Value => valueOfMember(member.slice(orderEnd(member)));

/** The inverse of `memberOfValue`. */
export function valueOfMember(member: string): Value {
  switch (member[0]) {
    case '1':
      return false;
    case '2':
      return true;
    case '3':
      return numberOfHex(member);
    case '4':
      return unescapeText(member.slice(1, -1));
    case '5':
      return JSON.parse(unescapeText(member.slice(1, -1))) as Value;
    default:
      return null;
  }
}

/** The value behind the order text of `memberBy`. */
export const valueBehindOrder = (member: string): Value =>
  JSON.parse(member.slice(orderEnd(member))) as Value;

/** Where an order text ends that something follows: numbers have a fixed width, texts end in NUL. */
function orderEnd(member: string): number {
  const kind = member[0];
  if (kind === '3') return 17;
  return kind === '4' || kind === '5' ? member.indexOf('\0') + 1 : 1;
}

/** The value behind the order text of `memberByDescending`, which ends in a tilde and holds none. */
export const valueBehindDescending = (member: string): Value =>
  JSON.parse(member.slice(member.indexOf('~') + 1)) as Value;

const scratch = new DataView(new ArrayBuffer(8));

function numberOfHex(member: string): number {
  const high = parseInt(member.slice(1, 9), 16);
  const low = parseInt(member.slice(9, 17), 16);
  if (high & 0x80000000) {
    scratch.setUint32(0, high ^ 0x80000000);
    scratch.setUint32(4, low);
  } else {
    scratch.setUint32(0, ~high);
    scratch.setUint32(4, ~low);
  }
  return scratch.getFloat64(0);
}
