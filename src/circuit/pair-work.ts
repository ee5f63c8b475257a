import { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import type { RowChange, Weighted } from './arrangement.js';
import type { Codec } from './operator.js';

export type SideName = 'left' | 'right';

/** A change of a row, and the weight of the other side's rows that it has met and that pass. */
export interface Change extends RowChange {
  matched: number;
}

/**
 * Changes of one side under one key, each of another row, that are to be paired with the rows of the other side, and how far
 * they have been: the other side's rows from `from` on up to but not including `to` are still to come. The changes are applied
 * to their own side when that is done.
 */
export interface PairWork {
  readonly side: SideName;
  readonly key: string;
  readonly changes: readonly Change[];
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
      changes.map(({ text, row, weight, matched }) => [text, row, weight, matched]),
    ] satisfies StoredWork),
  decode: (stored) => {
    const [side, key, from, to, changes] = JSON.parse(stored) as StoredWork;
    const read = changes.map(([text, row, weight, matched]) => ({ text, row, weight, matched }));
    return { side, key, from, to, changes: read };
  },
};

/** So many changes are looked through as quickly as a map is asked. */
const FEW = 8;

/** What a tick changes on one side: by join key, changes that cancel left out; and the rows that have no key. */
export class SideChanges {
  readonly byKey = new Map<string, Change[]>();
  readonly withoutKey: Weighted[] = [];
  /** The changes by text, of keys that have many. */
  readonly #byText = new Map<string, Map<string, Change>>();

  constructor(
    input: Delta<Row>,
    { keyOf, textOf }: { keyOf: (row: Row) => string | null; textOf: (row: Row) => string },
  ) {
    const { rows, weights } = input;
    let anyGoes = false;
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      const weight = weights[index]!;
      if (weight === 0) continue;
      if (weight < 0) anyGoes = true;
      const key = keyOf(row);
      if (key === null) this.withoutKey.push({ row, weight });
      else this.#add(key, { text: textOf(row), row, weight, matched: 0 });
    }
    if (anyGoes) this.#leaveOutCancelled();
  }

  #add(key: string, change: Change): void {
    const changes = this.byKey.get(key);
    if (changes === undefined) {
      this.byKey.set(key, [change]);
      return;
    }
    const known = this.#find(key, changes, change.text);
    if (known !== undefined) known.weight += change.weight;
    else {
      changes.push(change);
      if (changes.length > FEW) this.#byText.get(key)?.set(change.text, change);
    }
  }

  #find(key: string, changes: readonly Change[], text: string): Change | undefined {
    if (changes.length <= FEW) {
      for (const change of changes) if (change.text === text) return change;
      return undefined;
    }
    let byText = this.#byText.get(key);
    if (byText === undefined)
      this.#byText.set(key, (byText = new Map(changes.map((change) => [change.text, change]))));
    return byText.get(text);
  }

  #leaveOutCancelled(): void {
    for (const [key, changes] of this.byKey) {
      if (changes.every(({ weight }) => weight !== 0)) continue;
      const left = changes.filter(({ weight }) => weight !== 0);
      if (left.length > 0) this.byKey.set(key, left);
      else this.byKey.delete(key);
    }
  }
}
