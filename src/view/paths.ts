import { pathsRead } from './paths-read.js';
import type { Expression } from './expression.js';
import type { UserFunction } from './user-function.js';

/** Paths that are read of a collection's rows; null: all of them. */
export type Paths = ReadonlySet<string> | null;

export const NO_PATHS: ReadonlySet<string> = new Set();

export const headOf = (path: string): string => path.split('.')[0]!;

export const ofFunction = ({ source }: UserFunction): Paths => pathsRead(source);

export function ofExpression(expression: Expression | null): Paths {
  if (expression === null || expression.kind === 'position') return NO_PATHS;
  return expression.kind === 'path' ? new Set([expression.path]) : ofFunction(expression.fn);
}

export const both = (left: Paths, right: Paths): Paths =>
  left === null || right === null ? null : new Set([...left, ...right]);
export const all = (parts: readonly Paths[]): Paths => parts.reduce<Paths>(both, NO_PATHS);

/** Without those that begin at one of these columns. */
export const without = (paths: Paths, ...names: readonly string[]): Paths =>
  paths && new Set([...paths].filter((path) => !names.includes(headOf(path))));

/** Of paths of a joined row, those into the side of this name. */
export function inside(paths: Paths, name: string): Paths {
  if (paths === null || paths.has(name)) return null;
  return new Set(
    [...paths].filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1)),
  );
}
