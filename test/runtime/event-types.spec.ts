import fc from 'fast-check';
import { z } from 'zod';
import { EntryDecoder } from '../../src/runtime/decode-entry.js';
import { encodeEvents } from '../../src/runtime/encode-record.js';
import { RowDecoder } from '../../src/runtime/row-decoder.js';
import { generateDecoder } from '../../src/runtime/generated-decoder.js';
import { instant } from '../../src/view/instant.js';
import { columnsOf } from '../../src/view/columns.js';
import { streamOf } from '../support/declared.js';

const schema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('Placed'),
    order: z.string(),
    at: instant(),
    lines: z.array(z.object({ sku: z.string() })),
    by: z.object({ name: z.string() }),
  }),
  z.object({
    type: z.enum(['Paid', 'Refunded']),
    order: z.string(),
    amount: z.number(),
    note: z.string().optional(),
  }),
  z.object({
    type: z.literal('Moved'),
    order: z.string(),
    amount: z.string(),
    by: z.object({ name: z.string(), floor: z.int() }),
    why: z.string().nullable(),
  }),
  z.object({ type: z.literal(7), order: z.string() }),
]);
const described = { schema, columns: columnsOf(schema)!.columns };
const strict = streamOf('orders', schema as never);
const lenient = streamOf('orders', schema as never, { unknownTypes: 'skip' });
const decode = (source: typeof strict, ...entries: (readonly string[])[]) =>
  new EntryDecoder(source, 0).decode(entries.map((fields, index) => [`1000-${index}`, fields]));
const data = (event: unknown): string[] => ['data', JSON.stringify(event)];

describe('events of several types', () => {
  it('are rows of all columns, null where their type has none', () => {
    const { rows, errors } = decode(
      strict,
      data({ type: 'Paid', order: 'o1', amount: 2.5 }),
      data({ type: 7, order: 'o2', amount: 5 }),
      data({ type: 'Moved', order: 'o3', amount: 'much', by: { floor: 2, name: 'ann' }, why: null }),
    );
    expect(errors).toEqual([]);
    expect(rows.map((row) => JSON.stringify(row))).toEqual([
      '{"type":"Paid","order":"o1","at":null,"lines":null,"by":null,"amount":2.5,"note":null,"why":null}',
      '{"type":7,"order":"o2","at":null,"lines":null,"by":null,"amount":null,"note":null,"why":null}',
      '{"type":"Moved","order":"o3","at":null,"lines":null,"by":{"name":"ann","floor":2},"amount":"much","note":null,"why":null}',
    ]);
  });

  it('are read field by field as their own type says', () => {
    const { rows, errors } = decode(
      strict,
      ['type', 'Paid', 'order', '17', 'amount', '17', 'extra', 'x'],
      ['type', 'Moved', 'order', '18', 'amount', '18', 'by', '{"name":"ann","floor":2}'],
      ['type', '7', 'order', '19'],
    );
    expect(errors).toEqual([]);
    expect(rows.map(({ type, order, amount }) => [type, order, amount])).toEqual([
      ['Paid', '17', 17],
      ['Moved', '18', '18'],
      [7, '19', null],
    ]);
  });

  it('are decoded by generated code as by the schema itself', () => {
    const decoder = new RowDecoder(described);
    const generated = generateDecoder(described)!;
    const value = fc.oneof(
      fc.constantFrom('Placed', 'Paid', 'Refunded', 'Moved', 7, '7', 'Lost', null),
      fc.string(),
      fc.double(),
      fc.constantFrom('2001-01-01T05:00:00.000Z', '2001-01-01T05:00:00+01:00', 978_325_200_000),
      fc.constantFrom([], [{ sku: 'a' }], [{ sku: 1 }], { name: 'ann' }, { floor: 1, name: 'ann', x: 1 }),
    );
    const keys = ['type', 'order', 'at', 'lines', 'by', 'amount', 'note', 'why', '__proto__'];
    const event = fc.oneof(
      value,
      fc.dictionary(fc.constantFrom(...keys), value),
      fc
        .tuple(
          fc.constantFrom('Placed', 'Paid', 'Refunded', 'Moved', 7),
          fc.dictionary(fc.constantFrom(...keys.slice(5)), value),
        )
        .map(([type, fields]) => ({
          order: 'o',
          at: '2001-01-01T05:00:00.000Z',
          lines: [{ sku: 'a' }],
          by: { name: 'a', floor: 2 },
          amount: type === 'Moved' ? 'a' : 1,
          why: null,
          ...fields,
          type,
        })),
    );
    let settled = 0;
    fc.assert(
      fc.property(event, (given) => {
        const row = generated(given);
        if (row !== undefined) settled++;
        const expected = JSON.stringify(decoder.decodeBySchema(given));
        expect(JSON.stringify(decoder.decode(given))).toBe(expected);
        if (row !== undefined) expect(JSON.stringify(row)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
    expect(settled).toBeGreaterThan(200);
  });

  it('of a type that the schema does not know are errors that name the types there are', () => {
    const { rows, errors, skipped } = decode(strict, data({ type: 'Lost', order: 'o1' }), [
      'type',
      'Lost',
      'order',
      'o1',
    ]);
    expect([rows, skipped]).toEqual([[], []]);
    expect(errors.map(({ reason }) => reason)).toEqual(
      Array(2).fill(
        'type: there is no event type "Lost"; the types are "Placed", "Paid", "Refunded", "Moved", 7.',
      ),
    );
  });

  it('of a type that the schema does not know are skipped and told, where the stream says so', () => {
    const batch = decode(
      lenient,
      data({ type: 'Lost', order: 'o1' }),
      [
        'batch',
        JSON.stringify([{ type: 'Paid', order: 'o1', amount: 1 }, { type: 'Found' }, { type: 'Lost' }]),
      ],
      ['type', 'Lost', 'order', 'o1'],
    );
    expect(batch.errors).toEqual([]);
    expect(batch.rows).toHaveLength(1);
    expect(batch.ids).toHaveLength(3);
    expect(batch.skipped).toEqual([
      { entry: 0, type: 'Lost' },
      { entry: 1, type: 'Found' },
      { entry: 1, type: 'Lost' },
      { entry: 2, type: 'Lost' },
    ]);
  });

  it('are errors all the same where they have no type, or a known one and another fault', () => {
    const batch = decode(
      lenient,
      data({ order: 'o1' }),
      data({ type: ['Lost'], order: 'o1' }),
      data({ type: 'Paid', order: 'o1' }),
      ['batch', JSON.stringify([{ type: 'Lost' }, { type: 'Paid', order: 'o1', amount: 'x' }])],
    );
    expect(batch.errors.map(({ entry }) => entry)).toEqual([0, 1, 2, 3]);
    expect(batch.skipped).toEqual([]);
  });

  it('of unknown types are not appended, also where they would be skipped', () => {
    for (const source of [strict, lenient])
      expect(() => encodeEvents(source, [{ type: 'Lost', order: 'o1' }])).toThrow(
        '[0].type  there is no event type "Lost"',
      );
    expect(encodeEvents(lenient, [{ type: 'Paid', order: 'o1', amount: 1 }])).toHaveLength(1);
  });
});
