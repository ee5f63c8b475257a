import type { z } from 'zod';
import { columnsOf as describedColumns } from '../../src/view/columns.js';
import type { Column } from '../../src/view/column.js';
import type { StreamDeclaration, TableDeclaration } from '../../src/view/declarations.js';

/** Declarations as the view language makes them, for tests of what works on declarations alone. */
export const streamOf = (
  name: string,
  schema: z.ZodType,
  more: Partial<StreamDeclaration> = {},
): StreamDeclaration => ({
  ...sourceOf(name, schema),
  kind: 'stream',
  partitionBy: null,
  unknownTypes: 'error',
  decoder: 'any',
  upcast: null,
  ...more,
});

export const tableOf = (
  name: string,
  schema: z.ZodType,
  key: readonly string[],
  more: Partial<TableDeclaration> = {},
): TableDeclaration => ({ ...sourceOf(name, schema), kind: 'table', key, ...more });

const sourceOf = (name: string, schema: z.ZodType) => ({
  name,
  schema,
  columns: columnsOf(schema),
  redisKey: name,
  partitions: 1,
  place: null,
  eventTime: null,
  latenessMs: null,
  retain: null,
});

export const columnsOf = (schema: z.core.$ZodType): readonly Column[] => describedColumns(schema)!.columns;
