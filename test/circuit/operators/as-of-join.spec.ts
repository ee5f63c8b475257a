import type { CircuitBuilder } from '../../../src/circuit/circuit-builder.js';
import { DueTimes } from '../../../src/circuit/due-times.js';
import { AsOfJoin } from '../../../src/circuit/operators/as-of-join.js';
import { pairWorkCodec } from '../../../src/circuit/pair-work.js';
import { type PageLimits, PairWorks } from '../../../src/circuit/pair-works.js';
import type { Time } from '../../../src/circuit/time.js';
import { TimedRows } from '../../../src/circuit/timed-rows.js';
import { Versions } from '../../../src/circuit/versions.js';
import { queueCodec, WorkQueue } from '../../../src/circuit/work-queue.js';
import { Delta } from '../../../src/zset/delta.js';
import { instantText } from '../../../src/zset/instant-text.js';
import { Bag } from '../../support/joins.js';
import { Random } from '../../support/random.js';
import { Stepped } from '../../support/stepped.js';

interface Options {
  outer: boolean;
  limits: PageLimits | null;
  /** Whether each side has a watermark. */
  left?: boolean;
  right?: boolean;
}

const LATENESS = 3;
const trade = (k: string | null, t: number, n = 0) => ({ k, at: instantText(t), n });
const price = (k: string, t: number, v: number) => ({ k, since: instantText(t), v });

function asOf(builder: CircuitBuilder, { outer, limits, left = true, right = true }: Options): AsOfJoin {
  const due = (name: string): DueTimes => new DueTimes(builder.ordered(`${name}.due`));
  return new AsOfJoin(
    new TimedRows(builder.ordered('left'), (row: any) => row.at, right ? due('left') : null),
    new Versions(builder.ordered('versions'), left && right ? due('versions') : null),
    {
      keyOf: { left: (row: any) => row.k, right: (row: any) => row.k },
      sinceOf: (row: any) => row.since,
      pairOf: (l, v) => ({ l, v }) as any,
      aloneAs: outer ? (l) => ({ l, v: null }) as any : null,
      time: {
        left: left ? [{ source: 'left', delayMs: 0 }] : [],
        right: right ? [{ source: 'right', delayMs: 0 }] : [],
      },
    },
    new PairWorks(
      limits && new WorkQueue(builder.keyed('work', queueCodec(pairWorkCodec))),
      limits ?? undefined,
    ),
  );
}

class Run {
  readonly join: Stepped;
  readonly lefts = new Bag();
  readonly output = new Bag();
  /** By key and time what holds from then on. */
  readonly versions = new Map<string, Map<number, object | null>>();
  readonly watermarks = { left: -Infinity, right: -Infinity };
  steps = 0;
  #before: Time;

  constructor(
    readonly options: Options,
    readonly random = new Random(0),
    entriesMax = 10_000,
  ) {
    this.join = new Stepped((builder) => asOf(builder, options), { inputs: 2, entriesMax });
    this.#before = this.#time;
  }

  get #time(): Time {
    return new Map(
      Object.entries(this.watermarks).map(([name, watermark]) => [name, { clock: watermark, watermark }]),
    );
  }

  /** Records are `[price, 1]`, or `[{ k, since }, -1]` where a key is deleted. */
  tick(
    lefts: readonly (readonly [any, number])[],
    records: readonly (readonly [any, number])[],
    left: number | null = null,
    disturb = false,
  ): this {
    const { join, random } = this;
    const rows = Delta.of(...lefts);
    this.lefts.add(lefts);
    const recorded = new Delta<any>([], [], undefined, []);
    let moved = left !== null;
    for (const [record, weight] of records) {
      const at = Date.parse(record.since);
      const { right } = this.watermarks;
      recorded.push(record, weight, undefined, at < right ? right : -Infinity);
      this.#hold(record.k, at, right, weight > 0 ? record : null);
      if (at - LATENESS > right) {
        this.watermarks.right = at - LATENESS;
        moved = true;
      }
    }
    if (left !== null) this.watermarks.left = left;
    const before = this.#before;
    const time = moved ? this.#time : before;
    const inputs = new Map([
      ['in0', rows],
      ['in1', recorded],
    ]);
    if (disturb && random.chance(0.3)) {
      join.store.step(join.circuit, inputs, time, before);
      join.circuit.discard();
    }
    for (let given: ReadonlyMap<string, Delta> = inputs; ; given = new Map()) {
      this.output.add(join.store.step(join.circuit, given, time, before));
      join.writes = join.store.commit(join.circuit);
      this.steps++;
      if (!join.circuit.unfinished) break;
      if (disturb && random.chance(0.4)) join.circuit.drop();
      if (this.steps > 100_000) throw new Error('no end');
    }
    if (disturb && random.chance(0.3)) join.circuit.drop();
    this.#before = time;
    return this;
  }

  #hold(key: string, at: number, watermark: number, row: object | null): void {
    let versions = this.versions.get(key);
    if (versions === undefined) this.versions.set(key, (versions = new Map()));
    if (at >= watermark) versions.set(at, row);
    else if (![...versions.keys()].some((time) => time > at && time <= watermark))
      versions.set(watermark, row);
  }

  get expected(): Bag {
    const out = new Bag();
    for (const [l, weight] of this.lefts) {
      const t = Date.parse(l.at);
      const times = [...(this.versions.get(l.k)?.keys() ?? [])].filter((time) => time <= t);
      const v = times.length === 0 ? null : this.versions.get(l.k)!.get(Math.max(...times))!;
      if (v !== null || this.options.outer) out.add([[{ l, v }, weight]]);
    }
    return out;
  }

  check(): this {
    expect(this.output.toJSON()).toEqual(this.expected.toJSON());
    return this;
  }

  kept(name: string): number {
    const groups = [...(this.join.store.ordered.get(name)?.values() ?? [])];
    return groups.reduce((sum, { size }) => sum + size, 0);
  }
}

const run = (outer = true): Run => new Run({ outer, limits: null });

describe('a join as of a time', () => {
  it('finds the newest version at or before the time of a row', () => {
    const trades = run().tick(
      [],
      [
        [price('a', 10, 1), 1],
        [price('a', 12, 2), 1],
      ],
    );
    trades.tick(
      [9, 10, 11, 12, 13].map((t) => [trade('a', t), 1] as const),
      [],
    );
    const versions = [...trades.output].map(([{ l, v }]) => [Date.parse(l.at), v?.v ?? null]);
    expect(versions.sort(([a], [b]) => a! - b!)).toEqual([
      [9, null],
      [10, 1],
      [11, 1],
      [12, 2],
      [13, 2],
    ]);
    trades.check();
  });

  it('says it anew of rows that came before the record that holds for them', () => {
    const trades = run(false).tick(
      [
        [trade('a', 10), 2],
        [trade('a', 11), 1],
        [trade('a', 20), 1],
      ],
      [],
    );
    expect([...trades.output]).toEqual([]);
    trades.tick([], [[price('a', 9, 1), 1]]).check();
    expect(trades.output.rows.size).toBe(3);
    trades.tick([], [[price('a', 11, 2), 1]]).check();
    trades.tick([], [[price('a', 11, 3), 1]]).check();
    trades.tick([[trade('a', 11), -1]], [[{ k: 'a', since: instantText(12) }, -1]]).check();
    expect([...trades.output]).toEqual([[{ l: trade('a', 10), v: price('a', 9, 1) }, 2]]);
  });

  it('lets a late record hold from the watermark on, unless a newer one is known', () => {
    const trades = run().tick(
      [
        [trade('a', 10), 1],
        [trade('a', 30), 1],
      ],
      [[price('b', 23, 0), 1]],
    );
    // The watermark is 20: what was before that is finished.
    trades.tick([], [[price('a', 5, 1), 1]]).check();
    expect(
      trades.output
        .toJSON()
        .map(([text]) => JSON.parse(text))
        .map(({ l, v }) => [l.at, v?.v ?? null]),
    ).toEqual([
      [instantText(10), null],
      [instantText(30), 1],
    ]);
    trades.tick([], [[price('a', 4, 2), 1]]).check();
    trades.tick([], [[price('a', 21, 3), 1]]).check();
    trades.tick([], [[price('b', 33, 0), 1]]);
    trades.tick([], [[price('a', 6, 4), 1]]).check();
  });

  it('keeps rows until the table has passed them, and versions down to the newest that may be asked for', () => {
    const trades = run();
    for (let t = 0; t < 50; t++) trades.tick([[trade('a', t), 1]], [[price('a', t, t), 1]], t);
    expect(trades.kept('left')).toBe(LATENESS + 1);
    expect(trades.kept('versions')).toBe(LATENESS + 1);
    expect(trades.kept('versions.due')).toBe(LATENESS);
    trades.tick([], [[{ k: 'a', since: instantText(60) }, -1]], 100);
    expect(trades.kept('left')).toBe(0);
    trades.tick([], [[price('b', 200, 0), 1]], 300).check();
    expect([...trades.join.store.ordered.keys()].sort()).toEqual(['versions', 'versions.due']);
    // That it is gone is known still.
    expect(trades.kept('versions')).toBe(2);
  });

  it('keeps all where nothing is ever finished', () => {
    const trades = new Run({ outer: true, limits: null, right: false });
    for (let t = 0; t < 10; t++) trades.tick([[trade('a', t), 1]], [[price('a', t, t), 1]], t);
    expect([trades.kept('left'), trades.kept('versions')]).toEqual([10, 10]);
  });

  it('reads a version for a row, and nothing of the others', () => {
    const trades = run();
    trades.tick(
      [],
      Array.from({ length: 500 }, (_, n) => [price('a', n * 10, n), 1] as const),
    );
    trades.tick(
      Array.from({ length: 500 }, (_, n) => [trade('a', 4_990 + n), 1] as const),
      [],
    );
    trades.join.circuit.drop();
    let found = 0;
    for (const state of trades.join.states)
      if (state.kind === 'ordered') {
        const load = state.load.bind(state);
        state.load = (read, members) => {
          found += members.length;
          load(read, members);
        };
      }
    trades.tick([[trade('a', 5_000, 1), 1]], []);
    trades.tick([], [[price('a', 4_988, 1), 1]]).check();
    expect(found).toBeLessThan(20);
  });
});

const LIMITS = { 'all at once': null, 'in pages': { pairsMax: 2, pairsMin: 1, worksMax: 3 } };

describe.each([true, false])('a join as of a time that keeps rows without a version: %s', (outer) => {
  it.each(Object.keys(LIMITS) as (keyof typeof LIMITS)[])('is recomputed right, %s', (limits) => {
    for (let seed = 0; seed < 12; seed++) {
      const random = new Random(seed);
      const history = new Run({ outer, limits: LIMITS[limits] }, random, random.of([1, 10_000]));
      const passed = { left: 0 };
      for (let tick = 0; tick < 20; tick++) {
        const lefts: [any, number][] = [];
        for (let count = random.below(5); count > 0; count--)
          lefts.push([
            trade(
              random.chance(0.1) ? null : random.of(['a', 'b']),
              passed.left + random.below(10),
              random.below(2),
            ),
            random.chance(0.2) ? 2 : 1,
          ]);
        for (const [held, weight] of history.lefts)
          if (Date.parse(held.at) >= passed.left && random.chance(0.1)) lefts.push([held, -weight]);
        const records: [any, number][] = [];
        for (let count = random.below(5); count > 0; count--) {
          const k = random.of(['a', 'b']);
          const t = Math.max(0, tick + random.below(10) - 4);
          records.push(
            random.chance(0.2) ? [{ k, since: instantText(t) }, -1] : [price(k, t, random.below(3)), 1],
          );
        }
        if (random.chance(0.4)) passed.left += random.below(4);
        history.tick(lefts, records, passed.left, true);
        try {
          history.check();
        } catch (failure) {
          throw new Error(`seed ${seed}, tick ${tick}: ${(failure as Error).message}`, { cause: failure });
        }
      }
      history.tick([], [[price('c', 1_000, 0), 1]], 1_000, true).check();
      expect(history.kept('left')).toBe(0);
      expect(history.kept('versions')).toBeLessThanOrEqual(3);
      expect(history.kept('versions.due')).toBe(1);
    }
  });
});
