import { columnAt, isScalar, typeText, type Column } from './column.js';
import type { OrderTerm } from './plan.js';

/** The words of an order, in one text or one by one: `'a.desc'`, `'a.desc,b'`, `['a.desc', 'b']`. */
export type Order = string | readonly [string, ...string[]];

export const orderTermText = ({ path, descending }: Pick<OrderTerm, 'path' | 'descending'>): string =>
  descending ? `${path}.desc` : path;

/** In one text; what is no order is a text that names no column. */
export const orderText = (order: Order): string => (Array.isArray(order) ? order.join(',') : String(order));

export const orderWords = (order: Order): string[] =>
  orderText(order)
    .split(',')
    .map((term) => term.trim());

/** What is wrong with a word of an order. */
export interface BadTerm {
  /** What follows "by a column". */
  readonly what: string;
  readonly evidence: Record<string, string>;
}

/** What one word means: a column, or a path into one, with `.asc` or `.desc` behind it if need be. */
export function orderTerm(columns: readonly Column[], term: string): OrderTerm | BadTerm {
  const [, path, direction] = /^(.+?)(?:\.(asc|desc))?$/.exec(term) ?? [null, '', ''];
  const whole = columnAt(columns, term);
  const column = (direction && columnAt(columns, path!)) || whole;
  if (column === null)
    return { what: 'that there is not', evidence: { columns: columns.map(({ name }) => name).join(', ') } };
  if (!isScalar(column.type))
    return { what: 'that has no order', evidence: { [term]: typeText(column.type) } };
  return {
    path: column === whole ? term : path!,
    descending: column !== whole && direction === 'desc',
    column,
  };
}
