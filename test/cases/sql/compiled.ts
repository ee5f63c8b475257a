import { dialect, SqlError } from './dialect.js';

/** An expression made a function of a row, with SQL's nulls. */
export interface Compiled {
  readonly type: string;
  readonly of: (row: any) => any;
  /** A text of a decimal whose digits behind the point are not told: another text may be made of none. */
  readonly open?: boolean;
}

export const bool = (of: (row: any) => boolean | null): Compiled => ({ type: 'bool', of });
export const constant = (type: string, value: any): Compiled => ({ type, of: () => value });

/** A function of values that are not null: null where one is. */
export const nullsOut =
  (args: readonly Compiled[], call: (...values: any[]) => any) =>
  (row: any): any => {
    const values = args.map((arg) => arg.of(row));
    if (values.includes(null)) return null;
    if (!dialect().errorsAreNull) return call(...values);
    try {
      return call(...values);
    } catch (thrown) {
      if (thrown instanceof SqlError) return null;
      throw thrown;
    }
  };
