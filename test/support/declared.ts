import type { z } from 'zod';
import { columnsOf as describedColumns } from '../../src/view/columns.js';
import type { Column } from '../../src/view/column.js';
import type { StreamDeclaration, TableDeclaration } from '../../src/view/declarations.js';

/** Declarations as the view language makes them, for tests of what works on declarations alone. */
export function streamOf(
  name: string,
  schema: z.ZodType,
  more: Partial<StreamDeclaration> = {},
): StreamDeclaration {
  return {
    kind: 'stream',
    name,
    schema,
    columns: columnsOf(schema),
    redisKey: name,
    partitions: 1,
    place: null,
    eventTime: null,
    latenessMs: null,
    partitionBy: null,
    unknownTypes: 'error',
    decoder: 'any',
    upcast: null,
    retain: null,
    ...more,
  };
}

export function tableOf(
  name: string,
  schema: z.ZodType,
  key: readonly string[],
  more: Partial<TableDeclaration> = {},
): TableDeclaration {
  return {
    kind: 'table',
    name,
    schema,
    columns: columnsOf(schema),
    redisKey: name,
    partitions: 1,
    place: null,
    eventTime: null,
    latenessMs: null,
    key,
    retain: null,
    ...more,
  };
}

export const columnsOf = (schema: z.core.$ZodType): readonly Column[] => describedColumns(schema)!.columns;
