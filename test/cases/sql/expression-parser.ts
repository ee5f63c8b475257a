import { unsupported } from '../unsupported.js';
import type { Bound, Call, Expr, Frame, OrderItem, Over, Query } from './ast.js';
import { dialect } from './dialect.js';
import { TokenReader } from './token-reader.js';
import { typeNamed } from './types.js';

/** Words that begin what cannot be a column's name where an expression is expected. */
const RESERVED = new Set(
  'select from where group having order limit offset union except intersect on using join left right full inner cross natural as and or not case when then else end window fetch'.split(
    ' ',
  ),
);
/** Functions that SQL calls without parentheses. */
const BARE = new Set(['current_timestamp', 'current_date']);

/** Expressions, by precedence: or, and, not, is, comparisons, between/in/like, other operators, +, *, ^, unary, ::. */
export abstract class ExpressionParser extends TokenReader {
  abstract query(): Query;

  expression(): Expr {
    let left = this.#and();
    while (this.skip('or')) left = { k: 'binary', op: 'or', l: left, r: this.#and() };
    return left;
  }

  protected orderItems(): OrderItem[] {
    return this.list(() => {
      const e = this.expression();
      const descending = this.skip('desc');
      if (!descending) this.skip('asc');
      let nullsFirst = descending !== dialect().nullsLow;
      if (this.skip('nulls')) {
        nullsFirst = this.skip('first');
        if (!nullsFirst) this.expect('last');
      }
      return { e, descending, nullsFirst };
    });
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
    if (!any && !all) return { k: 'binary', op, l, r: this.#range() };
    this.next();
    this.expect('(');
    if (!this.sees('select') && !this.sees('with')) unsupported('SQL: ANY or ALL of an array');
    const query = this.query();
    this.expect(')');
    if (any && op === '=') return { k: 'inQuery', e: l, query, not: false };
    if (all && op === '<>') return { k: 'inQuery', e: l, query, not: true };
    return unsupported(`SQL: ${op} ${any ? 'ANY' : 'ALL'}`);
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
    const not = this.sees('not') && ['in', 'between', 'like', 'ilike'].includes(this.ahead(1).text);
    if (not) this.next();
    if (this.skip('in')) {
      this.expect('(');
      if (this.sees('select') || this.sees('with') || this.sees('values')) {
        const query = this.query();
        this.expect(')');
        return { k: 'inQuery', e, query, not };
      }
      const list = this.list(() => this.expression());
      this.expect(')');
      return { k: 'in', e, list, not };
    }
    if (this.skip('between')) {
      const low = this.#other();
      this.expect('and');
      return { k: 'between', e, low, high: this.#other(), not };
    }
    for (const word of ['like', 'ilike'])
      if (this.skip(word)) return { k: 'like', e, pattern: this.#other(), not, anyCase: word === 'ilike' };
    return e;
  }

  #other(): Expr {
    return this.#binary(['||', '->', '->>', '~', '!~'], () => this.#sum());
  }

  #sum(): Expr {
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
    for (const op of ['-', '+']) if (this.skip(op)) return { k: 'unary', op, e: this.#unary() };
    return this.#postfix(this.#primary());
  }

  #postfix(of: Expr): Expr {
    let e = of;
    for (;;) {
      if (this.skip('::')) e = { k: 'cast', e, type: this.type() };
      else if (this.skip('[')) {
        e = { k: 'element', e, index: this.expression() };
        this.expect(']');
      } else return e;
    }
  }

  protected type(): string {
    let text = this.name();
    if (text === 'double' && this.skip('precision')) text = 'double precision';
    else if (text === 'character' && this.skip('varying')) text = 'character varying';
    if ((text === 'timestamp' || text === 'time') && this.skip('with', 'time', 'zone'))
      text += ' with time zone';
    else if (text === 'timestamp' || text === 'time') this.skip('without', 'time', 'zone');
    if (this.skip('(')) {
      const parts = this.list(() => this.next().text);
      this.expect(')');
      text += `(${parts.join(',')})`;
    }
    while (this.skip('[', ']')) text += '[]';
    return typeNamed(text);
  }

  #primary(): Expr {
    const { token } = this;
    if (token.kind === 'number') {
      this.next();
      return { k: 'literal', value: Number(token.text), type: /^\d+$/.test(token.text) ? 'int' : 'numeric' };
    }
    if (token.kind === 'text') {
      this.next();
      return { k: 'literal', value: token.text, type: 'unknown' };
    }
    if (this.skip('(')) return this.#parenthesized();
    if (this.skip('*')) return { k: 'star', table: null };
    if (token.kind === 'quoted') return this.#named(this.name());
    if (token.kind !== 'word' || RESERVED.has(token.text)) {
      if (this.skip('not', 'exists')) return this.#exists(true);
      if (this.skip('case')) return this.#case();
      return unsupported(`SQL: "${this.rest}"`);
    }
    this.next();
    return this.#word(token.text);
  }

  #parenthesized(): Expr {
    if (this.sees('select') || this.sees('with') || this.sees('values')) {
      const query = this.query();
      this.expect(')');
      return { k: 'scalar', query };
    }
    const items = this.list(() => this.expression());
    this.expect(')');
    return items.length === 1 ? items[0]! : { k: 'row', items };
  }

  #word(word: string): Expr {
    switch (word) {
      case 'null':
        return { k: 'literal', value: null, type: 'unknown' };
      case 'true':
      case 'false':
        return { k: 'literal', value: word === 'true', type: 'bool' };
      case 'exists':
        return this.#exists(false);
      case 'cast': {
        this.expect('(');
        const e = this.expression();
        this.expect('as');
        const type = this.type();
        this.expect(')');
        return { k: 'cast', e, type };
      }
      case 'extract': {
        this.expect('(');
        const field = this.next().text.toLowerCase();
        this.expect('from');
        const e = this.expression();
        this.expect(')');
        return { k: 'extract', field, e };
      }
      case 'array':
        return this.#array();
      case 'row':
        if (this.skip('(')) {
          const items = this.list(() => this.expression());
          this.expect(')');
          return { k: 'row', items };
        }
        break;
      case 'interval':
      case 'date':
      case 'time':
      case 'timestamp':
      case 'timestamptz':
        if (this.token.kind === 'text') return this.#typed(word);
    }
    return this.#named(word);
  }

  #exists(not: boolean): Expr {
    this.expect('(');
    const query = this.query();
    this.expect(')');
    return { k: 'exists', query, not };
  }

  #array(): Expr {
    if (this.skip('(')) return unsupported('SQL: ARRAY of a query');
    this.expect('[');
    const items = this.sees(']') ? [] : this.list(() => this.expression());
    this.expect(']');
    return { k: 'array', items };
  }

  #typed(type: string): Expr {
    let { text } = this.next();
    if (type === 'interval') {
      const unit = /^(year|month|week|day|hour|minute|second)s?$/.exec(this.token.text);
      if (unit && this.token.kind === 'word') {
        this.next();
        text = `${text} ${unit[1]}`;
      }
    }
    return { k: 'cast', e: { k: 'literal', value: text, type: 'unknown' }, type: typeNamed(type) };
  }

  #case(): Expr {
    const of = this.sees('when') ? null : this.expression();
    const whens: [Expr, Expr][] = [];
    while (this.skip('when')) {
      const when = this.expression();
      this.expect('then');
      whens.push([when, this.expression()]);
    }
    const otherwise = this.skip('else') ? this.expression() : null;
    this.expect('end');
    return { k: 'case', of, whens, otherwise };
  }

  #named(first: string): Expr {
    if (this.skip('(')) return this.#call(first);
    if (!this.skip('.')) return BARE.has(first) ? call(first, []) : { k: 'column', table: null, name: first };
    if (this.skip('*')) return { k: 'star', table: first };
    const second = this.name();
    if (this.skip('(')) return this.#call(second);
    return { k: 'column', table: first, name: second };
  }

  #call(name: string): Expr {
    const distinct = this.skip('distinct');
    if (!distinct) this.skip('all');
    let args: Expr[] = [];
    const star = this.sees('*', ')');
    if (star) this.next();
    else if (name === 'substring' || name === 'position' || name === 'overlay' || name === 'trim')
      args = this.#wordy(name);
    else if (!this.sees(')')) args = this.list(() => this.expression());
    let order: readonly OrderItem[] = this.skip('order', 'by') ? this.orderItems() : [];
    this.expect(')');
    if (this.skip('within', 'group')) {
      this.expect('(', 'order', 'by');
      order = this.orderItems();
      this.expect(')');
    }
    let filter: Expr | null = null;
    if (this.skip('filter')) {
      this.expect('(', 'where');
      filter = this.expression();
      this.expect(')');
    }
    const over = this.skip('over') ? this.#over() : null;
    return { k: 'call', name, args, star, distinct, order, filter, over };
  }

  /** Arguments with words between them: substring(x from 1 for 2). */
  #wordy(name: string): Expr[] {
    if (name === 'trim')
      for (const word of ['both', 'leading', 'trailing'])
        if (this.skip(word)) unsupported(`SQL: trim ${word}`);
    const args = [name === 'position' ? this.#sum() : this.expression()];
    while (this.skip(',') || this.skip('from') || this.skip('for') || this.skip('in'))
      args.push(this.expression());
    return args;
  }

  #over(): Over {
    if (!this.skip('(')) return unsupported('SQL: a named window');
    const per = this.skip('partition', 'by') ? this.list(() => this.expression()) : [];
    const order = this.skip('order', 'by') ? this.orderItems() : [];
    let frame: Frame | null = null;
    for (const unit of ['rows', 'range', 'groups'] as const)
      if (this.skip(unit)) {
        if (this.skip('between')) {
          const from = this.#bound();
          this.expect('and');
          frame = { unit, from, to: this.#bound() };
        } else frame = { unit, from: this.#bound(), to: { at: 'current' } };
        if (this.skip('exclude')) unsupported('SQL: EXCLUDE in a frame');
      }
    this.expect(')');
    return { per, order, frame };
  }

  #bound(): Bound {
    if (this.skip('unbounded', 'preceding')) return { at: 'start' };
    if (this.skip('unbounded', 'following')) return { at: 'end' };
    if (this.skip('current', 'row')) return { at: 'current' };
    const by = this.#sum();
    if (this.skip('preceding')) return { at: 'before', by };
    this.expect('following');
    return { at: 'after', by };
  }
}

export const call = (name: string, args: readonly Expr[]): Call => ({
  k: 'call',
  name,
  args,
  star: false,
  distinct: false,
  order: [],
  filter: null,
  over: null,
});
