import type { Generation } from './ports/registry.js';

/**
 * The generations that are kept up to date: those that serve, are built or compared, and whatever these read. A kept
 * generation is among them while something that was declared during a rebuild, or was rolled back alone, reads it: it
 * would stand still otherwise, and its reader with it.
 */
export function maintained(generations: readonly Generation[]): ReadonlySet<Generation> {
  const there = generations.filter(({ state }) => state !== 'dropping');
  return withUpstreams(
    there.filter(({ state }) => state !== 'kept'),
    there,
  );
}

/** Some generations, and all that they read, through however many views. */
export function withUpstreams(
  some: Iterable<Generation>,
  all: readonly Generation[],
): ReadonlySet<Generation> {
  const found = new Set(some);
  // What is added while it goes on is come to as well.
  for (const generation of found) for (const read of upstreamsOf(generation, all)) found.add(read);
  return found;
}

/** The generations that a generation reads, as far as they are still there. */
export const upstreamsOf = (generation: Generation, all: readonly Generation[]): Generation[] =>
  all.filter(({ view, number }) => generation.upstreams[view] === number);
