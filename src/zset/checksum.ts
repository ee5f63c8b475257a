import { TextBytes } from './text-bytes.js';

/**
 * The checksum of a collection: the sum modulo 2^64 of a 64-bit hash of each row's text, times its weight.
 * It does not depend on order, cuts or partitions, and a retraction takes away exactly what its insertion
 * added. Not exclusive-or: pairs would cancel.
 *
 * Kept as two 32-bit halves, because BigInt is slow on the path of every row.
 */
export class Checksum {
  constructor(
    public high = 0,
    public low = 0,
  ) {}

  add(text: string, weight: number): void {
    hashText(text);
    for (let times = Math.abs(weight); times > 0; times--)
      if (weight > 0) this.#plus(hashHigh, hashLow);
      else this.#minus(hashHigh, hashLow);
  }

  /** Adds a text, once, that lies in bytes from `from` on, up to their end. */
  addWritten({ view, length }: TextBytes, from: number): void {
    hash64(view, from, length);
    this.#plus(hashHigh, hashLow);
  }

  /** Adds another checksum: partitions add up. */
  merge(other: Checksum): this {
    this.#plus(other.high, other.low);
    return this;
  }

  clone(): Checksum {
    return new Checksum(this.high, this.low);
  }

  /** 16 hex digits. */
  toString(): string {
    return (this.high >>> 0).toString(16).padStart(8, '0') + (this.low >>> 0).toString(16).padStart(8, '0');
  }

  static parse(text: string): Checksum {
    return new Checksum(parseInt(text.slice(0, 8), 16), parseInt(text.slice(8), 16));
  }

  #plus(high: number, low: number): void {
    const sum = (this.low >>> 0) + (low >>> 0);
    this.low = sum >>> 0;
    this.high = ((this.high >>> 0) + (high >>> 0) + (sum > 0xffffffff ? 1 : 0)) >>> 0;
  }

  #minus(high: number, low: number): void {
    const difference = (this.low >>> 0) - (low >>> 0);
    this.low = difference >>> 0;
    this.high = ((this.high >>> 0) - (high >>> 0) - (difference < 0 ? 1 : 0)) >>> 0;
  }
}

let hashHigh = 0;
let hashLow = 0;

/** Where texts are written that come as such. */
const scratch = new TextBytes();

/**
 * 64 bits over the UTF-8 bytes of a text, four at a time: two multiplicative hashes with the rotations and avalanche steps
 * of MurmurHash3 (A. Appleby). Not against an adversary; against mistakes.
 */
function hash64(bytes: DataView, from: number, to: number): void {
  const length = to - from;
  const whole = from + (length & ~3);
  let a = 0x9e3779b9 ^ length;
  let b = 0x85ebca6b ^ length;
  for (let at = from; at < whole; at += 4) {
    const word = bytes.getInt32(at, true);
    a = Math.imul(a ^ word, 0x9e3779b1);
    a = (a << 15) | (a >>> 17);
    b = Math.imul(b ^ word, 0x5f356495);
    b = (b << 13) | (b >>> 19);
  }
  let rest = 0;
  for (let at = whole; at < to; at++) rest = (rest << 8) | bytes.getUint8(at);
  a = Math.imul(a ^ rest, 0x9e3779b1);
  b = Math.imul(b ^ rest, 0x5f356495);
  a = avalanche(a ^ (b >>> 7));
  b = avalanche(b ^ a);
  hashHigh = a >>> 0;
  hashLow = b >>> 0;
}

function hashText(text: string): void {
  scratch.clear();
  scratch.write(text);
  hash64(scratch.view, 0, scratch.length);
}

function avalanche(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** The 64 bits of a text, in two halves: for sketches. */
export function hashHalves(text: string): readonly [high: number, low: number] {
  hashText(text);
  return [hashHigh, hashLow];
}

/** One more hash of the halves of another, by its number. */
export const hashAgain = ([high, low]: readonly [number, number], number: number): number =>
  avalanche(high + Math.imul(number, low)) >>> 0;

/** 32 bits of a text, for buckets: not the hash of placement, so that a partition's keys fill all its buckets. */
export function hash32(text: string): number {
  let a = 0x811c9dc5 ^ text.length;
  for (let index = 0; index < text.length; index++) a = Math.imul(a ^ text.charCodeAt(index), 0x01000193);
  return avalanche(a) >>> 0;
}
