import { unsupported } from '../unsupported.js';
import type { Bound, Call, Expr, Frame, OrderItem, Over, Query } from './ast.js';
import { dialect } from './dialect.js';
import { TokenReader } from './token-reader.js';

/** Functions that SQL calls without parentheses. */
const BARE = new Set(['current_timestamp', 'current_date']);

/** Columns and calls of functions: what begins with a name, with the order, filter and window of a call. */
export abstract class CallParser extends TokenReader {
  abstract query(): Query;
  abstract expression(): Expr;
  /** What binds as tightly as a sum, or more so. */
  protected abstract sum(): Expr;

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

  protected column(first: string): Expr {
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
    const args = [name === 'position' ? this.sum() : this.expression()];
    if (name === 'substring' && this.skip('for'))
      return [...args, { k: 'literal', value: 1, type: 'int' }, this.expression()];
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
    if (kind === 'word' && !['partition', 'order', 'rows', 'range', 'groups', 'session'].includes(text)) {
      const over = { per: [], order: [], frame: null };
      this.#toldLater(over);
      return Object.assign(over, this.window());
    }
    const per = this.skip('partition', 'by') ? this.list(() => this.expression()) : [];
    const order = this.skip('order', 'by') ? this.orderItems() : [];
    let frame: Frame | null = null;
    if (this.skip('session', 'with', 'gap'))
      frame = { unit: 'session', from: { at: 'start' }, to: { at: 'end' }, gap: this.expression() };
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
    const by = this.sum();
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
