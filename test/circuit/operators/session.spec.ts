import { Session } from '../../../src/circuit/operators/session.js';
import type { CircuitBuilder } from '../../../src/circuit/circuit-builder.js';
import type { Row } from '../../../src/zset/value.js';
import { keepsUp } from '../../support/bags.js';
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

  it('are an error of rows whose session would end beyond the years that instants have', () => {
    const operator = sessions();
    const time = (text: string): Entry => [{ key: 'a', at: text, v: 0 }, 1];
    const [last, behind] = [0, 1].map((more) =>
      new Date(Date.parse('9999-12-31T23:59:59.999Z') - GAP + more).toISOString(),
    ) as [string, string];
    expect(operator.step([time(behind)])).toEqual([]);
    expect(errors.added.at(-1)![2]).toBe(
      `"at" is ${behind}: a session of the row reaches beyond the years 0000 to 9999.`,
    );
    expect(operator.step([time('0000-01-01T00:00:00.000Z'), time(last)])).toMatchObject([
      [{ windowStart: '0000-01-01T00:00:00.000Z' }, 1],
      [{ windowStart: last, windowEnd: '9999-12-31T23:59:59.999Z' }, 1],
    ]);
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
    const made = () => row(random.below(25) * 5, random.of(['a', '']), random.below(2));
    keepsUp(random, sessions, made, recomputed);
  });
});
