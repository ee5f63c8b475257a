/** A seeded generator (mulberry32): every run makes the same events. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface MadeFlight {
  at: string;
  delay: number;
  distance: number;
  origin: string;
  destination: string;
  carrier: string;
  flight: number;
  aircraft: string;
  cancelled: boolean;
}

const FIRST_AT = Date.UTC(2001, 0, 1);
const CARRIERS = ['AA', 'UA', 'DL', 'WN', 'US', 'NW', 'CO', 'TW'];

/** Departures of made-up airports, about 183 bytes as JSON. */
export class FlightEvents {
  readonly #random: () => number;
  #made = 0;

  constructor(readonly seed: number) {
    this.#random = random(seed);
  }

  /** An index below `count`, uniformly. */
  uniform(count: number): number {
    return Math.floor(this.#random() * count);
  }

  next(origin: string): MadeFlight {
    const made = this.#made++;
    return {
      at: new Date(FIRST_AT + made * 1_000).toISOString(),
      delay: this.uniform(200) - 20,
      distance: 100 + this.uniform(2_500),
      origin,
      destination: airport(this.uniform(5_000)),
      carrier: CARRIERS[this.uniform(CARRIERS.length)]!,
      flight: 1_000 + this.uniform(8_999),
      aircraft: `N${10_000 + this.uniform(89_999)}`,
      cancelled: this.uniform(50) === 0,
    };
  }
}

/** The name of the airport with this number, of one length for all. */
export const airport = (number: number): string => `A${String(number).padStart(7, '0')}`;
