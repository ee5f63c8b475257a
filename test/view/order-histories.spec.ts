import {
  count,
  denseRank,
  lag,
  lead,
  max,
  min,
  rank,
  rolling,
  rowNumber,
  sum,
  tumbling,
  view,
} from 'stillwater';
import { instantMs } from '../../src/zset/instant-text.js';
import { inWindows } from '../support/expected-windows.js';
import {
  describeFreed,
  describeHistories,
  type Entry,
  type Event,
  events,
  MINUTE,
  told,
} from '../support/histories.js';
import { at, Timed } from '../support/timed.js';

const byText = (left: object, right: object): number =>
  JSON.stringify(left) < JSON.stringify(right) ? -1 : 1;
const inWindow = events.window(tumbling('1h')).rows();
const ofWindow = { per: ['windowStart', 'key'] } as const;

/** Of the events of a key that were not late, in order, what each sees of the others. */
const placesExpected =
  (told_: (group: Event[], place: number) => object) =>
  (history: readonly Entry[]): object[] => {
    const rows = told(history)
      .filter(({ event, late }) => instantMs(event.at) >= late)
      .map(({ event }) => event);
    return [...new Set(rows.map(({ key }) => key))].flatMap((key) => {
      const group = rows
        .filter((event) => event.key === key)
        .sort((left, right) => instantMs(left.at) - instantMs(right.at) || byText(left, right));
      return group.map((event, place) => ({ ...event, ...told_(group, place) }));
    });
  };
const totalOf = (rows: readonly Event[]) => rows.reduce((total, { n }) => total + n, 0);
const byTime = { per: 'key', order: 'at' } as const;
const key = ['at', 'key', 'n', 'until'] as [string, ...string[]];

describeHistories({
  'what events have of those before them, in the order of time': {
    view: view('v', {
      from: events.over(byTime, {
        before: lag('n', { default: -1, offset: 2 }),
        lately: rolling(sum('n'), { range: '10m' }),
        few: rolling(max('n'), { rows: 3 }),
      }),
      key,
    } as never),
    expected: placesExpected((group, place) => ({
      before: group[place - 2]?.n ?? -1,
      lately: totalOf(
        group.filter(({ at: other }) => {
          const ms = instantMs(group[place]!.at) - instantMs(other);
          return ms >= 0 && ms <= 10 * MINUTE;
        }),
      ),
      few: Math.max(...group.slice(Math.max(0, place - 2), place + 1).map(({ n }) => n)),
    })),
  },
  'what events have of those around them, in the order of time': {
    view: view('v', {
      from: events.over(byTime, {
        next: lead('n', { default: -1 }),
        around: rolling(sum('n'), { rows: { before: 2, after: 1 } }),
        near: rolling(count(), { range: { before: '5m', after: '10m' } }),
      }),
      key,
    } as never),
    expected: placesExpected((group, place) => ({
      next: group[place + 1]?.n ?? -1,
      around: totalOf(group.slice(Math.max(0, place - 2), place + 2)),
      near: group.filter(({ at: other }) => {
        const ms = instantMs(other) - instantMs(group[place]!.at);
        return ms >= -5 * MINUTE && ms <= 10 * MINUTE;
      }).length,
    })),
    grain: 2.5 * MINUTE,
  },
  'what events have of the next ones, which may come much later, and what these look back to': {
    view: view('v', {
      from: events.over(byTime, {
        next: lead('n', { default: -1, offset: 2 }),
        lately: rolling(sum('n'), { range: '10m' }),
      }),
      key,
    } as never),
    expected: placesExpected((group, place) => ({
      next: group[place + 2]?.n ?? -1,
      lately: totalOf(
        group.filter(({ at: other }) => {
          const ms = instantMs(group[place]!.at) - instantMs(other);
          return ms >= 0 && ms <= 10 * MINUTE;
        }),
      ),
    })),
    grain: 2.5 * MINUTE,
  },
  'numbers and running totals in the order of time': {
    view: view('v', {
      from: events.over(byTime, {
        number: rowNumber(),
        rank: rank(),
        dense: denseRank(),
        soFar: rolling(sum('n'), { rows: 'all' }),
        least: rolling(min('n'), { range: 'all' }),
      }),
      key,
    } as never),
    expected: placesExpected((group, place) => {
      const upTo = group.filter(({ at: other }) => other <= group[place]!.at);
      return {
        number: place + 1,
        rank: 1 + group.findIndex(({ at: other }) => other === group[place]!.at),
        dense: new Set(upTo.map(({ at: other }) => other)).size,
        soFar: totalOf(group.slice(0, place + 1)),
        least: Math.min(...upTo.map(({ n }) => n)),
      };
    }),
    grain: 2.5 * MINUTE,
  },
});

describeFreed({
  'the first of each window': {
    view: view('v', { from: inWindow.top(2, { ...ofWindow, order: 'n.desc', rank: 'place' }) }),
    expected: (history) =>
      inWindows(history).flatMap((group) =>
        group
          .sort((left, right) => right.n - left.n || byText(left, right))
          .slice(0, 2)
          .map((event, at) => ({ ...event, place: at + 1 })),
      ),
  },
  'what the rows of a window have of their place': {
    view: view('v', {
      from: inWindow.over(
        { ...ofWindow, order: 'at' },
        {
          number: rowNumber(),
          rank: rank(),
          before: lag('n'),
          lately: rolling(sum('n'), { range: '10m' }),
          most: rolling(max('n'), { rows: 2 }),
        },
      ),
      key: ['windowStart', 'key', 'number'],
    }),
    expected: (history) =>
      inWindows(history).flatMap((group) =>
        group
          .sort((left, right) => instantMs(left.at) - instantMs(right.at) || byText(left, right))
          .map((event, place) => ({
            ...event,
            number: place + 1,
            rank: 1 + group.findIndex((other) => other.at === event.at),
            before: group[place - 1]?.n ?? null,
            lately: group
              .filter((other) => other.at <= event.at)
              .filter((other) => instantMs(event.at) - instantMs(other.at) <= 10 * MINUTE)
              .reduce((total, other) => total + other.n, 0),
            most: Math.max(event.n, group[place - 1]?.n ?? 0),
          })),
      ),
  },
  'without what repeats an event of the last twenty minutes': {
    view: view('v', {
      from: events.dedupe({ by: 'key', within: '20m', on: 'at' }),
      key: ['at', 'key', 'n', 'until'],
    }),
    expected(history) {
      const there = told(history)
        .filter(({ event, late }) => instantMs(event.at) >= late)
        .map(({ event }) => event)
        .sort((left, right) => instantMs(left.at) - instantMs(right.at) || byText(left, right));
      return there.filter(
        (event, place) =>
          !there
            .slice(0, place)
            .some(
              (other) => other.key === event.key && instantMs(event.at) - instantMs(other.at) <= 20 * MINUTE,
            ),
      );
    },
  },
  'the first event of each window': {
    view: view('v', { from: inWindow.dedupe({ by: ['windowStart', 'key'], on: 'at' }) }),
    expected: (history) =>
      inWindows(history).map(
        (group) =>
          group.sort((left, right) => instantMs(left.at) - instantMs(right.at) || byText(left, right))[0]!,
      ),
  },
});

describe('rows in the order of a time that the watermark has passed', () => {
  const event = (n: number, second = n) => ({ at: at(second * 1_000), until: null, key: 'a', n: 1 });
  const passed = (columns: object): Timed => {
    const from = events.over(byTime, columns as { number: ReturnType<typeof rowNumber> });
    const kept = new Timed(view('v', { from, key } as never).declaration);
    for (let tick = 0; tick < 4; tick++)
      kept.tick({
        'stream:events': Array.from({ length: 700 }, (_unused, n) => event(0, tick * 700 + n)),
      });
    kept.clock('stream:events', at('23:00'));
    return kept;
  };

  it('are forgotten, but for one that says what they come to, which later ones go on from', () => {
    const kept = passed({
      number: rowNumber(),
      rank: rank(),
      dense: denseRank(),
      soFar: rolling(sum('n'), { rows: 'all' }),
    });
    // A mark for each of them.
    expect(kept.kept).toBe(4);
    kept.tick({ 'stream:events': [event(1, 23 * 3_600 + 60), event(1, 23 * 3_600)] });
    expect(kept.rows.slice(-2)).toMatchObject([
      { number: 2_801, rank: 2_801, dense: 2_801, soFar: 2_801 },
      { number: 2_802, rank: 2_802, dense: 2_802, soFar: 2_802 },
    ]);
    expect(kept.rows[0]).toMatchObject({ number: 1, soFar: 1 });
  });

  it('are forgotten, but for as many as later ones look back to', () => {
    const kept = passed({ before: lag('at', { offset: 2 }), next: lead('at') });
    expect(kept.kept).toBe(3);
    kept.tick({ 'stream:events': [event(1, 23 * 3_600)] });
    expect(kept.rows.slice(-2)).toMatchObject([
      { at: at(2_799_000), before: at(2_797_000), next: at('23:00') },
      { at: at('23:00'), before: at(2_798_000), next: null },
    ]);
  });

  it('are forgotten, but for those in the range of one that a later one changes', () => {
    const kept = passed({ next: lead('n'), lately: rolling(count(), { range: '5s' }) });
    expect(kept.kept).toBe(6);
    kept.tick({ 'stream:events': [event(1, 23 * 3_600)] });
    expect(kept.rows.slice(-2)).toMatchObject([
      { at: at(2_799_000), lately: 6, next: 1 },
      { at: at('23:00'), lately: 1, next: null },
    ]);
  });

  it('are forgotten when they are out of the range of those that may come', () => {
    const kept = passed({ lately: rolling(count(), { range: { before: '10m', after: '5m' } }) });
    expect(kept.kept).toBe(0);
    const [watermark] = (kept.view.plan.relation.watermarks ?? []).map(({ time }) => time);
    expect(watermark).toEqual([{ source: 'stream:events', delayMs: 5 * MINUTE }]);
  });
});
