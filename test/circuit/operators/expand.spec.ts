import { count, stream, view } from 'stillwater';
import { z } from 'zod';
import { type ExpandLimits, Expand, unexpandedCodec } from '../../../src/circuit/operators/expand.js';
import { RowCalls, type RowFunction } from '../../../src/circuit/row-function.js';
import { MemoryStates } from '../../../src/testing/memory-states.js';
import { compileView } from '../../../src/view/compile-plan.js';
import { Delta } from '../../../src/zset/delta.js';
import { Errors, Stepped } from '../../support/stepped.js';

const asIs = (given: unknown): any => given;
const a = { k: 'a', n: 1 };
const b = { k: 'b', n: 2 };

function expanding(
  call: RowFunction<any>['call'],
  limits?: ExpandLimits,
): { stepped: Stepped; errors: Errors } {
  const errors = new Errors();
  const calls = new RowCalls({ call, check: (given) => [...(asIs(given) as Iterable<any>)] });
  const stepped = new Stepped(
    (builder) =>
      new Expand((row) => calls.of(row), errors, builder.keyed('unexpanded', unexpandedCodec), limits),
  );
  return { stepped, errors };
}

/** Of each row as many as its `n` says. */
const times = (row: any): object[] => Array.from({ length: row.n }, (_, at) => ({ k: row.k, at }));

describe('any number of rows for each row', () => {
  it('have the weight of the one they are made of, and places after it', () => {
    const { stepped } = expanding((row) => [{ k: row.k }, { k: row.k + row.k }]);
    expect(stepped.raw(new Delta([a], [-2], ['5']))).toEqual(
      new Delta([{ k: 'a' }, { k: 'aa' }], [-2, -2], ['5.000000', '5.000001']),
    );
  });

  it('are none where the function fails half way', () => {
    const { stepped, errors } = expanding(function* () {
      yield a;
      throw new Error('half way');
    });
    expect(stepped.step([[b, 1]])).toEqual([]);
    expect(errors.added).toEqual([[b, 1, 'half way']]);
  });

  it('may be none', () => {
    expect(expanding(() => []).stepped.step([[b, 1]])).toEqual([]);
  });
});

describe('more rows than one step makes', () => {
  const limits = { rowsMax: 10, rowsMin: 1 };
  const input = new Delta(
    [
      { k: 'a', n: 7 },
      { k: 'b', n: 23 },
      { k: 'c', n: 0 },
      { k: 'd', n: 4 },
    ],
    [1, -1, 2, 3],
    ['1', '2', '3', '4'],
    [-Infinity, 50, -Infinity, -Infinity],
  );
  const whole = expanding(times).stepped.raw(input);

  it.each(['the same process', 'another process, which has to ask again'])(
    'come in pages that are together what one step would make: %s',
    (who) => {
      let asked = 0;
      const { stepped } = expanding((row) => (asked++, times(row)), limits);
      const sizes: number[] = [];
      const output = stepped.raw(input);
      sizes.push(output.size);
      while (stepped.circuit.unfinished) {
        if (who !== 'the same process') stepped.circuit.drop();
        const page = stepped.raw();
        sizes.push(page.size);
        output.append(page);
      }
      expect(sizes).toEqual([10, 10, 10, 4]);
      expect(output).toEqual(whole);
      // Each once, and the first once more, for one call in so many is repeated.
      if (who === 'the same process') expect(asked).toBe(input.size + 1);
      expect(stepped.store.keyed.get('unexpanded')?.size ?? 0).toBe(0);
      expect(stepped.store.keyed.get('resuming')?.size ?? 0).toBe(0);
    },
  );

  it('that many rows make together are a matter of the tick', () => {
    const { stepped } = expanding(times, { rowsMax: 10, rowsMin: 8 });
    expect(stepped.raw(input).size).toBe(32);
    expect(stepped.raw().size).toBe(2);
  });

  it('leave each error once', () => {
    const { stepped, errors } = expanding((row) => {
      if (row.n === 0) throw new Error('none');
      return times(row);
    }, limits);
    stepped.all([input], () => stepped.circuit.drop());
    expect(errors.added).toEqual([[{ k: 'c', n: 0 }, 2, 'none']]);
  });

  it('can be given up in the middle of it', () => {
    const { stepped } = expanding(times, limits);
    const output = stepped.raw(input);
    stepped.store.step(stepped.circuit, new Map());
    stepped.circuit.discard();
    while (stepped.circuit.unfinished) output.append(stepped.raw());
    expect(output).toEqual(whole);
  });
});

const lists = stream('lists', {
  schema: z.object({ id: z.int(), size: z.int(), tags: z.array(z.string()) }),
});
const MANY = 60_000;
/** What one page may write: of each of its rows a few fields. */
const WRITES_MAX = 12_500;

describe('a row of which a view makes sixty thousand', () => {
  const made = lists
    .flatMap(z.object({ id: z.int(), at: z.int() }), ({ id, size }) =>
      Array.from({ length: size }, (_, at) => ({ id, at })),
    )
    .groupBy('at')
    .aggregate({ lists: count() });
  const unnested = lists.unnest('tags', { as: 'tag' }).groupBy('tag').aggregate({ lists: count() });

  it.each([
    ['flatMap', view('made', { from: made, indexes: ['lists'] })],
    ['unnest', view('unnested', { from: unnested, indexes: ['lists'] })],
  ])('is shown and taken back in pages: %s', (_, declared) => {
    const { declaration } = declared as any;
    let compiled = compileView(declaration, { budget: { entriesMax: 1_000 } });
    const store = new MemoryStates();
    let mostWritten = 0;
    const tick = (delta: Delta): number => {
      let steps = 0;
      for (let given = new Map([['stream:lists', delta]]); ; given = new Map()) {
        store.step(compiled.circuit, given);
        compiled.output.takeResult();
        mostWritten = Math.max(mostWritten, store.commit(compiled.circuit));
        steps++;
        if (!compiled.circuit.unfinished) return steps;
        // Another worker goes on.
        if (steps % 5 === 0) compiled = compileView(declaration, { budget: { entriesMax: 1_000 } });
      }
    };
    const row = { id: 1, size: MANY, tags: Array.from({ length: MANY }, (_, at) => `t${at}`) };
    expect(tick(Delta.of([row, 1] as const))).toBe(24);
    expect(store.keyed.get('rows')!.size).toBe(MANY);
    expect(tick(Delta.of([row, -1] as const))).toBe(24);
    expect(store.keyed.get('rows')?.size ?? 0).toBe(0);
    expect(mostWritten).toBeLessThanOrEqual(WRITES_MAX);
  });
});
