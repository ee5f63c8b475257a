import { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import type { Weighted } from './arrangement.js';
import type { Codec } from './operator.js';

export type SideName = 'left' | 'right';

/** A change of a row, and the weight of the other side's rows that it has met and that pass. */
export interface Change extends Weighted {
  matched: number;
}

/**
 * Changes of one side under one key that are to be paired with the rows of the other side, and how far they have been: the
 * other side's rows from `from` on up to but not including `to` are still to come. The changes are applied to their own
 * side when that is done.
 */
export interface PairWork {
  readonly side: SideName;
  readonly key: string;
  readonly changes: ReadonlyMap<string, Change>;
  readonly from: string;
  readonly to: string | null;
}

type StoredWork = [
  side: SideName,
  key: string,
  from: string,
  to: string | null,
  changes: [text: string, row: Row, weight: number, matched: number][],
];

export const pairWorkCodec: Codec<PairWork> = {
  encode: ({ side, key, from, to, changes }) =>
    JSON.stringify([
      side,
      key,
      from,
      to,
      [...changes].map(([text, { row, weight, matched }]) => [text, row, weight, matched]),
    ] satisfies StoredWork),
  decode: (stored) => {
    const [side, key, from, to, changes] = JSON.parse(stored) as StoredWork;
    const byText = changes.map(([text, row, weight, matched]) => [text, { row, weight, matched }] as const);
    return { side, key, from, to, changes: new Map(byText) };
  },
};

/** What a tick changes on one side: by join key, changes that cancel left out; and the rows that have no key. */
export class SideChanges {
  readonly byKey = new Map<string, Map<string, Change>>();
  readonly withoutKey: Weighted[] = [];

  constructor(
    input: Delta<Row>,
    { keyOf, textOf }: { keyOf: (row: Row) => string | null; textOf: (row: Row) => string },
  ) {
    let anyGoes = false;
    for (let index = 0; index < input.size; index++) {
      const row = input.rows[index]!;
      const weight = input.weights[index]!;
      if (weight === 0) continue;
      if (weight < 0) anyGoes = true;
      const key = keyOf(row);
      if (key === null) {
        this.withoutKey.push({ row, weight });
        continue;
      }
      const text = textOf(row);
      const changes = this.byKey.get(key);
      const known = changes?.get(text);
      if (changes === undefined) this.byKey.set(key, new Map([[text, { row, weight, matched: 0 }]]));
      else if (known === undefined) changes.set(text, { row, weight, matched: 0 });
      else known.weight += weight;
    }
    if (!anyGoes) return;
    for (const [key, changes] of this.byKey) {
      for (const [text, { weight }] of changes) if (weight === 0) changes.delete(text);
      if (changes.size === 0) this.byKey.delete(key);
    }
  }
}
