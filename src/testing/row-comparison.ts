import { canonical, type Row, textOf } from '../zset/value.js';

/** One row that is not as expected, by the view's key. */
interface Mismatch {
  key: string;
  expected: Row | null;
  maintained: Row | null;
}

/**
 * Compares a view's rows with those a test expects, in any order. Null when they are the same; else both side by side,
 * and of two rows of one key only the columns in which they differ.
 */
export function compareRows(
  maintained: ReadonlyMap<string, Row>,
  expected: readonly Row[],
  keyOf: (row: Row) => string,
  titles: { expected: string; maintained: string } = { expected: 'expected', maintained: 'maintained' },
): string | null {
  const mismatches: Mismatch[] = [];
  const left = new Map(maintained);
  for (const row of expected) {
    // A row that lacks its key is compared with none.
    const key = keyOf(row) ?? '(no key)';
    const found = left.get(key) ?? null;
    left.delete(key);
    if (found === null || sorted(found) !== sorted(row))
      mismatches.push({ key, expected: row, maintained: found });
  }
  for (const [key, row] of left) mismatches.push({ key, expected: null, maintained: row });
  if (mismatches.length === 0) return null;
  const lines = mismatches
    .slice(0, MISMATCHES_PRINTED_MAX)
    .map(({ key, expected, maintained }) => [key, ...sides(expected, maintained)]);
  const more = mismatches.length - lines.length;
  const table = inColumns([['key', titles.expected, titles.maintained], ...lines]);
  return more > 0 ? `${table}\n  … and ${more} more` : table;
}

const MISMATCHES_PRINTED_MAX = 20;
const NO_ROW = '(no row)';

function sides(expected: Row | null, maintained: Row | null): [expected: string, maintained: string] {
  if (expected === null || maintained === null)
    return [expected ? JSON.stringify(expected) : NO_ROW, maintained ? JSON.stringify(maintained) : NO_ROW];
  const columns = [...new Set([...Object.keys(expected), ...Object.keys(maintained)])].filter(
    (column) => !sameValue(expected[column], maintained[column]),
  );
  const side = (row: Row): string =>
    columns
      .map((column) => `${column}: ${column in row ? JSON.stringify(row[column]) : '(missing)'}`)
      .join(', ');
  return [side(expected), side(maintained)];
}

const sameValue = (left: unknown, right: unknown): boolean =>
  left !== undefined && right !== undefined && sorted(left) === sorted(right);

/** The same text for equal values however their fields are ordered. */
const sorted = (value: unknown): string => textOf(canonical(value));

/** Rows of cells as lines of columns of one width each, as far as that can be read. */
function inColumns(lines: readonly (readonly string[])[]): string {
  const widths = lines[0]!.map((_, column) =>
    Math.min(COLUMN_WIDTH_MAX, Math.max(...lines.map((line) => line[column]!.length))),
  );
  return lines
    .map(
      (line) =>
        '  ' +
        line
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd(),
    )
    .join('\n');
}

const COLUMN_WIDTH_MAX = 60;
