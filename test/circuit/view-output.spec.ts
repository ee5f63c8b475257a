import fc from 'fast-check';
import { indexMember, ViewOutput } from '../../src/circuit/view-output.js';
import { bucketOf } from '../../src/zset/bucket-of.js';
import { viewRecordCodec } from '../../src/circuit/view-record.js';
import { shownRows } from '../../src/zset/row-block.js';
import { Checksum } from '../../src/zset/checksum.js';
import { orderText } from '../../src/zset/text-order.js';
import type { Row } from '../../src/zset/value.js';
import { Stepped } from '../support/stepped.js';

class Output extends Stepped {
  output: ViewOutput;

  constructor(entriesMax = 1, appended = false, inBlocks = false) {
    let output: ViewOutput;
    super(
      (builder) =>
        (output = new ViewOutput(builder.keyed('rows', viewRecordCodec(null)), {
          appended,
          blocks: inBlocks ? builder.index('blocks') : null,
          textOf: JSON.stringify,
          write: (row, bytes) => bytes.writeJson(row),
          keyOf: (row) => row.id as string,
          buckets: 4,
          indexes: inBlocks ? [] : [{ index: builder.index('index.0'), orderOf: (row) => orderText(row.v) }],
        })),
      { entriesMax },
    );
    this.output = output!;
  }

  get shown(): Row[] {
    return [...(this.store.keyed.get('rows') ?? [])]
      .flatMap(([key, stored]) => shownRows(key, stored))
      .map(({ text }) => JSON.parse(text));
  }
  get members(): string[] {
    return [...(this.store.indexes.get('index.0') ?? [])];
  }
}

const row = (id: string, v: number) => ({ id, v });
const memberOf = ({ id, v }: { id: string; v: number }) => indexMember(orderText(v), bucketOf(id, 4), id);

describe('a view', () => {
  it('shows one row a key, and says what changed', () => {
    const view = new Output();
    view.step([
      [row('a', 1), 1],
      [row('b', 2), 1],
    ]);
    view.output.takeResult();
    view.step([
      [row('a', 1), -1],
      [row('a', 3), 1],
      [row('b', 2), -1],
    ]);
    const { changes, size, rows } = view.output.takeResult();
    expect(changes).toEqual([
      { key: 'a', before: row('a', 1), after: row('a', 3) },
      { key: 'b', before: row('b', 2), after: null },
    ]);
    expect(size).toBe(2);
    expect(rows).toBe(-1);
    expect(view.shown).toEqual([row('a', 3)]);
    expect(view.members).toEqual([memberOf(row('a', 3))]);
  });

  it('writes nothing for a row that goes and comes', () => {
    const view = new Output();
    view.step([[row('a', 1), 1]]);
    view.output.takeResult();
    view.step([
      [row('a', 1), -1],
      [row('a', 1), 1],
    ]);
    expect(view.writes).toBe(0);
    expect(view.output.takeResult().changes).toEqual([]);
  });

  it('shows a row of weight 2 until it is retracted twice', () => {
    const view = new Output();
    view.step([[row('a', 1), 2]]);
    view.step([[row('a', 1), -1]]);
    expect(view.shown).toEqual([row('a', 1)]);
    expect(view.output.takeResult().conflicts).toBe(0);
    view.step([[row('a', 1), -1]]);
    expect(view.store.toString()).toBe(new Output().store.toString());
  });

  it('shows the least of two rows under one key, counts the conflict, and heals', () => {
    const view = new Output();
    view.step([[row('a', 2), 1]]);
    view.step([[row('a', 1), 1]]);
    expect(view.shown).toEqual([row('a', 1)]);
    expect(view.members).toEqual([memberOf(row('a', 1))]);
    expect(view.output.takeResult()).toMatchObject({ rows: 1, conflicts: 1 });
    view.step([[row('a', 1), -1]]);
    expect(view.shown).toEqual([row('a', 2)]);
    expect(view.output.takeResult()).toMatchObject({ rows: 0, conflicts: -1 });
    expect(view.store.keyed.get('rows')!.get('a')).toBe('{"id":"a","v":2}');
  });

  it('stops at a row that was retracted and never inserted', () => {
    expect(() => new Output().step([[row('a', 1), -1]])).toThrow('two answers for one row');
  });

  it('forgets what a tick changed when the tick is given up', () => {
    const view = new Output();
    view.store.step(
      view.circuit,
      new Map([['in0', { ...({} as any), rows: [row('a', 1)], weights: [1], size: 1 }]]),
    );
    view.circuit.discard();
    expect(view.output.takeResult().changes).toEqual([]);
  });

  it('has the checksum, the rows and the index of its content, however it came about', () => {
    const change = fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 2 }));
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 6 }), (batches) => {
        const view = new Output();
        const weights = new Map<string, number>();
        const checksum = new Checksum();
        let rows = 0;
        let conflicts = 0;
        for (const batch of batches) {
          // Each row is there 0 to 2 times; a change adds one, or takes both away.
          view.step(
            batch.map(([id, v]) => {
              const text = JSON.stringify(row(id, v));
              const weight = weights.get(text) ?? 0;
              weights.set(text, weight === 2 ? 0 : weight + 1);
              return [row(id, v), weight === 2 ? -2 : 1] as const;
            }),
          );
          const result = view.output.takeResult();
          checksum.merge(result.checksum);
          rows += result.rows;
          conflicts += result.conflicts;
          const held = [...weights]
            .filter(([, weight]) => weight > 0)
            .map(([text]) => JSON.parse(text) as { id: string; v: number });
          const least = ['a', 'b'].flatMap((id) =>
            held
              .filter((one) => one.id === id)
              .sort((l, r) => l.v - r.v)
              .slice(0, 1),
          );
          expect(view.shown.sort((l, r) => (l.id! < r.id! ? -1 : 1))).toEqual(least);
          expect(view.members.sort()).toEqual(least.map(memberOf).sort());
          expect(rows).toBe(least.length);
          expect(conflicts).toBe(
            ['a', 'b'].filter((id) => held.filter((one) => one.id === id).length > 1).length,
          );
          const expected = new Checksum();
          for (const [text, weight] of weights) expected.add(text, weight);
          expect(checksum.toString()).toBe(expected.toString());
        }
      }),
      { numRuns: 200 },
    );
  });

  it('to which rows are only appended reads nothing, and says the same', () => {
    const view = new Output(1, true);
    for (let tick = 0; tick < 3; tick++)
      view.step([
        [row(`a${tick}`, tick), 1],
        [row(`b${tick}`, tick), 1],
      ]);
    const { changes, size, rows, checksum } = view.output.takeResult();
    expect(view.store.fetched).toBe(0);
    expect([rows, size]).toEqual([6, 6]);
    expect(changes.map(({ key }) => key)).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
    expect(changes[0]).toEqual({ key: 'a0', before: null, after: row('a0', 0) });
    expect(view.shown).toHaveLength(6);
    expect(view.members).toHaveLength(6);
    const expected = new Checksum();
    for (const shown of view.shown) expected.add(JSON.stringify(shown), 1);
    expect(checksum.toString()).toBe(expected.toString());
    expect(() => view.step([[row('a0', 0), -1]])).toThrow(/only appended/);
  });

  it('to which rows come in the order of their log stores those of a tick in blocks', () => {
    const place = (entry: number): string => `01700000000000-${String(entry).padStart(12, '0')}.000000`;
    const view = new Output(1, true, true);
    const came = (from: number, to: number): readonly (readonly [Row, number])[] =>
      Array.from({ length: to - from }, (_, index) => [row(place(from + index), index), 1]);
    view.step(came(0, 200));
    expect(view.writes).toBe(4 + 4);
    view.step(came(200, 201));
    const stored = view.store.keyed.get('rows')!;
    expect([...stored.keys()]).toEqual([0, 64, 128, 192, 200].map(place));
    expect(view.store.indexes.get('blocks')).toEqual(new Set([0, 64, 128, 192].map(place)));
    expect(view.shown.map(({ id }) => id)).toEqual(Array.from({ length: 201 }, (_, entry) => place(entry)));
    const { rows, checksum } = view.output.takeResult();
    expect(rows).toBe(201);
    const expected = new Checksum();
    for (const shown of view.shown) expected.add(JSON.stringify(shown), 1);
    expect(checksum.toString()).toBe(expected.toString());
  });
});
