import type { Row } from '../zset/value.js';

/** A row and how often it is there, or by how much that changes. */
export interface Weighted {
  row: Row;
  weight: number;
}

/** A row as an arrangement keeps it. `text`: its member, from which on a page of its key can be asked for; where there are pages. */
export interface Kept extends Weighted {
  readonly text?: string;
}

/** By how much a row's weight changes. `text`: what the row is known by (`Arrangement.textOf`). */
export interface RowChange extends Weighted {
  readonly text: string;
}

/** The changes of one key, each of another row. */
export type Changes = readonly RowChange[];

/** Which rows of a key: members from `from` on up to but not including `to` (null: to the end), `count` at the most. */
export interface PageOf {
  readonly from: string;
  readonly to: string | null;
  readonly count: number;
}

export interface Page {
  readonly rows: readonly Kept[];
  /** Where the next page begins; null where this is the last. */
  readonly next: string | null;
}

/**
 * A collection kept by a key, so that a join finds the rows of a key. What is asked for must have been wanted.
 * Changes of a key are applied all at once: in between, weights might be negative.
 */
export interface Arrangement {
  /** What a row is known by among the rows of its key; also their order. */
  textOf(row: Row): string;
  /** A page will be asked for, after as many rows of the key as `retracted` were taken away. Whether it is loaded already. */
  wantPage(key: string, page: PageOf, retracted: number): boolean;
  page(key: string, page: PageOf): Page;
  /** How many rows a page has that is loaded. */
  rowsIn(key: string, page: PageOf): number;
  /** The end, exclusive, of the members that such a page can come to hold; of a page that is loaded. */
  reach(key: string, page: PageOf, retracted: number): string;
  /** Whether there is any row will be asked for, before and after as many as `retracted` were taken away. Whether that is loaded. */
  wantAny(key: string, retracted: number): boolean;
  any(key: string): boolean;
  /** Whether there will be any once these changes, which were wanted, are applied. */
  anyAfter(key: string, changes: Changes): boolean;
  wantChanges(key: string, changes: Changes): void;
  /** How often a row is there of which a change was wanted. */
  weight(key: string, text: string): number;
  apply(key: string, changes: Changes): void;
  /** The first `count` rows of a key will be freed, after as many as `retracted` were taken away. */
  wantFreed(key: string, count: number, retracted: number): void;
  /** Takes the first `count` rows of a key away. How often they were there. */
  free(key: string, count: number): number;
}

/** Above all members: they are JSON, or begin with a time. */
export const ABOVE_ALL = '~';

/** By how much the rows of a key become more, or fewer. */
export function changeOf(changes: Changes): number {
  let change = 0;
  for (const { weight } of changes) change += weight;
  return change;
}

export function retractionsIn(changes: Changes): number {
  let retracted = 0;
  for (const { weight } of changes) if (weight < 0) retracted++;
  return retracted;
}
