import type { CircuitBuilder } from '../../../src/circuit/circuit-builder.js';
import { Dedupe } from '../../../src/circuit/operators/dedupe.js';
import { memberOfRow } from '../../../src/circuit/ordered-rows.js';
import { Delta } from '../../../src/zset/delta.js';
import { compareText } from '../../../src/zset/text-order.js';
import type { Row } from '../../../src/zset/value.js';
import { checkHistory } from '../../support/recomputed.js';
import { fill, membersRead, Stepped } from '../../support/stepped.js';

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 5) + minute * 60_000).toISOString();
const row = (k: string | null, minute: number, id = '') => ({ k, at: at(minute), id });

const within = (minutes: number) => (builder: CircuitBuilder) =>
  new Dedupe(builder.ordered('rows'), {
    groupKeyOf: ({ k }) => JSON.stringify(k),
    orderOf: (one, place = '') => (one['at'] as string) + place,
    textOf: JSON.stringify,
    withinMs: minutes * 60_000,
  });

/** Each row but for those with another at most so long before it. */
const naive =
  (minutes: number) =>
  (rows: Row[]): Row[] =>
    rows.filter((one, index) => {
      const place = (other: Row, number: number): string =>
        `${other['at'] as string}\0${JSON.stringify(other)}\0${String(number).padStart(6, '0')}`;
      const oldest = new Date(Date.parse(one['at'] as string) - minutes * 60_000).toISOString();
      return !rows.some(
        (other, number) =>
          other['k'] === one['k'] &&
          (other['at'] as string) >= oldest &&
          compareText(place(other, number), place(one, index)) < 0,
      );
    });

describe('leaving out repeated rows', () => {
  it('a row is left out while another of its group is at most so long before it, kept or not', () => {
    const rows = new Stepped(within(10));
    const chain = [row('a', 0), row('a', 10), row('a', 20), row('a', 31)];
    expect(rows.step(chain.map((one) => [one, 1] as const))).toEqual([
      [row('a', 0), 1],
      [row('a', 31), 1],
    ]);
    expect(rows.step([[row('a', 10), -1]])).toEqual([[row('a', 20), 1]]);
    expect(rows.step([[row('a', 25), 1]])).toEqual([[row('a', 31), -1]]);
  });

  it('an earlier row that comes later takes the place of the one after it', () => {
    const rows = new Stepped(within(10));
    rows.step([[row('a', 5), 1]]);
    expect(rows.step([[row('a', 0), 1]])).toEqual([
      [row('a', 5), -1],
      [row('a', 0), 1],
    ]);
  });

  it('of rows of one time that by the text comes first, or by the place in the log', () => {
    expect(
      new Stepped(within(10)).step([
        [row('a', 0, 'y'), 1],
        [row('a', 0, 'x'), 1],
      ]),
    ).toEqual([[row('a', 0, 'x'), 1]]);
    const logged = new Delta([row('a', 0, 'y'), row('a', 0, 'x')], [1, 1], ['1', '2']);
    expect(new Stepped(within(10)).step(logged)).toEqual([[row('a', 0, 'y'), 1]]);
  });

  it('equal rows are one', () => {
    const rows = new Stepped(within(0));
    expect(rows.step([[row('a', 0), 3]])).toEqual([[row('a', 0), 1]]);
    expect(rows.step([[row('a', 0), -2]])).toEqual([]);
    expect(rows.step([[row('a', 0), -1]])).toEqual([[row('a', 0), -1]]);
  });

  it('null, empty text and 0 are groups of their own', () => {
    const rows = [row(null, 0), row('', 0), row('null', 0), { ...row('', 0), k: 0 }];
    expect(new Stepped(within(10)).step(rows.map((one) => [one, 1] as const))).toHaveLength(4);
  });

  it('a change reads and writes a few members of its group, however many there are', () => {
    const rows = new Stepped(within(10));
    const stored = Array.from({ length: 100_000 }, (_, minute) => row('a', minute));
    fill(
      rows,
      'rows',
      '"a"',
      stored.map((one) => memberOfRow(one.at, JSON.stringify(one))),
    );
    for (const change of [
      [row('a', 50_000, 'x'), 1],
      [row('a', 50_000), -1],
      [row('a', 200_000), 1],
    ] as const) {
      expect(membersRead(rows, () => rows.step([[...change]]))).toBeLessThanOrEqual(7);
      expect(rows.writes).toBe(1);
    }
  });

  it('many retractions beside one another are seen past at once', () => {
    const rows = new Stepped(within(10));
    rows.step(Array.from({ length: 2_000 }, (_, minute) => [row('a', minute), 1] as const));
    for (const state of rows.states) state.drop();
    expect(
      rows.step(Array.from({ length: 1_998 }, (_, minute) => [row('a', minute + 1), -1] as const)),
    ).toEqual([[row('a', 1_999), 1]]);
  });

  test.each([0, 2, 7])('within %d minutes equals what the rows that are there give', (minutes) => {
    for (let seed = 1; seed <= 20; seed++)
      checkHistory(seed, {
        make: within(minutes),
        rowOf: (random) => row(random.of(['a', 'b', null]), random.below(25), random.of(['', 'x'])),
        expected: naive(minutes),
      });
  });
});
