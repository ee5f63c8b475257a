import { random } from '../flight-events.js';

/** A row of the relations that operators are measured on. */
export interface MadeRow {
  /** What happened, where it is an event. */
  readonly kind: 'Changed';
  readonly id: number;
  /** The same for all. */
  readonly group: string;
  /** Of one row only. */
  readonly key: string;
  /** Of each row of the relation another, and then from the first on again. */
  readonly other: number;
  /** The id of the row of the other relation that belongs to it: of those that come later one of the first few. */
  readonly again: number;
  readonly value: number;
  readonly flag: boolean;
  readonly tags: readonly [string, string];
  readonly at: string;
}

const FIRST_MS = Date.UTC(2024, 0, 1);
const VALUES = 1_000_000_000;
/** Of so many what comes later is. */
export const AGAIN = 500;

/** The row of an id in a relation of a size: the same whenever it is asked for. */
export function madeRow(id: number, size: number): MadeRow {
  const chance = random(id + 1);
  chance();
  const value = Math.floor(chance() * VALUES);
  return {
    kind: 'Changed',
    id,
    group: 'all',
    key: `k${id}`,
    other: id % size,
    again: id < size ? id : (id - size) % AGAIN,
    value,
    flag: value % 2 === 0,
    tags: [`a${id % 10}`, `b${id % 7}`],
    at: new Date(FIRST_MS + id * 1_000).toISOString(),
  };
}
