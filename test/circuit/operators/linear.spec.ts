import { Of } from '../../../src/circuit/operators/of.js';
import { Select } from '../../../src/circuit/operators/select.js';
import { Union } from '../../../src/circuit/operators/union.js';
import { Where } from '../../../src/circuit/operators/where.js';
import { generatedRead, generatedRow } from '../../../src/circuit/generated-row.js';
import { Delta } from '../../../src/zset/delta.js';
import { Errors } from '../../support/stepped.js';

const a = { k: 'a', n: 1 };
const b = { k: 'b', n: 2 };
const asIs = (given: unknown): any => given;

describe('where', () => {
  it('keeps rows with their weights, and their places in the log', () => {
    const where = new Where((row) => row.n > 1, new Errors());
    const output = where.step([new Delta([a, b, a, b], [1, -2, 1, 3], ['1', '2', '3', '4'])]);
    expect(output).toEqual(new Delta([b, b], [-2, 3], ['2', '4']));
  });

  it('gives its input itself when all rows pass', () => {
    const input = Delta.of([a, 1], [b, -1]);
    expect(new Where(() => true, new Errors()).step([input])).toBe(input);
  });

  it('leaves out a row that its condition throws on, and takes the error away with the row', () => {
    const errors = new Errors();
    const where = new Where((row) => {
      if (row.n === 1) throw new RangeError('one');
      return true;
    }, errors);
    expect([...where.step([Delta.of([a, 1], [b, 1], [a, -1])])]).toEqual([[b, 1]]);
    expect(errors.added).toEqual([
      [a, 1, 'one'],
      [a, -1, 'one'],
    ]);
  });

  it('refuses a condition that gives neither true nor false', () => {
    const errors = new Errors();
    expect(new Where((row) => row.k, errors).step([Delta.of([a, 1])]).size).toBe(0);
    expect(errors.added[0]![2]).toContain('"a"');
  });

  it('hands out rows that cannot be changed, nor what they hold', () => {
    const errors = new Errors();
    const row = { k: 'a', inner: { list: [1] } };
    new Where((given) => given.inner.list.push(2) > 0, errors).step([Delta.of([row, 1])]);
    expect(row.inner.list).toEqual([1]);
    expect(errors.added).toHaveLength(1);
  });
});

describe('of', () => {
  it('keeps the events of its types, with their columns, weights and places in the log', () => {
    const rowOf = generatedRow([{ name: 'n', from: { path: 'n' } }]);
    const of = new Of(generatedRead('k'), ['a', null], rowOf);
    const none = { n: 3 };
    const input = new Delta([a, b, none as never, a], [1, 1, 2, -1], ['1', '2', '3', '4'], [0, 0, 7, 0]);
    expect(of.step([input])).toEqual(
      new Delta([{ n: 1 }, { n: 3 }, { n: 1 }], [1, 2, -1], ['1', '3', '4'], [0, 7, 0]),
    );
    expect(new Of(generatedRead('k'), ['b'], null).step([input]).rows[0]).toBe(b);
  });
});

describe('select', () => {
  it('builds rows with the columns in their order, from paths, the row and functions', () => {
    const select = new Select(
      [
        { name: 'z', value: { kind: 'path', path: 'in.ner' } },
        { name: 'all', value: { kind: 'row' } },
        { name: 'twice', value: { kind: 'computed', fn: { call: (row) => row.n * 2, check: asIs } } },
        { name: 'at', value: { kind: 'position', of: (order) => order.slice(1) } },
      ],
      new Errors(),
    );
    const row = { n: 2, in: null };
    const output = select.step([new Delta([row], [3], ['x7'])]);
    expect(JSON.stringify(output.rows[0])).toBe('{"z":null,"all":{"n":2,"in":null},"twice":4,"at":"7"}');
    expect(output.weights).toEqual([3]);
    expect(output.orders).toEqual(['x7']);
  });

  it('keeps weights and places of rows when it only copies', () => {
    const select = new Select([{ name: 'm', value: { kind: 'path', path: 'n' } }], new Errors());
    expect(select.step([new Delta([a, b], [1, -1], ['1', '2'])])).toEqual(
      new Delta([{ m: 1 }, { m: 2 }], [1, -1], ['1', '2']),
    );
  });

  it('leaves out rows that its function throws on, and keeps what is beside the others', () => {
    const errors = new Errors();
    const call = (row: typeof a): number => {
      if (row.n === 1) throw new RangeError('one');
      return row.n;
    };
    const select = new Select(
      [{ name: 'm', value: { kind: 'computed', fn: { call, check: asIs } } }],
      errors,
    );
    const m = { m: 2 };
    const input = new Delta([b, a, b, a, b], [1, 2, -1, 1, 3], ['1', '2', '3', '4', '5'], [0, 0, 7, 0, 0]);
    expect(select.step([input])).toEqual(new Delta([m, m, m], [1, -1, 3], ['1', '3', '5'], [0, 7, 0]));
    expect(errors.added.map(([, weight]) => weight)).toEqual([2, 1]);
    expect(select.step([new Delta([b, b], [1, -1])])).toEqual(new Delta([m, m], [1, -1]));
  });
});

describe('union', () => {
  it('adds its inputs up, and gives the only one that changed itself', () => {
    const input = Delta.of([a, 1]);
    expect(new Union().step([Delta.empty, input])).toBe(input);
    expect([...new Union().step([input, Delta.of([a, 2], [b, -1])])]).toEqual([
      [a, 1],
      [a, 2],
      [b, -1],
    ]);
    expect(input.size).toBe(1);
  });
});

describe('generated code', () => {
  it('reads and builds columns of any name', () => {
    const names = ['__proto__', 'a"b', 'line\nbreak', '${x}', 'constructor', '\u2028'];
    const build = generatedRow(names.map((name, index) => ({ name, from: { value: index } })));
    const row = build(null, names);
    expect(Object.keys(row)).toEqual(names);
    for (const name of names) expect(generatedRead(name)(row)).toBe(name);
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
  });

  it('reads null where something on the way is missing', () => {
    expect(generatedRead('a.b.c')({ a: { b: null } })).toBeNull();
    expect(generatedRead('a.b')({})).toBeNull();
    expect(generatedRead('a')({ a: false })).toBe(false);
  });
});
