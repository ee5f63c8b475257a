import type { Expr, Query } from './ast.js';
import { call } from './call-parser.js';
import { PrimaryParser } from './primary-parser.js';

/** The end of every list. */
const LAST = Number.MAX_SAFE_INTEGER;

const OTHER_OPERATORS = '|| -> ->> #> #>> ~ ~* !~ !~* @> <@ && ? ?| ?& & | # << >>'.split(' ');

const OPPOSITE: Readonly<Record<string, string>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
};

/** A row against that of a query: null where the query has none. */
const rowCompared = (op: string, e: Expr, query: Query): Expr => ({
  k: 'case',
  of: null,
  whens: [
    [
      { k: 'exists', query, not: false },
      { k: 'inQuery', e, query, op, not: false },
    ],
  ],
  otherwise: null,
});

/** Expressions, by precedence: or, and, not, is, comparisons, between/in/like, other operators, +, *, ^, unary, ::. */
export abstract class ExpressionParser extends PrimaryParser {
  expression(): Expr {
    let left = this.#and();
    while (this.skip('or')) left = { k: 'binary', op: 'or', l: left, r: this.#and() };
    return left;
  }

  #and(): Expr {
    let left = this.#not();
    while (this.skip('and')) left = { k: 'binary', op: 'and', l: left, r: this.#not() };
    return left;
  }

  #not(): Expr {
    if (this.sees('not') && !this.sees('not', 'exists')) {
      this.next();
      return { k: 'unary', op: 'not', e: this.#not() };
    }
    return this.#comparison();
  }

  #comparison(): Expr {
    let left = this.#range();
    for (;;) {
      if (this.skip('is')) left = this.#is(left);
      else if (this.skip('isnull')) left = { k: 'is', e: left, value: null, not: false };
      else if (this.skip('notnull')) left = { k: 'is', e: left, value: null, not: true };
      else if (this.skip('<=>')) left = { k: 'distinct', l: left, r: this.#range(), not: true };
      else {
        const op = ['=', '<>', '!=', '<', '<=', '>', '>='].find((mark) => this.sees(mark));
        if (op === undefined) return left;
        this.next();
        left = this.#compared(op === '!=' ? '<>' : op, left);
      }
    }
  }

  #compared(op: string, l: Expr): Expr {
    const any = this.sees('any', '(') || this.sees('some', '(');
    const all = this.sees('all', '(');
    if (!any && !all) {
      const r = this.#range();
      return l.k === 'row' && r.k === 'scalar' ? rowCompared(op, l, r.query) : { k: 'binary', op, l, r };
    }
    this.next();
    this.expect('(');
    const isQuery = this.sees('select') || this.sees('with') || this.sees('values');
    const query = isQuery ? this.query() : null;
    const list = isQuery ? null : this.expression();
    this.expect(')');
    if (list !== null) return { k: 'quantified', op, all, e: l, list };
    // What holds for all fails for none.
    return { k: 'inQuery', e: l, query: query!, op: all ? OPPOSITE[op]! : op, not: all };
  }

  #is(e: Expr): Expr {
    const not = this.skip('not');
    if (this.skip('null')) return { k: 'is', e, value: null, not };
    if (this.skip('true')) return { k: 'is', e, value: true, not };
    if (this.skip('false')) return { k: 'is', e, value: false, not };
    if (this.skip('unknown')) return { k: 'is', e, value: null, not };
    this.expect('distinct', 'from');
    return { k: 'distinct', l: e, r: this.#range(), not };
  }

  #range(): Expr {
    const e = this.#other();
    const not =
      this.sees('not') && ['in', 'between', 'like', 'ilike', 'similar'].includes(this.ahead(1).text);
    if (not) this.next();
    if (this.skip('in')) {
      this.expect('(');
      if (this.sees('select') || this.sees('with') || this.sees('values')) {
        const query = this.query();
        this.expect(')');
        return { k: 'inQuery', e, query, op: '=', not };
      }
      const list = this.list(() => this.expression());
      this.expect(')');
      return { k: 'in', e, list, not };
    }
    if (this.skip('between')) {
      const symmetric = this.skip('symmetric');
      const low = this.#other();
      this.expect('and');
      const high = this.#other();
      if (!symmetric) return { k: 'between', e, low, high, not };
      return {
        k: 'between',
        e,
        low: call('least', [low, high]),
        high: call('greatest', [low, high]),
        not,
      };
    }
    if (this.skip('similar', 'to'))
      return { k: 'like', e, pattern: this.#other(), not, anyCase: false, similar: true };
    for (const word of ['like', 'ilike'])
      if (this.skip(word)) {
        const pattern = this.#other();
        const escape = this.skip('escape') ? { escape: this.next().text } : {};
        return { k: 'like', e, pattern, not, anyCase: word === 'ilike', ...escape };
      }
    return e;
  }

  #other(): Expr {
    return this.#binary(OTHER_OPERATORS, () => this.sum());
  }

  protected sum(): Expr {
    return this.#binary(['+', '-'], () => this.#product());
  }

  #product(): Expr {
    return this.#binary(['*', '/', '%'], () => this.#power());
  }

  #power(): Expr {
    return this.#binary(['^'], () => this.#unary());
  }

  #binary(ops: readonly string[], operand: () => Expr): Expr {
    let left = operand();
    for (;;) {
      const op = ops.find((mark) => this.sees(mark));
      if (op === undefined) return this.#zone(left);
      this.next();
      left = { k: 'binary', op, l: left, r: operand() };
    }
  }

  #zone(e: Expr): Expr {
    if (!this.skip('at', 'time', 'zone')) return e;
    return call('timezone', [this.#unary(), e]);
  }

  #unary(): Expr {
    for (const op of ['-', '+', '~']) if (this.skip(op)) return { k: 'unary', op, e: this.#unary() };
    return this.#postfix(this.primary());
  }

  #postfix(of: Expr): Expr {
    let e = of;
    for (;;) {
      if (this.skip('::')) e = this.castTo(e);
      // Texts have one order here, that of their characters' codes.
      else if (this.skip('collate')) this.name();
      else if (this.skip('[')) {
        const number = (value: number): Expr => ({ k: 'literal', value, type: 'int' });
        const index = this.sees(':') ? number(1) : this.expression();
        e = this.skip(':')
          ? call('(slice)', [e, index, this.sees(']') ? number(LAST) : this.expression()])
          : { k: 'element', e, index };
        this.expect(']');
      } else return e;
    }
  }
}
