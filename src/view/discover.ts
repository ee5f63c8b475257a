import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { declarationOf } from './declaration-of.js';
import type { SourceDeclaration } from './declarations.js';

export interface Discovered {
  /** What the modules export, each once, in the order of the modules and of their exports. */
  readonly declarations: readonly SourceDeclaration[];
  /** Modules that could not be imported. */
  readonly errors: readonly StillwaterError[];
  /** The modules imported. */
  readonly files: readonly string[];
}

const FILES_MAX = 10_000;
const MODULE = /\.(?:[cm]?ts|[cm]?js)$/;
const NOT_A_MODULE = /\.d\.[cm]?ts$|\.(?:spec|test)\.[cm]?[tj]s$/;

/** Imports every module below a folder and collects the streams, tables and views they export. */
export async function discoverViews(
  directory: string,
  importModule: (file: string) => Promise<unknown>,
): Promise<Discovered> {
  const declarations = new Set<SourceDeclaration>();
  const errors: StillwaterError[] = [];
  const files = await modulesOf(directory);
  for (const file of files) {
    try {
      for (const declaration of declarationsIn(await importModule(file))) declarations.add(declaration);
    } catch (error) {
      errors.push(importError(file, error));
    }
  }
  return { declarations: [...declarations], errors, files };
}

/** The declarations a module exports: by themselves, in arrays or in records. */
function declarationsIn(exported: unknown): SourceDeclaration[] {
  return [...collect(exported, 2)];
}

function* collect(value: unknown, depth: number): Iterable<SourceDeclaration> {
  const declaration = declarationOf(value);
  if (declaration !== null) yield declaration;
  else if (depth > 0 && typeof value === 'object' && value !== null && isContainer(value))
    for (const item of Object.values(value)) yield* collect(item, depth - 1);
}

const isContainer = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value);
  return (
    Array.isArray(value) ||
    prototype === null ||
    Object.getPrototypeOf(prototype) === null ||
    value[Symbol.toStringTag as never] === 'Module'
  );
};

async function modulesOf(directory: string): Promise<string[]> {
  let entries;
  try {
    entries = await readdir(directory, { recursive: true, withFileTypes: true });
  } catch (error) {
    throw new StillwaterError(
      'no-views-directory',
      {
        what: `The folder of views "${directory}" cannot be read.`,
        evidence: `  ${messageOf(error)}`,
        consequence: 'Nothing was started.',
        remedy: 'Name the folder that holds the modules with your views.',
      },
      { cause: error },
    );
  }
  const files = entries
    .filter((entry) => entry.isFile() && MODULE.test(entry.name) && !NOT_A_MODULE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(directory, file).split(sep).includes('node_modules'))
    .sort();
  if (files.length > FILES_MAX)
    throw new StillwaterError('too-many-modules', {
      what: `The folder of views "${directory}" holds ${files.length} modules.`,
      evidence: `  at most  ${FILES_MAX}`,
      consequence: 'None was imported.',
      remedy: 'Name the folder that holds only the modules with your views.',
    });
  return files;
}

/** Why a module could not be imported. */
export function importError(file: string, error: unknown): StillwaterError {
  const frames =
    error instanceof Error ? (error.stack ?? '').split('\n').find((line) => line.includes(file)) : undefined;
  return new StillwaterError(
    'import-failed',
    {
      what: `${relative(process.cwd(), file)} could not be imported.`,
      evidence: `  ${messageOf(error)}${frames === undefined ? '' : `\n  ${frames.trim()}`}`,
      consequence: 'Nothing that it exports was started.',
      remedy: 'Correct the module.',
    },
    { cause: error },
  );
}
