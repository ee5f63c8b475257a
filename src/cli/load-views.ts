import { existsSync } from 'node:fs';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Jiti } from 'jiti';
import { DeclarationErrors } from '../errors/stillwater-error.js';
import { declarationErrors } from '../view/declaration-errors.js';
import { sealed } from '../view/declaration-of.js';
import type { SourceDeclaration } from '../view/declarations.js';
import { discoverViews } from '../view/discover.js';
import { defaultImportLimits, type ImportLimits, ImportWatch } from './import-watch.js';
import { Output } from './output.js';

export interface LoadOptions {
  /** Load everything anew, whatever was loaded before: for modules that are being edited. */
  fresh?: boolean;
  limits?: Partial<ImportLimits>;
  /** Says of a module that loops what there is to be said, before the process ends. Default: on stderr. */
  endless?: (errors: DeclarationErrors) => void;
}

/** A declaration as `stream`, `table` and `view` give it: what a Nest module takes. */
export interface LoadedView {
  readonly declaration: SourceDeclaration;
}

/**
 * Loads the modules of a directory and checks what they declare. Compiled modules are imported as they are; TypeScript is
 * compiled on the way.
 * @throws DeclarationErrors with everything that is wrong, modules that cannot be imported included
 */
export async function loadDeclarations(
  directory: string,
  options: LoadOptions = {},
): Promise<readonly SourceDeclaration[]> {
  const { importMsMax } = { ...defaultImportLimits, ...options.limits };
  const { endless = (errors) => new Output(false).error(errors) } = options;
  const watch = new ImportWatch(importMsMax, (error) => endless(new DeclarationErrors([error])));
  const { declarations, errors } = await discoverViews(
    resolve(directory),
    importer(directory, watch, options),
  ).finally(() => watch.stop());
  const wrong = [...errors, ...declarationErrors(declarations)];
  if (wrong.length > 0) throw new DeclarationErrors(wrong);
  return declarations;
}

/** The same, in the form in which `StillwaterModule` takes views. */
export async function loadViews(directory: string, options: LoadOptions = {}): Promise<LoadedView[]> {
  return (await loadDeclarations(directory, options)).map((declaration) => sealed({ declaration }));
}

/** The example application: compiled, or as it is written. It comes with the repository, not with the installed package. */
function exampleViews(): string {
  return fileURLToPath(new URL('../../views', import.meta.url));
}

/** Which directory is meant where none is named: the one of the settings, `views`, or the example. */
export function viewsDirectory(
  named?: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (named !== undefined) return named;
  return (
    environment.STILLWATER_VIEWS ||
    (existsSync('views') || !existsSync(exampleViews()) ? 'views' : exampleViews())
  );
}

/**
 * What a service serves where the settings name nothing, and whether it is the example: its data are loaded for nothing
 * else. `start` takes the example as it was compiled, `dev` as it is written, where it can be edited.
 */
export function servedViews(
  named: string | null,
  { dev }: { dev: boolean },
): { directory: string; isExample: boolean } {
  if (named !== null) return { directory: named, isExample: false };
  const directory = dev || !existsSync(exampleViews()) ? viewsDirectory() : exampleViews();
  const examples = [exampleViews(), resolve(exampleViews(), '../../views')];
  return { directory, isExample: examples.includes(resolve(directory)) };
}

function importer(
  directory: string,
  watch: ImportWatch,
  { fresh = false }: LoadOptions,
): (file: string) => Promise<unknown> {
  let jiti: Promise<Jiti> | null = null;
  return async (file) => {
    const compiled = extname(file).endsWith('js');
    if (compiled && !fresh) return watch.import(file, () => import(pathToFileURL(file).href));
    const compiler = await (jiti ??= typeScript(directory, fresh));
    return watch.import(file, () => compiler.import(file));
  };
}

async function typeScript(directory: string, fresh: boolean): Promise<Jiti> {
  const { createJiti } = await import('jiti');
  (globalThis as any)[Symbol.for('stillwater.index')] = await import('../index.js');
  const jiti = createJiti(join(resolve(directory), 'views'), { alias: { stillwater: sharedIndex() } });
  if (fresh) forget(jiti);
  return jiti;
}

function sharedIndex(): string {
  const compiled = fileURLToPath(new URL('./shared-index.cjs', import.meta.url));
  return existsSync(compiled) ? compiled : fileURLToPath(new URL('./shared-index.cts', import.meta.url));
}

/** Modules of the application, whatever directory they lie in, are read again; packages stay. */
function forget(jiti: Jiti): void {
  const own = fileURLToPath(new URL('..', import.meta.url));
  for (const file of Object.keys(jiti.cache ?? {}))
    if (!file.includes(`${sep}node_modules${sep}`) && !file.startsWith(own)) delete jiti.cache[file];
}
