import type { Value } from './value.js';

/** A unit of a text has so many bytes at most. */
const BYTES_OF_UNIT_MAX = 3;
/** Longer texts the engine writes more quickly than code that goes through them. */
const WRITTEN_HERE_MAX = 64;
const BYTES_MIN = 1 << 14;
/** What has become larger is not kept for what comes next. */
const KEPT_MAX = 1 << 22;

const [SPACE, QUOTE, ZERO, BACKSLASH, TILDE] = [32, 34, 48, 92, 126];
const POINT = Buffer.from('.');
/** Numbers below it are written here. */
const NUMBER_END = 1_000_000_000;

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
    if (this.#bytes.length > KEPT_MAX) this.#replace(BYTES_MIN);
  }

  /** Takes away what was written first. */
  dropFirst(length: number): void {
    this.#bytes.copyWithin(0, length, this.#length);
    this.#length -= length;
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

  /** Characters of ASCII that were encoded before. */
  writeAscii(characters: Uint8Array): void {
    const { length } = characters;
    this.#makeRoom(length);
    const bytes = this.#bytes;
    const from = this.#length;
    for (let index = 0; index < length; index++) bytes[from + index] = characters[index]!;
    this.#length = from + length;
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
    for (let index = 0; index < length; index++) {
      const unit = value.charCodeAt(index);
      if (unit < SPACE || unit > TILDE || unit === QUOTE || unit === BACKSLASH) return this.writeJson(value);
      bytes[from + index] = unit;
    }
    bytes[from - 1] = QUOTE;
    bytes[from + length] = QUOTE;
    this.#length = from + length + 1;
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
