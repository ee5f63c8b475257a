import { createHash } from 'node:crypto';

export type Cell = string | number | boolean | null;

const DECIMALS_MAX = 6;

/** Null is `\N`, booleans are `t` and `f`, numbers have six decimals at most and no zeros at their end. */
function cellText(cell: Cell): string {
  if (cell === null) return '\\N';
  if (typeof cell === 'boolean') return cell ? 't' : 'f';
  if (typeof cell === 'string') return cell;
  if (Number.isInteger(cell)) return String(cell);
  const text = cell.toFixed(DECIMALS_MAX).replace(/\.?0+$/, '');
  return text === '-0' ? '0' : text;
}

/** An answer in the one form in which it is compared: a line a row, cells with bars between, lines in order. */
export class CanonicalAnswer {
  readonly lines: readonly string[];

  constructor(rows: Iterable<readonly Cell[]>) {
    this.lines = Array.from(rows, (row) => row.map(cellText).join('|')).sort();
  }

  get sha256(): string {
    const hash = createHash('sha256');
    for (const line of this.lines) hash.update(`${line}\n`);
    return hash.digest('hex');
  }
}
