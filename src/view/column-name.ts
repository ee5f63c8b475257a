/** Why a column cannot have this name; null if it can. */
export function columnNameProblem(name: string): string | null {
  if (name === '') return 'is empty';
  if (name.startsWith('$')) return 'begins with "$", as names of Stillwater do';
  if (name.includes('.')) return 'holds a dot, which would read as a path';
  return null;
}
