import { DueTimes } from '../../../src/circuit/due-times.js';
import { IntervalJoin, type IntervalSide } from '../../../src/circuit/operators/interval-join.js';
import { pairWorkCodec } from '../../../src/circuit/pair-work.js';
import { type PageLimits, PairWorks } from '../../../src/circuit/pair-works.js';
import type { CircuitBuilder } from '../../../src/circuit/circuit-builder.js';
import type { Time } from '../../../src/circuit/time.js';
import { queueCodec, WorkQueue } from '../../../src/circuit/work-queue.js';
import { Delta } from '../../../src/zset/delta.js';
import { instantText } from '../../../src/zset/instant-text.js';
import { Bag } from '../../support/joins.js';
import { Random } from '../../support/random.js';
import { Stepped } from '../../support/stepped.js';

type Kind = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti';
const BEFORE = 3;
const AFTER = 1;

interface Options {
  kind: Kind;
  condition: ((l: any, r: any) => boolean) | null;
  limits: PageLimits | null;
}

const row = (k: string | null, t: number, v = 0) => ({ k, at: instantText(t), v });
const timeOf = (r: any): string => r.at;
const msOf = (r: any): number => Date.parse(r.at);

function intervalJoin(builder: CircuitBuilder, { kind, condition, limits }: Options): IntervalJoin {
  const side = (
    name: 'left' | 'right',
    shown: IntervalSide['shown'],
    [belowMs, aboveMs]: [number, number],
  ): IntervalSide => ({
    keyOf: (r: any) => r.k,
    timeOf,
    rows: builder.ordered(name),
    matches: shown && builder.ordered(`${name}.matches`),
    shown,
    belowMs,
    aboveMs,
    freed: {
      due: new DueTimes(builder.ordered(`${name}.due`)),
      time: [{ source: name === 'left' ? 'right' : 'left', delayMs: 0 }],
    },
  });
  const showsLeft = kind !== 'inner' && kind !== 'right';
  const showsRight = kind === 'right' || kind === 'full';
  return new IntervalJoin(
    side(
      'left',
      showsLeft
        ? { when: kind === 'semi' ? 'matched' : 'alone', as: (l: any) => ({ l, r: null }) as any }
        : null,
      [BEFORE, AFTER],
    ),
    side('right', showsRight ? { when: 'alone', as: (r: any) => ({ l: null, r }) as any } : null, [
      AFTER,
      BEFORE,
    ]),
    {
      pairOf: (l, r) => ({ l, r }) as any,
      givesPairs: kind !== 'semi' && kind !== 'anti',
      condition: condition && (({ l, r }) => condition(l, r)),
      errors: builder.errors('join'),
    },
    new PairWorks(
      limits && new WorkQueue(builder.keyed('work', queueCodec(pairWorkCodec))),
      limits ?? undefined,
    ),
  );
}

/** What has come so far, and the two watermarks. */
class Run {
  readonly join: Stepped;
  readonly left = new Bag();
  readonly right = new Bag();
  readonly output = new Bag();
  /** By side the greatest time that is over. */
  readonly watermarks = { left: -Infinity, right: -Infinity };
  steps = 0;
  #time: Time = new Map();

  constructor(
    readonly options: Options,
    readonly random = new Random(0),
    entriesMax = 10_000,
  ) {
    this.join = new Stepped((builder) => intervalJoin(builder, options), { inputs: 2, entriesMax });
    this.#time = this.time;
  }

  get time(): Time {
    return new Map(
      Object.entries(this.watermarks).map(([name, watermark]) => [name, { clock: watermark, watermark }]),
    );
  }

  tick(
    left: readonly (readonly [any, number])[],
    right: readonly (readonly [any, number])[],
    watermarks: Partial<Run['watermarks']> = {},
    disturb = false,
  ): this {
    const { join, random } = this;
    Object.assign(this.watermarks, watermarks);
    const before = this.#time;
    const time = Object.keys(watermarks).length === 0 ? before : this.time;
    const inputs = new Map([
      ['in0', Delta.of(...left)],
      ['in1', Delta.of(...right)],
    ]);
    if (disturb && random.chance(0.3)) {
      join.store.step(join.circuit, inputs, time, before);
      join.circuit.discard();
    }
    this.left.add(left);
    this.right.add(right);
    for (let given: ReadonlyMap<string, Delta> = inputs; ; given = new Map()) {
      this.output.add(join.store.step(join.circuit, given, time, before));
      join.writes = join.store.commit(join.circuit);
      this.steps++;
      if (!join.circuit.unfinished) break;
      if (disturb && random.chance(0.4)) join.circuit.drop();
      if (this.steps > 100_000) throw new Error('no end');
    }
    if (disturb && random.chance(0.3)) join.circuit.drop();
    this.#time = time;
    return this;
  }

  get expected(): Bag {
    const { kind, condition } = this.options;
    const out = new Bag();
    const matched = new Set<string>();
    for (const [l, weight] of this.left)
      for (const [r, times] of this.right) {
        const apart = msOf(r) - msOf(l);
        if (l.k === null || l.k !== r.k || apart < -BEFORE || apart > AFTER) continue;
        if (condition && !condition(l, r)) continue;
        if (kind !== 'semi' && kind !== 'anti') out.add([[{ l, r }, weight * times]]);
        matched.add(`l${JSON.stringify(l)}`).add(`r${JSON.stringify(r)}`);
      }
    for (const [l, weight] of kind === 'semi' ? this.left : [])
      if (matched.has(`l${JSON.stringify(l)}`)) out.add([[{ l, r: null }, weight]]);
    for (const [l, weight] of kind === 'left' || kind === 'full' || kind === 'anti' ? this.left : [])
      if (l.k === null || (this.watermarks.right > msOf(l) + AFTER && !matched.has(`l${JSON.stringify(l)}`)))
        out.add([[{ l, r: null }, weight]]);
    for (const [r, weight] of kind === 'right' || kind === 'full' ? this.right : [])
      if (r.k === null || (this.watermarks.left > msOf(r) + BEFORE && !matched.has(`r${JSON.stringify(r)}`)))
        out.add([[{ l: null, r }, weight]]);
    return out;
  }

  get size(): number {
    const { ordered } = this.join.store;
    return ['left', 'right'].reduce(
      (sum, name) =>
        sum + [...(ordered.get(name)?.values() ?? [])].reduce((rows, { size }) => rows + size, 0),
      0,
    );
  }
}

const plain = (kind: Kind): Run => new Run({ kind, condition: null, limits: null });

describe('an interval join', () => {
  it('pairs rows from so long before to so long after, both included', () => {
    const run = plain('inner').tick([[row('a', 100), 1]], []);
    run.tick(
      [],
      [96, 97, 100, 101, 102].map((t) => [row('a', t), 1] as const),
    );
    run.tick([], [[row('b', 100), 1]]);
    expect([...run.output].map(([pair]) => msOf(pair.r))).toEqual([97, 100, 101]);
    expect(run.output.toJSON()).toEqual(run.expected.toJSON());
  });

  it('shows a row alone once, when the other side has passed all that could match', () => {
    const run = plain('full').tick([[row('a', 100), 1]], [[row('b', 100), 1]]);
    expect(run.output.toJSON()).toEqual([]);
    run.tick([], [], { right: 101, left: 103 });
    expect(run.output.toJSON()).toEqual([]);
    run.tick([], [], { right: 102 });
    expect([...run.output]).toEqual([[{ l: row('a', 100), r: null }, 1]]);
    run.tick([], [], { left: 104 });
    expect([...run.output]).toHaveLength(2);
    expect(run.join.store.toString()).toBe(plain('full').join.store.toString());
  });

  it('shows rows at once that come when they can have no match any more, and takes them back', () => {
    const run = plain('left').tick([], [], { right: 1_000 });
    run.tick([[row('a', 100), 2]], []);
    expect([...run.output]).toEqual([[{ l: row('a', 100), r: null }, 2]]);
    expect(run.size).toBe(0);
    run.tick([[row('a', 100), -1]], []);
    expect([...run.output]).toEqual([[{ l: row('a', 100), r: null }, 1]]);
  });

  it('remembers that a row had a match when that is freed before it', () => {
    const run = plain('left').tick([[row('a', 100), 1]], [[row('a', 100), 1]]);
    run.tick([], [], { left: 1_000 });
    expect(run.size).toBe(1);
    run.tick([], [], { right: 1_000 });
    expect([...run.output]).toEqual([[{ l: row('a', 100), r: row('a', 100) }, 1]]);
    expect(run.size).toBe(0);
  });

  it('shows a row that matches as often as it is there, with its first match, until its last goes', () => {
    const run = plain('semi').tick([[row('a', 100), 2]], [[row('a', 102), 1]]);
    expect([...run.output]).toEqual([]);
    run.tick([], [[row('a', 101), 1]]).tick([], [[row('a', 99), 1]]);
    expect([...run.output]).toEqual([[{ l: row('a', 100), r: null }, 2]]);
    run.tick([], [[row('a', 101), -1]]);
    expect([...run.output]).toHaveLength(1);
    run.tick([[row('a', 100), -1]], []);
    expect([...run.output]).toEqual([[{ l: row('a', 100), r: null }, 1]]);
    run.tick([], [[row('a', 99), -1]]);
    expect([...run.output]).toEqual([]);
  });

  it('takes a row back that was shown with a match, when it is no longer kept', () => {
    const run = plain('semi').tick([[row('a', 100), 1]], [[row('a', 101), 1]]);
    run.tick([], [], { right: 1_000 });
    expect(run.size).toBe(1);
    run.tick([[row('a', 100), -1]], []);
    expect([...run.output]).toEqual([]);
    run.tick([[row('a', 102), 3]], []);
    expect([...run.output]).toEqual([[{ l: row('a', 102), r: null }, 3]]);
    run.tick([], [], { left: 1_000 });
    expect(run.join.store.toString()).toBe(plain('semi').join.store.toString());
  });

  it('reads the interval of a key and not the rest of it', () => {
    const run = plain('inner');
    run.tick(
      [],
      Array.from({ length: 2_000 }, (_, n) => [row('a', n * 10), 1] as const),
    );
    run.join.circuit.drop();
    const loaded: number[] = [];
    for (const state of run.join.states)
      if (state.kind === 'ordered') {
        const load = state.load.bind(state);
        state.load = (read, found) => {
          loaded.push(found.length);
          load(read, found);
        };
      }
    run.tick([[row('a', 5_000), 1]], []);
    expect([...run.output]).toHaveLength(1);
    expect(loaded.reduce((sum, found) => sum + found, 0)).toBeLessThan(10);
  });

  it('frees much at a time in steps, also of one key and one instant', () => {
    const run = plain('left');
    for (let tick = 0; tick < 3; tick++)
      run.tick(
        Array.from(
          { length: 1_000 },
          (_, n) => [row(n % 3 ? 'a' : `k${n}`, 5, tick * 1_000 + n), 1] as const,
        ),
        [],
      );
    run.steps = 0;
    run.tick([], [], { right: 1_000 });
    expect(run.steps).toBeGreaterThan(2);
    expect([...run.output]).toHaveLength(3_000);
    expect(run.join.store.toString()).toBe(plain('left').join.store.toString());
  });
});

const LIMITS = {
  'all at once': null,
  'in pages': { pairsMax: 2, pairsMin: 1, worksMax: 3 },
};
const CONDITIONS = { 'without a condition': null, 'with one': (l: any, r: any) => l.v !== r.v };

describe.each(['inner', 'left', 'right', 'full', 'semi', 'anti'] as const)(
  'an interval join of kind %s',
  (kind) => {
    describe.each(Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[])('%s', (condition) => {
      it.each(Object.keys(LIMITS) as (keyof typeof LIMITS)[])('is recomputed right, %s', (limits) => {
        for (let seed = 0; seed < 6; seed++) {
          const random = new Random(seed);
          const run = new Run(
            { kind, condition: CONDITIONS[condition], limits: LIMITS[limits] },
            random,
            random.of([1, 10_000]),
          );
          const expectEqual = (): void => {
            try {
              expect(run.output.toJSON()).toEqual(run.expected.toJSON());
            } catch (failure) {
              throw new Error(`seed ${seed}: ${(failure as Error).message}`, { cause: failure });
            }
          };
          // What can still come or go: nothing below its side's watermark.
          const changes = (side: 'left' | 'right', bag: Bag): [any, number][] => {
            const least = Math.max(0, run.watermarks[side]);
            const given: [any, number][] = [];
            for (let count = random.below(5); count > 0; count--)
              given.push([
                row(
                  random.chance(0.1) ? null : random.of(['a', 'b']),
                  least + random.below(8),
                  random.below(2),
                ),
                random.chance(0.2) ? 2 : 1,
              ]);
            for (const [held, weight] of bag)
              if (msOf(held) >= least && random.chance(0.2))
                given.push([held, random.chance(0.5) ? -weight : -1]);
            return given;
          };
          const passed = (): Partial<Run['watermarks']> => {
            const moved: Partial<Run['watermarks']> = {};
            for (const side of ['left', 'right'] as const)
              if (random.chance(0.4)) moved[side] = Math.max(0, run.watermarks[side]) + random.below(6);
            return moved;
          };
          for (let tick = 0; tick < 15; tick++) {
            run.tick(changes('left', run.left), changes('right', run.right), passed(), true);
            expectEqual();
          }
          run.tick([], [], { left: 1_000 }, true);
          expectEqual();
          run.tick([], [], { right: 1_000 }, true);
          expectEqual();
          expect(run.join.store.toString()).toBe(new Run(run.options).join.store.toString());
        }
      });
    });
  },
);
