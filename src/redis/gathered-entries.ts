import { isAscii } from 'node:buffer';
import type { RawEntry } from '../runtime/ports/source-log.js';
import { ARRAY, BULK, RETURN, ZERO } from './protocol-bytes.js';

/** Why a reply cannot be gathered, in place of a number of bytes. */
export const [MALFORMED, TOO_LARGE] = [-1, -2];
const CUT = -3;
/** Places are numbers of 32 bits. */
const REPLY_BYTES_MAX = 2 ** 31 - 1;
/** What has become greater than this is not kept for the next reply. */
const KEPT_BYTES_MAX = 1 << 24;
const KEPT_PLACES_MAX = 1 << 20;

/** Where replies are gathered, one after the other; taken while one is. */
let idle: { bytes: Buffer; places: Int32Array } | null = null;

/** The reply to XRANGE, as far as it has come: `*N  *2 $id *M $field $value …  *2 …`. */
export class GatheredEntries {
  #bytes: Buffer;
  #filled = 0;
  /** All before it was gone through. */
  #at = 0;
  /** How many entries there are, and are still to come; −1 while that is not known. */
  #count = -1;
  #left = -1;
  /** Of each entry: where its id begins and ends, how many texts it has, and where each of these begins and ends. */
  #places: Int32Array;
  #known = 0;

  constructor() {
    ({ bytes: this.#bytes, places: this.#places } = idle ?? {
      bytes: Buffer.allocUnsafeSlow(1 << 18),
      places: new Int32Array(1 << 12),
    });
    idle = null;
  }

  get isWhole(): boolean {
    return this.#left === 0;
  }

  /** How many of the bytes, at their end, belong to what follows; `MALFORMED` where this is no reply to XRANGE, or `TOO_LARGE`. */
  gather(bytes: Buffer): number {
    const filled = this.#filled + bytes.length;
    if (filled > REPLY_BYTES_MAX) return TOO_LARGE;
    if (filled > this.#bytes.length) this.#grow(filled);
    bytes.copy(this.#bytes, this.#filled);
    this.#filled = filled;
    if (this.#left === -1) {
      const count = this.#number(ARRAY);
      if (count < 0) return count === CUT ? 0 : MALFORMED;
      this.#left = this.#count = count;
    }
    while (this.#left > 0) {
      const before = this.#at;
      const known = this.#known;
      const found = this.#entry();
      if (found === MALFORMED) return MALFORMED;
      if (found === CUT) {
        this.#at = before;
        this.#known = known;
        return 0;
      }
      this.#left--;
    }
    return this.#filled - this.#at;
  }

  /** The entries, once it is whole. */
  take(): RawEntry[] {
    const bytes = this.#bytes;
    const places = this.#places;
    // Each text is made for itself: what is kept of one keeps no more than that in memory.
    const encoding = isAscii(bytes.subarray(0, this.#at)) ? 'latin1' : 'utf8';
    const entries: RawEntry[] = new Array(this.#count);
    for (let entry = 0, place = 0; entry < entries.length; entry++) {
      const id = bytes.toString('latin1', places[place++], places[place++]);
      const count = places[place++]!;
      if (count === 2 && isData(bytes, places[place]!, places[place + 1]!)) {
        entries[entry] = [id, ['data', bytes.toString(encoding, places[place + 2], places[place + 3])]];
        place += 4;
      } else {
        const fields: string[] = [];
        for (let index = 0; index < count; index++)
          fields.push(bytes.toString(encoding, places[place++], places[place++]));
        entries[entry] = [id, fields];
      }
    }
    if (bytes.length <= KEPT_BYTES_MAX && places.length <= KEPT_PLACES_MAX) idle = { bytes, places };
    return entries;
  }

  #entry(): number {
    const pair = this.#number(ARRAY);
    if (pair !== 2) return pair === CUT ? CUT : MALFORMED;
    const id = this.#text();
    if (id < 0) return id;
    const countAt = this.#note(0);
    const count = this.#number(ARRAY);
    if (count < 0) return count;
    this.#places[countAt] = count;
    for (let index = 0; index < count; index++) {
      const text = this.#text();
      if (text < 0) return text;
    }
    return 0;
  }

  #text(): number {
    const length = this.#number(BULK);
    if (length < 0) return length;
    const from = this.#at;
    const to = from + length;
    if (to + 2 > this.#filled) return CUT;
    this.#note(from);
    this.#note(to);
    this.#at = to + 2;
    return 0;
  }

  #note(place: number): number {
    if (this.#known === this.#places.length) {
      const before = this.#places;
      this.#places = new Int32Array(before.length * 2);
      this.#places.set(before);
    }
    this.#places[this.#known] = place;
    return this.#known++;
  }

  /** The number of a line of this kind; `CUT` where not all of it has come. */
  #number(kind: number): number {
    const bytes = this.#bytes;
    const filled = this.#filled;
    let at = this.#at;
    if (at >= filled) return CUT;
    if (bytes[at++] !== kind) return MALFORMED;
    let number = 0;
    for (; at < filled; at++) {
      const byte = bytes[at]!;
      if (byte === RETURN) {
        if (at + 1 >= filled) return CUT;
        this.#at = at + 2;
        return number;
      }
      if (byte < ZERO || byte > ZERO + 9) return MALFORMED;
      number = number * 10 + byte - ZERO;
    }
    return CUT;
  }

  #grow(least: number): void {
    const before = this.#bytes;
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(least, Math.min(before.length * 2, REPLY_BYTES_MAX)));
    before.copy(this.#bytes, 0, 0, this.#filled);
  }
}

/** The name of the one field that most entries have. */
const isData = (bytes: Buffer, from: number, to: number): boolean =>
  to - from === 4 &&
  bytes[from] === 0x64 &&
  bytes[from + 1] === 0x61 &&
  bytes[from + 2] === 0x74 &&
  bytes[from + 3] === 0x61;
