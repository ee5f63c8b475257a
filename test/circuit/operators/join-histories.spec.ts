import { Delta } from '../../../src/zset/delta.js';
import { Bag, failing, type JoinOptions, joinOf, joined, type Kind, KINDS } from '../../support/joins.js';
import { Random } from '../../support/random.js';
import { Stepped } from '../../support/stepped.js';

/**
 * Joins of every kind equal a recomputation from scratch after every tick of a random history: rows with weights of two,
 * updates, retractions, null keys, caches that forget, ticks given up, pages of a few pairs.
 */

const CONDITIONS: Record<string, JoinOptions['condition']> = {
  'without a condition': null,
  'with a condition on both rows': (l, r) => l.v <= r.v,
  'with a condition on one row': (l) => l.v > 0,
  'with a condition that throws': (l, r) => {
    if (l.v === 1 && r.v === 1) throw new Error('both are one');
    return l.v !== r.v;
  },
};

const PAGES = {
  'all at once': null,
  'in pages of one': { pairsMax: 1, pairsMin: 1, worksMax: 2 },
  'in pages of three': { pairsMax: 6, pairsMin: 3, worksMax: 3 },
};

const row = (random: Random): { k: string | null; v: number; s: string } => ({
  k: random.chance(0.1) ? null : random.of(['a', 'b', 'c']),
  v: random.below(3),
  s: random.of(['', '0', 'x']),
});

class History {
  readonly join: Stepped;
  readonly left = new Bag();
  readonly right = new Bag();
  readonly output = new Bag();
  ticksLeft = 0;

  constructor(
    readonly random: Random,
    readonly options: JoinOptions,
  ) {
    this.join = new Stepped((builder) => joinOf(builder, options, builder.errors('join')), {
      inputs: 2,
      entriesMax: random.of([1, 20, 10_000]),
    });
  }

  run(): void {
    for (let tick = 0; tick < 12; tick++) {
      this.#tick(this.#changes(this.left), this.#changes(this.right));
      this.#compare();
    }
    this.#tick(withdrawn(this.left), this.random.chance(0.5) ? withdrawn(this.right) : []);
    this.#compare();
    this.#tick([], withdrawn(this.right));
    this.#compare();
    expect(this.join.store.toString()).toBe(emptyStore);
  }

  /** Some insertions and retractions, also of what comes in the same tick, in any order. */
  #changes(bag: Bag): [any, number][] {
    const { random } = this;
    const changes: [any, number][] = [];
    for (let count = random.below(6); count > 0; count--)
      changes.push([row(random), random.chance(0.2) ? 2 : 1]);
    for (const [held, weight] of bag) {
      if (random.chance(0.3)) changes.push([held, -weight]);
      else if (random.chance(0.1)) changes.push([held, -1]);
      else if (random.chance(0.1)) changes.push([held, -1], [{ ...held, v: (held.v + 1) % 3 }, 1]);
      else if (random.chance(0.1)) changes.push([held, 1], [held, -1]);
    }
    return changes.sort(() => (random.chance(0.5) ? 1 : -1));
  }

  #tick(left: [any, number][], right: [any, number][]): void {
    const { random, join } = this;
    if (random.chance(0.3)) {
      join.store.step(
        join.circuit,
        new Map([
          ['in0', Delta.of(...left)],
          ['in1', Delta.of(...right)],
        ]),
      );
      join.circuit.discard();
    }
    this.left.add(left);
    this.right.add(right);
    this.output.add(
      join.all([left, right], () => {
        this.ticksLeft++;
        if (random.chance(0.3)) join.circuit.drop();
        if (random.chance(0.3)) {
          join.store.step(join.circuit, new Map());
          join.circuit.discard();
        }
      }),
    );
    if (random.chance(0.3)) join.circuit.drop();
  }

  #compare(): void {
    expect(this.output.toJSON()).toEqual(joined(this.left, this.right, this.options).toJSON());
    const errors = [...(this.join.store.keyed.get('errors')?.values() ?? [])].map((text) => JSON.parse(text));
    const kept = new Bag().add(errors.map((error) => [JSON.parse(error.row), error.weight] as const));
    expect(kept.toJSON()).toEqual(failing(this.left, this.right, this.options).toJSON());
  }
}

const withdrawn = (bag: Bag): [any, number][] => [...bag].map(([held, weight]) => [held, -weight]);
const emptyStore = new Stepped((builder) => joinOf(builder, { kind: 'inner' }), {
  inputs: 2,
}).store.toString();

describe.each(KINDS)('a join of kind %s', (kind: Kind) => {
  describe.each(Object.keys(CONDITIONS))('%s', (condition) => {
    it.each(Object.keys(PAGES) as (keyof typeof PAGES)[])('is recomputed right, %s', (pages) => {
      let ticksLeft = 0;
      for (let seed = 0; seed < 4; seed++) {
        const random = new Random(seed);
        const history = new History(random, {
          kind,
          condition: CONDITIONS[condition]!,
          limits: PAGES[pages],
          left: random.of(['keyed', 'ordered']),
          right: random.of(['keyed', 'ordered']),
        });
        try {
          history.run();
        } catch (failure) {
          throw new Error(`seed ${seed}: ${(failure as Error).message}`, { cause: failure });
        }
        ticksLeft += history.ticksLeft;
      }
      if (pages === 'all at once') expect(ticksLeft).toBe(0);
      else if (pages === 'in pages of one') expect(ticksLeft).toBeGreaterThan(0);
    });
  });
});
