import { inOneStretch, isPlace } from './bucket-of.js';

/** A row of a view as it is stored: its key and its canonical text. */
export interface KeyedText {
  key: string;
  text: string;
}

/** The state that holds the first keys of blocks. */
export const BLOCKS = 'blocks';

/** What a block begins with, and no row does. */
const SIGN = '\u0001';
const ROWS_MAX = 64;
/** Characters. Who wants one row reads its block. */
const LENGTH_MAX = 16_384;

/**
 * Rows that came one after the other in a stretch of a log, stored as one value under the first one's key: Redis takes a
 * fifth of what so many fields cost it. Keys only rise, from block to block too, so that a row lies in the block with the greatest first
 * key up to its own, or under its own key where it came alone.
 *
 *   U+0001, how many rows, then of each LF, its key, LF, its text
 */
export class RowBlock {
  #stored: string;
  #rows = 1;
  #last: string;

  constructor(
    readonly key: string,
    readonly first: string,
  ) {
    this.#stored = `\n${key}\n${first}`;
    this.#last = key;
  }

  get rows(): number {
    return this.#rows;
  }

  /** What is stored under `key`: of one row its text. */
  get stored(): string {
    return this.#rows === 1 ? this.first : SIGN + this.#rows + this.#stored;
  }

  /** Takes a row in, or does not: where it is of another stretch, does not rise, or the block is full. */
  take(key: string, text: string): boolean {
    if (this.#rows === ROWS_MAX || this.#stored.length + text.length > LENGTH_MAX) return false;
    if (!isPlace(this.key) || !isPlace(key) || key <= this.#last || !inOneStretch(this.key, key))
      return false;
    this.#stored += `\n${key}\n${text}`;
    this.#rows += 1;
    this.#last = key;
    return true;
  }
}

/**
 * The rows that are shown of what is stored under a key: those of a block; else one, or none. A record's row ends with the first line
 * feed, and what lies behind it is the task's (`circuit/view-record.ts`).
 */
export function shownRows(key: string, stored: string): KeyedText[] {
  if (!stored.startsWith(SIGN)) {
    const text = shownText(stored);
    return text === '' ? [] : [{ key, text }];
  }
  const lines = stored.split('\n');
  const rows: KeyedText[] = [];
  for (let line = 1; line + 1 < lines.length; line += 2)
    rows.push({ key: lines[line]!, text: lines[line + 1]! });
  return rows;
}

function shownText(stored: string): string {
  const end = stored.indexOf('\n');
  return end === -1 ? stored : stored.slice(0, end);
}
