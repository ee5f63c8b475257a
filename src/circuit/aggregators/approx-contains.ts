import { hashHalves } from '../../zset/checksum.js';
import { textOf, type Row, type Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import { hashesOfText, hashesText, hashText, setSketch, type SetSketch, type Table } from './set-sketch.js';

/** How large a filter is for so many values at this rate of errors: 2^−hashes is not above it. */
export function filterSize({ expected, error }: { expected: number; error: number }): {
  bytes: number;
  hashes: number;
} {
  let hashes = 1;
  while (2 ** -hashes > error) hashes++;
  // hashes / ln 2 bits for each value: the fewest for which half of the bits are set when all have come.
  return { bytes: 8 * Math.ceil((expected * hashes * 1.4427) / 64), hashes };
}

/**
 * `approxContains(column)`: a text that says of any value whether the group has it, for `mayContain`: never no where it
 * has, and yes where it has not at a rate not above `error`, for as many different values as were expected. Of few values it
 * knows their hashes, and hardly errs; of more it is B. Bloom's filter.
 *
 *   =hash hash …           16 hex digits each
 *   hashes:bits            how many bits stand for a value, and all bits in base64
 */
export function approxContains(
  value: (row: Row) => Value,
  size: { bytes: number; hashes: number },
): Aggregator<SetSketch> {
  const table = filter(size);
  return setSketch({
    value,
    table,
    result: ({ hashes, table: bits }) => (hashes === null ? table.encode(bits!) : hashesText(hashes)),
  });
}

const filter = ({ bytes, hashes }: { bytes: number; hashes: number }): Table => ({
  bytes,
  mark(table, high, low) {
    for (const bit of bitsOf(high, low, hashes, bytes * 8)) table[bit >>> 3]! |= 1 << (bit & 7);
  },
  merge(into, other) {
    for (let at = 0; at < into.length; at++) into[at]! |= other[at]!;
  },
  encode: (table) => `${hashes}:${Buffer.from(table).toString('base64')}`,
  decode: (text) => new Uint8Array(Buffer.from(text.slice(text.indexOf(':') + 1), 'base64')),
});

/** The bits that stand for a hash: growing steps of one half of it from the other (P. Dillinger and P. Manolios). */
function* bitsOf(high: number, low: number, hashes: number, size: number): IterableIterator<number> {
  let bit = high % size;
  let stride = low % size;
  for (let step = 1; step <= hashes; step++) {
    yield bit;
    bit = (bit + stride) % size;
    stride = (stride + step) % size;
  }
}

/** Whether a value may be among those an `approxContains` was made of; it is not, where this says no. */
export function mayContain(filterText: string, value: Value): boolean {
  const halves = hashHalves(textOf(value));
  if (filterText.startsWith('=')) return hashesOfText(filterText).has(hashText(halves));
  const start = filterText.indexOf(':') + 1;
  const bytes = Buffer.byteLength(filterText.slice(start), 'base64');
  for (const bit of bitsOf(...halves, parseInt(filterText, 10), bytes * 8)) {
    // Four digits are three bytes: no more is decoded than is asked for.
    const at = start + 4 * Math.floor(bit / 24);
    const digits = Buffer.from(filterText.slice(at, at + 4), 'base64');
    if ((digits[(bit >>> 3) % 3]! & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}
