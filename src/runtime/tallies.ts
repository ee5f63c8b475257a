import type { Parking } from '../circuit/parked-keys.js';
import type { TaskRecord } from './ports/task-store.js';

/** Types that are counted by name; events of further ones are counted together. */
export const SKIPPED_TYPES_MAX = 50;
export const OTHER_TYPES = '(other)';

/** How many events of each type. */
export type TypeCounts = Readonly<Record<string, number>>;

/** What a task has counted since the beginning of its log, beside rows and errors: each event once, through any crash. */
export interface Tallies {
  /** Groups of folded events that stopped at one, and the events that came after. */
  readonly parked: Parking;
  /** By input (`stream:orders`), events whose types its schema does not know and that were skipped. */
  readonly skipped: Readonly<Record<string, TypeCounts>>;
}

type Extra = TaskRecord['extra'];

const NO_TALLIES: Tallies = { parked: { keys: 0, waiting: 0 }, skipped: {} };

export const talliesOf = (record: TaskRecord | null): Tallies => ({
  ...NO_TALLIES,
  ...(record?.extra.tallies as Partial<Tallies> | undefined),
});

/** What the record holds of them after a tick that counted these. */
export function withTallies(
  record: TaskRecord,
  extra: Extra,
  parked: Parking | null,
  { input, types }: { readonly input: string; readonly types: readonly string[] },
): Extra {
  if (parked === null && types.length === 0) return extra;
  const before = talliesOf(record);
  const after: Tallies = {
    parked: {
      keys: before.parked.keys + (parked?.keys ?? 0),
      waiting: before.parked.waiting + (parked?.waiting ?? 0),
    },
    skipped:
      types.length === 0
        ? before.skipped
        : { ...before.skipped, [input]: addedTypes(before.skipped[input] ?? {}, types) },
  };
  return { ...extra, tallies: after };
}

function addedTypes(before: TypeCounts, types: readonly string[]): TypeCounts {
  const counts = new Map(Object.entries(before));
  for (const type of types) {
    const name = counts.has(type) || counts.size < SKIPPED_TYPES_MAX ? type : OTHER_TYPES;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

/** The sum of several. */
export function sumOfTallies(all: readonly Tallies[]): Tallies {
  const skipped: Record<string, Record<string, number>> = {};
  for (const tallies of all)
    for (const [input, counts] of Object.entries(tallies.skipped))
      for (const [type, count] of Object.entries(counts)) {
        const sums = (skipped[input] ??= {});
        sums[type] = (sums[type] ?? 0) + count;
      }
  const sum = (read: (tallies: Tallies) => number): number =>
    all.reduce((total, tallies) => total + read(tallies), 0);
  return {
    parked: { keys: sum(({ parked }) => parked.keys), waiting: sum(({ parked }) => parked.waiting) },
    skipped,
  };
}
