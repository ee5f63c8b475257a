import type { Growth } from './node-kind.js';
import type { Relation } from './relation.js';

/** What is kept of rows that nothing ever retracts is never freed. */
export const keptGrowth = (relation: Relation): Growth =>
  relation.appendOnly ? 'grows for ever' : 'grows with its input';
