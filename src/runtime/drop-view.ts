import { StillwaterError } from '../errors/stillwater-error.js';
import type { Catalog } from './catalog.js';
import type { Clock } from './clock.js';
import { inState } from './in-state.js';
import type { Generation } from './ports/registry.js';
import type { Workers } from './ports/workers.js';
import type { RegistryWatch } from './registry-watch.js';

/**
 * Removes a view that nobody declares any more, with all its generations; workers delete what they hold. Their numbers.
 * A repeat finds them on their way.
 * @throws StillwaterError `unknown-view`, `view-declared`, `view-read`
 */
export async function dropView(
  view: string,
  {
    catalog,
    registry,
    workers,
    clock,
  }: { catalog: Catalog; registry: RegistryWatch; workers: Workers; clock: Clock },
): Promise<number[]> {
  const { live } = await workers.live();
  const code = new Set(live.flatMap(({ fingerprints }) => fingerprints));
  const at = clock.now();
  let dropped: number[] = [];
  await registry.change(({ generations }) => {
    const own = generations.filter((generation) => generation.view === view);
    if (catalog.views.has(view)) throw declared(view, 'this process');
    if (own.length === 0) throw unknown(view, generations);
    if (own.some(({ fingerprint }) => code.has(fingerprint))) throw declared(view, 'a live worker');
    const readers = generations.filter(
      (reader) =>
        Object.hasOwn(reader.upstreams, view) && reader.state !== 'kept' && reader.state !== 'dropping',
    );
    if (readers.length > 0) throw isRead(view, readers);
    dropped = own.map(({ number }) => number);
    return {
      puts: own
        .filter(({ state }) => state !== 'dropping')
        .map((generation) => inState(generation, 'dropping', at)),
    };
  });
  return dropped;
}

const declared = (view: string, by: string): StillwaterError =>
  new StillwaterError('view-declared', {
    what: `The view "${view}" was not dropped: it is declared.`,
    evidence: `  declared by  ${by}`,
    consequence: 'Nothing was changed: it would be made anew.',
    remedy: 'Take its declaration out, deploy that everywhere, then drop it.',
  });

const isRead = (view: string, readers: readonly Generation[]): StillwaterError =>
  new StillwaterError('view-read', {
    what: `The view "${view}" was not dropped: another view reads it.`,
    evidence: readers
      .map((reader) => `  ${reader.view}  generation ${reader.number}, ${reader.state}`)
      .join('\n'),
    consequence: 'Nothing was changed.',
    remedy: `Drop ${[...new Set(readers.map((reader) => reader.view))].join(', ')} first, or wait until the rebuild that replaces it is promoted.`,
  });

const unknown = (view: string, generations: readonly Generation[]): StillwaterError =>
  new StillwaterError('unknown-view', {
    what: `There is no view "${view}".`,
    evidence: `  views  ${[...new Set(generations.map((generation) => generation.view))].join(', ') || 'none'}`,
    consequence: 'Nothing was changed.',
    remedy: 'Use one of these names (GET /views).',
  });
