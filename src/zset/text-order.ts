/**
 * Order of texts by their UTF-8 bytes, as Redis orders members.
 *
 * JavaScript compares UTF-16 units, which differs where a surrogate pair (U+10000 and above) meets a unit of
 * U+E000–U+FFFF: by bytes the pair is the greater.
 */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

/**
 * A text of `value` whose UTF-8 order is the order of values (`compareValues`), and of which none is the
 * beginning of another, so that several can follow one another.
 *
 *   false '1'    true '2'    number '3' and 16 hex digits    string '4' … NUL    array, object '5' JSON NUL    null '9'
 *
 * A NUL or U+0001 inside a string becomes U+0001 and a digit.
 */
export function orderText(value: unknown): string {
  if (value === null) return '9';
  switch (typeof value) {
    case 'boolean':
      return value ? '2' : '1';
    case 'number':
      return '3' + orderedHex(value);
    case 'string':
      return '4' + escapeText(value) + '\0';
    default:
      return '5' + escapeText(JSON.stringify(value)) + '\0';
  }
}

/** `text` without NUL, in an order-preserving way. */
export function escapeText(text: string): string {
  return /[\0\u0001]/.test(text)
    ? text.replace(/[\0\u0001]/g, (unit) => (unit === '\0' ? '\u00010' : '\u00011'))
    : text;
}

/** The inverse of `escapeText`. */
export function unescapeText(text: string): string {
  return text.includes('\u0001')
    ? text.replace(/\u0001([01])/g, (_, digit) => (digit === '0' ? '\0' : '\u0001'))
    : text;
}

/**
 * The same text turned round, for descending columns inside an ascending text: every character of the
 * alphabet of `orderText` cannot be complemented in UTF-8, so the bytes are written as hex digits and those
 * are complemented; the end is marked by a character above all digits.
 */
export function descendingText(text: string): string {
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) out += (255 - byte).toString(16).padStart(2, '0');
  return out + '~';
}

const scratch = new DataView(new ArrayBuffer(8));

/** 16 hex digits of a double whose text order is the numbers' order. */
function orderedHex(number: number): string {
  scratch.setFloat64(0, number);
  let high = scratch.getUint32(0);
  let low = scratch.getUint32(4);
  if (high & 0x80000000) {
    high = ~high >>> 0;
    low = ~low >>> 0;
  } else high = (high | 0x80000000) >>> 0;
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
