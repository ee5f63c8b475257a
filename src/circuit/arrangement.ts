import { assert } from '../assert.js';
import { compareText } from '../zset/text-order.js';
import type { Row } from '../zset/value.js';
import type { Codec, Keyed, Ordered } from './operator.js';

/** A row and how often it is there, or by how much that changes. */
export interface Weighted {
  row: Row;
  weight: number;
}

/** The changes of one key, by the row's text, weights added up. */
export type Changes = ReadonlyMap<string, Weighted>;

/**
 * A collection kept by a key, so that a join finds all rows of a key. What is asked for must have been wanted.
 * Changes of a key are applied all at once: in between, weights might be negative.
 */
export interface Arrangement {
  wantRows(key: string): void;
  /** Whether there is any row will be asked for, before these changes and after them. */
  wantAny(key: string, changes: Changes): void;
  wantChanges(key: string, changes: Changes): void;
  rows(key: string): readonly Weighted[];
  any(key: string): boolean;
  apply(key: string, changes: Changes): void;
}

/** Any number of rows under a key, each a member of the key's multiset: its JSON. */
export class OrderedArrangement implements Arrangement {
  constructor(readonly state: Ordered) {}

  wantRows(key: string): void {
    this.state.wantAll(key);
  }

  wantAny(key: string, changes: Changes): void {
    let retracted = 0;
    for (const { weight } of changes.values()) if (weight < 0) retracted++;
    this.state.wantEnd(key, 'least', 1, retracted);
  }

  wantChanges(key: string, changes: Changes): void {
    for (const [text, { weight }] of changes) if (weight !== 0) this.state.wantMember(key, text);
  }

  rows(key: string): Weighted[] {
    const rows: Weighted[] = [];
    for (const [text, weight] of this.state.all(key)) rows.push({ row: JSON.parse(text) as Row, weight });
    return rows;
  }

  any(key: string): boolean {
    return this.state.end(key, 'least', 1).length > 0;
  }

  apply(key: string, changes: Changes): void {
    for (const [text, { weight }] of changes) if (weight !== 0) this.state.add(key, text, weight);
  }
}

/** Rows of which a key is expected to have one: a value for each key, which is that row's JSON. */
export class KeyedArrangement implements Arrangement {
  constructor(readonly state: Keyed<readonly Weighted[]>) {}

  wantRows(key: string): void {
    this.state.want(key);
  }

  wantAny(key: string): void {
    this.state.want(key);
  }

  wantChanges(key: string): void {
    this.state.want(key);
  }

  rows(key: string): readonly Weighted[] {
    return this.state.get(key) ?? [];
  }

  any(key: string): boolean {
    return this.rows(key).length > 0;
  }

  apply(key: string, changes: Changes): void {
    const rows = new Map<string, Weighted>();
    for (const held of this.rows(key)) rows.set(JSON.stringify(held.row), held);
    for (const [text, { row, weight }] of changes) {
      const sum = (rows.get(text)?.weight ?? 0) + weight;
      if (sum < 0)
        assert(
          false,
          `A row of a join would have the weight ${sum}: ${text}. A row was retracted that had not been inserted.`,
        );
      if (sum === 0) rows.delete(text);
      else rows.set(text, { row, weight: sum });
    }
    if (rows.size === 0) {
      if (this.state.get(key) !== undefined) this.state.delete(key);
    } else
      this.state.set(
        key,
        [...rows].sort(([left], [right]) => compareText(left, right)).map(([, held]) => held),
      );
  }
}

/** One row once is its JSON, an object; anything else a list of rows and weights. */
export const keyedArrangementCodec: Codec<readonly Weighted[]> = {
  encode: (rows) =>
    rows.length === 1 && rows[0]!.weight === 1
      ? JSON.stringify(rows[0]!.row)
      : JSON.stringify(rows.map(({ row, weight }) => [row, weight])),
  decode: (text) => {
    const stored = JSON.parse(text) as Row | [Row, number][];
    return Array.isArray(stored)
      ? stored.map(([row, weight]) => ({ row, weight }))
      : [{ row: stored as Row, weight: 1 }];
  },
};
