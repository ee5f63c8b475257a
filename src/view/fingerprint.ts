import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { columnsRead } from './columns-read.js';
import { describeFunction } from './describe-expression.js';
import { kindOf } from './node-kinds.js';
import type { PlanNode, SourceNode } from './plan.js';
import type { Column } from './column.js';
import type {
  EventDecoder,
  SourceDeclaration,
  StreamDeclaration,
  TableDeclaration,
  ViewDeclaration,
} from './declarations.js';
import { stampsOf } from './stamp.js';
import { schemaSignature } from './schema-signature.js';
import { variantsOfSchema } from './variants.js';

/**
 * 16 hex digits over everything that decides a view's rows and how they are kept: the shape of its plan, the
 * normalised sources of its functions, of its streams' schemas the columns it reads and those an entry must have
 * to be decoded at all, its upstreams' fingerprints. What functions capture from around them cannot be seen:
 * that is what `version` is for.
 */
export function fingerprintOf(
  view: Pick<ViewDeclaration, 'name' | 'plan' | 'key' | 'indexes' | 'version' | 'partitions' | 'buckets'>,
): string {
  const read = columnsRead(view.plan);
  const content = {
    name: view.name,
    plan: describe(view.plan, read),
    key: view.key,
    indexes: view.indexes.map((index) => index.columns.map(({ path, descending }) => [path, descending])),
    version: view.version,
    // Said only where rows are moved to another number of partitions than they come from.
    partitions: view.partitions === view.plan.relation.partitions ? undefined : view.partitions,
    buckets: view.buckets,
  };
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);
}

type Read = ReturnType<typeof columnsRead>;

function describe(node: PlanNode, read: Read): unknown {
  if (node.op === 'source') return { source: describeSource(node, read.get(node) ?? null) };
  const kind = kindOf(node);
  return {
    op: node.op,
    ...kind.describe(node),
    of: kind.inputs(node).map((input) => describe(input, read)),
  };
}

function describeSource({ source }: SourceNode, names: ReadonlySet<string> | null): unknown {
  if (source.kind === 'view') return { view: source.name, fingerprint: source.fingerprint };
  const always = alwaysRead(source);
  const signatures = (columns: readonly Column[]): unknown =>
    columns
      .filter(
        (column) =>
          names === null || names.has(column.name) || always.includes(column.name) || isRequired(column),
      )
      .map((column) => [column.name, schemaSignature(column.schema)]);
  const variants = source.kind === 'stream' ? variantsOfSchema(source.schema) : null;
  return {
    [source.kind]: source.name,
    redisKey: source.redisKey,
    partitions: source.partitions,
    ...wholeSignature(source.schema),
    columns:
      variants === null
        ? signatures(source.columns)
        : variants.variants.map(({ types, schema, columns }) => [
            types,
            wholeSignature(schema),
            signatures(columns),
          ]),
    ...(source.kind === 'stream'
      ? {
          discriminator: variants?.discriminator,
          unknownTypes: variants === null ? undefined : source.unknownTypes,
          ...stamps(source),
          eventTime: source.eventTime,
          latenessMs: source.latenessMs,
          partitionBy: source.partitionBy,
          decoder: describeDecoder(source.decoder),
          upcast: source.upcast === null ? undefined : describeFunction(source.upcast),
        }
      : { key: source.key, ...timeOfTable(source) }),
  };
}

/** Said only where there are any. */
function stamps({ schema, columns }: StreamDeclaration): object {
  const found = [...stampsOf(schema, columns)];
  return found.length > 0 ? { stamps: found } : {};
}

/** Said only where it is not the usual one. */
const describeDecoder = (decoder: EventDecoder): unknown =>
  decoder === 'any' ? undefined : typeof decoder === 'string' ? decoder : describeFunction(decoder);

/** What a schema asks of records as wholes, beside what their columns are. */
function wholeSignature(schema: z.core.$ZodType): object {
  const {
    type,
    checks,
    catchall,
    in: input,
    out,
    innerType,
  } = schema._zod.def as {
    type: string;
    checks?: readonly z.core.$ZodType[];
    catchall?: z.core.$ZodType;
    in?: z.core.$ZodType;
    out?: z.core.$ZodType;
    innerType?: z.core.$ZodType;
  };
  return {
    ...(checks?.length ? { checks: checks.map(schemaSignature) } : {}),
    ...(catchall === undefined ? {} : { catchall: schemaSignature(catchall) }),
    ...(type === 'pipe' ? { in: schemaSignature(input!), out: wholeSignature(out!) } : {}),
    ...(innerType === undefined ? {} : { inner: wholeSignature(innerType) }),
  };
}

/** Said only where there is any: it decides nothing of the others. */
const timeOfTable = ({ eventTime, latenessMs }: TableDeclaration): object =>
  eventTime === null ? {} : { eventTime, latenessMs };

const alwaysRead = (source: Exclude<SourceDeclaration, ViewDeclaration>): readonly string[] => [
  ...(source.kind === 'table' ? source.key : (source.partitionBy ?? [])),
  ...(source.eventTime === null ? [] : [source.eventTime]),
];

/** Entries without the column cannot be decoded, so that it decides rows though nothing reads it. */
const isRequired = (column: Column): boolean =>
  !column.type.nullable && column.schema._zod.optin !== 'optional';
