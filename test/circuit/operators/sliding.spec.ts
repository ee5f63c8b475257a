import type { CircuitBuilder } from '../../../src/circuit/circuit-builder.js';
import { DueTimes } from '../../../src/circuit/due-times.js';
import { FreedMembers } from '../../../src/circuit/freed-members.js';
import { Sliding } from '../../../src/circuit/operators/sliding.js';
import type { Time } from '../../../src/circuit/time.js';
import { MemoryStates } from '../../../src/testing/memory-states.js';
import { Delta } from '../../../src/zset/delta.js';
import { instantMs } from '../../../src/zset/instant-text.js';
import type { Row } from '../../../src/zset/value.js';
import { add, keepsUp, sorted } from '../../support/bags.js';
import { Random } from '../../support/random.js';
import { Errors, membersRead, Stepped } from '../../support/stepped.js';
import { at } from '../../support/timed.js';

const MINUTE = 60_000;
const SIZE = 10 * MINUTE;
const errors = new Errors();

/** `late`: rows are of a stream with a lateness, and the rows left out go there. */
const sliding = (entriesMax = 10_000, late: Errors | null = null): Stepped =>
  new Stepped(
    (builder: CircuitBuilder) => {
      const [rows, times] = [builder.ordered('rows'), builder.ordered('times')];
      const time = [{ source: 'stream:in', delayMs: 0 }];
      return new Sliding(
        rows,
        times,
        {
          sizeMs: SIZE,
          column: 'at',
          atOf: (row: Row) => row['at']!,
          groupKeyOf: (row: Row) => String(row['key']),
          textOf: (row: Row) => JSON.stringify(row),
          rowOf: (row, [windowStart, windowEnd]) => ({ ...row, windowStart, windowEnd }) as Row,
          closing: late && {
            freed: new FreedMembers([rows, times], {
              time,
              keptMs: SIZE + 1,
              due: new DueTimes(builder.ordered('due')),
            }),
            delayMs: 0,
            late,
          },
        },
        errors,
      );
    },
    { entriesMax },
  );

type Entry = readonly [row: { key: string; at: string; v: number }, weight: number];
const row = (minute: number, key = 'a', v = 0): Entry[0] => ({ key, at: at(minute * MINUTE), v });

interface Kept {
  readonly row: Entry[0];
  readonly weight: number;
  /** The watermark it came under. */
  readonly late: number;
}

/** Each row with its windows, from scratch: of all windows that rows make, those that it is in. */
function recomputed(kept: readonly Kept[]): Map<string, number> {
  const result = new Map<string, number>();
  for (const key of new Set(kept.map(({ row: one }) => one.key))) {
    const rows = kept
      .filter(({ row: one, weight }) => one.key === key && weight > 0)
      .map((one) => ({ ...one, ms: instantMs(one.row.at) }));
    const ends = new Set(rows.flatMap(({ ms, late }) => (ms >= late ? [ms] : [])));
    for (const { ms, late } of rows) if (ms + SIZE >= late) ends.add(ms + 1 + SIZE);
    for (const end of ends)
      for (const { row: one, weight, ms, late } of rows)
        if (end - SIZE <= ms && ms <= end && end >= late) {
          const windowStart = new Date(end - SIZE).toISOString();
          add(
            result,
            JSON.stringify({ ...one, windowStart, windowEnd: new Date(end).toISOString() }),
            weight,
          );
        }
  }
  return result;
}

const bagOf = (bag: ReadonlyMap<string, number>): Kept[] =>
  [...bag].map(([text, weight]) => ({ row: JSON.parse(text) as Entry[0], weight, late: -Infinity }));

describe('sliding windows', () => {
  const endOf = ({ windowEnd }: any) => (Date.parse(windowEnd) - Date.parse(at(0))) / MINUTE;
  /** By window the rows' values: `[end, v, v, …]`. */
  const windows = (output: readonly (readonly [any, number])[]) => {
    const byEnd = new Map<number, number[]>();
    for (const [one] of output) byEnd.set(endOf(one), [...(byEnd.get(endOf(one)) ?? []), one.v]);
    return [...byEnd].sort(([left], [right]) => left - right).map(([end, values]) => [end, ...values.sort()]);
  };
  const behind = (minute: number) => (minute * MINUTE + 1 + SIZE) / MINUTE;

  it('end with each row, and begin just behind each that others follow', () => {
    const output = sliding().step([
      [row(0, 'a', 1), 1],
      [row(4, 'a', 2), 1],
      [row(10, 'a', 3), 1],
      [row(30, 'a', 4), 1],
    ]);
    expect(windows(output)).toEqual([
      [0, 1],
      [4, 1, 2],
      [10, 1, 2, 3],
      [behind(0), 2, 3],
      [behind(4), 3],
      [30, 4],
    ]);
  });

  it('are given all rows of a new window, and of the others the row that comes', () => {
    const operator = sliding();
    operator.step([
      [row(0, 'a', 1), 2],
      [row(4, 'a', 2), 1],
    ]);
    const output = operator.step([[row(5, 'a', 3), 1]]);
    expect(output.map(([one, weight]) => [endOf(one), one.v, weight]).sort()).toEqual(
      [
        [5, 1, 2],
        [5, 2, 1],
        [5, 3, 1],
        [behind(0), 3, 1],
        [behind(4), 3, 1],
      ].sort(),
    );
  });

  it('are not told of rows that come and go in one tick', () => {
    const operator = sliding();
    operator.step([[row(0), 1]]);
    const before = operator.store.toString();
    expect(
      operator.step([
        [row(8), 1],
        [row(8), -1],
      ]),
    ).toEqual([]);
    expect(operator.writes).toBe(0);
    expect(operator.store.toString()).toBe(before);
  });

  it('are an error of rows without a time', () => {
    sliding().step([[{ key: 'a', at: null, v: 0 }, 1]]);
    expect(errors.added.at(-1)![2]).toBe('"at" is null: the row has no window.');
  });

  it('are an error of rows whose windows would reach beyond the years that instants have', () => {
    const operator = sliding();
    const time = (text: string, v: number): Entry => [{ key: 'a', at: text, v }, 1];
    const before = operator.store.toString();
    for (const text of ['0000-01-01T00:09:59.999Z', '9999-12-31T23:49:59.999Z']) {
      expect(operator.step([time(text, 0)])).toEqual([]);
      expect(errors.added.at(-1)!.slice(1)).toEqual([
        1,
        `"at" is ${text}: a window of the row reaches beyond the years 0000 to 9999.`,
      ]);
      operator.step([[time(text, 0)[0], -1]]);
      expect(errors.added.at(-1)![1]).toBe(-1);
    }
    expect(operator.store.toString()).toBe(before);
    // The first and the last that have all their windows.
    const edges = ['0000-01-01T00:10:00.000Z', '9999-12-31T23:49:59.998Z'];
    expect(
      operator
        .step(edges.map((text) => time(text, 1)))
        .map(([{ windowStart, windowEnd }]) => [windowStart, windowEnd]),
    ).toEqual([
      ['0000-01-01T00:00:00.000Z', '0000-01-01T00:10:00.000Z'],
      ['9999-12-31T23:39:59.998Z', '9999-12-31T23:49:59.998Z'],
    ]);
    operator.step([
      [time(edges[0]!, 1)[0], -1],
      [time(edges[1]!, 1)[0], -1],
    ]);
    expect(operator.store.toString()).toBe(before);
  });

  it('read no rows where one more comes at a time that has some, and none that are further than the size', () => {
    const operator = sliding();
    operator.step(Array.from({ length: 500 }, (_, v) => [row(20, 'a', v), 1] as const));
    operator.step(Array.from({ length: 500 }, (_, minute) => [row(50 + minute), 1] as const));
    const read = membersRead(operator, () => expect(operator.step([[row(20, 'a', 900), 1]])).toHaveLength(1));
    expect(read).toBeLessThan(5);
    const more = membersRead(operator, () => operator.step([[row(300.5), 1]]));
    expect(more).toBeLessThan(60);
  });

  it('stop at a row that is retracted and was not there', () => {
    expect(() => sliding().step([[row(0), -1]])).toThrow('had not been inserted');
  });

  it.each([1, 2, 3, 4, 5, 6])('are what all rows together say, after any history (%i)', (seed) => {
    const random = new Random(seed * 7_919);
    const made = () => row(random.below(25) * random.of([2.5, 5]), random.of(['a', '']), random.below(2));
    keepsUp(random, sliding, made, (bag) => recomputed(bagOf(bag)));
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'have the rows that came before they were over, and forget them then (%i)',
    (seed) => {
      const random = new Random(seed * 104_729);
      const late = new Errors();
      const operator = sliding(random.of([1, 10_000]), late);
      const kept: Kept[] = [];
      const output = new Map<string, number>();
      let leftOut = 0;
      let clock = 0;
      let before: Time = new Map();
      const midnight = Date.parse(at(0));
      const timeAt = (): Time =>
        new Map([['stream:in', { clock: midnight + clock, watermark: midnight + clock }]]);
      const step = (delta: Delta, time: Time): void => {
        for (let of = delta; ; of = new Delta()) {
          const given = operator.store.step(operator.circuit, new Map([['in0', of]]), time, before);
          for (const [one, weight] of given) {
            expect(instantMs((one as any).windowEnd)).toBeGreaterThanOrEqual(
              before.get('stream:in')?.watermark ?? -Infinity,
            );
            add(output, JSON.stringify(one), weight);
          }
          operator.store.commit(operator.circuit);
          if (!operator.circuit.unfinished) break;
        }
        before = time;
      };
      for (let tick = 0; tick < 80; tick++) {
        const delta = new Delta<Row>([], [], undefined, []);
        for (let change = random.below(5); change > 0; change--) {
          const ms = Math.max(0, clock + random.of([0, 2.5, 5, -2.5, -5, -10, -15]) * MINUTE);
          const one = row(ms / MINUTE, random.of(['a', 'b']), random.below(2));
          const watermark = ms < clock ? midnight + clock : -Infinity;
          delta.push(one, 1, undefined, watermark);
          if (ms + SIZE < clock) leftOut++;
          else kept.push({ row: one, weight: 1, late: watermark });
          clock = Math.max(clock, ms);
        }
        if (random.chance(0.1)) clock += random.below(20) * 2.5 * MINUTE;
        if (random.chance(0.3)) for (const state of operator.states) state.drop();
        const time = timeAt();
        const known = late.added.length;
        if (random.chance(0.2)) {
          operator.store.step(operator.circuit, new Map([['in0', delta]]), time, before);
          operator.circuit.discard();
          late.added.length = known;
        }
        step(delta, time);
        expect(sorted(output)).toEqual(sorted(recomputed(kept)));
      }
      expect(late.added).toHaveLength(leftOut);
      clock += 60 * MINUTE;
      step(new Delta(), timeAt());
      expect(operator.store.toString()).toBe(new MemoryStates().toString());
    },
  );
});
