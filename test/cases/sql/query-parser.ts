import { unsupported } from '../unsupported.js';
import type { Body, Expr, From, Item, JoinKind, OrderItem, Query, Select } from './ast.js';
import { changesOf } from './changes.js';
import { ExpressionParser } from './expression-parser.js';
import { pastOf } from './past.js';

/** Words that end a table's name in FROM and so are no alias of it. */
const AFTER_TABLE = new Set(
  'where group having order limit offset union except intersect on using join left right full inner cross natural fetch window emit with asof for match_condition'.split(
    ' ',
  ),
);
const AFTER_ITEM = new Set([...AFTER_TABLE, 'from']);

export class QueryParser extends ExpressionParser {
  query(): Query {
    const ctes: Query['ctes'][number][] = [];
    if (this.skip('with')) {
      if (this.skip('recursive')) unsupported('SQL: WITH RECURSIVE');
      do {
        const name = this.name();
        const columns = this.sees('(') ? this.names() : [];
        this.expect('as');
        if (this.skip('changelog', 'from')) {
          ctes.push({ name, columns, query: this.#changes() });
          continue;
        }
        this.skip('materialized');
        this.expect('(');
        ctes.push({ name, columns, query: this.query() });
        this.expect(')');
      } while (this.skip(','));
    }
    const body = this.#body();
    let order: OrderItem[] = [];
    let limit: Expr | null = null;
    let offset: Expr | null = null;
    let ties = false;
    for (;;) {
      if (this.skip('order', 'by')) order = this.orderItems();
      else if (this.skip('limit')) limit = this.skip('all') ? null : this.expression();
      else if (this.skip('offset')) {
        offset = this.expression();
        if (!this.skip('rows')) this.skip('row');
      } else if (this.skip('fetch')) {
        if (!this.skip('first')) this.expect('next');
        limit =
          this.sees('row') || this.sees('rows') ? { k: 'literal', value: 1, type: 'int' } : this.expression();
        if (!this.skip('rows')) this.expect('row');
        if (this.skip('with', 'ties')) ties = true;
        else this.expect('only');
      } else break;
    }
    return { ctes, body, order, limit, offset, ties };
  }

  #changes(): Query {
    let name = this.name();
    if (this.skip('.')) name = this.name();
    return new QueryParser(`select * from "${changesOf(name)}"`).query();
  }

  #body(): Body {
    let left = this.#intersected();
    for (;;) {
      const op = (['union', 'except'] as const).find((word) => this.sees(word));
      if (op === undefined) return left;
      this.next();
      const all = this.skip('all');
      if (!all) this.skip('distinct');
      left = { k: 'set', op, all, by: this.#corresponding(), l: left, r: this.#intersected() };
    }
  }

  #intersected(): Body {
    let left = this.#part();
    while (this.skip('intersect')) {
      const all = this.skip('all');
      if (!all) this.skip('distinct');
      left = { k: 'set', op: 'intersect', all, by: this.#corresponding(), l: left, r: this.#part() };
    }
    return left;
  }

  #corresponding(): string[] | null {
    if (!this.skip('corresponding')) return null;
    return this.skip('by') ? this.names() : [];
  }

  #part(): Body {
    if (this.skip('(')) {
      const query = this.query();
      this.expect(')');
      return { k: 'nested', query };
    }
    if (this.skip('values'))
      return {
        k: 'values',
        rows: this.list(() => {
          this.expect('(');
          const row = this.list(() => this.expression());
          this.expect(')');
          return row;
        }),
      };
    return this.#select();
  }

  #select(): Select {
    this.expect('select');
    const around = this.named;
    this.named = [];
    let distinct = false;
    let distinctOn: Expr[] = [];
    if (this.skip('distinct')) {
      if (this.skip('on')) {
        this.expect('(');
        distinctOn = this.list(() => this.expression());
        this.expect(')');
      } else distinct = true;
    } else this.skip('all');
    const items = this.sees('from') ? [] : this.list(() => this.#item());
    const from = this.skip('from') ? this.list(() => this.#from()) : [];
    const where = this.skip('where') ? this.expression() : null;
    const groups = this.skip('group', 'by') ? this.#groups() : null;
    const having = this.skip('having') ? this.expression() : null;
    if (this.skip('window')) this.list(() => this.#toldWindow());
    if (this.named.length > 0) unsupported(`SQL: the window ${this.named[0]!.name}`);
    this.named = around;
    return { k: 'select', distinct, distinctOn, items, from, where, groups, having };
  }

  #toldWindow(): void {
    const name = this.name();
    this.expect('as', '(');
    const told = this.window();
    for (const one of this.named)
      if (one.name === name) {
        const { order, frame } = one.over;
        Object.assign(one.over, {
          per: told.per,
          order: order.length > 0 ? order : told.order,
          frame: frame ?? told.frame,
        });
      }
    this.named = this.named.filter((one) => one.name !== name);
  }

  #item(): Item {
    const e = this.#starExcept(this.expression());
    const { kind, text } = this.token;
    let as: string | null = null;
    if (this.skip('as')) as = this.next().text;
    else if (kind === 'quoted' || (kind === 'word' && !AFTER_ITEM.has(text))) as = this.name();
    return { e, as, name: as ?? nameOf(e) };
  }

  #starExcept(e: Expr): Expr {
    if (e.k !== 'star') return e;
    if (this.skip('except', '(') || this.skip('exclude', '(')) {
      const except = this.list(() => this.expression());
      this.expect(')');
      return { ...e, except };
    }
    if (!this.skip('replace', '(')) return e;
    const replaced = this.list((): [string, Expr] => {
      const by = this.expression();
      this.expect('as');
      return [this.name(), by];
    });
    this.expect(')');
    return { ...e, replaced: new Map(replaced) };
  }

  /** The sets of expressions that are grouped by: one, unless GROUPING SETS, ROLLUP or CUBE make more of them. */
  #groups(): Expr[][] {
    let sets: Expr[][] = [[]];
    for (const part of this.list(() => this.#grouping()))
      sets = sets.flatMap((before) => part.map((one) => [...before, ...one]));
    return sets;
  }

  #grouping(): Expr[][] {
    if (this.skip('grouping', 'sets')) {
      this.expect('(');
      const sets = this.list(() => this.#grouping()).flat();
      this.expect(')');
      return sets;
    }
    const rollup = this.sees('rollup', '(');
    if (rollup || this.sees('cube', '(')) {
      this.next();
      this.expect('(');
      const parts = this.list(() => this.#groupingSet());
      this.expect(')');
      if (rollup)
        return Array.from({ length: parts.length + 1 }, (_, cut) =>
          parts.slice(0, parts.length - cut).flat(),
        );
      return Array.from({ length: 1 << parts.length }, (_, bits) =>
        parts.filter((_, index) => !(bits & (1 << index))).flat(),
      );
    }
    return [this.#groupingSet()];
  }

  #groupingSet(): Expr[] {
    if (this.skip('(', ')')) return [];
    const e = this.expression();
    return e.k === 'row' ? [...e.items] : [e];
  }

  #from(): From {
    let left = this.#table();
    for (;;) {
      const natural = this.skip('natural');
      let asOf = this.skip('asof');
      let kind: JoinKind | null = null;
      if (this.skip('cross', 'join')) kind = 'cross';
      else if (this.skip('inner', 'join') || this.skip('join')) kind = 'inner';
      else
        for (const side of ['left', 'right', 'full'] as const) {
          if (this.skip(side, 'asof', 'join')) asOf = true;
          else if (!this.skip(side, 'outer', 'join') && !this.skip(side, 'join')) continue;
          kind = side;
        }
      if (kind === null) return left;
      const right = this.#table();
      const nearest = this.skip('match_condition') ? this.#parenthesis() : null;
      let on = this.skip('on') ? this.expression() : null;
      if (nearest !== null && on !== null) on = { k: 'binary', op: 'and', l: on, r: nearest };
      const using = this.skip('using') ? this.names() : null;
      left = { k: 'join', kind, l: left, r: right, on, using, natural, asOf };
    }
  }

  #parenthesis(): Expr {
    this.expect('(');
    const e = this.expression();
    this.expect(')');
    return e;
  }

  #table(): From {
    const lateral = this.skip('lateral');
    if (this.skip('(')) {
      if (this.sees('select') || this.sees('with') || this.sees('values') || this.#queryIn()) {
        const query = this.query();
        this.expect(')');
        return { k: 'query', query, lateral, ...this.#alias(null) };
      }
      const from = this.#from();
      this.expect(')');
      return from;
    }
    const wrapped = this.skip('table', '(');
    let name = this.name();
    if (this.skip('.')) name = this.name();
    if (wrapped || (this.sees('(', 'table') && ['tumble', 'hop', 'session'].includes(name)))
      return this.#windowed(name, wrapped);
    if (this.skip('(')) {
      const args = this.sees(')') ? [] : this.list(() => this.expression());
      this.expect(')');
      const numbered = this.skip('with', 'ordinality');
      const { as, columns } = this.#alias(name);
      return { k: 'function', name, args, as: as!, columns, numbered };
    }
    const past = this.#past();
    const { as, columns } = this.#alias(name);
    return { k: 'table', name: past || this.#past() ? pastOf(name) : name, as: as!, columns };
  }

  /** TABLE(TUMBLE(TABLE t, DESCRIPTOR(at), INTERVAL …)), its arguments named or not: as TUMBLE(t, at, INTERVAL …). */
  #windowed(name: string, wrapped: boolean): From {
    this.expect('(');
    const keys: Expr[] = [];
    const args: Expr[] = [];
    const column = (named: string): Expr => ({ k: 'column', table: null, name: named });
    this.list(() => {
      if (this.ahead(1).text === '=>') {
        this.next();
        this.next();
      }
      if (this.skip('table')) {
        args.push(column(this.name()));
        if (this.skip('partition', 'by')) keys.push(...this.list(() => this.expression()));
      } else if (this.skip('descriptor')) {
        const columns = this.names().map(column);
        if (args.length === 1) args.push(...columns);
        else keys.push(...columns);
      } else args.push(this.expression());
    });
    this.expect(')');
    if (wrapped) this.expect(')');
    const { as, columns } = this.#alias(name);
    return { k: 'function', name, args, as: as!, columns, numbered: false, keys };
  }

  #past(): boolean {
    if (!this.skip('for', 'system_time', 'as', 'of')) return false;
    if (!this.skip('proctime', '(', ')')) unsupported('SQL: FOR SYSTEM_TIME of another time');
    return true;
  }

  /** Whether parentheses follow that hold a query and not a join. */
  #queryIn(): boolean {
    let depth = 0;
    while (this.ahead(depth).text === '(') depth++;
    if (depth === 0 || !['select', 'with', 'values'].includes(this.ahead(depth).text)) return false;
    // ((select …) union …) is a query, ((select …) a join …) is none: the word behind the parenthesis tells.
    let at = 0;
    let open = 0;
    do {
      if (this.ahead(at).text === '(') open++;
      if (this.ahead(at).text === ')') open--;
      at++;
    } while (open > 0 && this.ahead(at).kind !== 'end');
    return ['union', 'except', 'intersect', ')', 'order', 'limit'].includes(this.ahead(at).text);
  }

  #alias(otherwise: string | null): { as: string | null; columns: string[] } {
    const said = this.skip('as');
    const { kind, text } = this.token;
    let as = otherwise;
    if (said || kind === 'quoted' || (kind === 'word' && !AFTER_TABLE.has(text))) as = this.name();
    return { as, columns: as !== otherwise && this.sees('(') ? this.names() : [] };
  }
}

/** What an item is called that is given no name. */
function nameOf(e: Expr): string {
  if (e.k === 'column' || e.k === 'call') return e.name;
  if (e.k === 'cast') return nameOf(e.e);
  return e.k === 'case' ? 'case' : '?column?';
}
