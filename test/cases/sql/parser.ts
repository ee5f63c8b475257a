import { unsupported } from '../unsupported.js';
import type { Query } from './ast.js';
import { QueryParser } from './query-parser.js';

/** The query that a text is. */
export function parseQuery(sql: string): Query {
  const parser = new QueryParser(sql);
  const query = parser.query();
  parser.skip(';');
  // Whether a view waits for its rows to be final is told beside it.
  parser.skip('emit', 'on', 'window', 'close');
  if (!parser.atEnd) unsupported(`SQL: "${parser.rest}"`);
  return query;
}
