import { StillwaterError } from '../errors/stillwater-error.js';
import type { ServedView } from '../runtime/reading/served-view.js';
import { parseOrder } from '../runtime/reading/order-words.js';
import type { Filter, RowsQuery } from '../runtime/reading/rows-query.js';
import { pathsOf, typeAt } from '../runtime/reading/view-description.js';
import type { Row } from '../zset/value.js';
import { FilterParser } from './parse-filters.js';
import { projection } from './projection.js';
import { unknownParameter, wholeNumber } from './request-parameters.js';
import type { ServingLimits } from './serving-limits.js';

/** What a request for rows, or for their changes, asks for. */
export interface RowsRequest {
  query: RowsQuery;
  project: (row: Row) => Row;
  atLeast: string | null;
  /** Parameters that are not about rows. */
  others: Map<string, string>;
}

const GROUPS = ['or', 'and', 'not.or', 'not.and'];
const OF_ROWS = ['select', 'order', 'limit', 'offset', 'cursor', 'atLeast'];
const OF_FILTERS = ['select', 'atLeast'];

/**
 * The query of `/rows` (and of `/changes`, which takes its filters and `select`). A name that is neither a parameter nor a
 * column is refused: a filter that is ignored gives wrong rows.
 */
export function parseRowsQuery(
  view: ServedView,
  parameters: readonly [string, string][],
  limits: ServingLimits,
  others: readonly string[] | null = null,
): RowsRequest {
  const { description } = view;
  const known = others === null ? OF_ROWS : [...OF_FILTERS, ...others];
  const filters: Filter[] = [];
  const parser = new FilterParser(description, limits);
  const given = new Map<string, string>();
  for (const [name, value] of parameters) {
    if (GROUPS.includes(name)) filters.push(parser.group(name, value));
    else if (known.includes(name)) {
      if (given.has(name)) throw repeated(name);
      given.set(name, value);
    } else if (typeAt(description.columns, name) !== null) filters.push(parser.column(name, value));
    else throw unknownParameter(name, [...known, ...GROUPS], pathsOf(description.columns));
  }
  const order = given.get('order');
  const offset = given.get('offset');
  const limit = given.get('limit');
  return {
    query: {
      where: filters.length === 0 ? null : { kind: 'and', filters },
      order: order === undefined ? [] : parseOrder(order, description),
      limit:
        limit === undefined ? limits.rowsLimitDefault : wholeNumber('limit', limit, 0, limits.rowsLimitMax),
      offset: offset === undefined ? 0 : wholeNumber('offset', offset, 0, limits.offsetMax),
      after: given.get('cursor') ?? null,
    },
    project: projection(given.get('select') ?? null, description),
    atLeast: given.get('atLeast') ?? null,
    others: given,
  };
}

const repeated = (name: string): StillwaterError =>
  new StillwaterError('malformed-parameter', {
    what: `"${name}" is given twice.`,
    consequence: 'Nothing was read.',
    remedy: 'Give it once.',
  });
