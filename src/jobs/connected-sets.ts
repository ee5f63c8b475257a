/**
 * Joins sets that have an element in common, directly or through others. What is given first decides the order, of the
 * sets and in them.
 */
export function connectedSets(sets: readonly (readonly string[])[]): string[][] {
  const joined: string[][] = [];
  for (const set of sets) {
    const touching = joined.filter((other) => other.some((name) => set.includes(name)));
    if (touching.length === 0) {
      joined.push([...set]);
      continue;
    }
    const [into, ...rest] = touching as [string[], ...string[][]];
    for (const name of [...rest.flat(), ...set]) if (!into.includes(name)) into.push(name);
    for (const other of rest) joined.splice(joined.indexOf(other), 1);
  }
  return joined;
}
