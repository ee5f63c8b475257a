/** What JSON may have that holds nothing else. */
export type Scalar = string | number | boolean | null;

/** Bytes of the longest text that is read here, with the place after its end. */
const BYTES = 1 << 14;
/** As many bytes has a unit of a text at most. */
const BYTES_OF_UNIT_MAX = 3;
/** V8 copies a part of a text that is shorter; a longer one keeps the whole in memory. */
const COPIED_BELOW = 13;
export const isShort = ({ length }: { readonly length: number }): boolean => length < COPIED_BELOW;
/** Up to this length a text may be kept in memory for the sake of a part of it. */
const SHARED_MAX = 1_000;
/** Of as many digits every number is exact, and its quotient by a power of ten is rounded once. */
const DIGITS_MAX = 15;
const POWERS_OF_TEN = Array.from({ length: DIGITS_MAX + 1 }, (_, power) => 10 ** power);

const ENDS = 0;
const SPACE = 32;
const QUOTE = 34;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const BACKSLASH = 92;
const [F, N, T] = [102, 110, 116];

/**
 * Reads scalars of JSON out of the UTF-8 bytes of a text. What it says is what `JSON.parse` says; of what is not plain, as
 * a text with escapes or a number of many digits, it says nothing, be it right or wrong.
 *
 * `JSON.parse` goes through V8's table of all texts there are for each short one that it finds. Here a text is found by its
 * closing quote.
 */
export class ScalarReader {
  /** The text at hand, and after it a byte that no JSON has. */
  readonly bytes: Buffer = Buffer.alloc(BYTES);
  /** How many bytes the text has. */
  length = 0;
  /** Where the next value begins; after one was read, where it ends. */
  at = 0;
  #text = '';
  #isAscii = true;

  /** Takes a text to read, which is not itself a part of a longer one, or says that it is not for here. */
  take(text: string): boolean {
    if (text.length * BYTES_OF_UNIT_MAX >= BYTES) return false;
    this.length = this.bytes.write(text);
    this.bytes[this.length] = ENDS;
    this.#isAscii = this.length === text.length;
    this.#text = text;
    // What is half a character has no bytes of its own.
    return this.#isAscii || text.isWellFormed();
  }

  /** Keeps the text no longer, nor what it is a part of. */
  letGo(): void {
    this.#text = '';
  }

  /** The value that begins at `at`, or undefined for one that is not plain. */
  read(): Scalar | undefined {
    switch (this.bytes[this.at]) {
      case QUOTE:
        return this.#readText();
      case T:
        return this.#is('true') ? true : undefined;
      case F:
        return this.#is('false') ? false : undefined;
      case N:
        return this.#is('null') ? null : undefined;
      case MINUS: {
        this.at++;
        const number = this.#readNumber();
        return number === undefined ? undefined : -number;
      }
    }
    return this.#readNumber();
  }

  #readText(): string | undefined {
    const { bytes } = this;
    const from = this.at + 1;
    let to = from;
    for (let byte; (byte = bytes[to]!) !== QUOTE; to++)
      if (byte < SPACE || byte === BACKSLASH) return undefined;
    this.at = to + 1;
    if (!this.#isAscii) return bytes.toString('utf8', from, to);
    if (to - from < COPIED_BELOW || this.length <= SHARED_MAX) return this.#text.slice(from, to);
    return bytes.toString('latin1', from, to);
  }

  #readNumber(): number | undefined {
    const { bytes } = this;
    const from = this.at;
    let at = from;
    let value = 0;
    for (let digit; (digit = bytes[at]! - ZERO) >= 0 && digit <= 9; at++) value = value * 10 + digit;
    const whole = at - from;
    if (whole === 0 || (whole > 1 && bytes[from] === ZERO)) return undefined;
    if (bytes[at] !== DOT) {
      if (whole > DIGITS_MAX) return undefined;
      this.at = at;
      return value;
    }
    const dot = at++;
    for (let digit; (digit = bytes[at]! - ZERO) >= 0 && digit <= 9; at++) value = value * 10 + digit;
    const fraction = at - dot - 1;
    if (fraction === 0 || whole + fraction > DIGITS_MAX) return undefined;
    this.at = at;
    return value / POWERS_OF_TEN[fraction]!;
  }

  #is(word: string): boolean {
    const { bytes, at } = this;
    for (let index = 1; index < word.length; index++)
      if (bytes[at + index] !== word.charCodeAt(index)) return false;
    this.at = at + word.length;
    return true;
  }
}
