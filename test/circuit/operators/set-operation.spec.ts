import {
  KeptSides,
  SetOperation,
  setWeights,
  sidesCodec,
  type SetWeight,
} from '../../../src/circuit/operators/set-operation.js';
import type { Row } from '../../../src/zset/value.js';
import { checkHistory } from '../../support/recomputed.js';
import { Stepped } from '../../support/stepped.js';

const { except, intersect } = setWeights;

describe('comparing two collections', () => {
  const compared = (weightOf: SetWeight): Stepped =>
    new Stepped((builder) => new SetOperation(new KeptSides(builder.keyed('sides', sidesCodec)), weightOf), {
      inputs: 2,
    });
  const a = { k: 'a' };

  it('a row leaves the difference when it comes on the right, and returns when it goes', () => {
    const rows = compared(except.set);
    expect(rows.step([[a, 2]], [])).toEqual([[a, 1]]);
    expect(rows.step([], [[a, 1]])).toEqual([[a, -1]]);
    expect(rows.step([], [[a, 1]])).toEqual([]);
    expect(rows.step([], [[a, -2]])).toEqual([[a, 1]]);
    expect(rows.step([[a, -2]], [])).toEqual([[a, -1]]);
    expect(rows.store.toString()).toBe(compared(except.set).store.toString());
  });

  it('copies count where all of them are asked for', () => {
    const rows = compared(except.all);
    expect(rows.step([[a, 3]], [[a, 1]])).toEqual([[a, 2]]);
    expect(rows.step([], [[a, 4]])).toEqual([[a, -2]]);
    const both = compared(intersect.all);
    expect(both.step([[a, 3]], [[a, 2]])).toEqual([[a, 2]]);
    expect(both.step([[a, -2]], [])).toEqual([[a, -1]]);
  });

  it('nulls are equal, and 0, empty text and null are not', () => {
    const rows = compared(intersect.set);
    const values = [null, 0, '', false];
    expect(
      rows.step(
        values.map((v) => [{ v }, 1] as const),
        [
          [{ v: null }, 1],
          [{ v: '' }, 1],
        ],
      ),
    ).toEqual([
      [{ v: null }, 1],
      [{ v: '' }, 1],
    ]);
  });

  it('what cancels within a tick reads and writes nothing', () => {
    const rows = compared(except.set);
    rows.step(
      [
        [a, 1],
        [a, -1],
      ],
      [
        [a, -1],
        [a, 1],
      ],
    );
    expect([rows.writes, rows.store.fetched]).toEqual([0, 0]);
  });

  it('stops at a row that would be there less than never', () => {
    expect(() => compared(intersect.set).step([], [[a, -1]])).toThrow('weights 0 and -1');
  });

  const times = (rows: Row[], text: string): number =>
    rows.filter((row) => JSON.stringify(row) === text).length;

  test.each([
    ['except', except.set, (left: number, right: number) => Number(left > 0 && right === 0)],
    ['except all', except.all, (left: number, right: number) => Math.max(0, left - right)],
    ['intersect', intersect.set, (left: number, right: number) => Number(left > 0 && right > 0)],
    ['intersect all', intersect.all, (left: number, right: number) => Math.min(left, right)],
  ] as const)(
    '%s equals what the rows that are there give, whatever has come and gone',
    (_, weightOf, naive) => {
      for (let seed = 1; seed <= 30; seed++)
        checkHistory(seed, {
          make: (builder) => new SetOperation(new KeptSides(builder.keyed('sides', sidesCodec)), weightOf),
          inputs: 2,
          rowOf: (random) => ({ a: random.of([null, 0, 1]), b: random.of(['', 'x', null]) }),
          expected: (left, right) =>
            [...new Set([...left, ...right].map((row) => JSON.stringify(row)))].flatMap((text) =>
              Array<Row>(naive(times(left, text), times(right, text))).fill(JSON.parse(text)),
            ),
        });
    },
  );
});
