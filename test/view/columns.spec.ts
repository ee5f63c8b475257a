import { instant } from 'stillwater';
import { z } from 'zod';
import { columnOf, columnsOf } from '../../src/view/columns.js';
import { columnAt } from '../../src/view/column.js';

const typeOf = (schema: z.core.$ZodType) => columnOf('c', schema).type;

describe('the type of a column', () => {
  it.each<[string, z.core.$ZodType, object]>([
    ['text', z.string().min(2), { kind: 'string', nullable: false }],
    ['text of a format', z.email(), { kind: 'string', nullable: false }],
    ['a UUID', z.uuid(), { kind: 'string', format: 'uuid', nullable: false }],
    ['a date', z.iso.date(), { kind: 'string', format: 'date', nullable: false }],
    ['an instant', instant(), { kind: 'string', format: 'instant', nullable: false }],
    [
      'an instant, refined, optional',
      instant()
        .refine(() => true)
        .optional(),
      { kind: 'string', format: 'instant', nullable: true },
    ],
    ['a number', z.number(), { kind: 'number', integer: false, nullable: false }],
    ['an integer', z.int(), { kind: 'number', integer: true, nullable: false }],
    [
      'a number that is an integer',
      z.number().int().positive(),
      { kind: 'number', integer: true, nullable: false },
    ],
    ['a boolean or null', z.boolean().nullable(), { kind: 'boolean', nullable: true }],
    ['an enum', z.enum(['a', 'b']), { kind: 'enum', values: ['a', 'b'], nullable: false }],
    ['literals', z.literal(['a', 1, null]), { kind: 'enum', values: ['a', 1], nullable: true }],
    [
      'an optional value with a default',
      z.string().optional().default('x'),
      { kind: 'string', nullable: false },
    ],
    [
      'a nullable value with a default',
      z.string().nullable().default('x'),
      { kind: 'string', nullable: true },
    ],
    [
      'an array',
      z.array(z.int()),
      { kind: 'array', element: { kind: 'number', integer: true, nullable: false }, nullable: false },
    ],
    ['a record', z.record(z.string(), z.int()), { kind: 'json', nullable: false }],
    ['anything', z.unknown(), { kind: 'json', nullable: true }],
    ['anything that is JSON', z.json(), { kind: 'json', nullable: true }],
    [
      'a union of one kind',
      z.union([z.int(), z.number(), z.null()]),
      { kind: 'number', integer: false, nullable: true },
    ],
    [
      'a union of enums',
      z.union([z.literal('a'), z.literal('b')]),
      { kind: 'enum', values: ['a', 'b'], nullable: false },
    ],
    [
      'a union of instants',
      z.union([instant(), z.null(), instant()]),
      { kind: 'string', format: 'instant', nullable: true },
    ],
    [
      'a union of instants and other texts',
      z.union([instant(), z.string()]),
      { kind: 'string', nullable: false },
    ],
    ['a union of kinds', z.union([z.int(), z.string()]), { kind: 'json', nullable: false }],
    ['a union with anything', z.union([z.string(), z.unknown()]), { kind: 'json', nullable: true }],
    [
      'a transform that states its type',
      z.string().transform(Number).pipe(z.number()),
      { kind: 'number', integer: false, nullable: false },
    ],
    ['a transform that does not', z.string().transform(Number), { kind: 'json', nullable: true }],
  ])('is read from the schema of %s', (_, schema, type) => {
    expect(typeOf(schema)).toEqual(type);
  });

  it('names what JSON cannot keep, at any depth', () => {
    expect(columnOf('c', z.object({ a: z.array(z.date()) })).unstorable).toEqual(['"a" holds a Date']);
    expect(columnOf('c', z.bigint()).unstorable).toEqual(['a bigint']);
    expect(columnOf('c', z.undefined()).unstorable).toEqual(['nothing but undefined']);
  });

  it('of an event of several types has all their fields', () => {
    const schema = z.discriminatedUnion('type', [
      z.object({ type: z.literal('a'), id: z.string(), n: z.int() }),
      z.object({ type: z.literal('b'), id: z.string() }),
    ]);
    expect(columnsOf(schema)!.columns.map(({ name, type }) => [name, type.kind, type.nullable])).toEqual([
      ['type', 'enum', false],
      ['id', 'string', false],
      ['n', 'number', true],
    ]);
  });
});

describe('a path', () => {
  const { columns } = columnsOf(
    z.object({ a: z.object({ b: z.object({ c: z.int() }).nullable() }), any: z.unknown() }),
  )!;

  it('leads into nested objects, and may be null where anything on the way may', () => {
    expect(columnAt(columns, 'a.b.c')!.type).toEqual({ kind: 'number', integer: true, nullable: true });
    expect(columnAt(columns, 'a.b')!.type).toMatchObject({ kind: 'object', nullable: true });
    expect(columnAt(columns, 'any.thing')!.type).toEqual({ kind: 'json', nullable: true });
  });

  it('leads nowhere where there is no such column', () => {
    expect(columnAt(columns, 'a.x')).toBeNull();
    expect(columnAt(columns, 'a.b.c.d')).toBeNull();
    expect(columnAt(columns, '')).toBeNull();
  });

  it('gives a schema that accepts what the column holds', () => {
    const schema = columnAt(columns, 'a.b.c')!.schema as z.ZodType;
    expect([
      schema.safeParse(null).success,
      schema.safeParse(7).success,
      schema.safeParse('7').success,
    ]).toEqual([true, true, false]);
  });
});
