import { freezing } from './freezing.js';
import type { Growth } from './node-kind.js';
import type { Relation } from './relation.js';

/** What is kept of rows that nothing retracts, or not once a watermark has passed them, is never freed. */
export const keptGrowth = (...relations: readonly Relation[]): Growth =>
  relations.some((relation) => relation.appendOnly || freezing(relation).length > 0)
    ? 'grows for ever'
    : 'grows with its input';
