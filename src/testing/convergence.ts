import type { ViewDeclaration } from '../view/declarations.js';
import type { Row } from '../zset/value.js';
import { partitionKeys } from '../runtime/placement.js';
import type { Append } from './history.js';
import { compareRows } from './row-comparison.js';
import { ViewRun } from './view-run.js';

/**
 * Maintains a view in other ways than one tick for each append, and says where the outcome differs: a way is a seed.
 * The order of each partition is kept, since it is part of the log; that of different partitions is not.
 */
export function findDivergence(
  view: ViewDeclaration,
  appends: readonly Append[],
  { runs, seed, stepMsMax }: { runs: number; seed: number; stepMsMax: number | undefined },
  keyOf: (row: Row) => string,
): { seed: number; text: string } | null {
  const plain = new ViewRun(view, { stepMsMax });
  for (const append of appends) plain.tick(append);
  for (let run = 0; run < runs; run++) {
    const way = new Way(seed + run, view, stepMsMax);
    const other = way.maintain(appends.flat());
    const text = difference(plain, other, keyOf);
    if (text !== null)
      return {
        seed: seed + run,
        text: `${text}\n  otherwise: in ${way.ticks} ticks: ${way.happened.join(', ')}`,
      };
  }
  return null;
}

function difference(plain: ViewRun, other: ViewRun, keyOf: (row: Row) => string): string | null {
  const rows = compareRows(other.rows, [...plain.rows.values()], keyOf, {
    expected: 'in order',
    maintained: 'otherwise',
  });
  if (rows !== null) return rows;
  const errors = (run: ViewRun): string =>
    JSON.stringify(run.errors.map(({ row, reason, weight }) => [row, reason, weight]).sort());
  for (const [what, of] of [
    ['checksum', (run: ViewRun) => run.checksum],
    ['conflicts', (run: ViewRun) => String(run.conflicts)],
    ['late', (run: ViewRun) => String(run.late)],
    ['errors', errors],
  ] as const)
    if (of(plain) !== of(other))
      return `  ${what}  in order    ${of(plain)}\n  ${' '.repeat(what.length)}  otherwise   ${of(other)}`;
  return null;
}

/** About how many ticks a way takes at the most; a long history is cut into longer pieces. */
const TICKS_MAX = 200;

class Way {
  ticks = 0;
  readonly happened: string[];
  readonly #random: () => number;
  readonly #cacheEntriesMax: number;

  constructor(
    seed: number,
    readonly view: ViewDeclaration,
    readonly stepMsMax: number | undefined,
  ) {
    this.#random = randomFrom(seed);
    this.#cacheEntriesMax = this.#one([0, 4, 1_000_000]);
    this.happened = [
      this.#cacheEntriesMax === 1_000_000 ? 'all cached' : `caches of ${this.#cacheEntriesMax}`,
    ];
  }

  maintain(entries: Append): ViewRun {
    const run = new ViewRun(this.view, { cacheEntriesMax: this.#cacheEntriesMax, stepMsMax: this.stepMsMax });
    const queues = queuesOf(entries);
    const piecesMax = Math.max(this.#one([1, 2, 5, 1_000_000]), Math.ceil(entries.length / TICKS_MAX));
    let inVain = 0;
    let takeOvers = 0;
    for (let left = queues; left.length > 0; left = left.filter((queue) => queue.length > 0)) {
      const taken: Append[number][] = [];
      for (const queue of left)
        if (this.#random() < 0.6) taken.push(...queue.splice(0, 1 + Math.floor(this.#random() * piecesMax)));
      if (taken.length === 0) continue;
      if (this.#random() < 0.2) {
        run.tickInVain(taken);
        inVain++;
      }
      if (this.#random() < 0.2) {
        run.takeOver();
        takeOvers++;
      }
      run.tick(taken);
      this.ticks++;
    }
    this.happened.push(
      `at most ${piecesMax} entries of a partition at a time`,
      `${inVain} ticks in vain`,
      `${takeOvers} take-overs`,
    );
    return run;
  }

  #one<T>(of: readonly T[]): T {
    return of[Math.floor(this.#random() * of.length)]!;
  }
}

/** Each partition's entries and heartbeats, in their order. */
function queuesOf(entries: Append): Append[number][][] {
  const queues = new Map<string, Append[number][]>();
  for (const entry of entries) {
    const partition = `${entry.source.kind}:${partitionKeys(entry.source)[entry.partition]}`;
    const queue = queues.get(partition);
    if (queue) queue.push(entry);
    else queues.set(partition, [entry]);
  }
  return [...queues.values()];
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
