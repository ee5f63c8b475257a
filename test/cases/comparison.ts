/** A cell as it is compared: numbers without zeros at the end, times without empty fractions, one space for several. */
export function cellText(cell: string | null): string {
  if (cell === null || cell === 'NULL') return 'NULL';
  let text = cell;
  if (text === '') return '(empty)';
  if (/^-?\d+\.\d+$/.test(text)) text = text.replace(/\.?0+$/, '').replace(/^-0$/, '0');
  if (/^\d{4}-\d\d-\d\d[ T]\d\d:\d\d/.test(text))
    text = withoutEmptyFraction(text.replace('T', ' '))
      .replace(/([+-]\d\d)$/, '$1:00')
      .replace(/Z$/, '+00:00');
  if (/^[[{]/.test(text)) text = inNameOrder(text);
  // Also numbers within JSON.
  if (/^[[{]/.test(text)) text = text.replace(/(?<=[[:,\s])(-?\d+)\.0+(?=[\],}\s])/g, '$1');
  // Decimals within lists.
  if (text.startsWith('{')) text = text.replace(/(?<=[{,])-?\d+\.\d+(?=[,}])/g, (cell) => cellText(cell));
  if (/^\d\d:\d\d:\d\d\.\d+/.test(text)) text = withoutEmptyFraction(text);
  text = intervalText(text);
  if (text === 'true') text = 't';
  if (text === 'false') text = 'f';
  return text.replace(/\s+/g, ' ').trim();
}

/** An interval in one of its many spellings: a day is twenty-four hours, as SQL compares them. */
function intervalText(text: string): string {
  const [, days, sign = '', hours, minutes, seconds] =
    /^(-?\d+) days?(?: ([-+]?)(\d+):(\d\d):(\d\d(?:\.\d+)?))?$/.exec(text) ?? [];
  if (days === undefined) return text;
  const clock = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds ?? 0);
  const total = Number(days) * 86_400 + (sign === '-' ? -clock : clock);
  const [whole, rest] = [Math.trunc(total / 86_400), total % 86_400];
  const two = (of: number): string => String(Math.floor(of)).padStart(2, '0');
  const [m, s] = [Math.abs(rest % 3_600) / 60, Number((Math.abs(rest) % 60).toFixed(6))];
  return `${whole === 0 ? '' : `${whole} days `}${rest < 0 ? '-' : ''}${two(Math.abs(rest) / 3_600)}:${two(m)}:${s < 10 ? '0' : ''}${s}`;
}

/** JSON with its members in the order of their names: theirs means nothing; a text that is none as it is. */
function inNameOrder(text: string): string {
  try {
    const sorted = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(sorted)
        : value !== null && typeof value === 'object'
          ? Object.fromEntries(
              Object.entries(value)
                .sort(([l], [r]) => (l < r ? -1 : 1))
                .map(([name, member]) => [name, sorted(member)]),
            )
          : value;
    return JSON.stringify(sorted(JSON.parse(text)));
  } catch {
    return text;
  }
}

const withoutEmptyFraction = (text: string): string =>
  text.replace(/(\.\d*?)0+(?=$|[+-])/, '$1').replace(/\.(?=$|[+-])/, '');

export const rowText = (cells: readonly (string | null)[]): string => cells.map(cellText).join(' ');

const TOLERANCE = 1e-9;

/** Whether two rows are the same: numbers within a billionth, quotes aside. */
export function sameRow(left: string, right: string): boolean {
  if (left === right) return true;
  const [some, others] = [left.split(' '), right.split(' ')];
  if (some.length !== others.length) return left.replace(/[\s"]/g, '') === right.replace(/[\s"]/g, '');
  return some.every((part, place) => {
    const other = others[place]!;
    if (part === other) return true;
    const [l, r] = [Number(part), Number(other)];
    if (Number.isFinite(l) && Number.isFinite(r))
      return Math.abs(l - r) <= TOLERANCE * Math.max(1, Math.abs(l), Math.abs(r));
    return part.replaceAll('"', '') === other.replaceAll('"', '');
  });
}

/** What is missing in one bag of rows and what is too many, against another. */
export function bagDifference(
  found: readonly string[],
  expected: readonly string[],
): { missing: string[]; surplus: string[] } {
  const left = new Map<string, number>();
  for (const row of found) left.set(row, (left.get(row) ?? 0) + 1);
  const unmatched: string[] = [];
  for (const row of expected) {
    const count = left.get(row) ?? 0;
    if (count > 0) left.set(row, count - 1);
    else unmatched.push(row);
  }
  const surplus = [...left].flatMap(([row, count]) => Array<string>(count).fill(row));
  const missing = unmatched.filter((row) => {
    const at = surplus.findIndex((other) => sameRow(row, other));
    if (at !== -1) surplus.splice(at, 1);
    return at === -1;
  });
  return { missing, surplus };
}
