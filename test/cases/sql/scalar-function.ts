import { SqlError } from './dialect.js';
import { baseOf } from './types.js';

/** A function of SQL: the type of its result by those of its arguments, and its value. Null in, null out unless `nulls`. */
export interface ScalarFunction {
  readonly type: (types: readonly string[]) => string;
  readonly call: (...args: any[]) => any;
  readonly nulls?: boolean;
  /** The type that texts and nulls without one take here. */
  readonly takes?: string;
}

export const first = (types: readonly string[]): string => types[0] ?? 'unknown';

export const is =
  (type: string): (() => string) =>
  () =>
    type;
export const text = (call: (...args: any[]) => any): ScalarFunction => ({
  type: is('text'),
  call,
  takes: 'text',
});
export const int = (call: (...args: any[]) => any): ScalarFunction => ({ type: is('int'), call });
/** A function of numbers; of those for which it has no value it fails. */
export const number = (call: (...args: any[]) => number): ScalarFunction => ({
  type: (types) => (baseOf(first(types)) === 'float' ? 'float' : 'numeric'),
  call: (...args) => {
    const value = call(...args);
    if (!Number.isFinite(value)) throw new SqlError(`no value for ${args.join(', ')}`);
    return value + 0;
  },
});

export const notNull = (values: readonly any[]): any[] => values.filter((value) => value !== null);
