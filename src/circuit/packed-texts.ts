import { hash32 } from '../zset/checksum.js';

/** Bytes are taken in pieces of this size, the first of which grows to it; a record that would not fit well into one is kept as it is. */
const CHUNK_WORDS_LOG = 18;
const CHUNK_WORDS = 1 << CHUNK_WORDS_LOG;
const CHUNK_BYTES = CHUNK_WORDS * 4;
const FIRST_CHUNK_BYTES = 1 << 12;
const RECORD_BYTES_MAX = CHUNK_BYTES >> 3;
/** As many as 31 bits count the words of. */
const CHUNKS_MAX = 2 ** 31 / CHUNK_WORDS - 1;

/** Words before the bytes of a record: how many bytes it takes up in all, those of its key, those of its text. */
const HEADER_WORDS = 3;
const HEADER_BYTES = HEADER_WORDS * 4;
/** Beside a number of bytes: each of them is a character. */
const ASCII = 0x40000000;
const COUNT = ASCII - 1;
/** In place of the number of a text's bytes: nothing is stored under the key. */
const NOTHING = -1;

/** In place of where a record lies: the pair of the table is free, or was taken once. */
const FREE = 0;
const GONE = -1;
const PAIRS_MIN = 64;

/** What a processor takes out of memory at once, and of how many such lines a record mostly is. */
const LINE_WORDS = 16;
const TOUCHED_LINES = 3;
/** So many records, and what is made of them meanwhile, stay in the processor's caches until they are asked for. */
export const TOUCHED_MAX = 128;
const places = new Int32Array(TOUCHED_MAX);

/**
 * A map of texts that lies in a few long runs of bytes, outside of V8's heap; null says that nothing is stored under a key.
 *
 * Of a million entries of a map of objects none is in the processor's caches, so that each part of an entry (its place in the map, key, record,
 * text, accumulators) is waited for on its own, and the garbage collector goes through all of them. Here one look at the table and one at the
 * bytes find an entry.
 *
 *     table   hash place  hash place  …                         open addressing, the next pair where one is taken
 *     bytes   size, bytes of key, bytes of text, key, text …    each record in one piece
 *
 * A text that fits takes the place of the one before it. Sizes are rounded, so that places that were left fit others.
 */
export class PackedTexts {
  /** What records and long texts take up. */
  bytes = 0;
  #table = new Int32Array(2 * PAIRS_MIN);
  #mask = PAIRS_MIN - 1;
  /** Pairs that are taken, and those that are or were. */
  #size = 0;
  #used = 0;
  readonly #chunks: Chunk[] = [];
  /** Where in the last chunk bytes are free. */
  #end = CHUNK_BYTES;
  /** Made of what was read only to be read. */
  #touched = 0;
  /** Places that were left, by the size of the record that was there. */
  readonly #left = new Map<number, number[]>();
  /** What is too long; of these there cannot be many. */
  readonly #long = new Map<string, string | null>();

  get size(): number {
    return this.#size + this.#long.size;
  }

  has(key: string): boolean {
    return this.#find(key, hash32(key)) !== -1 || (this.#long.size > 0 && this.#long.has(key));
  }

  /** Undefined where nothing is known of the key. */
  get(key: string): string | null | undefined {
    const pair = this.#find(key, hash32(key));
    if (pair === -1) return this.#long.size === 0 ? undefined : this.#long.get(key);
    const place = this.#table[2 * pair + 1]!;
    const { bytes, words } = this.#chunkOf(place);
    const at = wordOf(place);
    const length = words[at + 2]!;
    if (length === NOTHING) return null;
    const from = at * 4 + HEADER_BYTES + (words[at + 1]! & COUNT);
    const to = from + (length & COUNT);
    return length & ASCII ? bytes.toString('latin1', from, to) : bytes.toString('utf8', from, to);
  }

  /**
   * Reads a little of the records of the next `TOUCHED_MAX` keys, in loops so short that a processor has many of them under way
   * at once: it then waits for memory once for all of these, where else it would for each on its own when that is asked for.
   */
  touch(keys: readonly string[], from: number): void {
    if (this.#size === 0) return;
    const table = this.#table;
    const mask = this.#mask;
    const count = Math.min(keys.length - from, TOUCHED_MAX);
    let touched = 0;
    for (let index = 0; index < count; index++) places[index] = 2 * (hash32(keys[from + index]!) & mask) + 1;
    for (let index = 0; index < count; index++) places[index] = table[places[index]!]!;
    for (let index = 0; index < count; index++) {
      const place = places[index]!;
      if (place <= FREE) continue;
      const { words } = this.#chunkOf(place);
      const at = wordOf(place);
      const last = Math.min(at + TOUCHED_LINES * LINE_WORDS, words.length);
      for (let word = at; word < last; word += LINE_WORDS) touched ^= words[word]!;
    }
    this.#touched = touched;
  }

  set(key: string, text: string | null): void {
    const hash = hash32(key);
    const textBytes = text === null ? 0 : Buffer.byteLength(text);
    const pair = this.#find(key, hash);
    if (pair !== -1) {
      const place = this.#table[2 * pair + 1]!;
      const { words } = this.#chunkOf(place);
      const at = wordOf(place);
      const keyBytes = words[at + 1]! & COUNT;
      if (HEADER_BYTES + keyBytes + textBytes <= words[at]!)
        return this.#write(place, keyBytes, text, textBytes);
      this.delete(key);
    }
    this.#deleteLong(key);
    const keyBytes = Buffer.byteLength(key);
    const size = rounded(HEADER_BYTES + keyBytes + textBytes);
    if (size > RECORD_BYTES_MAX || this.#chunks.length === CHUNKS_MAX) {
      this.#long.set(key, text);
      this.bytes += bytesOfLong(key, text);
      return;
    }
    const place = this.#left.get(size)?.pop() ?? this.#take(size);
    const { bytes, words } = this.#chunkOf(place);
    const at = wordOf(place);
    words[at] = size;
    words[at + 1] = keyBytes | (keyBytes === key.length ? ASCII : 0);
    bytes.write(key, at * 4 + HEADER_BYTES, 'utf8');
    this.#write(place, keyBytes, text, textBytes);
    this.#insert(hash, place);
  }

  delete(key: string): boolean {
    const pair = this.#find(key, hash32(key));
    if (pair === -1) return this.#deleteLong(key);
    const place = this.#table[2 * pair + 1]!;
    const size = this.#chunkOf(place).words[wordOf(place)]!;
    const left = this.#left.get(size);
    if (left === undefined) this.#left.set(size, [place]);
    else left.push(place);
    this.#table[2 * pair + 1] = GONE;
    this.#size--;
    return true;
  }

  clear(): void {
    this.#table = new Int32Array(2 * PAIRS_MIN);
    this.#mask = PAIRS_MIN - 1;
    this.bytes = this.#size = this.#used = this.#chunks.length = 0;
    this.#end = CHUNK_BYTES;
    this.#left.clear();
    this.#long.clear();
  }

  #deleteLong(key: string): boolean {
    const text = this.#long.size === 0 ? undefined : this.#long.get(key);
    if (text === undefined) return false;
    this.bytes -= bytesOfLong(key, text);
    return this.#long.delete(key);
  }

  #write(place: number, keyBytes: number, text: string | null, textBytes: number): void {
    const { bytes, words } = this.#chunkOf(place);
    const at = wordOf(place);
    if (text === null) {
      words[at + 2] = NOTHING;
      return;
    }
    const from = at * 4 + HEADER_BYTES + keyBytes;
    const isAscii = textBytes === text.length;
    words[at + 2] = textBytes | (isAscii ? ASCII : 0);
    bytes.write(text, from, isAscii ? 'latin1' : 'utf8');
  }

  /** The pair of a key, or −1. */
  #find(key: string, hash: number): number {
    const table = this.#table;
    const mask = this.#mask;
    for (let pair = hash & mask; ; pair = (pair + 1) & mask) {
      const place = table[2 * pair + 1]!;
      if (place === FREE) return -1;
      if (place !== GONE && table[2 * pair] === (hash | 0) && this.#isAt(place, key)) return pair;
    }
  }

  #isAt(place: number, key: string): boolean {
    const { bytes, words } = this.#chunkOf(place);
    const at = wordOf(place);
    const count = words[at + 1]!;
    const from = at * 4 + HEADER_BYTES;
    if ((count & ASCII) === 0) return bytes.toString('utf8', from, from + count) === key;
    const { length } = key;
    if ((count & COUNT) !== length) return false;
    for (let index = 0; index < length; index++)
      if (bytes[from + index] !== key.charCodeAt(index)) return false;
    return true;
  }

  #insert(hash: number, place: number): void {
    if (this.#used * 8 >= (this.#mask + 1) * 5) this.#rehash();
    const table = this.#table;
    let pair = hash & this.#mask;
    while (table[2 * pair + 1]! > FREE) pair = (pair + 1) & this.#mask;
    if (table[2 * pair + 1] === FREE) this.#used++;
    table[2 * pair] = hash;
    table[2 * pair + 1] = place;
    this.#size++;
  }

  #rehash(): void {
    const before = this.#table;
    let pairs = PAIRS_MIN;
    while (pairs < this.#size * 3) pairs *= 2;
    const table = new Int32Array(2 * pairs);
    const mask = pairs - 1;
    for (let at = 0; at < before.length; at += 2) {
      if (before[at + 1]! <= FREE) continue;
      let pair = before[at]! & mask;
      while (table[2 * pair + 1] !== FREE) pair = (pair + 1) & mask;
      table[2 * pair] = before[at]!;
      table[2 * pair + 1] = before[at + 1]!;
    }
    this.#table = table;
    this.#mask = mask;
    this.#used = this.#size;
  }

  /** A new place, counted in words from 1 on. */
  #take(size: number): number {
    if (this.#end + size > CHUNK_BYTES) {
      this.#add(this.#chunks.length === 0 ? FIRST_CHUNK_BYTES : CHUNK_BYTES);
      this.#end = 0;
    }
    while (this.#end + size > this.#chunks.at(-1)!.bytes.length) {
      const { bytes } = this.#chunks.pop()!;
      this.bytes -= bytes.length;
      bytes.copy(this.#add(bytes.length * 2).bytes);
    }
    const place = 1 + (this.#chunks.length - 1) * CHUNK_WORDS + this.#end / 4;
    this.#end += size;
    return place;
  }

  #add(length: number): Chunk {
    const bytes = Buffer.allocUnsafeSlow(length);
    const chunk = { bytes, words: new Int32Array(bytes.buffer, bytes.byteOffset, length / 4) };
    this.#chunks.push(chunk);
    this.bytes += length;
    return chunk;
  }

  #chunkOf(place: number): Chunk {
    return this.#chunks[(place - 1) >>> CHUNK_WORDS_LOG]!;
  }
}

/** The same bytes one by one and four by four. */
interface Chunk {
  readonly bytes: Buffer;
  readonly words: Int32Array;
}

const bytesOfLong = (key: string, text: string | null): number => key.length + (text?.length ?? 0);

const wordOf = (place: number): number => (place - 1) & (CHUNK_WORDS - 1);

/** Up to the next of eight sizes between a power of two and the next one. */
function rounded(bytes: number): number {
  const step = Math.max(16, 1 << (28 - Math.clz32(bytes)));
  return Math.ceil(bytes / step) * step;
}
