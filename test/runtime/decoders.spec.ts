import { z } from 'zod';
import { EntryDecoder } from '../../src/runtime/decode-entry.js';
import { encodeEvents } from '../../src/runtime/encode-record.js';
import type { StreamDeclaration } from '../../src/view/declarations.js';
import { instant } from '../../src/view/instant.js';
import { columnsOf } from '../../src/view/columns.js';
import { streamOf } from '../support/declared.js';

const schema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('placed'),
    order: z.string(),
    lines: z.array(z.string()),
    at: instant().optional(),
  }),
  z.object({ kind: z.literal('paid'), order: z.string(), amount: z.number(), id: z.string().optional() }),
]);
const ordersOf = (more: Partial<StreamDeclaration>): StreamDeclaration => ({
  ...streamOf('orders', z.object({}) as never, more),
  schema,
  columns: columnsOf(schema)!.columns,
});
const plain = (more: Partial<StreamDeclaration>): StreamDeclaration =>
  streamOf('readings', z.object({ sensor: z.string(), value: z.number(), at: instant().optional() }), more);
const decode = (source: StreamDeclaration, ...entries: (readonly string[])[]) =>
  new EntryDecoder(source, 0).decode(entries.map((fields, index) => [`1000-${index}`, fields]));
const reason = (source: StreamDeclaration, ...fields: string[]): string | undefined =>
  decode(source, fields).errors[0]?.reason;
const fn = (call: (value: any) => unknown) => ({ call, source: call.toString() });

const paid = { kind: 'paid', order: 'o1', amount: 2.5 };
const row = { kind: 'paid', order: 'o1', lines: null, at: null, amount: 2.5, id: null };

describe('the decoder `json`', () => {
  const orders = ordersOf({ decoder: 'json' });

  it('takes `data` and `batch`, and no fields beside them', () => {
    const batch = decode(orders, ['data', JSON.stringify(paid)], ['batch', JSON.stringify([paid, paid])]);
    expect(batch.errors).toEqual([]);
    expect(batch.rows).toEqual([row, row, row]);
    expect(reason(orders, 'kind', 'paid', 'order', 'o1', 'amount', '2.5')).toBe(
      "The entry has `kind`, `order`, `amount`; this stream's have `data` or `batch` alone.",
    );
    expect(reason(orders, 'data', '{}', 'kind', 'paid')).toMatch(/`data` or `batch` alone/);
    expect(reason(orders, 'data', '{')).toMatch(/`data` is not JSON/);
    expect(reason(orders, 'batch', '{}')).toBe('`batch` is not an array of events.');
    expect(reason(orders, 'batch', JSON.stringify([paid, { kind: 'paid' }]))).toMatch(
      /^\[1\].*None of the entry's 2/,
    );
  });
});

describe('the decoder `fields`', () => {
  it('takes an event field by field, also one that has a column named `data`', () => {
    const readings = streamOf('s', z.object({ data: z.string(), batch: z.int() }), { decoder: 'fields' });
    expect(decode(readings, ['data', '{"a":1}', 'batch', '7']).rows).toEqual([{ data: '{"a":1}', batch: 7 }]);
    const orders = ordersOf({ decoder: 'fields' });
    expect(decode(orders, ['kind', 'paid', 'order', 'o1', 'amount', '2.5', 'other', 'x']).rows).toEqual([
      row,
    ]);
    expect(reason(orders, 'data', JSON.stringify(paid))).toMatch(/kind/);
  });
});

describe('the decoder `envelope`', () => {
  const orders = ordersOf({ decoder: 'envelope' });

  it('takes type and data from fields or from JSON; the type goes to the discriminator', () => {
    const data = JSON.stringify({ order: 'o1', amount: 2.5 });
    const { errors, rows } = decode(
      orders,
      ['type', 'paid', 'data', data],
      ['data', JSON.stringify({ type: 'paid', data: { order: 'o1', amount: 2.5 } })],
      ['batch', JSON.stringify([{ type: 'paid', data: { kind: 'paid', order: 'o1', amount: 2.5 } }])],
    );
    expect(errors).toEqual([]);
    expect(rows).toEqual([row, row, row]);
  });

  it('takes metadata that the schema has columns for, where the data does not say it', () => {
    const data = { order: 'o1', amount: 1 };
    const rows = decode(
      orders,
      ['type', 'paid', 'data', JSON.stringify(data), 'id', 'e7', 'trace', 'x'],
      ['type', 'paid', 'data', JSON.stringify({ ...data, id: 'own' }), 'id', 'e7'],
      ['data', JSON.stringify({ type: 'paid', data, id: 'e8', meta: { user: 1 } })],
      ['type', 'placed', 'data', '{"order":"o2","lines":[]}', 'at', '978325200000'],
    ).rows;
    expect(rows.map(({ id, at }) => [id, at])).toEqual([
      ['e7', null],
      ['own', null],
      ['e8', null],
      [null, '2001-01-01T05:00:00.000Z'],
    ]);
  });

  it('needs no types: without them `type` is a column, or nothing', () => {
    const readings = plain({ decoder: 'envelope' });
    expect(decode(readings, ['type', 'x', 'data', '{"sensor":"a","value":1}']).rows).toEqual([
      { sensor: 'a', value: 1, at: null },
    ]);
    const typed = streamOf('s', z.object({ type: z.string(), n: z.int() }), { decoder: 'envelope' });
    expect(decode(typed, ['type', 'x', 'data', '{"n":1}']).rows).toEqual([{ type: 'x', n: 1 }]);
  });

  it.each([
    [['type', 'paid'], /no `data`/],
    [['type', 'paid', 'data', '{'], /`data` is not JSON/],
    [['type', 'paid', 'data', '[1]'], /`data` is \[1\], not an object with the event's fields/],
    [['type', 'paid', 'data', '{"kind":"placed"}'], /type is "paid", and "placed" in the event's own `kind`/],
    [['data', '{"data":{}}'], /`type` is undefined, not a text/],
    [['data', '{"type":"paid"}'], /no `data`/],
    [['data', '7'], /An envelope is an object with `type` and `data`, not 7/],
    [['kind', 'paid'], /`data` or `batch` alone/],
    [['type', 'lost', 'data', '{}'], /there is no event type "lost"/],
  ] as const)('refuses %j', (fields, message) => {
    expect(reason(orders, ...fields)).toMatch(message);
  });
});

describe('the decoder `cloudevents`', () => {
  const orders = ordersOf({ decoder: 'cloudevents' });
  const event = {
    specversion: '1.0',
    id: 'e1',
    source: '/shop',
    type: 'paid',
    data: { order: 'o1', amount: 2.5 },
  };

  it('takes events in the structured and in the batched mode, as JSON', () => {
    const { errors, rows } = decode(
      orders,
      ['data', JSON.stringify({ ...event, datacontenttype: 'application/json; charset=utf-8', trace: 'x' })],
      ['batch', JSON.stringify([event])],
      ['data', JSON.stringify({ ...event, data: undefined, data_base64: btoa(JSON.stringify(event.data)) })],
    );
    expect(errors).toEqual([]);
    expect(rows).toEqual([
      { ...row, id: 'e1' },
      { ...row, id: 'e1' },
      { ...row, id: 'e1' },
    ]);
  });

  it.each(['ce-', 'ce_'])('takes events in the binary mode, with attributes as fields %s…', (prefix) => {
    const attributes = { specversion: '1.0', id: 'e1', source: '/shop', type: 'paid' };
    const fields = Object.entries(attributes).flatMap(([name, value]) => [prefix + name, value]);
    const { errors, rows } = decode(orders, [
      ...fields,
      'content-type',
      'application/json',
      'data',
      JSON.stringify(event.data),
    ]);
    expect(errors).toEqual([]);
    expect(rows).toEqual([{ ...row, id: 'e1' }]);
    expect(reason(orders, ...fields, 'payload', '{}')).toMatch(
      /`payload` beside the attributes of a CloudEvent/,
    );
  });

  it('gives the event’s time to the column of that name', () => {
    const timed = streamOf('s', z.object({ type: z.string(), time: instant(), n: z.int() }), {
      decoder: 'cloudevents',
      eventTime: 'time',
    });
    const time = '2001-01-01T05:00:00Z';
    expect(
      new EntryDecoder(timed, 0).decode([
        [`${Date.parse(time)}-0`, ['data', JSON.stringify({ ...event, time, data: { n: 1 } })]],
        [
          `${Date.parse(time)}-1`,
          [
            'ce-specversion',
            '1.0',
            'ce-id',
            '1',
            'ce-source',
            's',
            'ce-type',
            'paid',
            'ce-time',
            time,
            'data',
            '{"n":2}',
          ],
        ],
      ]),
    ).toMatchObject({
      errors: [],
      rows: [
        { type: 'paid', time: '2001-01-01T05:00:00.000Z', n: 1 },
        { type: 'paid', time: '2001-01-01T05:00:00.000Z', n: 2 },
      ],
    });
  });

  it.each([
    [{ ...event, specversion: '0.3' }, /`specversion` is "0.3"; "1.0" is known here/],
    [{ ...event, specversion: undefined }, /`specversion` is undefined/],
    [{ ...event, id: '' }, /`id` is "", not a text/],
    [{ ...event, source: 7 }, /`source` is 7, not a text/],
    [{ ...event, type: null }, /`type` is null, not a text/],
    [{ ...event, datacontenttype: 'text/xml', data: '<a/>' }, /holds "text\/xml", not JSON/],
    [{ ...event, data: 'text' }, /`data` is "text", not an object/],
    [{ ...event, data: undefined, data_base64: 'e' }, /`data_base64` is not JSON/],
    [[event], /A CloudEvent is an object/],
    [paid, /`specversion` is undefined/],
  ])('refuses %j', (value, message) => {
    expect(reason(orders, 'data', JSON.stringify(value))).toMatch(message);
  });
});

describe('a decoder function', () => {
  it('is given the id and the fields of an entry, and gives the event, or null for none', () => {
    const readings = plain({
      decoder: fn(({ id, fields }) =>
        fields.sensor === 'test'
          ? null
          : { sensor: fields.sensor, value: Number(fields.v), at: Number(id.split('-')[0]) },
      ),
    });
    const batch = decode(readings, ['sensor', 'a', 'v', '1.5'], ['sensor', 'test'], ['data', 'x', 'v', '2']);
    expect(batch.rows).toEqual([{ sensor: 'a', value: 1.5, at: '1970-01-01T00:00:01.000Z' }]);
    expect(batch.skipped).toEqual([{ entry: 1, type: '(left out by the decoder)' }]);
    expect(batch.errors).toMatchObject([{ entry: 2, reason: expect.stringMatching(/^sensor: /) }]);
  });

  it.each([
    [
      () => {
        throw new RangeError('no');
      },
      'The decoder threw: no',
    ],
    [() => undefined, 'The decoder gave nothing; it gives an event, or null for none.'],
    [
      () => Promise.reject(new Error('later')),
      'The decoder gave a promise; it gives an event, or null for none.',
    ],
    [() => ({ sensor: 'a', value: Math.random() }), /^The decoder threw: A view function called Math.random/],
    [
      ({ fields }: any) => {
        fields.sensor = 'b';
        return fields;
      },
      /^The decoder threw: Cannot assign/,
    ],
  ])('%s makes the entry an error', (call, message) => {
    expect(reason(plain({ decoder: fn(call) }), 'sensor', 'a', 'value', '1')).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
  });
});

describe('upcast', () => {
  const upcast = fn((event) =>
    event.v === 1 ? { kind: 'paid', order: event.no, amount: event.cents / 100 } : event,
  );

  it('turns old events into what the schema takes, in whatever form they come', () => {
    const old = { v: 1, no: 'o1', cents: 250 };
    for (const [decoder, fields] of [
      ['any', ['data', JSON.stringify(old)]],
      ['any', ['batch', JSON.stringify([paid, old])]],
      ['json', ['data', JSON.stringify(paid)]],
      ['envelope', ['type', 'paid', 'data', JSON.stringify(paid)]],
    ] as const) {
      const { errors, rows } = decode(ordersOf({ decoder, upcast }), fields);
      expect(errors).toEqual([]);
      for (const made of rows) expect(made).toEqual(row);
    }
  });

  it('that throws, waits or asks the clock makes the entry an error', () => {
    const failing = (call: (event: any) => unknown) => reason(ordersOf({ upcast: fn(call) }), 'data', '{}');
    expect(failing((event) => event.a.b)).toMatch(/^`upcast` threw: Cannot read properties of undefined/);
    expect(failing(async (event) => event)).toBe('`upcast` gave a promise; it gives an event.');
    expect(failing(() => Date.now())).toMatch(/^`upcast` threw: A view function called Date.now/);
    expect(failing(() => undefined)).toMatch(/expected|Invalid/);
    expect(reason(ordersOf({ upcast: fn(() => null) }), 'batch', '[{}]')).toMatch(/^\[0\]/);
  });

  it('decides of what type an event is', () => {
    const lenient = ordersOf({
      upcast: fn((event) => ({ ...event, kind: `x-${event.kind}` })),
      unknownTypes: 'skip',
    });
    expect(decode(lenient, ['data', JSON.stringify(paid)]).skipped).toEqual([{ entry: 0, type: 'x-paid' }]);
  });
});

describe('what is appended lies in the form its stream is read in', () => {
  const fieldsOf = (source: StreamDeclaration, ...events: unknown[]) =>
    encodeEvents(source, events).map(({ fields }) => fields);
  const placed = { kind: 'placed', order: '7', lines: ['a', 'b'] };

  it.each(['any', 'json', 'fields', 'envelope', 'cloudevents'] as const)('of the decoder %s', (decoder) => {
    const orders = ordersOf({ decoder });
    const entries = fieldsOf(orders, paid, placed);
    const { errors, rows } = decode(orders, ...entries);
    expect(errors).toEqual([]);
    expect(rows.map(({ kind, order, lines, amount }) => [kind, order, lines, amount])).toEqual([
      ['paid', 'o1', null, 2.5],
      ['placed', '7', ['a', 'b'], null],
    ]);
  });

  it('as its decoder wants it', () => {
    expect(fieldsOf(ordersOf({ decoder: 'fields' }), paid)).toEqual([
      ['kind', 'paid', 'order', 'o1', 'amount', '2.5'],
    ]);
    expect(fieldsOf(ordersOf({ decoder: 'envelope' }), paid)).toEqual([
      ['type', 'paid', 'data', '{"order":"o1","amount":2.5}'],
    ]);
    const [[, json]] = fieldsOf(ordersOf({ decoder: 'cloudevents' }), { ...paid, id: 'e1' }) as [
      [string, string],
    ];
    expect(JSON.parse(json)).toEqual({
      specversion: '1.0',
      id: 'e1',
      source: '/streams/orders',
      type: 'paid',
      data: { order: 'o1', amount: 2.5 },
    });
  });

  it('with an id of its content where a CloudEvent has none: the same request has the same ids', () => {
    const orders = ordersOf({ decoder: 'cloudevents' });
    const ids = (entries: (readonly string[])[]) => entries.map(([, json]) => JSON.parse(json!).id as string);
    const first = ids(fieldsOf(orders, placed, placed));
    expect(ids(fieldsOf(orders, placed, placed))).toEqual(first);
    expect(new Set(first).size).toBe(2);
    expect(first[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  it('and a CloudEvent that is given whole is written as it is', () => {
    const event = {
      specversion: '1.0',
      id: 'e1',
      source: '/shop',
      type: 'paid',
      data: { order: 'o1', amount: 1 },
    };
    const orders = ordersOf({ decoder: 'cloudevents' });
    expect(fieldsOf(orders, event)).toEqual([['data', JSON.stringify(event)]]);
    expect(() => fieldsOf(orders, { ...event, id: 7 })).toThrow('`id` is 7');
  });

  it('is what was given, not what upcast makes of it', () => {
    const upcast = fn((event) => {
      event.amount = event.cents / 100;
      return event;
    });
    const old = { kind: 'paid', order: 'o1', cents: 250 };
    expect(fieldsOf(ordersOf({ upcast }), old)).toEqual([['data', JSON.stringify(old)]]);
    expect(() => fieldsOf(ordersOf({ upcast }), { kind: 'paid', order: 'o1' })).toThrow('amount');
  });

  it('is refused where it would be read as something else, or nobody knows how it is written', () => {
    const anything = streamOf('s', z.object({ value: z.unknown() }), { decoder: 'fields' });
    expect(fieldsOf(anything, { value: 'seven' })).toEqual([['value', 'seven']]);
    expect(() => fieldsOf(anything, { value: '7' })).toThrow('cannot be written in the form of this stream');
    expect(() => fieldsOf(ordersOf({ decoder: fn(() => null) }), paid)).toThrow(
      'Append entries as the function reads them',
    );
  });
});
