import type { Generation } from './ports/registry.js';

/**
 * The generations that are kept up to date: those that serve, are built or compared, and whatever these read. A kept
 * generation is among them while something that was declared during a rebuild, or was rolled back alone, reads it: it
 * would stand still otherwise, and its reader with it.
 */
export function maintained(generations: readonly Generation[]): ReadonlySet<Generation> {
  const found = new Set<Generation>();
  const add = (generation: Generation): void => {
    if (found.has(generation) || generation.state === 'dropping') return;
    found.add(generation);
    for (const upstream of upstreamsOf(generation, generations)) add(upstream);
  };
  for (const generation of generations) if (generation.state !== 'kept') add(generation);
  return found;
}

/** The generations that a generation reads, as far as they are still there. */
export const upstreamsOf = (generation: Generation, all: readonly Generation[]): Generation[] =>
  all.filter(({ view, number }) => generation.upstreams[view] === number);
