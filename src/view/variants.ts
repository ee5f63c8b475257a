import type { z } from 'zod';
import { columnsOf, mergedColumns } from './columns.js';
import type { EventType, PlanNode } from './plan.js';
import type { Column } from './column.js';

/** The types of event of one stream: the column that tells them, and the columns each of them has. */
export interface Variants {
  /** The column whose value is an event's type. */
  readonly discriminator: string;
  readonly variants: readonly Variant[];
}

export interface Variant {
  /** Mostly one; a variant may be that of several types. */
  readonly types: readonly EventType[];
  readonly schema: z.core.$ZodType;
  readonly columns: readonly Column[];
}

/** The variants of `z.discriminatedUnion('type', […])`; null for any other schema. */
export function variantsOfSchema(schema: z.core.$ZodType): Variants | null {
  const { discriminator, options } = schema._zod.def as {
    discriminator?: string;
    options?: readonly z.core.$ZodType[];
  };
  if (discriminator === undefined || options === undefined) return null;
  const variants = options.flatMap((option) => {
    const within = variantsOfSchema(option);
    if (within?.discriminator === discriminator) return within.variants;
    const types = [...(option._zod.propValues?.[discriminator] ?? [])].filter(isEventType);
    return [{ types, schema: option, columns: columnsOf(option)?.columns ?? [] }];
  });
  return { discriminator, variants };
}

const isEventType = (value: unknown): value is EventType =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** The variants that the rows of a node still are; null where they are not events of several types any more. */
export function variantsOf(node: PlanNode): Variants | null {
  switch (node.op) {
    case 'source':
      return node.source.kind === 'stream' ? variantsOfSchema(node.source.schema) : null;
    case 'where':
      return variantsOf(node.input);
    case 'of': {
      const input = variantsOf(node.input);
      return input && { ...input, variants: variantsWith(input, node.types) };
    }
    default:
      return null;
  }
}

export const typesOf = ({ variants }: Variants): EventType[] => variants.flatMap(({ types }) => types);

/** The variants that have any of these types. */
export const variantsWith = ({ variants }: Variants, types: readonly EventType[]): Variant[] =>
  variants.filter((variant) => variant.types.some((type) => types.includes(type)));

/** The columns of all of these: null where a variant has not. */
export const columnsOfVariants = (variants: readonly Variant[]): readonly Column[] =>
  variants.length === 1
    ? variants[0]!.columns
    : mergedColumns(variants.map(({ columns }) => ({ kind: 'object', columns, nullable: false })));
