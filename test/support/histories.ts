import { instant, stream, table } from 'stillwater';
import { z } from 'zod';
import { instantMs } from '../../src/zset/instant-text.js';
import { Random } from './random.js';
import { at, Timed } from './timed.js';

/**
 * Random histories with disorder and late rows, each cut in many ways: a view has the same rows, and its circuit the same
 * state, however the log is cut, however time advances, with caches that hold nothing, ticks computed in vain and
 * workers that take over. And what it has is what the log says, computed from scratch.
 */
export const MINUTE = 60_000;
export const LATENESS = 30 * MINUTE;

export const events = stream('events', {
  schema: z.object({ at: instant(), until: instant().nullable(), key: z.string(), n: z.int() }),
  eventTime: 'at',
  lateness: '30m',
});
export const places = table('places', {
  schema: z.object({ key: z.string(), name: z.string() }),
  key: 'key',
});

export interface Event {
  at: string;
  until: string | null;
  key: string;
  n: number;
}
/** An event, a heartbeat, or a record of the table. */
export type Entry =
  | { event: Event; clock?: never; place?: never }
  | { clock: string; event?: never; place?: never }
  | { place: { key: string; name: string }; deleted: boolean; event?: never; clock?: never };

/** Times are whole multiples of `grain`. */
export function historyOf(random: Random, size: number, grain = 1): Entry[] {
  let now = 10 * 60 * MINUTE;
  return Array.from({ length: size }, (): Entry => {
    if (random.chance(0.04)) now += random.below(600 * MINUTE);
    now += random.below(6 * MINUTE);
    if (random.chance(0.05)) return { clock: at(now) };
    if (random.chance(0.1))
      return {
        place: { key: random.of(['a', 'b']), name: random.of(['x', 'y', 'z']) },
        deleted: random.chance(0.3),
      };
    const time = floor(now - (random.chance(0.3) ? random.below(90 * MINUTE) : 0), grain);
    const until = random.chance(0.2) ? null : at(time + random.below(120 * MINUTE));
    return { event: { at: at(time), until, key: random.of(['a', 'b', '']), n: random.below(5) } };
  });
}

/** The events that are not late for windows that end here, or for their own time; and the clock at the end. */
export function told(history: readonly Entry[]): { event: Event; late: number }[] & { clock: number } {
  let clock = -Infinity;
  const found: { event: Event; late: number }[] = [];
  for (const { event, clock: heartbeat } of history) {
    if (heartbeat) clock = Math.max(clock, instantMs(heartbeat));
    if (!event) continue;
    found.push({ event, late: clock - LATENESS });
    clock = Math.max(clock, instantMs(event.at));
  }
  return Object.assign(found, { clock });
}
/** Before no watermark. */
export const NEVER_LATE = { late: -Infinity };

export const floor = (ms: number, size: number) => Math.floor(ms / size) * size;
export const text = (ms: number) => new Date(ms).toISOString();

export interface Case {
  /** Late rows are left out at several places: which of them was seen first is a matter of the cut. */
  readonly severalLate?: true;
  view: any;
  expected?: (history: readonly Entry[]) => object[];
  grain?: number;
  /** Rows come only when what they are of is over. */
  final?: true;
}

/** Maintains a view over a history, cut at random or not at all. */
function maintained(declared: any, history: readonly Entry[], random: Random | null): Timed {
  const kept = new Timed(declared.declaration, random?.chance(0.5) ? 1 : 10_000);
  for (let from = 0; from < history.length;) {
    // A heartbeat is a tick of its own, or comes with what was read before it.
    const size = random === null ? 1 : 1 + random.below(random.of([1, 5, 60]));
    const taken: Entry[] = [];
    for (const entry of history.slice(from, from + size)) {
      if (entry.clock && taken.length > 0) break;
      taken.push(entry);
      if (entry.clock) break;
    }
    from += taken.length;
    if (taken[0]!.clock) {
      kept.clock('stream:events', taken[0]!.clock);
      continue;
    }
    const inputs = {
      'stream:events': taken.flatMap(({ event }) => (event ? [event as never] : [])),
      'table:places': taken.flatMap((entry) =>
        entry.place ? [[entry.place, entry.deleted ? -1 : 1] as never] : [],
      ),
    };
    if (random?.chance(0.2)) kept.tick(inputs, true);
    kept.tick(inputs);
    if (random?.chance(0.2)) kept.restart();
  }
  return kept;
}

const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).sort();

/** Each of the views has the same rows and the same state, and those that are said, however its log is cut. */
export function describeHistories(cases: Readonly<Record<string, Case>>): void {
  describe.each<[string, Case]>(Object.entries(cases))(
    '%s',
    (_, { view: declared, expected, grain, severalLate }) => {
      it.each([1, 2, 3])('are the same however the log is cut (history %i)', (seed) => {
        const random = new Random(seed * 977);
        const history = historyOf(random, 120, grain);
        const whole = maintained(declared, history, null);
        if (expected) expect(sorted(whole.rows)).toEqual(sorted(expected(history)));
        for (let cut = 0; cut < 4; cut++) {
          const other = maintained(declared, history, random);
          expect(other.rows).toEqual(whole.rows);
          if (severalLate) for (const { store } of [whole, other]) store.keyed.delete('lates');
          expect(other.store.toString()).toBe(whole.store.toString());
          expect(other.late).toBe(whole.late);
          expect(other.errors).toBe(0);
        }
      });
    },
  );
}

/** The same; and they keep nothing of what is behind the watermark, but for the rows they show. */
export function describeFreed(cases: Readonly<Record<string, Case>>): void {
  describeHistories(cases);

  describe.each(Object.entries(cases))('%s', (_, { view: declared, final }) => {
    it('keeps nothing when the watermark has passed it, and shows its rows on', () => {
      const kept = maintained(declared, historyOf(new Random(5), 120), null);
      const { rows } = kept;
      const held = kept.kept;
      kept.clock('stream:events', '2001-03-01T00:00:00.000Z');
      expect([held > 0, kept.kept]).toEqual([true, 0]);
      expect(kept.rows).toEqual(final ? expect.arrayContaining(rows) : rows);
      expect(rows.length).toBeGreaterThan(10);
    });

    it('goes in steps where much is due at once', () => {
      const kept = new Timed(declared.declaration);
      kept.tick({
        'stream:events': Array.from({ length: 2_400 }, (_unused, n) => ({
          at: at(n * 500),
          until: null,
          key: n % 2 === 0 ? String(n) : 'a',
          n: n % 7,
        })),
      });
      kept.clock('stream:events', '2001-03-01T00:00:00.000Z');
      expect([kept.kept, kept.steps > 1]).toEqual([0, true]);
    });
  });
}
