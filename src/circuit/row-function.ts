import { ImpureCall } from './pure.js';

/** A user's function over rows, as an operator calls it. */
export interface RowFunction<R> {
  readonly call: (row: any) => unknown;
  /** What the function gave as a value of its column, canonical. @throws if it is none. */
  readonly check: (given: unknown) => R;
}

/** One call in so many is made twice, to find functions that give two answers for one row. */
const CALLS_PER_REPEAT = 1_000;

/**
 * How operators call users' functions: rows frozen, answers checked, some calls repeated. Whatever goes wrong is thrown,
 * and the caller makes it an error of the row.
 */
export class RowCalls<R> {
  #calls = 0;

  constructor(readonly fn: RowFunction<R>) {}

  of(row: unknown): R {
    const answer = this.#ask(row);
    if (this.#calls++ % CALLS_PER_REPEAT === 0) {
      const again = this.#ask(row);
      if (answer !== again && JSON.stringify(answer) !== JSON.stringify(again))
        throw new ImpureCall(
          `something that changes: the same row gave ${shortText(answer)} and then ${shortText(again)}`,
          'use nothing but the row',
        );
    }
    return answer;
  }

  #ask(row: unknown): R {
    const given = this.fn.call(row);
    if (
      typeof given === 'object' &&
      given !== null &&
      typeof (given as { then?: unknown }).then === 'function'
    ) {
      // It may fail later, with nobody to hear it.
      void Promise.resolve(given as PromiseLike<unknown>).then(undefined, () => {});
      throw new TypeError('The function gave a promise. View functions answer at once; they cannot wait.');
    }
    return this.fn.check(given);
  }
}

/** The check of a condition. */
export function isTrue(given: unknown): boolean {
  if (typeof given !== 'boolean')
    throw new TypeError(`The condition gave ${shortText(given)}, neither true nor false.`);
  return given;
}

/** A value in a message. */
export function shortText(value: unknown): string {
  let text: string | undefined;
  try {
    // Of these JSON says null.
    text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  } catch {
    text = undefined;
  }
  text ??= typeof value === 'function' ? 'a function' : String(value);
  return text.length > 80 ? text.slice(0, 80) + '…' : text;
}

/** Freezes a row and all it holds, so that a function cannot change what others see. Rows are frozen whole or not at all. */
export function freezeRow<T>(row: T): T {
  if (Object.isFrozen(row)) return row;
  for (const column in row) {
    const value = row[column];
    if (typeof value === 'object' && value !== null) freezeDeep(value);
  }
  return Object.freeze(row);
}

function freezeDeep(value: object): void {
  if (Object.isFrozen(value)) return;
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) freezeDeep(inner);
  Object.freeze(value);
}
