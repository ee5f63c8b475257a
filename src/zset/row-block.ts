import { isPlace, Stretch } from './bucket-of.js';
import { AsciiText, TextBytes } from './text-bytes.js';
import type { Row } from './value.js';

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
/** Bytes. Who wants one row reads its block. */
const LENGTH_MAX = 16_384;
const LINE_FEED = new AsciiText('\n');
/** Before its rows: what they begin with is known when all of them have come. */
const HEAD = new AsciiText('\0'.repeat((SIGN + ROWS_MAX).length));

/** The rows of the block at hand, each behind its key. One block is made at a time, whoever makes it. */
const bytes = new TextBytes();

/**
 * Makes blocks of rows that come one after the other in a stretch of a log: as one value, stored under the first row's key, they
 * take Redis a fifth of what so many fields cost it. Keys only rise, from block to block too, so that a row lies in the block
 * with the greatest first key up to its own, or under its own key where it came alone. To be ended before others are made.
 *
 *   U+0001, how many rows, then of each LF, its key, LF, its text
 */
export class RowBlocks<R = Row> {
  #rows = 0;
  #key = '';
  #stretch: Stretch | null = null;
  /** Where the text of its first row begins. */
  #text = 0;
  #last = '';

  constructor(
    readonly write: (row: R, bytes: TextBytes) => void,
    /** Takes what is to be stored under a key, and how many rows that is: of one its text. */
    readonly store: (key: string, stored: string, rows: number) => void,
  ) {
    this.#begin();
  }

  /** With the text of the row that was added last at their end. */
  get bytes(): TextBytes {
    return bytes;
  }

  /** Takes the next row. Where its text begins in `bytes`. */
  add(key: string, row: R): number {
    if (!this.#takes(key)) this.end();
    const before = bytes.length;
    bytes.writeAscii(LINE_FEED);
    bytes.writeKey(key);
    bytes.writeAscii(LINE_FEED);
    let text = bytes.length;
    this.write(row, bytes);
    if (this.#rows > 0 && bytes.length > LENGTH_MAX) {
      this.#store(before);
      bytes.dropFirst(before - HEAD.text.length);
      text -= before - HEAD.text.length;
    }
    if (this.#rows === 0) {
      this.#key = key;
      this.#stretch = isPlace(key) ? new Stretch(key) : null;
      this.#text = text;
    }
    this.#last = key;
    this.#rows += 1;
    return text;
  }

  /** Stores the block at hand. */
  end(): void {
    if (this.#rows > 0) this.#store(bytes.length);
    this.#begin();
  }

  #begin(): void {
    bytes.clear();
    bytes.writeAscii(HEAD);
  }

  #takes(key: string): boolean {
    return this.#rows < ROWS_MAX && key > this.#last && this.#stretch !== null && this.#stretch.has(key);
  }

  #store(to: number): void {
    const rows = this.#rows;
    this.#rows = 0;
    if (rows === 1) return this.store(this.#key, bytes.text(this.#text, to), rows);
    const head = SIGN + rows;
    bytes.overwrite(HEAD.text.length - head.length, head);
    this.store(this.#key, bytes.text(HEAD.text.length - head.length, to), rows);
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
