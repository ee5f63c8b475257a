import { hashHalves } from '../../zset/checksum.js';
import { compareText } from '../../zset/text-order.js';
import { textOf, type Row, type Value } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import { refuseRetraction } from './appended.js';

/**
 * What is remembered of a set of values that only grows: their hashes while they are few, then a table into which hashes
 * are marked and from which none can be had back.
 *
 * Both are functions of the set alone: in whatever order values come, cut into whatever parts, the table is made of the same
 * hashes, at the same size.
 */
export interface SetSketch {
  /** 64 bits each, as 16 hex digits; null once there are too many. */
  hashes: Set<string> | null;
  table: Uint8Array | null;
}

/** What the table is, for one kind of sketch. */
export interface Table {
  bytes: number;
  mark(table: Uint8Array, high: number, low: number): void;
  /** Everything marked in the other is marked in the first as well. */
  merge(into: Uint8Array, other: Uint8Array): void;
  /** Its text does not begin with `=`. */
  encode(table: Uint8Array): string;
  decode(text: string): Uint8Array;
}

/** So many hashes are kept as they are: their text is then not longer than the table's. */
export const hashesMax = ({ bytes }: Pick<Table, 'bytes'>): number => bytes >>> 4;

export const hashText = ([high, low]: readonly [number, number]): string =>
  high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');

export const halvesOf = (hash: string): [high: number, low: number] => [
  parseInt(hash.slice(0, 8), 16),
  parseInt(hash.slice(8), 16),
];

/** The hashes one after another, in order. */
export const hashesText = (hashes: ReadonlySet<string>): string =>
  '=' + [...hashes].sort(compareText).join('');

export function hashesOfText(text: string): Set<string> {
  const hashes = new Set<string>();
  for (let at = 1; at < text.length; at += 16) hashes.add(text.slice(at, at + 16));
  return hashes;
}

export function setSketch(options: {
  value: (row: Row) => Value;
  table: Table;
  result: (sketch: SetSketch) => Value;
}): Aggregator<SetSketch> {
  const { value, table: kind, result } = options;
  const most = hashesMax(kind);

  const revive = (text: string): SetSketch =>
    text.startsWith('=')
      ? { hashes: hashesOfText(text), table: null }
      : { hashes: null, table: kind.decode(text) };

  function add(sketch: SetSketch, hash: string): void {
    if (sketch.hashes === null) return kind.mark(sketch.table!, ...halvesOf(hash));
    sketch.hashes.add(hash);
    if (sketch.hashes.size > most) spill(sketch);
  }

  function spill(sketch: SetSketch): void {
    const table = new Uint8Array(kind.bytes);
    for (const hash of sketch.hashes!) kind.mark(table, ...halvesOf(hash));
    sketch.table = table;
    sketch.hashes = null;
  }

  return {
    initial: () => ({ hashes: new Set(), table: null }),
    fold(sketch, row, weight) {
      if (weight <= 0) refuseRetraction();
      const held = value(row);
      if (held === null) return sketch;
      const halves = hashHalves(textOf(held));
      if (sketch.table === null) add(sketch, hashText(halves));
      else kind.mark(sketch.table, ...halves);
      return sketch;
    },
    merge(into, other) {
      if (other.hashes !== null) for (const hash of other.hashes) add(into, hash);
      else {
        if (into.hashes !== null) spill(into);
        kind.merge(into.table!, other.table!);
      }
      return into;
    },
    result,
    codec: {
      encode: ({ hashes, table }) =>
        JSON.stringify(hashes === null ? kind.encode(table!) : hashesText(hashes)),
      decode: (text) => revive(JSON.parse(text)),
    },
    revive,
  };
}
