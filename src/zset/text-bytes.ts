import type { Value } from './value.js';

/** A unit of a text has so many bytes at most. */
const BYTES_OF_UNIT_MAX = 3;
/** Longer texts the engine writes more quickly than code that goes through them. */
const WRITTEN_HERE_MAX = 64;
const BYTES_MIN = 1 << 14;
/** What has become larger is not kept for what comes next. */
const KEPT_MAX = 1 << 22;

const [SPACE, QUOTE, ZERO, BACKSLASH, TILDE] = [32, 34, 48, 92, 126];
const WORD_BYTES = 4;
/** Numbers below it are written here. */
const NUMBER_END = 1_000_000_000;

/** Characters of ASCII, encoded before they are written: four bytes at a time, of which the last may be too many. */
export class AsciiText {
  readonly words: Int32Array;

  constructor(readonly text: string) {
    const bytes = Buffer.alloc(Math.ceil(text.length / WORD_BYTES) * WORD_BYTES);
    bytes.write(text, 'latin1');
    this.words = Int32Array.from({ length: bytes.length / WORD_BYTES }, (_, word) =>
      bytes.readInt32LE(word * WORD_BYTES),
    );
  }
}

const POINT = new AsciiText('.');

/**
 * Texts written as UTF-8, one behind the other, in bytes that are used again. A row's text that is put together here leaves
 * nothing for the garbage collector, and can be hashed where it lies.
 */
export class TextBytes {
  #bytes = Buffer.allocUnsafeSlow(BYTES_MIN);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  /** As far as is known: every byte is a character. */
  #isAscii = true;
  /** The key that was written last, where it is its own JSON but for the quotes, and where it lies. */
  #key: string | null = null;
  #keyAt = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written, until more is. */
  get view(): DataView {
    return this.#view;
  }

  clear(): void {
    this.#length = 0;
    this.#isAscii = true;
    this.#key = null;
    if (this.#bytes.length > KEPT_MAX) this.#replace(BYTES_MIN);
  }

  /** Takes away what was written first. */
  dropFirst(length: number): void {
    this.#bytes.copyWithin(0, length, this.#length);
    this.#length -= length;
    this.#key = null;
  }

  /** What was written, from one byte up to another: where a text began, or ended. */
  text(from = 0, to = this.#length): string {
    return this.#bytes.toString(this.#isAscii ? 'latin1' : 'utf8', from, to);
  }

  write(text: string): void {
    this.#makeRoom(text.length * BYTES_OF_UNIT_MAX);
    const written = this.#bytes.write(text, this.#length, 'utf8');
    if (written !== text.length) this.#isAscii = false;
    this.#length += written;
  }

  /** The same of the key of a row, which mostly is a column of it too: it is copied when it comes again. */
  writeKey(text: string): void {
    const from = this.#length;
    this.write(text);
    this.#keyAt = from;
    this.#key = this.#length - from === text.length && this.#isOwnJson(from) ? text : null;
  }

  writeAscii({ words, text }: AsciiText): void {
    this.#makeRoom(words.length * WORD_BYTES);
    const view = this.#view;
    const from = this.#length;
    for (let word = 0; word < words.length; word++)
      view.setInt32(from + word * WORD_BYTES, words[word]!, true);
    this.#length = from + text.length;
  }

  /** Puts characters of ASCII in the place of as many others. */
  overwrite(at: number, characters: string): void {
    this.#bytes.write(characters, at, 'latin1');
  }

  /** The JSON of a value. */
  writeJson(value: Value): void {
    this.write(JSON.stringify(value));
  }

  /** The same, quicker for strings that are their own JSON but for the quotes, as keys and names mostly are. */
  writeString(value: Value): void {
    if (typeof value !== 'string' || value.length > WRITTEN_HERE_MAX) return this.writeJson(value);
    const { length } = value;
    this.#makeRoom(length + 2);
    const bytes = this.#bytes;
    const from = this.#length + 1;
    if (value === this.#key) bytes.copyWithin(from, this.#keyAt, this.#keyAt + length);
    else if (!this.#writePlain(value, from)) return this.writeJson(value);
    bytes[from - 1] = QUOTE;
    bytes[from + length] = QUOTE;
    this.#length = from + length + 1;
  }

  /** Whether the text is its own JSON but for the quotes. If so it is there. */
  #writePlain(text: string, from: number): boolean {
    const bytes = this.#bytes;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (!isPlain(unit)) return false;
      bytes[from + index] = unit;
    }
    return true;
  }

  #isOwnJson(from: number): boolean {
    for (let at = from; at < this.#length; at++) if (!isPlain(this.#bytes[at]!)) return false;
    return true;
  }

  /** The same of numbers, booleans and null, quicker for numbers of no more than three digits behind the point. */
  writeNumber(value: Value): void {
    if (typeof value !== 'number' || !(value >= 0 && value < NUMBER_END)) return this.write(String(value));
    const whole = value | 0;
    if (whole === value) return this.writeDigits(whole, digitsOf(whole));
    // Numbers of so few digits are all different: that this is one of them is all that JSON says of it.
    const thousandths = Math.round(value * 1_000);
    if (thousandths / 1_000 !== value) return this.write(String(value));
    this.writeDigits(whole, digitsOf(whole));
    this.writeAscii(POINT);
    const behind = thousandths - whole * 1_000;
    if (behind % 100 === 0) this.writeDigits(behind / 100, 1);
    else if (behind % 10 === 0) this.writeDigits(behind / 10, 2);
    else this.writeDigits(behind, 3);
  }

  /** So many digits of a whole number, zeros before it. */
  writeDigits(value: number, digits: number): void {
    this.#makeRoom(digits);
    const bytes = this.#bytes;
    const from = this.#length;
    let left = value;
    for (let at = from + digits - 1; at >= from; at--) {
      const tens = (left / 10) | 0;
      bytes[at] = ZERO + left - tens * 10;
      left = tens;
    }
    this.#length = from + digits;
  }

  #makeRoom(more: number): void {
    if (this.#length + more > this.#bytes.length) this.#grow(this.#length + more);
  }

  #grow(least: number): void {
    const before = this.#bytes;
    this.#replace(Math.max(least, before.length * 2));
    before.copy(this.#bytes, 0, 0, this.#length);
  }

  #replace(length: number): void {
    this.#bytes = Buffer.allocUnsafeSlow(length);
    this.#view = new DataView(this.#bytes.buffer);
  }
}

function digitsOf(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1_000 ? 3 : 4;
  if (value < 1_000_000) return value < 100_000 ? 5 : 6;
  return value < 10_000_000 ? 7 : value < 100_000_000 ? 8 : 9;
}

const isPlain = (unit: number): boolean =>
  unit >= SPACE && unit <= TILDE && unit !== QUOTE && unit !== BACKSLASH;
