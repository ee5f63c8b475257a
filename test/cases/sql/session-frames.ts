import { unsupported } from '../unsupported.js';
import type { Call, Expr } from './ast.js';
import { call } from './call-parser.js';
import type { Rel } from './relation.js';
import { exchanged, partsOf } from './walk.js';

/**
 * Frames of sessions as whole partitions: a session begins with each row that lies further than the gap behind the row
 * before it, and how many have begun is what its rows are partitioned by as well.
 */
export function inSessions(
  of: Rel,
  expressions: readonly Expr[],
  windowOf: (rel: Rel, call: Call) => { rel: Rel; id: string },
): { rel: Rel; expressions: Expr[]; rewrite: (e: Expr) => Expr } {
  let rel = of;
  const sessions = new Map<string, string>();
  const isOfSession = (e: Expr): e is Call =>
    e.k === 'call' && e.over !== null && e.over.frame?.unit === 'session';
  const visit = (e: Expr): void => {
    if (!isOfSession(e)) return partsOf(e).forEach(visit);
    const text = JSON.stringify(e.over);
    if (sessions.has(text)) return;
    const { per, order, frame } = e.over!;
    const [by] = order;
    if (order.length !== 1 || by!.descending) return unsupported('SQL: sessions in this order');
    const before = windowOf(rel, { ...call('lag', [by!.e]), over: { per, order, frame: null } });
    const gap: Expr = { k: 'cast', e: frame!.gap!, type: 'interval' };
    const near: Expr = {
      k: 'binary',
      op: '<=',
      l: by!.e,
      r: { k: 'binary', op: '+', l: { k: 'known', id: before.id }, r: gap },
    };
    const begins: Expr = {
      k: 'case',
      of: null,
      whens: [[near, { k: 'literal', value: 0, type: 'int' }]],
      otherwise: { k: 'literal', value: 1, type: 'int' },
    };
    const number = windowOf(before.rel, { ...call('sum', [begins]), over: { per, order, frame: null } });
    rel = number.rel;
    sessions.set(text, number.id);
  };
  expressions.forEach(visit);
  const rewrite = (e: Expr): Expr =>
    exchanged(e, (part) => {
      if (!isOfSession(part)) return null;
      const { per, order } = part.over!;
      const id = sessions.get(JSON.stringify(part.over))!;
      const frame = { unit: 'rows', from: { at: 'start' }, to: { at: 'end' } } as const;
      return { ...part, over: { per: [...per, { k: 'known', id }], order, frame } };
    });
  return { rel, expressions: expressions.map(rewrite), rewrite };
}
