import { z } from 'zod';
import { checkOf, rowsCheckOf } from '../../src/view/computed-value.js';
import { columnOf, columnsOf } from '../../src/view/columns.js';

const check = (schema: z.ZodType) => checkOf(columnOf('c', schema));

describe('what a function gives', () => {
  it('is taken as it is where its schema takes it', () => {
    expect(check(z.number())(1.5)).toBe(1.5);
    expect(Object.is(check(z.number())(-0), 0)).toBe(true);
    expect(check(z.string())('é')).toBe('é');
    expect(check(z.enum(['a', 'b']))('b')).toBe('b');
    expect(check(z.boolean().nullable())(null)).toBeNull();
    expect(check(z.string().nullable())(undefined)).toBeNull();
    expect(check(z.string().optional())(undefined)).toBeNull();
  });

  it.each([
    [z.number(), '1'],
    [z.number(), NaN],
    [z.number(), Infinity],
    [z.number(), 2 ** 53],
    [z.int(), 1.5],
    [z.string(), 1],
    [z.string(), '\ud800'],
    [z.string(), null],
    [z.string(), undefined],
    [z.string().min(2), 'a'],
    [z.number().max(3), 4],
    [z.enum(['a']), 'b'],
    [z.object({ a: z.int() }), { a: 'x' }],
    [z.object({ a: z.unknown() }), { a: 1n }],
  ])('is refused where %p does not take it (%p)', (schema, value) => {
    expect(() => check(schema)(value)).toThrow();
  });

  it('is told as what it is where it is refused, which JSON does not know', () => {
    expect(() => check(z.number())(1 / 0)).toThrow(/gave Infinity,/);
    expect(() => check(z.int())(NaN)).toThrow(/gave NaN,/);
  });

  it('goes through transforms of its schema', () => {
    expect(
      check(
        z
          .string()
          .transform((text) => text.length)
          .pipe(z.int()),
      )('abc'),
    ).toBe(3);
  });

  it('has its fields in the order of the schema, those of free form by name', () => {
    const schema = z.object({
      z: z.int(),
      a: z.object({ y: z.int().optional(), b: z.int() }),
      free: z.unknown(),
      list: z.array(z.object({ q: z.int(), p: z.int() })),
    });
    const given = { list: [{ p: 1, q: 2 }], free: { y: 1, x: 2 }, a: { b: 1 }, z: 0, extra: 1 };
    expect(JSON.stringify(check(schema)(given))).toBe(
      '{"z":0,"a":{"y":null,"b":1},"free":{"x":2,"y":1},"list":[{"q":2,"p":1}]}',
    );
  });
});

describe('rows that a function makes', () => {
  const schema = z.object({ b: z.int(), a: z.string() });
  const rows = rowsCheckOf(schema, columnsOf(schema)!.columns);

  it('may come from any iterable', () => {
    expect(JSON.stringify(rows(new Set([{ a: 'x', b: 1 }])))).toBe('[{"b":1,"a":"x"}]');
  });

  it('are refused if one of them is, or if they have no end', () => {
    expect(() => rows([{ a: 'x', b: 1 }, { a: 'x' }])).toThrow('b');
    expect(() => rows({ a: 'x' })).toThrow('not a list of rows');
    expect(() => rows('text')).toThrow('not a list of rows');
    expect(() =>
      rows(
        (function* () {
          for (;;) yield { a: 'x', b: 1 };
        })(),
      ),
    ).toThrow('100000');
  });
});
