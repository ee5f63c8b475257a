import { relative } from 'node:path';
import { counted } from '../errors/counted.js';
import { DeclarationErrors, type StillwaterError } from '../errors/stillwater-error.js';
import { Catalog } from '../runtime/catalog.js';
import { readLimitSettings } from '../settings.js';
import { sourcesOf } from '../view/plan-nodes.js';
import { loadDeclarations, viewsDirectory } from './load-views.js';
import { type Output, table } from './output.js';

/** What a start would find in a directory of view modules. Needs no Redis. */
export async function check(output: Output, named: string | undefined): Promise<number> {
  const directory = viewsDirectory(named);
  const shown = relative(process.cwd(), directory) || directory;
  const { modules: limits } = readLimitSettings(process.env);
  const tell = ({ errors, message }: DeclarationErrors): void =>
    output.result({ directory: shown, errors: errors.map(errorOf) }, message);
  try {
    const { views, streams, tables } = new Catalog(
      await loadDeclarations(directory, { fresh: true, limits, endless: tell }),
    );
    const listed = [...views.values()].map((view) => ({
      name: view.name,
      key: view.key,
      sources: sourcesOf(view.plan).map(({ name }) => name),
      indexes: view.indexes.map(({ name }) => name),
      fingerprint: view.fingerprint,
      place: view.place,
    }));
    const rows = listed.map(({ name, key, sources, fingerprint, place }) => [
      name,
      key.join(', '),
      sources.join(', '),
      fingerprint,
      place ?? '',
    ]);
    const counts = `${counted(views.size, 'view')}, ${counted(streams.size, 'stream')} and ${counted(tables.size, 'table')} in ${shown}: nothing is wrong.`;
    output.result(
      { directory: shown, views: listed, streams: [...streams.keys()], tables: [...tables.keys()] },
      views.size === 0
        ? `There are no views in ${shown}.`
        : `${table(['view', 'key', 'reads', 'fingerprint', 'written at'], rows)}\n\n${counts}`,
    );
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof DeclarationErrors)) throw thrown;
    tell(thrown);
    return 1;
  }
}

const errorOf = (error: StillwaterError) => ({
  code: error.code,
  place: (error as { place?: string | null }).place ?? null,
  ...error.parts,
});
