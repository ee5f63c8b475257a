import type { Call, Expr } from './ast.js';
import { call } from './call-parser.js';
import { exchanged, isWindow } from './walk.js';

const zero: Expr = { k: 'literal', value: 0, type: 'int' };

/**
 * Aggregates of pairs, y by x, said with sums: covariances, correlation and the line through them. Only rows in which
 * neither is null count.
 */
export const inSums = (e: Expr): Expr =>
  exchanged(e, (part) => (part.k === 'call' && !isWindow(part) ? ofPairs(part) : null));

function ofPairs(of: Call): Expr | null {
  if (!/^(corr|covar_pop|covar_samp|regr_\w+)$/.test(of.name) || of.args.length !== 2) return null;
  // Doubles throughout: what is rounded between would be no square of what it was.
  const [y, x] = of.args.map((e): Expr => ({ k: 'cast', e, type: 'float' })) as [Expr, Expr];
  const op = (mark: string, l: Expr, r: Expr): Expr => ({ k: 'binary', op: mark, l, r });
  const both = op(
    'and',
    { k: 'is', e: y, value: null, not: true },
    { k: 'is', e: x, value: null, not: true },
  );
  const filter = of.filter === null ? both : op('and', of.filter, both);
  const sum = (e: Expr): Expr => ({ ...call('sum', [e]), filter });
  const count: Expr = { ...call('count', []), star: true, filter };
  const n: Expr = { k: 'cast', e: count, type: 'float' };
  const none = (e: Expr): Expr => call('nullif', [e, zero]);
  /** n times the sum of what the products are over those of the means. */
  const spread = (a: Expr, b: Expr): Expr => op('-', op('*', n, sum(op('*', a, b))), op('*', sum(a), sum(b)));
  const [xx, yy, xy] = [spread(x, x), spread(y, y), spread(x, y)];
  const slope = op('/', xy, none(xx));
  const mean = (e: Expr): Expr => op('/', sum(e), none(n));
  const correlation = op('/', xy, none(op('*', call('sqrt', [xx]), call('sqrt', [yy]))));
  switch (of.name) {
    case 'covar_pop':
      return op('/', xy, none(op('*', n, n)));
    case 'covar_samp':
      return op('/', xy, none(op('*', n, op('-', n, { k: 'literal', value: 1, type: 'int' }))));
    case 'corr':
      return correlation;
    case 'regr_r2':
      // A line through values that are all the same leaves nothing unsaid of them.
      return {
        k: 'case',
        of: null,
        whens: [
          [op('=', xx, zero), { k: 'literal', value: null, type: 'unknown' }],
          [op('=', yy, zero), { k: 'literal', value: 1, type: 'int' }],
        ],
        otherwise: op('*', correlation, correlation),
      };
    case 'regr_count':
      return count;
    case 'regr_avgx':
      return mean(x);
    case 'regr_avgy':
      return mean(y);
    case 'regr_slope':
      return slope;
    case 'regr_intercept':
      return op('-', mean(y), op('*', slope, mean(x)));
    case 'regr_sxx':
      return op('/', xx, none(n));
    case 'regr_syy':
      return op('/', yy, none(n));
    case 'regr_sxy':
      return op('/', xy, none(n));
    default:
      return null;
  }
}
