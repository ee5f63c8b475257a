import type { EventType } from '../view/plan.js';
import { typesOf, variantsOfSchema, type Variants } from '../view/variants.js';
import { isFields } from './conform.js';
import type { EventColumns } from './event-envelope.js';
import { FlatFields } from './flat-fields.js';
import type { RecordSource } from './placement.js';

/** Characters of an unknown type that are kept. */
const TYPE_LENGTH_MAX = 100;

/** What is known of the types of a stream's events; of a stream whose events have none there is nothing to make one of. */
export class EventTypes {
  readonly #known: ReadonlySet<unknown>;
  readonly #flat: ReadonlyMap<string, FlatFields>;

  constructor(
    readonly variants: Variants,
    /** Events of an unknown type give no row, and are no error. */
    readonly skips: boolean,
  ) {
    this.#known = new Set(typesOf(variants));
    this.#flat = new Map(
      variants.variants.flatMap((variant) => {
        const fields = new FlatFields(variant);
        return variant.types.map((type) => [String(type), fields] as const);
      }),
    );
  }

  static of(source: RecordSource): EventTypes | null {
    const variants = source.kind === 'stream' ? variantsOfSchema(source.schema) : null;
    return (
      variants && new EventTypes(variants, (source as { unknownTypes?: string }).unknownTypes === 'skip')
    );
  }

  /** The type of an event whose type no variant has, as a text; null for any other value. */
  unknownTypeOf(event: unknown): string | null {
    if (!isFields(event)) return null;
    const type = event[this.variants.discriminator];
    return !isType(type) || this.#known.has(type)
      ? null
      : String(type).slice(0, TYPE_LENGTH_MAX).toWellFormed();
  }

  /** Reads an event field by field: which fields it has, and what they hold, depends on its type. */
  readFlat(texts: ReadonlyMap<string, string>): Record<string, unknown> {
    const fields = this.#flat.get(texts.get(this.variants.discriminator) ?? '');
    return fields === undefined ? Object.fromEntries(texts) : fields.read(texts);
  }

  /** Why an event of an unknown type is an error. */
  refusal(type: string): string {
    const types = typesOf(this.variants).map((known) => JSON.stringify(known));
    const named = types.slice(0, TYPES_NAMED_MAX).join(', ') + (types.length > TYPES_NAMED_MAX ? ', …' : '');
    return `there is no event type ${JSON.stringify(type)}; the types are ${named}`;
  }
}

const TYPES_NAMED_MAX = 20;

const isType = (value: unknown): value is EventType =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** What readers of entries need to know of a stream. Without types of events `type` is a column like others. */
export function eventColumns(source: RecordSource, readFlat: EventColumns['readFlat']): EventColumns {
  const names = new Set(source.columns.map(({ name }) => name));
  const variants = source.kind === 'stream' ? variantsOfSchema(source.schema) : null;
  return { type: variants?.discriminator ?? (names.has('type') ? 'type' : null), names, readFlat };
}
