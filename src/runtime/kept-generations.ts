import { upstreamsOf } from './maintained.js';
import type { Generation } from './ports/registry.js';

/** The newest kept generation of each view that can serve: what it reads is there, and none of it is put back as another generation. */
export function keptOf(views: ReadonlySet<string>, first: string, all: readonly Generation[]): Generation[] {
  const newest = new Map<string, Generation>();
  for (const generation of all)
    if (
      views.has(generation.view) &&
      generation.state === 'kept' &&
      isWhole(generation, all) &&
      generation.number > (newest.get(generation.view)?.number ?? 0)
    )
      newest.set(generation.view, generation);
  for (let before = Infinity; newest.size < before;) {
    before = newest.size;
    for (const { view, upstreams } of [...newest.values()])
      if (
        view !== first &&
        Object.entries(upstreams).some(([name, number]) => (newest.get(name)?.number ?? number) !== number)
      )
        newest.delete(view);
  }
  return [...newest.values()];
}

const isWhole = (generation: Generation, all: readonly Generation[]): boolean =>
  upstreamsOf(generation, all).filter(({ state }) => state !== 'dropping').length ===
  Object.keys(generation.upstreams).length;

/** The newer generation that served until now. */
export function rolledBackFrom({ view, number }: Generation, all: readonly Generation[]): number | null {
  const before = all.find((generation) => generation.view === view && generation.state === 'serving');
  return before && before.number > number ? before.number : null;
}
