/** The id of a stream entry, `milliseconds-sequence`; `0-0` stands before all entries. */
export type Position = string;

export const BEGINNING: Position = '0-0';

/** Order of positions; as texts `9-0` would come after `10-0`. */
export function comparePositions(left: Position, right: Position): number {
  if (left === right) return 0;
  const [leftMs, leftSequence] = left.split('-') as [string, string];
  const [rightMs, rightSequence] = right.split('-') as [string, string];
  return Number(leftMs) - Number(rightMs) || Number(leftSequence) - Number(rightSequence);
}

export const laterOf = (left: Position, right: Position): Position =>
  comparePositions(left, right) >= 0 ? left : right;
export const earlierOf = (left: Position, right: Position): Position =>
  comparePositions(left, right) <= 0 ? left : right;

/** The time in an entry's id, milliseconds. */
export const timeOf = (position: Position): number => Number(position.slice(0, position.indexOf('-')));

/** Positions as order-preserving texts of fixed width. Entries that follow each other mostly are of one millisecond. */
export class PositionOrders {
  #ms = '';
  #padded = '';

  of(position: Position, index: number): string {
    const dash = position.indexOf('-');
    const ms = position.slice(0, dash);
    if (ms !== this.#ms) {
      this.#ms = ms;
      this.#padded = `${ms.padStart(14, '0')}-`;
    }
    const sequence = position.slice(dash + 1).padStart(12, '0');
    return this.#padded + sequence + (index === 0 ? FIRST : `.${String(index).padStart(6, '0')}`);
  }
}

const FIRST = '.000000';
