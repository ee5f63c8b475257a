/** The id of a stream entry, `milliseconds-sequence`; `0-0` stands before all entries. */
export type Position = string;

export const BEGINNING: Position = '0-0';

/** The greatest id there can be. */
export const END: Position = '18446744073709551615-18446744073709551615';

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

/** The id of the entry that a commit writes of itself, for those that follow its task. */
export const positionOfTick = (tick: number): Position => `${tick}-0`;
export const tickOf = (position: Position): number => Number(position.slice(0, position.indexOf('-')));

/** The time in an entry's id, milliseconds. */
export const timeOf = (position: Position): number => Number(position.slice(0, position.indexOf('-')));

/** Positions as order-preserving texts of fixed width. Entries that follow each other mostly are of one millisecond. */
export class PositionOrders {
  #ms = '';
  #padded = '';

  of(position: Position, index: number): string {
    const { length } = this.#ms;
    if (length === 0 || position.charCodeAt(length) !== DASH || !position.startsWith(this.#ms)) {
      this.#ms = position.slice(0, position.indexOf('-'));
      this.#padded = `${this.#ms.padStart(14, '0')}-`;
    }
    const start = this.#ms.length + 1;
    if (index > 0) return `${this.#padded}${sequenceText(position, start)}.${String(index).padStart(6, '0')}`;
    // The first of a millisecond are most of all, and their ends are at hand.
    const digits = position.length - start;
    if (digits > 3) return this.#padded + sequenceText(position, start) + FIRST;
    let sequence = 0;
    for (let at = start; at < position.length; at++)
      sequence = sequence * 10 + position.charCodeAt(at) - DIGIT_0;
    return this.#padded + ENDS[sequence]!;
  }
}

const sequenceText = (position: Position, start: number): string => position.slice(start).padStart(12, '0');

const DASH = 0x2d;
const DIGIT_0 = 0x30;
const FIRST = '.000000';
const ENDS = Array.from({ length: 1_000 }, (_, sequence) => String(sequence).padStart(12, '0') + FIRST);
