import {
  holdsOnlyStrings,
  isDecimal,
  type Column,
  type ColumnType,
  type TypeOfColumn,
} from '../../view/column.js';
import { dependsOnProcessing } from '../../view/stamp.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { StillwaterError } from '../../errors/stillwater-error.js';

/** `ColumnType` without the schemas: JSON, so that it can be stored beside a generation. */
export type DescribedType = TypeOfColumn<DescribedColumn>;

export interface DescribedColumn {
  readonly name: string;
  readonly type: DescribedType;
}

export interface DescribedIndex {
  /** The words of `order=`. */
  readonly name: string;
  readonly columns: readonly {
    readonly path: string;
    readonly descending: boolean;
    /** Its texts are ordered as the numbers they stand for. */
    readonly decimal?: true;
  }[];
}

/**
 * What readers must know of a generation. It is stored with it (`Generation.description`), so that a generation is read by what
 * it holds: by processes with newer code, and by processes that have not its code at all.
 */
export interface ViewDescription {
  readonly columns: readonly DescribedColumn[];
  readonly key: readonly string[];
  /** In order: an index's place here names its state (`indexState`). */
  readonly indexes: readonly DescribedIndex[];
  readonly text: string | null;
  /** Its rows depend on when they were processed: they are not a function of the log, and a rebuild shows others. */
  readonly processingTime?: true;
}

export function describeView(view: ViewDeclaration): ViewDescription {
  return {
    columns: describeColumns(view.columns),
    key: [...view.key],
    indexes: view.indexes.map(({ name, columns }) => ({
      name,
      columns: columns.map(({ path, descending, column }) => ({
        path,
        descending,
        ...(isDecimal(column.type) && { decimal: true as const }),
      })),
    })),
    text: view.description,
    ...(dependsOnProcessing(view) && { processingTime: true as const }),
  };
}

export const describeColumns = (columns: readonly Column[]): DescribedColumn[] =>
  columns.map(({ name, type }) => ({ name, type: describeType(type) }));

function describeType(type: ColumnType): DescribedType {
  if (type.kind === 'object')
    return { kind: 'object', nullable: type.nullable, columns: describeColumns(type.columns) };
  if (type.kind === 'array')
    return { kind: 'array', nullable: type.nullable, element: describeType(type.element) };
  return type;
}

/** The description as stored with a generation. */
export function descriptionOf(generation: {
  readonly view: string;
  readonly number: number;
  readonly description: unknown;
}): ViewDescription {
  const found = generation.description as Partial<ViewDescription> | null | undefined;
  if (!Array.isArray(found?.columns) || !Array.isArray(found.key) || !Array.isArray(found.indexes))
    throw new StillwaterError('description-missing', {
      what: `Generation ${generation.number} of view "${generation.view}" cannot be read.`,
      evidence: 'It is stored without a description of its columns, key and indexes.',
      consequence: 'Nothing was read.',
      remedy: `Rebuild it: stillwater rebuild ${generation.view}`,
    });
  return found as ViewDescription;
}

/** The type at a path; nullable where something on the way is. Null where there is nothing of that name. */
export function typeAt(columns: readonly DescribedColumn[], path: string): DescribedType | null {
  const whole = columns.find(({ name }) => name === path);
  if (whole) return whole.type;
  const [first, ...rest] = path.split('.') as [string, ...string[]];
  let type = columns.find(({ name }) => name === first)?.type;
  let nullable = false;
  for (const step of rest) {
    if (!type) return null;
    nullable ||= type.nullable;
    if (type.kind === 'json') return { kind: 'json', nullable: true };
    if (type.kind !== 'object') return null;
    type = type.columns.find(({ name }) => name === step)?.type;
  }
  return type ? { ...type, nullable: type.nullable || nullable } : null;
}

/** All paths that can be named, for messages: nested columns by their paths. */
export function pathsOf(columns: readonly DescribedColumn[], within = ''): string[] {
  return columns.flatMap(({ name, type }) =>
    type.kind === 'object' ? [within + name, ...pathsOf(type.columns, `${within}${name}.`)] : [within + name],
  );
}

export function keyPartsOf(
  description: ViewDescription,
): { path: string; type: DescribedType; onlyStrings: boolean }[] {
  return description.key.map((path) => {
    const type = typeAt(description.columns, path) ?? { kind: 'json', nullable: true };
    return { path, type, onlyStrings: holdsOnlyStrings(type) };
  });
}
