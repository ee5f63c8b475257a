import { Checksum } from '../zset/checksum.js';
import { cut, textOfAnything } from './kept-text.js';
import { type ErrorSink, json, type Keyed } from './operator.js';

/** How many different errors are kept; all are counted. */
const ERRORS_KEPT_MAX = 10_000;

/** An error as it is stored, for people. */
export interface KeptError {
  /** How often the row is there. */
  weight: number;
  operator: string;
  /** The JSON of the row or entry, cut. */
  row: string;
  reason: string;
  /** Rises from error to error: the newest has the greatest. */
  seen: number;
}

/** How many errors are kept, and the number of the newest. */
export interface ErrorCount {
  kept: number;
  seen: number;
}

/**
 * The rows and entries that could not be used. A collection like any other: a failing row that is retracted fails
 * again, and takes its error away.
 *
 * Errors are known by operator and row, not by reason: the words of a reason may change from one release of Node to
 * the next. Their number, by weight, is exact; of more than `ERRORS_KEPT_MAX` different ones the later are only counted.
 */
export class ErrorCollection {
  #pending = new Map<string, { operator: string; row: string; reason: string; weight: number }>();
  #weight = 0;

  constructor(
    readonly errors: Keyed<KeptError>,
    readonly count: Keyed<ErrorCount>,
  ) {}

  sink(operator: string): ErrorSink {
    return { add: (row, weight, thrown) => this.#add(operator, row, weight, thrown) };
  }

  /** What changed since the last call: the weight of errors added less that of errors taken away. */
  takeResult(): { errors: number } {
    const errors = this.#weight;
    this.#weight = 0;
    return { errors };
  }

  // ---- the circuit's side; it comes last in every tick

  reads(): void {
    if (this.#pending.size === 0) return;
    this.count.want('');
    for (const key of this.#pending.keys()) this.errors.want(key);
  }

  step(): void {
    if (this.#pending.size === 0) return;
    const { kept, seen } = this.count.get('') ?? { kept: 0, seen: 0 };
    const count = { kept, seen };
    for (const [key, { operator, row, reason, weight }] of this.#pending) {
      this.#weight += weight;
      const known = this.errors.get(key);
      const sum = (known?.weight ?? 0) + weight;
      if (weight === 0) continue;
      if (sum <= 0) {
        if (known === undefined) continue; // One of those that were only counted.
        this.errors.delete(key);
        count.kept--;
      } else if (known !== undefined) this.errors.set(key, { ...known, weight: sum });
      else if (count.kept < ERRORS_KEPT_MAX) {
        count.kept++;
        this.errors.set(key, {
          weight: sum,
          operator,
          row: cut(row),
          reason: cut(reason),
          seen: ++count.seen,
        });
      }
    }
    if (count.kept === 0) this.count.delete('');
    else if (count.kept !== kept || count.seen !== seen) this.count.set('', count);
    this.#pending.clear();
  }

  discard(): void {
    this.#pending.clear();
    this.#weight = 0;
  }

  #add(operator: string, row: unknown, weight: number, thrown: unknown): void {
    const text = textOfAnything(row);
    const hash = new Checksum();
    hash.add(text, 1);
    const key = `${operator}:${hash.toString()}`;
    const known = this.#pending.get(key);
    if (known) known.weight += weight;
    else this.#pending.set(key, { operator, row: text, reason: reasonOf(thrown), weight });
  }
}

export const errorCodec = json;

const reasonOf = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.name === 'Error' ? thrown.message : `${thrown.name}: ${thrown.message}`;
};
