import fc from 'fast-check';
import { OrderedState } from '../../src/circuit/ordered-state.js';
import { inRange } from '../../src/testing/in-range.js';

type Step =
  | { readonly do: 'add'; readonly member: string; readonly weight: number }
  | { readonly do: 'from'; readonly start: string; readonly direction: 'up' | 'down'; readonly count: number }
  | { readonly do: 'end'; readonly end: 'least' | 'greatest'; readonly count: number }
  | { readonly do: 'between'; readonly from: string; readonly to: string }
  | { readonly do: 'seal' | 'acknowledge' | 'discard' };

const text = fc.constantFrom('', 'a', 'aa', 'ab', 'b', 'c', 'd', 'e', 'f', 'g');
const direction = fc.constantFrom('up' as const, 'down' as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      member: text,
      weight: fc.integer({ min: -2, max: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('from' as const),
      start: text,
      direction,
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      end: fc.constantFrom('least' as const, 'greatest' as const),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('between' as const), from: text, to: text }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('seal' as const, 'acknowledge' as const, 'discard' as const),
    }),
  },
);

/** An ordered state over a store of one group, and what it must hold. */
class Kept {
  readonly state = new OrderedState('s', { entriesMax: 10 });
  readonly stored = new Map<string, number>();
  /** What the ticks have made of it, committed or not. */
  now = new Map<string, number>();
  #before = new Map<string, number>();
  #pending: [string, number][] | null = null;

  want(want: () => void): void {
    for (let round = 0; round < 4; round++) {
      want();
      const reads = this.state.takeMissing();
      if (reads.length === 0) return;
      for (const read of reads) {
        if ('member' in read) {
          const weight = this.stored.get(read.member);
          this.state.load(read, weight === undefined ? [] : [[read.member, weight]]);
        } else this.state.load(read, inRange(this.stored, read));
      }
    }
    throw new Error('What is wanted is asked for again and again.');
  }

  add(member: string, weight: number): void {
    const sum = (this.now.get(member) ?? 0) + weight;
    if (sum < 0) return;
    this.want(() => this.state.wantMember('g', member));
    this.state.add('g', member, weight);
    if (sum === 0) this.now.delete(member);
    else this.now.set(member, sum);
  }

  seal(): void {
    if (this.#pending) this.acknowledge();
    this.#pending = [...this.state.writes()].map(({ member, after }) => [member, after]);
    this.state.seal();
    this.#before = new Map(this.now);
  }

  acknowledge(): void {
    for (const [member, weight] of this.#pending ?? [])
      if (weight === 0) this.stored.delete(member);
      else this.stored.set(member, weight);
    if (this.#pending) this.state.acknowledge();
    this.#pending = null;
  }

  discard(): void {
    this.state.discard();
    this.now = new Map(this.#before);
  }
}

describe('ranges of ordered state', () => {
  it('are what the members say, whatever was loaded, changed, under way or given up', () => {
    fc.assert(
      fc.property(fc.uniqueArray(text), fc.array(step, { maxLength: 60 }), (initial, steps) => {
        const kept = new Kept();
        for (const member of initial) kept.stored.set(member, 1);
        kept.now = new Map(kept.stored);
        kept.seal();
        for (const each of steps) {
          if (each.do === 'add') kept.add(each.member, each.weight);
          else if (each.do === 'from') {
            const { start, direction: way, count } = each;
            kept.want(() => kept.state.wantFrom('g', start, way, count, 0));
            const range = way === 'up' ? { from: start, to: null } : { from: '', to: `${start}\0` };
            expect(kept.state.from('g', start, way, count)).toEqual(
              inRange(kept.now, { group: 'g', ...range, direction: way, count }),
            );
          } else if (each.do === 'end') {
            kept.want(() => kept.state.wantEnd('g', each.end, each.count, 0));
            const way = each.end === 'least' ? 'up' : 'down';
            expect(kept.state.end('g', each.end, each.count)).toEqual(
              inRange(kept.now, { group: 'g', from: '', to: null, direction: way, count: each.count }),
            );
          } else if (each.do === 'between') {
            kept.want(() => kept.state.wantBetween('g', each.from, each.to));
            expect([...kept.state.between('g', each.from, each.to)]).toEqual(
              inRange(kept.now, {
                group: 'g',
                from: each.from,
                to: each.to,
                direction: 'up',
                count: Infinity,
              }),
            );
          } else kept[each.do]();
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
