/** Where dialects of SQL mean something else than PostgreSQL does. */
export interface Dialect {
  /** Null is the least of all values, not the greatest. */
  readonly nullsLow: boolean;
  /** `greatest` and `least` are null if one of their arguments is. */
  readonly extremesOfNull: boolean;
  /** The average of whole numbers is a whole number. */
  readonly wholeAverages: boolean;
  /** A date is cut in its time zone, and what comes of it has one. */
  readonly truncatesInZone: boolean;
  /** Casts to whole numbers cut what is behind the point. */
  readonly cutsCasts: boolean;
  /** Parts of times are whole numbers, and Sunday is the first day of a week. */
  readonly wholeParts: boolean;
  /** The zone behind an instant. */
  readonly utc: string;
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
  wholeAverages: false,
  truncatesInZone: true,
  cutsCasts: false,
  wholeParts: false,
  utc: '+00',
  errorsAreNull: false,
  dropsLate: false,
  listsOfNone: false,
  hasClock: false,
};
/** What dialects of Apache Calcite have in common. */
const CALCITE: Partial<Dialect> = {
  nullsLow: true,
  wholeAverages: true,
  truncatesInZone: false,
  cutsCasts: true,
  wholeParts: true,
  utc: '+00:00',
};
const DIALECTS: Readonly<Record<string, Partial<Dialect>>> = {
  feldera: { ...CALCITE, extremesOfNull: true, dropsLate: true, listsOfNone: true, hasClock: true },
  'flink-sql-1.10': CALCITE,
  risingwave: { errorsAreNull: true, truncatesInZone: false, utc: '+00:00' },
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
