import { CircuitBuilder } from '../../../src/circuit/circuit-builder.js';
import { generatedRow } from '../../../src/circuit/generated-row.js';
import { groupCodec } from '../../../src/circuit/group.js';
import { Aggregate } from '../../../src/circuit/operators/aggregate.js';
import { PART, Parts } from '../../../src/circuit/operators/parts.js';
import { Random } from '../../../src/testing/random.js';
import { Delta } from '../../../src/zset/delta.js';
import { aggregated, aggregatorOf, type Fact, nameOf, type Written } from '../../support/aggregated.js';
import { Stepped } from '../../support/stepped.js';

const WRITTEN: Written[] = [
  'count',
  'sum',
  'avg',
  'variance',
  'some',
  ['histogram', { width: 2 }],
  ['approxPercentile', { p: 0.5, error: 0.01 }],
];
const made = () =>
  WRITTEN.map((written) =>
    aggregatorOf(written, () => {
      throw new Error('What is folded in parts keeps no members.');
    }),
  );

const fact = (g: string, v: number | null, t = false): Fact => ({ g, v, b: null, t });
const groupOf = (row: unknown): string => (row as Fact).g;

/** What folds before rows are moved. */
function folding(): Stepped {
  const aggregators = made();
  return new Stepped(
    () =>
      new Parts({
        groupKeyOf: groupOf,
        partOf: (sample, text) => ({ g: groupOf(sample), [PART]: text }) as never,
        aggregators,
        codec: groupCodec(aggregators),
      }),
  );
}

/** What merges them where they were moved to. */
function merging(): Stepped {
  const aggregators = made();
  const codec = groupCodec(aggregators);
  return new Stepped(
    (builder: CircuitBuilder) =>
      new Aggregate(builder.keyed('groups', codec), {
        groupKeyOf: groupOf,
        rowOf: generatedRow([
          { name: 'g', from: { path: 'g' } },
          ...WRITTEN.map((written, slot) => ({ name: nameOf(written, slot), from: { value: slot } })),
        ]),
        aggregators,
        partIn: { textOf: (row) => row[PART] as string, codec },
      }),
    { entriesMax: 1 },
  );
}

describe('parts of groups', () => {
  it('are one for each group that a tick changes', () => {
    const parts = folding();
    const rows = parts.step([
      [fact('a', 1), 1],
      [fact('b', 2), 3],
      [fact('a', 5), 1],
    ]);
    expect(rows.map(([{ g }, weight]) => [g, weight])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    expect(JSON.parse(rows[0]![0][PART]).slice(0, 3)).toEqual([2, 2, [2, 6]]);
    expect(JSON.parse(rows[1]![0][PART]).slice(0, 3)).toEqual([3, 3, [3, 6]]);
  });

  it('say of a group by how much it has less, and nothing where its changes cancel', () => {
    const parts = folding();
    const rows = parts.step([
      [fact('a', 1), -1],
      [fact('b', 2), 1],
      [fact('b', 2), -1],
      [fact('c', 7), 1],
      [fact('c', 4), -1],
    ]);
    expect(rows.map(([{ g }]) => g)).toEqual(['a', 'c']);
    expect(JSON.parse(rows[0]![0][PART]).slice(0, 3)).toEqual([-1, -1, [-1, -1]]);
    expect(JSON.parse(rows[1]![0][PART]).slice(0, 3)).toEqual([0, 0, [0, 3]]);
  });

  it('merge to what the rows themselves make, wherever they were folded and however that was cut', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = new Random(seed);
      const whole = aggregated(WRITTEN);
      const senders = [folding(), folding()];
      const receiver = merging();
      const left: [Fact, number][][] = [[], []];
      const totals: [Delta, Delta] = [new Delta<any>(), new Delta<any>()];
      for (let tick = 0; tick < 20; tick++) {
        const received = new Delta<any>();
        const all: [Fact, number][] = [];
        senders.forEach((sender, place) => {
          const changes: [Fact, number][] = [];
          for (let more = random.below(5); more > 0; more--) {
            const mine = left[place]!;
            if (mine.length > 0 && random.chance(0.4)) {
              const [[gone, weight]] = mine.splice(random.below(mine.length), 1) as [[Fact, number]];
              changes.push([gone, -weight]);
            } else {
              const value = random.of([null, 0.1, -3, random.below(9), 2 ** 60]);
              const entry: [Fact, number] = [
                fact(random.of(['a', 'b', '']), value, random.chance(0.5)),
                1 + random.below(2),
              ];
              mine.push(entry);
              changes.push(entry);
            }
          }
          all.push(...changes);
          received.append(sender.raw(changes));
        });
        totals[0].append(receiver.raw(received));
        totals[1].append(whole.raw(all));
        expect([...totals[0].consolidate()].sort(byText)).toEqual([...totals[1].consolidate()].sort(byText));
      }
      expect(receiver.store.keyed.size).toBe(1);
      expect(receiver.store.keyed).toEqual(whole.store.keyed);
    }
  });
});

test('a part that comes twice is merged twice, and none is taken back', () => {
  const [part] = folding().step([[fact('a', 3), 1]])[0]!;
  const receiver = merging();
  expect(receiver.step([[part, 2]])).toMatchObject([[{ g: 'a', count: 2, sum: 6 }, 1]]);
  expect(() => receiver.step([[part, -1]])).toThrow('A part of a group was taken back.');
});

const byText = (left: unknown, right: unknown): number =>
  JSON.stringify(left) < JSON.stringify(right) ? -1 : 1;
