import { OrderedArrangement } from '../../../src/circuit/ordered-arrangement.js';
import { PairWorks } from '../../../src/circuit/pair-works.js';
import { Join } from '../../../src/circuit/operators/join.js';
import { joinOf } from '../../support/joins.js';
import { Errors, Stepped } from '../../support/stepped.js';

describe('join', () => {
  type Kind = 'keyed' | 'ordered';
  const join = (outer: boolean, right: Kind = 'keyed', left: Kind = 'ordered'): Stepped =>
    new Stepped((builder) => joinOf(builder, { kind: outer ? 'left' : 'inner', left, right }), {
      inputs: 2,
      entriesMax: 1,
    });
  const l = (k: string | null, n = 0) => ({ k, n });
  const r = (k: string | null, v = 0) => ({ k, v });
  const pair = (left: ReturnType<typeof l>, right: ReturnType<typeof r> | null) => ({ l: left, r: right });

  for (const right of ['keyed', 'ordered'] as const)
    for (const left of ['keyed', 'ordered'] as const)
      describe(`over ${left} left and ${right} right rows`, () => {
        it('pairs rows of one tick, and of different ticks, once', () => {
          const pairs = join(false, right, left);
          expect(pairs.step([[l('a'), 1]], [[r('a'), 1]])).toEqual([[pair(l('a'), r('a')), 1]]);
          expect(pairs.step([[l('a', 1), 2]], [])).toEqual([[pair(l('a', 1), r('a')), 2]]);
          expect(
            pairs.step(
              [],
              [
                [r('a'), -1],
                [r('a', 9), 1],
              ],
            ),
          ).toEqual(
            expect.arrayContaining([
              [pair(l('a'), r('a')), -1],
              [pair(l('a', 1), r('a')), -2],
              [pair(l('a'), r('a', 9)), 1],
              [pair(l('a', 1), r('a', 9)), 2],
            ]),
          );
        });

        it('shows a left row alone while it has no partner', () => {
          const pairs = join(true, right, left);
          expect(pairs.step([[l('a'), 1]], [])).toEqual([[pair(l('a'), null), 1]]);
          expect(pairs.step([], [[r('a'), 1]])).toEqual(
            expect.arrayContaining([
              [pair(l('a'), null), -1],
              [pair(l('a'), r('a')), 1],
            ]),
          );
          expect(
            pairs.step(
              [],
              [
                [r('a', 1), 1],
                [r('a'), -1],
              ],
            ),
          ).toHaveLength(2);
          expect(pairs.step([[l('a'), -1]], [[r('a', 1), -1]])).toEqual([[pair(l('a'), r('a', 1)), -1]]);
          expect(pairs.store.toString()).toBe(join(true).store.toString());
        });

        it('lets weights pass below zero within a tick', () => {
          const pairs = join(true, right, left);
          expect(
            pairs.step(
              [
                [l('a'), -1],
                [l('a'), 1],
                [l('a'), 1],
              ],
              [
                [r('a'), -1],
                [r('a'), 2],
              ],
            ),
          ).toEqual([[pair(l('a'), r('a')), 1]]);
        });
      });

  it('finds null equal to nothing', () => {
    const pairs = join(true);
    expect(pairs.step([[l(null), 1]], [[r(null), 1]])).toEqual([[pair(l(null), null), 1]]);
    expect(pairs.writes).toBe(0);
    expect(pairs.step([[l(null), -1]], [[r(null), -1]])).toEqual([[pair(l(null), null), -1]]);
  });

  it('looks at one right row, not at all of them, to see whether a left row is alone', () => {
    const reads: object[] = [];
    const pairs = new Stepped(
      (builder) => {
        const right = builder.ordered('right');
        const load = right.load.bind(right);
        right.load = (read, found) => {
          reads.push({ read, found: found.length });
          load(read, found);
        };
        const keyOf = (row: any): string | null => row.k;
        return new Join(
          {
            keyOf,
            rows: new OrderedArrangement(builder.ordered('left')),
            shown: { when: 'alone', as: (row) => pair(row as never, null) as never },
            matches: null,
          },
          { keyOf, rows: new OrderedArrangement(right), shown: null, matches: null },
          {
            pairOf: (left, one) => ({ l: left, r: one }),
            givesPairs: true,
            condition: null,
            errors: new Errors(),
          },
          new PairWorks(null),
        );
      },
      { inputs: 2, entriesMax: 1 },
    );
    pairs.step(
      [],
      Array.from({ length: 500 }, (_, v) => [r('a', v), 1] as const),
    );
    pairs.states.forEach((state) => state.drop());
    reads.length = 0;
    pairs.step([], [[r('a', 7), -1]]);
    expect(Math.max(...reads.map(({ found }: any) => found))).toBeLessThanOrEqual(2);
    expect(pairs.step([[l('a'), 1]], [])).toHaveLength(499);
  });

  it('writes only the rows that changed', () => {
    const pairs = join(false, 'ordered');
    pairs.step(
      Array.from({ length: 20 }, (_, n) => [l('a', n), 1] as const),
      Array.from({ length: 20 }, (_, v) => [r('a', v), 1] as const),
    );
    pairs.step([[l('a', 99), 1]], []);
    expect(pairs.writes).toBe(1);
  });
});
