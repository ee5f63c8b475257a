import { StillwaterError } from '../../errors/stillwater-error.js';
import { fixedPaths, narrowedPaths } from './rows-path.js';
import type { RowsQuery } from './rows-query.js';
import type { ServedView } from './served-view.js';

/**
 * What an index takes in Redis for one row, about (measured): the member, which is the order texts of its columns with the
 * row's bucket and key, and what a sorted set keeps for each member: an entry of its hash table and a node of its skip list.
 */
const INDEX_BYTES = 150;

/** The refusal of a query whose cost grows with the view. `rows`: how many that has; null where an index was followed in vain. */
export function unindexedQuery(
  view: ServedView,
  query: RowsQuery,
  rows: number | null,
  rowsMax: number,
): StillwaterError {
  const { fixed, ranged } = narrowedPaths(query);
  const bound = fixedPaths(query);
  const order = query.order.filter(({ path }) => !bound.has(path));
  const ordering = order.map(({ path, descending }) => (descending ? `${path}.desc` : path));
  const wanted = [...fixed, ...(ordering.length > 0 ? ordering : ranged.slice(0, 1))];
  const name = view.generation.view;
  const allowed = rowsMax.toLocaleString('en');
  const what =
    order.length > 0
      ? `order view "${name}" by ${order.map(({ path }) => `"${path}"`).join(', ')}`
      : `filter view "${name}" so`;
  const counted =
    rows === null
      ? `  rows      more than ${allowed} were looked at   (so many may be, with an index that does not fit)`
      : `  rows      ${rows.toLocaleString('en')}   (unindexed ${order.length > 0 ? 'orders' : 'filters'} are allowed up to ${allowed})`;
  const indexes = view.description.indexes.map((index) => index.name).join(' · ') || 'none';
  const other = view.description.indexes[0]?.columns[0]?.path;
  const cost = rows === null ? '' : ` (about ${Math.max(1, Math.round((rows * INDEX_BYTES) / 1e6))} MB)`;
  return new StillwaterError('unindexed-query', {
    what: `Cannot ${what}.`,
    evidence: `${counted}\n  indexes   ${indexes}`,
    consequence: 'Nothing was read.',
    remedy:
      (wanted.length > 0 ? `Add '${wanted.join()}' to its \`indexes\`${cost}, or filter` : 'Filter') +
      ` by ${other ?? `its key (${view.description.key.join(', ')})`} first.`,
  });
}
