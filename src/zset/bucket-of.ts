import { hash32 } from './checksum.js';

/** Into which of `buckets` hashes a key falls. Places in one stretch of a log fall into the same. */
export const bucketOf = (key: string, buckets: number): number =>
  hash32(isPlace(key) ? stretchOf(key) : key) % buckets;

/** `00978325200000-000000000003.000000`: milliseconds and number of the entry, index in the entry. */
const PLACE_LENGTH = 34;
const SEQUENCE_AT = 15;
const INDEX_AT = 28;
/** A stretch is a tenth of a second, and a thousand entries of a millisecond. */
const MS_END = SEQUENCE_AT - 1 - 2;
const SEQUENCE_END = INDEX_AT - 1 - 3;

/** The key is a place in a log (`$position`). */
export const isPlace = (key: string): boolean =>
  key.length === PLACE_LENGTH && key[SEQUENCE_AT - 1] === '-' && key[INDEX_AT - 1] === '.';

/** A stretch of a log: the rows of its places are looked for together, and can be stored together (`row-block.ts`). */
export class Stretch {
  readonly #ms: string;
  readonly #sequence: string;

  /** The one that a place lies in. */
  constructor(place: string) {
    this.#ms = place.slice(0, MS_END);
    this.#sequence = place.slice(SEQUENCE_AT, SEQUENCE_END);
  }

  has(key: string): boolean {
    return isPlace(key) && key.startsWith(this.#sequence, SEQUENCE_AT) && key.startsWith(this.#ms);
  }
}

const stretchOf = (place: string): string => place.slice(0, MS_END) + place.slice(SEQUENCE_AT, SEQUENCE_END);
