/** What evolving groups tell of events they could not fold, and of those that came after. */
export interface ParkingSink {
  parked(): void;
  waiting(events: number): void;
  discard(): void;
}

/** How many groups of a view stopped at an event, and how many events wait behind those. Once parked they stay so. */
export interface Parking {
  readonly keys: number;
  readonly waiting: number;
}

/** Counts over all folds of a circuit. */
export class ParkedKeys implements ParkingSink {
  #keys = 0;
  #waiting = 0;

  parked(): void {
    this.#keys++;
  }

  waiting(events: number): void {
    this.#waiting += events;
  }

  /** The tick was given up. */
  discard(): void {
    this.#keys = this.#waiting = 0;
  }

  /** What was added since the last call; null for nothing. */
  takeResult(): Parking | null {
    if (this.#keys === 0 && this.#waiting === 0) return null;
    const result = { keys: this.#keys, waiting: this.#waiting };
    this.discard();
    return result;
  }
}
