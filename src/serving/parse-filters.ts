import { StillwaterError } from '../errors/stillwater-error.js';
import { columnAt } from '../runtime/reading/order-words.js';
import type { Comparison, Filter } from '../runtime/reading/rows-query.js';
import { typeAt, type DescribedType, type ViewDescription } from '../runtime/reading/view-description.js';
import { isDecimal } from '../view/column.js';
import type { Value } from '../zset/value.js';
import { coerceValue } from './coerce-value.js';

const OPERATORS: readonly Comparison[] = [
  'eq',
  'neq',
  'gt',
  'gte',
  'lt',
  'lte',
  'like',
  'ilike',
  'in',
  'is',
  'isdistinct',
];
/** Groups within groups. */
const DEPTH_MAX = 10;

export interface FilterLimits {
  inValuesMax: number;
  conditionsMax: number;
}

/**
 * Conditions as PostgREST writes them.
 *
 *   flights=gte.100            a column (or a path, airport.state) and an operator with its value
 *   origin=not.in.(ORD,SFO)    not. before any operator; lists in parentheses, values with , ( ) in double quotes
 *   or=(a.eq.1,and(b.gt.2,c.is.null))        groups; or, and, not.or, not.and
 *
 * Values are taken as their column's type.
 */
export class FilterParser {
  #conditions = 0;

  constructor(
    readonly description: ViewDescription,
    readonly limits: FilterLimits,
  ) {}

  /** `column=operator.value`. */
  column(path: string, text: string): Filter {
    const type = columnAt(this.description, path);
    return this.#operation(path, type, new Reader(text, `${path}=`), 'end');
  }

  /** `or=(…)`, `and=(…)`, `not.or=(…)`, `not.and=(…)`. */
  group(name: string, text: string): Filter {
    const reader = new Reader(text, `${name}=`);
    const group = this.#group(name, reader, 0);
    if (!reader.ended) throw reader.error('nothing more after the closing parenthesis');
    return group;
  }

  #group(name: string, reader: Reader, depth: number): Filter {
    if (depth > DEPTH_MAX) throw reader.error(`no more than ${DEPTH_MAX} groups within groups`);
    const kind = name.endsWith('or') ? 'or' : 'and';
    reader.expect('(');
    const filters: Filter[] = [];
    do filters.push(this.#member(reader, depth));
    while (reader.take(','));
    reader.expect(')');
    const group: Filter = { kind, filters };
    return name.startsWith('not.') ? { kind: 'not', filter: group } : group;
  }

  #member(reader: Reader, depth: number): Filter {
    const group = reader.takeMatch(/(?:not\.)?(?:and|or)(?=\()/y);
    if (group) return this.#group(group, reader, depth + 1);
    const path = this.#path(reader);
    return this.#operation(path, columnAt(this.description, path), reader, 'member');
  }

  /** A column or path, up to the dot before `not` or an operator. Names may hold dots themselves: the longest that exists counts. */
  #path(reader: Reader): string {
    const quoted = reader.takeQuoted();
    if (quoted !== null) {
      reader.expect('.');
      return quoted;
    }
    const rest = reader.peekMatch(/[^,()"]*/y);
    const steps = rest.split('.');
    let first: string | null = null;
    for (let count = steps.length - 1; count >= 1; count--) {
      const next = steps[count]!;
      if (next !== 'not' && !(OPERATORS as readonly string[]).includes(next)) continue;
      const path = steps.slice(0, count).join('.');
      first = path;
      if (typeAt(this.description.columns, path) === null) continue;
      reader.skip(path.length + 1);
      return path;
    }
    if (first !== null) columnAt(this.description, first);
    throw reader.error(`a condition such as column.eq.value, with one of ${OPERATORS.join(', ')}`);
  }

  #operation(path: string, type: DescribedType, reader: Reader, within: 'end' | 'member'): Filter {
    if (++this.#conditions > this.limits.conditionsMax)
      throw reader.error(`no more than ${this.limits.conditionsMax} conditions`);
    const negated = reader.take('not.');
    const op = reader.takeMatch(/[a-z]+(?=\.|$)/y) as Comparison | null;
    if (op === null || !OPERATORS.includes(op) || !reader.take('.'))
      throw reader.error(`one of ${OPERATORS.join(', ')} (not. may stand before it), and a dot`);
    const value = this.#value(path, type, op, reader, within);
    const compare: Filter = { kind: 'compare', path, op, value, ...(isDecimal(type) && { decimal: true }) };
    const filter: Filter =
      op === 'is' && value === NOT_NULL ? { kind: 'not', filter: { ...compare, value: null } } : compare;
    return negated ? { kind: 'not', filter } : filter;
  }

  #value(path: string, type: DescribedType, op: Comparison, reader: Reader, within: 'end' | 'member'): Value {
    if (op === 'in') return this.#list(path, type, reader);
    const text =
      within === 'end' ? reader.takeRest() : (reader.takeQuoted() ?? reader.takeMatch(/[^,()]*/y) ?? '');
    if (op === 'is') {
      const value = { null: null, unknown: null, not_null: NOT_NULL, true: true, false: false }[text];
      if (value === undefined) throw reader.error('null, not_null, true, false or unknown after is.');
      return value;
    }
    if (op === 'like' || op === 'ilike') {
      if (type.kind !== 'string' && type.kind !== 'enum' && type.kind !== 'json')
        throw reader.error(`another operator: "${path}" does not hold texts`);
      return text;
    }
    return coerceValue(path, type, text);
  }

  #list(path: string, type: DescribedType, reader: Reader): Value[] {
    const values: Value[] = [];
    reader.expect('(');
    if (reader.take(')')) return values;
    do {
      const text = reader.takeQuoted() ?? reader.takeMatch(/[^,()]*/y) ?? '';
      values.push(coerceValue(path, type, text));
      if (values.length > this.limits.inValuesMax)
        throw reader.error(`no more than ${this.limits.inValuesMax} values in in.(…)`);
    } while (reader.take(','));
    reader.expect(')');
    return values;
  }
}

/** Stands for `is.not_null` until it has become a negation. */
const NOT_NULL = '\0not null';

/** A place in the text of a condition. */
class Reader {
  #at = 0;

  constructor(
    readonly text: string,
    readonly before: string,
  ) {}

  get ended(): boolean {
    return this.#at === this.text.length;
  }

  take(token: string): boolean {
    if (!this.text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.take(token)) throw this.error(`"${token}"`);
  }

  peekMatch(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.text)?.[0] ?? '';
  }

  takeMatch(pattern: RegExp): string | null {
    const found = this.peekMatch(pattern);
    this.#at += found.length;
    return found || null;
  }

  skip(length: number): void {
    this.#at += length;
  }

  takeRest(): string {
    const rest = this.text.slice(this.#at);
    this.#at = this.text.length;
    return rest;
  }

  /** A text in double quotes, with `\"` and `\\` inside; null if none begins here. */
  takeQuoted(): string | null {
    if (this.text[this.#at] !== '"') return null;
    const found = this.takeMatch(/"(?:[^"\\]|\\.)*"/sy);
    if (found === null) throw this.error('a closing quotation mark');
    return found.slice(1, -1).replace(/\\(.)/gs, '$1');
  }

  error(wanted: string): StillwaterError {
    const at = Math.min(this.#at, this.text.length);
    return new StillwaterError('malformed-filter', {
      what: 'A filter cannot be read.',
      evidence: `${this.before}${this.text.slice(0, at)} ⟨here⟩ ${this.text.slice(at, at + 100)}\nexpected  ${wanted}`,
      consequence: 'Nothing was read.',
      remedy: 'Write it as column=operator.value, for example flights=gte.100 or origin=in.(ORD,SFO).',
    });
  }
}
