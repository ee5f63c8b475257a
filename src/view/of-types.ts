import type { Build } from './build.js';
import type { EventType, OfNode, PlanNode } from './plan.js';
import { columnNames, ofRelation } from './relation.js';
import { columnsOfVariants, typesOf, variantsOf, variantsWith } from './variants.js';

/** The node of `of('OrderPlaced', …)`. */
export function ofNode(build: Build, input: PlanNode, types: readonly unknown[]): OfNode {
  const variants = variantsOf(input);
  const { place } = build;
  if (variants === null) {
    build.note({
      code: 'no-event-types',
      what: 'of() takes events of one type out of several, and these rows are not events of several types.',
      evidence: { columns: columnNames(input) },
      remedy:
        'Declare the stream with z.discriminatedUnion(…), and write of() before what changes its columns.',
      place,
    });
    return { op: 'of', input, discriminator: '', types: [], relation: input.relation, place };
  }
  const known = typesOf(variants);
  const unknown = types.filter((type) => !known.includes(type as EventType));
  if (unknown.length > 0 || types.length === 0)
    build.note({
      code: 'unknown-type',
      what:
        types.length === 0
          ? 'of() names no type of event.'
          : `There are no events of the type ${unknown.map((type) => JSON.stringify(type)).join(', ')}.`,
      evidence: { types: known.map(String).join(', ') },
      remedy: 'Name one of these types, or add a variant to the schema of the stream.',
      place,
    });
  const wanted = known.filter((type) => types.includes(type));
  const columns =
    wanted.length === 0 ? input.relation.columns : columnsOfVariants(variantsWith(variants, wanted));
  return {
    op: 'of',
    input,
    discriminator: variants.discriminator,
    types: wanted,
    relation: ofRelation(input.relation, columns),
    place,
  };
}
