import fc from 'fast-check';
import { Delta } from '../../../src/zset/delta.js';
import { compareText } from '../../../src/zset/text-order.js';
import { compareValues, type Value } from '../../../src/zset/value.js';
import {
  aggregated,
  coldFetches,
  kindOf,
  nameOf,
  type Fact,
  type Written,
} from '../../support/aggregated.js';

const ALL: Written[] = [
  'count',
  'sum',
  'avg',
  'min',
  'max',
  'first',
  'last',
  'minBy',
  'maxBy',
  'countDistinct',
  'countIf',
  'sumIf',
  'variance',
  ['variance', { population: true }],
  'every',
  'some',
  ['histogram', { bounds: [-1, 0, 0.5] }],
  ['histogram', { width: 0.25, from: -1, to: 1 }],
  'median',
  ['percentile', { p: 0.3 }],
  ['percentile', { p: 0 }],
  ['percentile', { p: 1, discrete: true }],
  ['percentile', { p: 0.6, discrete: true }],
  ['topK', { k: 3, order: 'desc' }],
  ['topK', { k: 2, order: 'asc' }],
  'collect',
  ['collectDistinct', { order: 'desc' }],
];

const count = (numbers: number[], from: number, to: number): number =>
  numbers.filter((n) => n >= from && n < to).length;

/** What an aggregate means, from all rows of a group at once. Numbers are eighths, so that their sums are exact. */
function meaning(written: Written, facts: readonly Fact[]): Value {
  const options = typeof written === 'string' ? {} : written[1];
  const held = facts.map(({ v }) => v).filter((v) => v !== null);
  const sorted = [...held].sort(compareValues);
  const numbers = sorted as number[];
  const truths = facts.map(({ t }) => t).filter((t) => t !== null);
  const sum = (of: number[]): Value => (of.length === 0 ? null : of.reduce((total, n) => total + n, 0));
  const text = (value: Value) => JSON.stringify(value);
  const chosen = (sign: number): Value =>
    [...facts]
      .filter(({ b }) => b !== null)
      .sort((l, r) => compareValues(l.b, r.b) * sign || compareText(text(l.v), text(r.v)))[0]?.v ?? null;
  const between = (p: number): Value => {
    if (numbers.length === 0) return null;
    const rank = p * (numbers.length - 1);
    const [low, high] = [numbers[Math.floor(rank)]!, numbers[Math.ceil(rank)]!];
    return low + (rank - Math.floor(rank)) * (high - low);
  };
  const kind = kindOf(written);
  switch (kind) {
    case 'count':
      return held.length;
    case 'countIf':
      return facts.filter(({ t }) => t).length;
    case 'countDistinct':
      return new Set(held.map(text)).size;
    case 'sum':
      return sum(numbers);
    case 'sumIf':
      return sum(facts.filter(({ t, v }) => t && v !== null).map(({ v }) => v as number));
    case 'avg':
      return numbers.length === 0 ? null : (sum(numbers) as number) / numbers.length;
    case 'min':
      return sorted[0] ?? null;
    case 'max':
      return sorted.at(-1) ?? null;
    case 'first':
    case 'minBy':
      return chosen(1);
    case 'last':
    case 'maxBy':
      return chosen(-1);
    case 'variance': {
      const n = numbers.length;
      if (n < (options.population ? 1 : 2)) return null;
      const squares = sum(numbers.map((x) => x * x)) as number;
      return (n * squares - (sum(numbers) as number) ** 2) / (n * (options.population ? n : n - 1));
    }
    case 'every':
      return truths.length === 0 ? null : !truths.includes(false);
    case 'some':
      return truths.length === 0 ? null : truths.includes(true);
    case 'histogram': {
      const bounds = options.bounds ?? [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1];
      const ends = [null, ...bounds, null];
      return ends
        .slice(1)
        .map((to, index) => ({ from: ends[index]!, to, count: count(numbers, ends[index] ?? -99, to ?? 99) }))
        .filter((bucket) => options.bounds || bucket.count > 0);
    }
    case 'median':
      return between(0.5);
    case 'percentile':
      if (!options.discrete) return between(options.p!);
      return sorted[Math.max(0, Math.ceil(options.p! * sorted.length) - 1)] ?? null;
    case 'topK':
      return (options.order === 'asc' ? sorted : sorted.reverse()).slice(0, options.k);
    case 'collect':
      return sorted;
    case 'collectDistinct':
      return [...new Set(sorted)].reverse();
    default:
      throw new Error(`${kind} has a test of its own`);
  }
}

const eighths = fc.integer({ min: -16, max: 16 }).map((n) => n / 8);
const facts = fc.array(
  fc.record({
    g: fc.constantFrom('x', 'y'),
    v: fc.option(eighths),
    b: fc.option(fc.oneof(eighths, fc.constantFrom('a', 'é', '😀', '\ufffd', 'a\0', ''))),
    t: fc.option(fc.boolean()),
  }),
  { maxLength: 12 },
);

const rowsOf = (all: readonly Fact[]): Record<string, Value>[] =>
  ['x', 'y']
    .map((g) => all.filter((fact) => fact.g === g))
    .filter((group) => group.length > 0)
    .map((group) => ({
      g: group[0]!.g,
      ...Object.fromEntries(ALL.map((written, slot) => [nameOf(written, slot), meaning(written, group)])),
    }));

/** Follows the output: what is shown now. */
function shownAfter(shown: Map<string, any>, output: readonly [any, number][]): void {
  for (const [row, weight] of output) if (weight < 0) shown.delete(row.g);
  for (const [row, weight] of output) if (weight > 0) shown.set(row.g, row);
}

describe('the aggregators', () => {
  it('show what the group means, after every tick, however rows come and go', () => {
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 5 }), fc.infiniteStream(fc.nat()), (batches, places) => {
        const group = aggregated(ALL);
        const shown = new Map<string, any>();
        let all: Fact[] = [];
        for (const added of batches) {
          const removed = all.filter(() => (places.next().value as number) % 2 === 0);
          all = [...all.filter((fact) => !removed.includes(fact)), ...added];
          const entries = [
            ...added.map((fact) => [fact, 1] as const),
            ...removed.map((fact) => [fact, -1] as const),
          ];
          entries.sort(() => ((places.next().value as number) % 2) - 0.5);
          shownAfter(shown, group.step(entries));
          expect([...shown.values()].sort((l, r) => compareText(l.g, r.g))).toEqual(rowsOf(all));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('leave exactly the state before, when rows have come and gone', () => {
    fc.assert(
      fc.property(facts, fc.array(facts, { minLength: 1, maxLength: 3 }), (kept, passing) => {
        const group = aggregated(ALL);
        group.step(kept.map((fact) => [fact, 1] as const));
        const before = group.store.toString();
        for (const some of passing) group.step(some.map((fact) => [fact, 2] as const));
        for (const some of passing.reverse()) group.step(some.map((fact) => [fact, -2] as const));
        expect(group.store.toString()).toBe(before);
      }),
      { numRuns: 100 },
    );
  });

  it('of a collection that never retracts show the same without remembering all of it', () => {
    const kinds: Written[] = ['min', 'max', 'first', 'last', 'minBy', 'maxBy'];
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 4 }), (batches) => {
        const retracting = aggregated(kinds);
        const appending = aggregated(kinds, { appendOnly: true });
        for (const added of batches) {
          const entries = added.map((fact) => [fact, 1] as const);
          expect(appending.step(entries)).toEqual(retracting.step(entries));
        }
        expect(appending.states.filter(({ kind }) => kind === 'ordered')).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('count different values of such a collection the same, and keep each once', () => {
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 4 }), (batches) => {
        const retracting = aggregated(['countDistinct']);
        const appending = aggregated(['countDistinct'], { appendOnly: true });
        for (const added of batches) {
          const entries = added.map((fact) => [fact, 1] as const);
          expect(appending.step(entries)).toEqual(retracting.step(entries));
          // As a session's rows leave it, all of them together.
          const gone = added.map((fact) => [{ ...fact, g: 'gone' }, 1] as const);
          appending.step(gone);
          appending.step(gone.map(([fact]) => [fact, -1] as const));
        }
        const kept = [...(appending.store.ordered.get('members.0')?.values() ?? [])];
        expect(kept.flatMap((members) => [...members.values()]).every((weight) => weight === 1)).toBe(true);
        expect(appending.store.ordered.get('members.0')?.has('gone') ?? false).toBe(false);
      }),
      { numRuns: 100 },
    );
    const known: Fact = { g: 'x', v: 7, b: null, t: true };
    const group = aggregated(['countDistinct'], { appendOnly: true });
    group.step([[known, 1]]);
    group.step([[known, 1]]);
    expect(group.writes).toBe(1);
  });

  it('of nothing but nulls are what they are in SQL', () => {
    const group = aggregated(ALL);
    const fact: Fact = { g: 'x', v: null, b: null, t: null };
    const [row] = group.step([[fact, 1]])[0]!;
    const counted = ['count', 'countDistinct', 'countIf'];
    for (const [name, shown] of Object.entries(row as object)) {
      const kind = name.split('.')[0]!;
      if (name === 'g') continue;
      if (counted.includes(kind)) expect([name, shown]).toEqual([name, 0]);
      else if (/^(topK|collect)/.test(kind)) expect([name, shown]).toEqual([name, []]);
      else if (kind !== 'histogram') expect([name, shown]).toEqual([name, null]);
    }
    expect(group.step([[fact, -1]])).toHaveLength(1);
    expect(group.store.toString()).toBe(aggregated(ALL).store.toString());
  });
});

describe('first and last', () => {
  const fact = (v: string): Fact => ({ g: 'x', v, b: null, t: true });

  it('follow the place in the log, not the order of arrival', () => {
    const group = aggregated(['first', 'last'], { appendOnly: true, inLogOrder: true });
    expect([...group.raw(new Delta([fact('late'), fact('early')], [1, 1], ['2', '1']))]).toEqual([
      [{ g: 'x', first: 'early', last: 'late' }, 1],
    ]);
    expect([...group.raw(new Delta([fact('latest'), fact('earliest')], [1, 1], ['3', '0']))].at(-1)).toEqual([
      { g: 'x', first: 'earliest', last: 'latest' },
      1,
    ]);
  });

  it('refuse a retraction where there was to be none', () => {
    const group = aggregated(['first'], { appendOnly: true, inLogOrder: true });
    expect(() => group.raw(new Delta([fact('a')], [-1], ['1']))).toThrow('append-only');
  });
});

describe('the cost of a change', () => {
  const fact = (v: number, g = 'x'): Fact => ({ g, v, b: v, t: true });
  const big = Array.from({ length: 500 }, (_, v) => [fact(v), 1] as const);

  it('is one member and the group, whatever the size of the group', () => {
    const group = aggregated(['min', 'max', 'countDistinct'], { entriesMax: 10_000 });
    group.step(big);
    group.step([[fact(250.5), 1]]);
    expect(group.writes).toBe(1 + 3);
  });

  it('reads the next extreme only when the extreme goes', () => {
    const group = aggregated(['max']);
    group.step(big);
    const readBy = (entries: readonly (readonly [Fact, number])[]): number => coldFetches(group, entries);
    // The group and errors aside: one member of the ordered state, or that and the end.
    expect(readBy([[fact(7), -1]])).toBe(2);
    expect(readBy([[fact(499), -1]])).toBe(3);
    expect(readBy([[fact(1_000), 1]])).toBe(2);
  });

  it('is nothing for groups that are not touched', () => {
    const group = aggregated(['sum', 'max']);
    group.step([
      [fact(1, 'x'), 1],
      [fact(1, 'y'), 1],
    ]);
    group.step([[fact(2, 'y'), 1]]);
    expect(group.writes).toBe(2);
  });

  it('is no output where the result stays the same', () => {
    const group = aggregated(['max']);
    group.step([
      [fact(5), 1],
      [fact(3), 1],
    ]);
    expect(group.step([[fact(4), 1]])).toEqual([]);
    expect(group.step([[fact(3), -1]])).toEqual([]);
  });
});
