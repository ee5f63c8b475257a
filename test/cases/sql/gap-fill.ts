import { unsupported } from '../unsupported.js';
import type { Call, Expr } from './ast.js';
import { compile } from './expressions.js';
import { applied, columnOf, expanded, offered, picked, type Rel } from './relation.js';
import { Scope } from './scope.js';
import { instantOf, isNumber, isTime, msOf } from './types.js';

type Filling = 'locf' | 'interpolate' | 'keepnull';

/** So many rows are made of one at the most, as an error says that would otherwise be a view of millions. */
const ROWS_MAX = 100_000;

/**
 * GAP_FILL: rows in between where those of a group lie further apart than an interval. Each row knows the time and the values
 * of the next one, and is made as many rows as there is room for before that.
 */
export function gapFilled(of: Rel, args: readonly Expr[]): Rel {
  const [time, interval, ...rest] = args;
  if (time?.k !== 'column' || interval === undefined) return unsupported('SQL: gap_fill() of these');
  const at = of.scope.column(null, time.name);
  const stepMs = compile(interval, new Scope([])).of({});
  if (typeof stepMs !== 'number' || stepMs <= 0 || !isTime(at.type) || at.type === 'date')
    return unsupported('SQL: gap_fill() by these times');
  const columns = of.scope.own;
  const rel = picked(
    of,
    columns.map((column) => [column.id, column]),
  );
  const calls = rest.map((e): Call => (e.k === 'call' ? e : unsupported('SQL: gap_fill() with this')));
  const named = (call: Call): string[] =>
    call.args.map((e) =>
      e.k === 'column'
        ? of.scope.column(null, e.name).id
        : unsupported(`SQL: ${call.name}() of an expression`),
    );
  const per = calls.filter(({ name }) => name === 'partition_by').flatMap(named);
  const fillings = new Map<string, Filling>();
  for (const call of calls.filter(({ name }) => name !== 'partition_by')) {
    if (!['locf', 'interpolate', 'keepnull'].includes(call.name))
      unsupported(`SQL: ${call.name}() in gap_fill()`);
    for (const id of named(call)) fillings.set(id, call.name as Filling);
  }
  const lines = columns.filter(({ id }) => fillings.get(id) === 'interpolate');
  if (lines.some(({ type }) => !isNumber(type))) unsupported('SQL: interpolate() of these');
  const next = new Map([at, ...lines].map(({ id, type }) => [id, columnOf('', type, { made: true })]));
  const withNext: Rel = {
    rows: applied(
      rel.rows,
      'over',
      { per, order: [at.id] },
      Object.fromEntries([...next].map(([id, column]) => [column.id, offered('lead')(id)])),
    ),
    scope: new Scope([...columns, ...next.values()]),
  };
  const filled = columns.map((column) => columnOf(column.name, column.type, { table: column.table }));
  const rows = expanded(withNext, filled, (row) => {
    const rows = [row];
    const end = row[next.get(at.id)!.id];
    if (row[at.id] !== null && end !== null) {
      const from = msOf(row[at.id]);
      const steps = (msOf(end) - from) / stepMs;
      if (steps > ROWS_MAX) throw new Error(`a gap of ${steps} rows`);
      for (let step = 1; step < steps; step++)
        rows.push(between(row, { ms: from + step * stepMs, share: step / steps }));
    }
    return rows.map((one) =>
      Object.fromEntries(columns.map(({ id }, place) => [filled[place]!.id, one[id]])),
    );
  });
  return picked(
    rows,
    filled.map((column) => [column.id, column]),
  );

  function between(row: any, { ms, share }: { ms: number; share: number }): any {
    const made = { ...row };
    for (const { id } of columns)
      if (id === at.id) made[id] = instantOf(ms);
      else if (!per.includes(id)) made[id] = valueOf(row, id, share);
    return made;
  }

  function valueOf(row: any, id: string, share: number): any {
    switch (fillings.get(id)) {
      case 'locf':
        return row[id];
      case 'interpolate': {
        const then = row[next.get(id)!.id];
        return row[id] === null || then === null ? null : row[id] + (then - row[id]) * share;
      }
      default:
        return null;
    }
  }
}
