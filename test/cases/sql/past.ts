import type { Expr } from './ast.js';
import { ARRIVAL } from './lists.js';
import type { Rel } from './relation.js';
import type { SqlColumn } from './scope.js';
import { unsupported } from '../unsupported.js';

/** FOR SYSTEM_TIME AS OF PROCTIME(): a table as it was when a row of the other side came. */
export const SINCE = '(since)';
export const UNTIL = '(until)';
export const pastOf = (name: string): string => `${name} (past)`;

const made = ({ scope }: Rel, name: string): SqlColumn | undefined =>
  scope.columns.find((column) => column.made === true && column.name === name);

/** What says which of a table's rows, past ones among them, was there when the left row came. */
export function thenThere(left: Rel, right: Rel): Expr[] {
  const since = made(right, SINCE);
  if (since === undefined) return [];
  const arrival = made(left, ARRIVAL) ?? unsupported('SQL: FOR SYSTEM_TIME beside what is no table');
  const known = ({ id }: SqlColumn): Expr => ({ k: 'known', id });
  const until = known(made(right, UNTIL)!);
  return [
    { k: 'binary', op: '<=', l: known(since), r: known(arrival) },
    {
      k: 'binary',
      op: 'or',
      l: { k: 'is', e: until, value: null, not: false },
      r: { k: 'binary', op: '<', l: known(arrival), r: until },
    },
  ];
}
