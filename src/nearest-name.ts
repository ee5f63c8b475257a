/** In how many letters a name may differ from the one that was meant. */
const LETTERS_MAX = 2;

/** The name that was probably meant, of those that there are; null where none is near. Capitals make no difference. */
export function nearestName(given: string, names: Iterable<string>): string | null {
  let nearest: string | null = null;
  let least = LETTERS_MAX + 1;
  for (const name of names) {
    const letters = distance(given.toLowerCase(), name.toLowerCase());
    if (letters < least) [nearest, least] = [name, letters];
  }
  return nearest;
}

/** Letters to add, take away or replace to make one text of the other (Levenshtein). */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++)
      next.push(
        Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)),
      );
    row = next;
  }
  return row[right.length]!;
}
