import {
  approxCountDistinct,
  computed,
  count,
  countDistinct,
  cumulating,
  hopping,
  instant,
  max,
  min,
  stream,
  sum,
  table,
  tumbling,
  view,
} from 'stillwater';
import { z } from 'zod';
import { mergedPanes, type Pane } from '../../src/circuit/merged-panes.js';
import { countRows } from '../../src/circuit/aggregators/count.js';
import { Group } from '../../src/circuit/group.js';
import { OrderedState } from '../../src/circuit/ordered-state.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { explainView } from '../../src/view/explain.js';
import { Random } from '../support/random.js';
import { at, Timed } from '../support/timed.js';

const schema = z.object({ at: instant(), key: z.string(), n: z.int() });
const events = stream('events', { schema, eventTime: 'at', lateness: '30m' });
const facts = table('facts', { schema, key: 'key', eventTime: 'at' });

const HOPS = hopping('1h', { every: '1m' });
const SUMS = { n: count(), total: sum('n' as never) };
const SKETCH = { kinds: approxCountDistinct('n' as never) };
const declared = (from: any): ViewDeclaration => (view as any)('v', { from }).declaration;

describe('what a window of a row costs', () => {
  const heldOf = (from: any, rows: number): Record<string, number> => {
    const kept = new Timed(declared(from));
    for (let row = 0; row < rows; row++) kept.tick({ 'stream:events': [{ at: at(row), key: 'a', n: row }] });
    const { keyed, ordered } = kept.store;
    const sizes = [...keyed].map(([name, values]) => [name, values.size] as const);
    const members = [...ordered].map(
      ([name, groups]) => [name, [...groups.values()].reduce((sum, { size }) => sum + size, 0)] as const,
    );
    return Object.fromEntries(
      [...sizes, ...members].map(([name, size]) => [name.replace(/^\d+\./, ''), size]),
    );
  };

  it('is one pane, listed once, and a due time for each window until it is over', () => {
    expect(
      heldOf(
        events
          .window(HOPS)
          .groupBy('key')
          .aggregate(SUMS as never)
          .final(),
        100,
      ),
    ).toEqual({
      panes: 1,
      index: 1,
      due: 60,
    });
  });

  it('is one pane also where sketches are shown on every change', () => {
    const { panes, index, rows } = heldOf(
      events
        .window(HOPS)
        .groupBy('key')
        .aggregate(SKETCH as never),
      100,
    );
    expect([panes, index, rows]).toEqual([1, 1, 60]);
  });
});

it('looks at the panes of a tick’s rows, and at none between them', () => {
  const declaredLate = stream('events', { schema, eventTime: 'at', lateness: '1d' });
  const kept = new Timed(declared((declaredLate.window(HOPS) as any).groupBy('key').aggregate(SKETCH)));
  const row = (minute: number) => ({ at: at(minute * 60_000), key: 'a', n: minute });
  kept.tick({ 'stream:events': Array.from({ length: 1_200 }, (_, minute) => row(minute)) });
  kept.restart();
  kept.store.fetched = 0;
  kept.tick({ 'stream:events': [row(100), row(1_100)] });
  // Of each row the panes, and the rows that are shown, of an hour before and behind it.
  expect(kept.store.fetched).toBeLessThan(500);
});

it('lists the panes of as many groups as a tick closes, and not of all that have windows which are over', () => {
  const GROUPS = 200;
  const kept = new Timed(
    declared(
      events
        .window(HOPS)
        .groupBy('key')
        .aggregate(SUMS as never)
        .final(),
    ),
    1_000_000,
  );
  const keys = Array.from({ length: GROUPS }, (_, key) => `k${key}`);
  const minutes = Array.from({ length: 60 }, (_, minute) => minute);
  kept.tick({
    'stream:events': minutes.flatMap((minute) => keys.map((key) => ({ at: at(minute * 60_000), key, n: 1 }))),
  });
  kept.clock('stream:events', at('01:29'));
  kept.restart();
  let listed = 0;
  const perTick: number[] = [];
  for (const state of kept.compiled.circuit.states)
    if (state.kind === 'ordered' && state.name.endsWith('index'))
      state.load = (read, found) => {
        listed += found.length;
        OrderedState.prototype.load.call(state, read, found);
      };
  const commit = kept.store.commit.bind(kept.store);
  kept.store.commit = (circuit) => {
    perTick.push(listed);
    listed = 0;
    return commit(circuit);
  };
  // Of each group the one window that has all its sixty panes.
  kept.clock('stream:events', at('01:30'));
  expect(kept.rows).toHaveLength(GROUPS * 60);
  expect(perTick.length).toBeGreaterThan(2);
  expect(Math.max(...perTick)).toBeLessThan(6_000);
});

it('closes windows that begin where no instant is before them', () => {
  const kept = new Timed(
    declared(
      events
        .window(HOPS)
        .groupBy('key')
        .aggregate(SUMS as never)
        .final(),
    ),
  );
  // In the first of the windows of this row lie times whose own windows would begin before the year 0000.
  kept.tick({ 'stream:events': [{ at: '0000-01-01T01:00:00.000Z', key: 'a', n: 1 }] });
  kept.restart();
  kept.clock('stream:events', at('00:00'));
  expect([kept.rows.length, kept.kept]).toEqual([60, 0]);
});

describe('panes are kept', () => {
  const grouped = (window: any = HOPS, rows: any = events): any => rows.window(window).groupBy('key');
  const isPaned = (from: any): boolean => /panes/.test(explainView(declared(from)).text);

  it.each<[string, any]>([
    ['of final results', grouped().aggregate(SUMS).final()],
    [
      'of least and greatest values of rows that never go',
      grouped()
        .aggregate({ least: min('n' as never) })
        .final(),
    ],
    [
      'of cumulating windows',
      grouped(cumulating('1d', { every: '1h' }))
        .aggregate(SUMS)
        .final(),
    ],
    ['of sketches that are shown on every change', grouped().aggregate(SKETCH)],
    [
      'of all rows together',
      events
        .window(HOPS)
        .groupBy()
        .aggregate(SUMS as never)
        .final(),
    ],
    [
      'by what is computed of the row',
      events
        .window(HOPS)
        .groupBy({ even: computed(z.boolean(), (event: any) => event.n % 2 === 0) })
        .aggregate(SUMS as never)
        .final(),
    ],
  ])('%s', (_, from) => expect(isPaned(from)).toBe(true));

  it.each<[string, any]>([
    ['of sums that are shown on every change', grouped().aggregate(SUMS)],
    [
      'where a row is in few windows',
      grouped(hopping('3m', { every: '1m' }))
        .aggregate(SUMS)
        .final(),
    ],
    ['where it is in one', grouped(tumbling('1h')).aggregate(SUMS).final()],
    [
      'where members are kept',
      grouped()
        .aggregate({ kinds: countDistinct('n' as never) })
        .final(),
    ],
    ['of the greatest of rows that go', grouped(HOPS, facts).aggregate({ most: max('n' as never) })],
    [
      'where the window is aggregated',
      grouped()
        .aggregate({ ...SUMS, last: max('windowEnd' as never) })
        .final(),
    ],
    [
      'where what is grouped by is computed of the window',
      (events.window(HOPS) as any)
        .groupBy({ hour: computed(z.string(), (row: any) => row.windowStart.slice(0, 13)) })
        .aggregate(SUMS)
        .final(),
    ],
    [
      'where what is called the start of a window is its end',
      (events.window(HOPS) as any)
        .rows()
        .groupBy('key', { windowStart: 'windowEnd', windowEnd: 'windowStart' })
        .aggregate(SUMS)
        .final(),
    ],
    [
      'where rows are also grouped by their time',
      (events.window(HOPS) as any).groupBy('at').aggregate(SUMS).final(),
    ],
  ])('but not %s', (_, from) => expect(isPaned(from)).toBe(false));

  it('of rows that move to be grouped: they move as they are, and are put into windows where they come to', () => {
    const apart = stream('apart', {
      schema: schema.extend({ place: z.string(), note: z.string() }),
      eventTime: 'at',
      lateness: '30m',
      partitions: 3,
      partitionBy: 'place',
    });
    const opsOf = (from: any): string[] =>
      [...explainView(declared(from)).text.matchAll(/^ *#\d+ +(\w+)/gm)].map(([, op]) => op!);
    const shown = grouped(HOPS, apart).aggregate(SKETCH);
    expect(isPaned(shown)).toBe(true);
    expect(opsOf(shown)).toEqual(['source', 'select', 'exchange', 'window', 'aggregate', 'view']);
    // Their members are kept window by window, and still move once.
    const members = grouped(HOPS, apart).aggregate({ kinds: countDistinct('n' as never) });
    expect(opsOf(members)).toEqual(['source', 'select', 'exchange', 'window', 'aggregate', 'view']);
    // Of sums one part for each group and window is less than the rows of a tick.
    const sums = grouped(HOPS, apart).aggregate(SUMS);
    expect(opsOf(sums)).toEqual(['source', 'window', 'parts', 'exchange', 'aggregate', 'view']);
    // All groups together would all move to one place: they move by their windows.
    const total = (apart.window(HOPS) as any).groupBy().aggregate({ kinds: countDistinct('n' as never) });
    expect(opsOf(total).slice(0, 3)).toEqual(['source', 'window', 'select']);
    // So do those that are grouped by what is computed of rows in windows; not where it is a column before.
    const even = (event: any): boolean => event.n % 2 === 0;
    const computedThere = (apart.window(HOPS) as any).groupBy({ even: computed(z.boolean(), even) });
    expect(opsOf(computedThere.aggregate(SKETCH)).slice(0, 3)).toEqual(['source', 'window', 'select']);
    const columns = { at: 'at', n: 'n', even: computed(z.boolean(), even) };
    const computedBefore = (apart.select(columns as never) as any).window(HOPS).groupBy('even');
    expect(opsOf(computedBefore.aggregate(SKETCH)).slice(-4)).toEqual([
      'exchange',
      'window',
      'aggregate',
      'view',
    ]);
    expect(isPaned(computedBefore.aggregate(SKETCH))).toBe(true);
    expect(explainView(declared(shown)).text).toContain('at, key, n');
  });

  it('under another fingerprint than windows of the same shape', () => {
    const every = (ms: number) =>
      grouped(hopping('12m', { every: `${ms}m` as '1m' }))
        .aggregate(SUMS)
        .final();
    expect(declared(every(3)).fingerprint).not.toBe(declared(every(4)).fingerprint);
  });
});

describe('what panes merge to', () => {
  const text = (n: number): string => String(n).padStart(3, '0');

  it.each([1, 2, 3, 4, 5])('is what lies in each window, with late panes and gaps (%i)', (seed) => {
    const random = new Random(seed);
    for (let round = 0; round < 50; round++) {
      const size = 1 + random.below(8);
      const windows = Array.from(
        { length: 40 },
        (_, start) => [text(start), text(start + size)] as const,
      ).filter(() => random.chance(0.8));
      const panes: Pane[] = [];
      for (let start = 0; start < 45; start++) {
        if (random.chance(0.4)) continue;
        const first = Math.max(0, start - size + 1) + size;
        const group = () => new Group(1 + random.below(5), [1 + random.below(100)]);
        panes.push({ start: text(start), from: text(first), late: false, group: group() });
        if (size > 1 && random.chance(0.2))
          panes.push({ start: text(start), from: text(first + 1), late: true, group: group() });
      }
      const expected = windows.map(([start, end]) => {
        const held = panes.filter((pane) => start <= pane.start && pane.start < end && pane.from <= end);
        const add = (of: (group: Group) => number) => held.reduce((sum, { group }) => sum + of(group), 0);
        return held.length === 0
          ? null
          : [add(({ count }) => count), add(({ accumulators }) => accumulators[0])];
      });
      const before = JSON.stringify(panes);
      const merged = mergedPanes(windows, panes, [countRows]);
      expect(merged.map((group) => group && [group.count, group.accumulators[0]])).toEqual(expected);
      expect(JSON.stringify(panes)).toBe(before);
    }
  });
});
