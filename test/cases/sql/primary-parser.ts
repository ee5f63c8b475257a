import { unsupported } from '../unsupported.js';
import type { Call, Expr, Query } from './ast.js';
import { call, CallParser } from './call-parser.js';
import { numericOf, typeNamed } from './types.js';

/** Words that begin what cannot be a column's name where an expression is expected. */
const RESERVED = new Set(
  'select from where group having order limit offset union except intersect on using join left right full inner cross natural as and or not case when then else end window fetch'.split(
    ' ',
  ),
);
/** Reserved words that are functions too where a parenthesis follows. */
const ALSO_FUNCTIONS = new Set(['left', 'right']);

/** What has no operator on its outside: literals, columns, calls, cases, and anything in parentheses. */
export abstract class PrimaryParser extends CallParser {
  /** A text cast to so many characters loses the others. */
  protected castTo(e: Expr): Expr {
    const text = this.typeText();
    const size = /^(?:varchar|character varying)\((\d+)\)$/.exec(text)?.[1];
    const cast: Expr = { k: 'cast', e, type: typeNamed(text) };
    if (text === 'uuid') return call('(uuid)', [cast]);
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

  protected primary(): Expr {
    const { token } = this;
    if (token.kind === 'number') {
      this.next();
      const [, point = '', exponent] = /^\d*(\.\d*)?(e.*)?$/i.exec(token.text) ?? [];
      const places = exponent === undefined ? Math.max(0, point.length - 1) : null;
      const whole = point === '' && exponent === undefined;
      return { k: 'literal', value: Number(token.text), type: whole ? 'int' : numericOf(places) };
    }
    if (token.kind === 'text') {
      this.next();
      return { k: 'literal', value: token.text, type: 'unknown' };
    }
    if (this.skip('(')) return this.#parenthesized();
    if (this.skip('*')) return { k: 'star', table: null };
    if (token.kind === 'quoted') return this.column(this.name());
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
      case 'safe_cast':
      case 'try_cast':
      case 'cast': {
        this.expect('(');
        const e = this.expression();
        this.expect('as');
        const cast = word === 'cast' ? this.castTo(e) : call('(tried)', [this.castTo(e)]);
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
    return this.column(word);
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
}

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
