import { Delta } from '../../../src/zset/delta.js';
import { aggregated, coldFetches, type Fact, type Written } from '../../support/aggregated.js';
import { Random } from '../../support/random.js';

const fact = (v: number): Fact => ({ g: 'x', v, b: v, t: true });

/** A group of so many values, stored and forgotten. */
function filled(size: number, all: readonly Written[]) {
  const group = aggregated(all, { entriesMax: 10 });
  group.step(Array.from({ length: size }, (_, index) => [fact(index * 2), 1] as const));
  return group;
}

const shownOf = (group: ReturnType<typeof aggregated>, entries: readonly (readonly [Fact, number])[]) =>
  group.step(entries).find(([, weight]) => weight > 0)?.[0] as object;

describe('a percentile', () => {
  it('follows values that come and go by hundreds, and many of one value', () => {
    const all: Written[] = [
      'median',
      ['percentile', { p: 0.9 }],
      ['percentile', { p: 0.25, discrete: true }],
    ];
    const random = new Random(11);
    const group = aggregated(all, { entriesMax: 5 });
    let held: number[] = [];
    for (let tick = 0; tick < 60; tick++) {
      const spread = random.of([1, 5, 1_000]);
      const added = Array.from({ length: random.below(random.of([3, 300])) }, () => random.below(spread));
      const keep = random.of([0.02, 0.5, 0.98, 1]);
      const removed = held.filter(() => !random.chance(keep));
      for (const value of removed) held.splice(held.indexOf(value), 1);
      held = [...held, ...added].sort((left, right) => left - right);
      const entries = [
        ...added.map((v) => [fact(v), 1] as const),
        ...removed.map((v) => [fact(v), -1] as const),
      ];
      if (tick % 3 === 0) for (const state of group.states) state.drop();
      if (tick % 5 === 0) {
        const before = group.store.toString();
        group.store.step(group.circuit, new Map([['in0', deltaOf(entries)]]));
        group.circuit.discard();
        expect(group.store.toString()).toBe(before);
      }
      group.step(entries);
      const stored = group.store.keyed.get('groups')?.get('x');
      if (held.length === 0) expect(stored).toBeUndefined();
      else {
        const between = (p: number): number => {
          const rank = p * (held.length - 1);
          const [low, high] = [held[Math.floor(rank)]!, held[Math.ceil(rank)]!];
          return low + (rank - Math.floor(rank)) * (high - low);
        };
        const fresh = aggregated(all);
        const shown = shownOf(
          fresh,
          held.map((v) => [fact(v), 1] as const),
        );
        expect(shown).toEqual({
          g: 'x',
          median: between(0.5),
          'percentile.1': between(0.9),
          'percentile.2': held[Math.ceil(0.25 * held.length) - 1],
        });
        expect(group.store.toString()).toBe(fresh.store.toString());
      }
    }
  });

  it('lies between two values however great they are', () => {
    const group = aggregated(['median']);
    const max = Number.MAX_VALUE;
    expect(
      shownOf(group, [
        [fact(-max), 1],
        [fact(max), 1],
      ]),
    ).toEqual({ g: 'x', median: 0 });
    expect(shownOf(group, [[fact(max), 3]])).toEqual({ g: 'x', median: max });
  });
});

function deltaOf(entries: readonly (readonly [Fact, number])[]): Delta {
  return Delta.of(...entries);
}

describe('an ordered aggregate over a cold cache', () => {
  const all: Written[] = ['median', ['topK', { k: 5, order: 'desc' }], 'max'];
  const sizes = [1_000, 100_000];
  const groups = sizes.map((size) => ({ size, group: filled(size, all) }));

  /** The fetches and the members read of a change, by the size of its group. */
  const costs = (change: (size: number) => readonly (readonly [Fact, number])[]) =>
    groups.map(({ size, group }) => {
      const fetched = coldFetches(group, change(size));
      const members = group.states.reduce(
        (sum, state) => sum + (state.kind === 'ordered' ? state.cached : 0),
        0,
      );
      return { fetched, members, writes: group.writes };
    });

  it.each([
    ['a value in the middle comes', (size: number) => [[fact(size + 1), 1]] as const],
    ['it goes again', (size: number) => [[fact(size + 1), -1]] as const],
    ['the least goes', () => [[fact(0), -1]] as const],
    ['the greatest goes', (size: number) => [[fact(2 * size - 2), -1]] as const],
    ['the median goes', (size: number) => [[fact(size), -1]] as const],
    ['the greatest comes back', (size: number) => [[fact(2 * size - 2), 1]] as const],
  ] as const)('reads as much of a group of 100,000 as of one of 1,000 when %s', (_, change) => {
    const [small, large] = costs(change);
    expect(large).toEqual(small);
    expect(large!.fetched).toBeLessThan(25);
    expect(large!.members).toBeLessThan(70);
    expect(large!.writes).toBeLessThanOrEqual(1 + all.length);
  });
});
