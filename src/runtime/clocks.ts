/**
 * Clocks of source partitions, by Redis key, in ms: of each the greatest event time or heartbeat so far. Null where one
 * is known of but has not been told; what is not named at all has nothing to say.
 */
export type PartitionClocks = Readonly<Record<string, number | null>>;

/**
 * The clocks that each of a task's inputs has brought. They are kept apart because one source may be read in several ways,
 * directly and through views, and is then as late as the latest of them. An input names all partitions it will bring
 * time of from the beginning, so that what it has not told yet holds the others back.
 */
export type Clocks = Readonly<Record<string, PartitionClocks>>;

export const NO_CLOCKS: Clocks = {};

/** With what an input has brought now. Clocks only rise; the same object where none did. */
export function raised(clocks: Clocks, input: string, brought: PartitionClocks | undefined): Clocks {
  const known = clocks[input];
  if (known === undefined || brought === undefined) return clocks;
  let partitions: Record<string, number | null> | null = null;
  for (const [redisKey, clock] of Object.entries(brought)) {
    if (clock === null || known[redisKey] === undefined || clock <= (known[redisKey] ?? -Infinity)) continue;
    (partitions ??= { ...known })[redisKey] = clock;
  }
  return partitions === null ? clocks : { ...clocks, [input]: partitions };
}

/** Each partition's clock as all inputs together know it: the least, and null while one of them has not told. */
export function leastClocks(clocks: Clocks): Record<string, number | null> {
  const least: Record<string, number | null> = {};
  for (const partitions of Object.values(clocks))
    for (const [redisKey, clock] of Object.entries(partitions)) {
      const known = least[redisKey];
      least[redisKey] =
        known === undefined ? clock : known === null || clock === null ? null : Math.min(known, clock);
    }
  return least;
}
