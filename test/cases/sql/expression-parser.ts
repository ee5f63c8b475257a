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
/** Reserved words that are functions too where a parenthesis follows. */
const ALSO_FUNCTIONS = new Set(['left', 'right']);
/** Functions that SQL calls without parentheses. */
const BARE = new Set(['current_timestamp', 'current_date']);

const OTHER_OPERATORS = '|| -> ->> #> #>> ~ ~* !~ !~* @> <@ && ? ?| ?& & | # << >>'.split(' ');

const OPPOSITE: Readonly<Record<string, string>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
};

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
      if (this.skip(word)) return { k: 'like', e, pattern: this.#other(), not, anyCase: word === 'ilike' };
    return e;
  }

  #other(): Expr {
    return this.#binary(OTHER_OPERATORS, () => this.#sum());
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
    for (const op of ['-', '+', '~']) if (this.skip(op)) return { k: 'unary', op, e: this.#unary() };
    return this.#postfix(this.#primary());
  }

  #postfix(of: Expr): Expr {
    let e = of;
    for (;;) {
      if (this.skip('::')) e = this.#castTo(e);
      // Texts have one order here, that of their characters' codes.
      else if (this.skip('collate')) this.name();
      else if (this.skip('[')) {
        const index = this.expression();
        e = this.skip(':') ? call('(slice)', [e, index, this.expression()]) : { k: 'element', e, index };
        this.expect(']');
      } else return e;
    }
  }

  /** A text cast to so many characters loses the others. */
  #castTo(e: Expr): Expr {
    const text = this.typeText();
    const size = /^(?:varchar|character varying)\((\d+)\)$/.exec(text)?.[1];
    const cast: Expr = { k: 'cast', e, type: typeNamed(text) };
    return size === undefined
      ? cast
      : call('left', [cast, { k: 'literal', value: Number(size), type: 'int' }]);
  }

  protected type(): string {
    return typeNamed(this.typeText());
  }

  protected typeText(): string {
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
    return text;
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
    const isFunction = ALSO_FUNCTIONS.has(token.text) && this.ahead(1).text === '(';
    if (token.kind !== 'word' || (RESERVED.has(token.text) && !isFunction)) {
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
        const cast = this.#castTo(e);
        this.expect(')');
        return cast;
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
        if (word === 'timestamp' && this.sees('with', 'time', 'zone') && this.ahead(3).kind === 'text') {
          this.skip('with', 'time', 'zone');
          return this.#typed('timestamptz');
        }
        if (this.token.kind === 'text') return this.#typed(word);
        if (word === 'interval' && this.token.kind === 'number') return this.#typed(word);
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
    if (this.skip('(')) {
      const query = this.query();
      this.expect(')');
      return listOf(query);
    }
    this.expect('[');
    const items = this.sees(']') ? [] : this.list(() => this.expression());
    this.expect(']');
    return { k: 'array', items };
  }

  #typed(type: string): Expr {
    let { text } = this.next();
    if (type === 'interval') {
      const unit = /^(year|month|quarter|week|day|hour|minute|second)s?$/.exec(this.token.text);
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
    // A function of lists as an aggregate: of the list of its values.
    if (first === 'aggregate' && this.skip(':')) return this.#ofList(this.name());
    if (!this.skip('.')) return BARE.has(first) ? call(first, []) : { k: 'column', table: null, name: first };
    if (this.skip('*')) return { k: 'star', table: first };
    const second = this.name();
    if (this.skip('(')) return this.#call(second);
    return { k: 'column', table: first, name: second };
  }

  #ofList(name: string): Expr {
    this.expect('(');
    return call(name, [this.#call('array_agg')]);
  }

  #call(name: string): Expr {
    if (name === 'trim') return this.#trim();
    const distinct = this.skip('distinct');
    if (!distinct) this.skip('all');
    let args: Expr[] = [];
    const star = this.sees('*', ')');
    if (star) this.next();
    else if (name === 'substring' || name === 'position' || name === 'overlay') args = this.#wordy(name);
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

  /** trim([both | leading | trailing] [characters] from text), or trim(text, characters). */
  #trim(): Expr {
    const sides = ['both', 'leading', 'trailing'] as const;
    const side = sides.find((word) => this.skip(word)) ?? 'both';
    const name = { both: 'btrim', leading: 'ltrim', trailing: 'rtrim' }[side];
    if (this.skip('from')) {
      const text = this.expression();
      this.expect(')');
      return call(name, [text]);
    }
    const [first, ...others] = this.list(() => this.expression());
    const text = this.skip('from') ? this.expression() : null;
    this.expect(')');
    return call(name, text === null ? [first!, ...others] : [text, first!]);
  }

  /** Arguments with words between them: substring(x from 1 for 2). */
  #wordy(name: string): Expr[] {
    const args = [name === 'position' ? this.#sum() : this.expression()];
    while (this.skip(',') || this.skip('placing') || this.skip('from') || this.skip('for') || this.skip('in'))
      args.push(this.expression());
    return args;
  }

  /** The windows that the select being read names but has not yet told. */
  protected named: { readonly name: string; readonly over: Over }[] = [];

  #over(): Over {
    if (this.skip('(')) return this.window();
    return this.#toldLater({ per: [], order: [], frame: null });
  }

  #toldLater(over: Over): Over {
    this.named.push({ name: this.name(), over });
    return over;
  }

  /** What stands between the parentheses of a window; it may begin with the name of another. */
  protected window(): Over {
    const { kind, text } = this.token;
    if (kind === 'word' && !['partition', 'order', 'rows', 'range', 'groups'].includes(text)) {
      const over = { per: [], order: [], frame: null };
      this.#toldLater(over);
      return Object.assign(over, this.window());
    }
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
        if (this.skip('exclude', 'current', 'row')) frame = { ...frame, withoutRow: true };
        else if (this.skip('exclude') && !this.skip('no', 'others')) unsupported('SQL: EXCLUDE in a frame');
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

/** ARRAY(query): the list of what a query of one column gives; of nothing, an empty one. */
function listOf(query: Query): Expr {
  const item: Expr = { k: 'column', table: '(list)', name: '(item)' };
  const { body, order } = query;
  // The order of the query is that of the list, where it is told by the one column.
  const byItem = order.every(
    ({ e }) =>
      (e.k === 'literal' && e.value === 1) ||
      (body.k === 'select' && JSON.stringify(e) === JSON.stringify(body.items[0]?.e)),
  );
  if (!byItem) return unsupported('SQL: ARRAY of a query in an order of other columns');
  const list: Call = { ...call('array_agg', [item]), order: order.map((one) => ({ ...one, e: item })) };
  const e = call('coalesce', [list, { k: 'array', items: [] }]);
  const inAnyOrder = query.limit === null && query.offset === null ? { ...query, order: [] } : query;
  const whole: Query = {
    ctes: [],
    body: {
      k: 'select',
      distinct: false,
      distinctOn: [],
      items: [{ e, as: null, name: 'array' }],
      from: [{ k: 'query', query: inAnyOrder, as: '(list)', columns: ['(item)'], lateral: false }],
      where: null,
      groups: null,
      having: null,
    },
    order: [],
    limit: null,
    offset: null,
    ties: false,
  };
  return { k: 'scalar', query: whole };
}
