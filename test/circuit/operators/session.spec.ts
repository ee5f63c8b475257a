import { Session } from '../../../src/circuit/operators/session.js';
import type { CircuitBuilder } from '../../../src/circuit/circuit-builder.js';
import { Delta } from '../../../src/zset/delta.js';
import type { Row } from '../../../src/zset/value.js';
import { Random } from '../../support/random.js';
import { Errors, membersRead, Stepped } from '../../support/stepped.js';
import { at } from '../../support/timed.js';

const MINUTE = 60_000;
const GAP = 10 * MINUTE;
const errors = new Errors();

const sessions = (entriesMax = 10_000): Stepped =>
  new Stepped(
    (builder: CircuitBuilder) =>
      new Session(
        builder.ordered('rows'),
        builder.ordered('sessions'),
        {
          gapMs: GAP,
          column: 'at',
          atOf: (row: Row) => row['at']!,
          groupKeyOf: (row: Row) => String(row['key']),
          textOf: (row: Row) => JSON.stringify(row),
          rowOf: (row, [windowStart, windowEnd]) => ({ ...row, windowStart, windowEnd }) as Row,
          closing: null,
        },
        errors,
      ),
    { entriesMax },
  );

type Entry = readonly [row: { key: string; at: string; v: number }, weight: number];
const row = (minute: number, key = 'a', v = 0): Entry[0] => ({ key, at: at(minute * MINUTE), v });

/** Each row of a bag with its session, from scratch. */
function recomputed(bag: ReadonlyMap<string, number>): Map<string, number> {
  const rows = [...bag]
    .filter(([, weight]) => weight > 0)
    .map(([text, weight]) => ({ row: JSON.parse(text) as Entry[0], weight }))
    .sort((left, right) => (left.row.at < right.row.at ? -1 : 1));
  const result = new Map<string, number>();
  const open = new Map<string, { start: string; last: number }>();
  for (const { row: one, weight } of rows) {
    const ms = Date.parse(one.at);
    let known = open.get(one.key);
    if (known === undefined || ms - known.last > GAP)
      open.set(one.key, (known = { start: one.at, last: ms }));
    known.last = ms;
    const end = new Date(ms + GAP).toISOString();
    result.set(JSON.stringify({ ...one, windowStart: known.start, windowEnd: end }), weight);
  }
  return result;
}

const add = (bag: Map<string, number>, text: string, weight: number): void => {
  const after = (bag.get(text) ?? 0) + weight;
  if (after === 0) bag.delete(text);
  else bag.set(text, after);
};
const sorted = (bag: ReadonlyMap<string, number>) => [...bag].sort();

describe('sessions', () => {
  const startOf = ({ windowStart }: any) => (Date.parse(windowStart) - Date.parse(at(0))) / MINUTE;

  it('join rows that are exactly the gap apart, and none that are further', () => {
    const operator = sessions();
    const output = operator.step([
      [row(0), 1],
      [row(10), 1],
      [row(20.001), 1],
    ]);
    expect(output.map(([one]) => startOf(one))).toEqual([0, 0, 20.001]);
  });

  it('are joined by a row between them, which moves the later one, and fall apart without it', () => {
    const operator = sessions();
    operator.step([
      [row(0), 1],
      [row(15), 2],
    ]);
    expect(operator.step([[row(8), 1]]).map(([one, weight]) => [startOf(one), weight])).toEqual([
      [15, -2],
      [0, 2],
      [0, 1],
    ]);
    expect(operator.step([[row(8), -1]]).map(([one, weight]) => [startOf(one), weight])).toEqual([
      [0, -2],
      [15, 2],
      [0, -1],
    ]);
  });

  it('are not told of rows that come and go in one tick', () => {
    const operator = sessions();
    operator.step([
      [row(0), 1],
      [row(15), 1],
    ]);
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
    sessions().step([[{ key: 'a', at: null, v: 0 }, 1]]);
    expect(errors.added.at(-1)![2]).toBe('"at" is null: the row has no session.');
  });

  it('read and move nothing of a long session that a row is added to at its end', () => {
    const operator = sessions();
    operator.step(Array.from({ length: 500 }, (_, minute) => [row(minute), 1] as const));
    const read = membersRead(operator, () => expect(operator.step([[row(505), 1]])).toHaveLength(1));
    expect(read).toBeLessThan(10);
  });

  it('stop at a row that is retracted and was not there', () => {
    expect(() => sessions().step([[row(0), -1]])).toThrow('had not been inserted');
  });

  it.each([1, 2, 3, 4, 5, 6])('are what all rows together say, after any history (%i)', (seed) => {
    const random = new Random(seed * 7_919);
    const operator = sessions(random.of([1, 10_000]));
    const input = new Map<string, number>();
    const output = new Map<string, number>();
    for (let tick = 0; tick < 60; tick++) {
      const delta: Entry[] = [];
      for (let change = random.below(random.of([2, 4, 12])); change >= 0; change--) {
        const there = [...input].filter(([, weight]) => weight > 0);
        if (there.length > 0 && random.chance(0.45)) {
          const [text, weight] = random.of(there);
          const gone = random.chance(0.5) ? weight : 1;
          delta.push([JSON.parse(text) as Entry[0], -gone]);
          add(input, text, -gone);
        } else {
          const one = row(random.below(25) * 5, random.of(['a', '']), random.below(2));
          const weight = 1 + random.below(2);
          delta.push([one, weight]);
          add(input, JSON.stringify(one), weight);
        }
      }
      if (random.chance(0.5)) delta.reverse();
      if (random.chance(0.3)) {
        operator.store.step(operator.circuit, new Map([['in0', Delta.of(...delta)]]));
        operator.circuit.discard();
      }
      if (random.chance(0.3)) for (const state of operator.states) state.drop();
      for (const [one, weight] of operator.step(delta)) add(output, JSON.stringify(one), weight);
      expect(sorted(output)).toEqual(sorted(recomputed(input)));
    }
    // What is kept says nothing of how it came to be.
    const anew = sessions();
    anew.step([...input].map(([text, weight]) => [JSON.parse(text) as Entry[0], weight] as const));
    expect(operator.store.toString()).toBe(anew.store.toString());
    operator.step([...input].map(([text, weight]) => [JSON.parse(text) as Entry[0], -weight] as const));
    expect(operator.store.toString()).toBe(sessions().store.toString());
  });
});
