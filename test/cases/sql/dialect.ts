/** Where dialects of SQL mean something else than PostgreSQL does. */
export interface Dialect {
  /** Null is the least of all values, not the greatest. */
  readonly nullsLow: boolean;
  /** `greatest` and `least` are null if one of their arguments is. */
  readonly extremesOfNull: boolean;
  /** An expression that fails is null. */
  readonly errorsAreNull: boolean;
  /** Tables with a lateness drop what comes later. */
  readonly dropsLate: boolean;
  /** A list of the values of rows of which none counts is empty, not null. */
  readonly listsOfNone: boolean;
  /** NOW() is a clock that the case sets. */
  readonly hasClock: boolean;
}

const POSTGRES: Dialect = {
  nullsLow: false,
  extremesOfNull: false,
  errorsAreNull: false,
  dropsLate: false,
  listsOfNone: false,
  hasClock: false,
};
const DIALECTS: Readonly<Record<string, Partial<Dialect>>> = {
  feldera: { nullsLow: true, extremesOfNull: true, dropsLate: true, listsOfNone: true, hasClock: true },
  'flink-sql-1.10': { nullsLow: true },
  risingwave: { errorsAreNull: true },
};

let spoken = POSTGRES;

/** Each case is told in one dialect. */
export const speak = (name: string): void => {
  spoken = { ...POSTGRES, ...DIALECTS[name] };
};
export const dialect = (): Dialect => spoken;

/** What SQL itself refuses to compute, as a division by zero. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
}
