import { jest } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { EntryDecoder } from '../../src/runtime/decode-entry.js';
import { EventParser } from '../../src/runtime/event-parser.js';
import { instant } from '../../src/view/instant.js';
import { streamOf, tableOf } from '../support/declared.js';

/** More than it takes to come to know a form. */
const MANY = 64;

/** A parser that has seen these texts often, one after the other. */
function parserOf(...texts: string[]): EventParser {
  const parser = new EventParser();
  for (const text of texts) for (let times = 0; times < MANY; times++) parser.parse(text);
  return parser;
}

/** What comes of parsing: the JSON of it with the signs of its zeros, and the names of prototypes; or what was thrown. */
function outcome(parse: (text: string) => unknown, text: string): string {
  try {
    return JSON.stringify(parse(text), (_, value) =>
      Object.is(value, -0)
        ? 'minus zero'
        : typeof value === 'object' && value !== null && Object.getPrototypeOf(value) !== Object.prototype
          ? Array.isArray(value)
            ? value
            : 'of another prototype'
          : value,
    );
  } catch (thrown) {
    return String(thrown);
  }
}

const same = (parser: EventParser, text: string): void =>
  expect(outcome((given) => parser.parse(given), text)).toBe(outcome(JSON.parse, text));

const EVENT =
  '{"at":"2001-01-01T05:00:00.000Z","delay":-3,"share":0.25,"origin":"ORD","late":true,"by":null}';

describe('the parser of events', () => {
  let parse: jest.SpiedFunction<typeof JSON.parse>;
  beforeEach(() => {
    parse = jest.spyOn(JSON, 'parse');
  });
  afterEach(() => parse.mockRestore());
  const parsesItself = (parser: EventParser, text: string): boolean => {
    parse.mockClear();
    parser.parse(text);
    return parse.mock.calls.length === 0;
  };

  it.each([
    ['as JSON.stringify writes them', EVENT],
    ['with a space after colons and commas', EVENT.replaceAll(/([:,])(?=["\dtfn-])/g, '$1 ')],
    ['with names beyond ASCII', '{"größe":1,"日付":"2001"}'],
    ['with texts beyond ASCII', '{"city":"Zürich","sign":"🦄","at":"São Paulo, Guarulhos 🛬","id":7}'],
    ['of one field', '{"id":1}'],
  ])('reads events itself once it knows their fields: %s', (_, text) => {
    const parser = parserOf(text);
    expect(parsesItself(parser, text)).toBe(true);
    same(parser, text);
  });

  it('knows several orders of fields at once', () => {
    const texts = ['{"a":1,"b":2}', '{"b":1,"a":2}', '{"a":1}', '{"a":1,"b":2,"c":"x"}'];
    const parser = parserOf(...texts);
    for (const text of [...texts, ...texts]) {
      expect(parsesItself(parser, text)).toBe(true);
      same(parser, text);
    }
  });

  it('comes to know so many orders of fields and no more', () => {
    const texts = Array.from({ length: 40 }, (_, index) => `{"field${index}":${index}}`);
    const parser = parserOf(...texts);
    expect(texts.filter((text) => parsesItself(parser, text))).toEqual(texts.slice(0, 4));
  });

  it.each([
    ['a nested value', '{"a":{"b":1}}'],
    ['a list', '{"a":[1]}'],
    ['mostly long texts', '{"id":1,"name":"a name that is long","note":"and a long note"}'],
    ['no fields', '{}'],
    ['a field named __proto__', '{"a":1,"__proto__":2}'],
    ['a field twice', '{"a":1,"a":2}'],
    ['more text than is read at once', `{"a":"${'x'.repeat(6_000)}"}`],
    ['no object', '[1]'],
  ])('leaves to JSON.parse what has %s', (_, text) => {
    const parser = parserOf(text);
    expect(parsesItself(parser, text)).toBe(false);
    same(parser, text);
  });

  it('keeps nothing of the event before', () => {
    const parser = parserOf('{"a":"one","b":1}');
    parser.parse('{"a":"a longer text than what comes next","b":12345}');
    for (const cut of ['{"a":"one","b":1', '{"a":"one","b":', '{"a":"one"', '{"a":"one', '{"a":', '{', ''])
      same(parser, cut);
  });

  it.each([
    ...[
      '0',
      '-0',
      '1',
      '-1',
      '10',
      '01',
      '-01',
      '00',
      '-',
      '+1',
      '.5',
      '1.',
      '1.5',
      '-1.5',
      '0.1',
      '00.1',
      '1.50',
    ],
    ...[
      '0.000001',
      '123456789012345',
      '999999999999999',
      '9007199254740993',
      '1234567890123456',
      '0.1234567890123456',
    ],
    ...[
      '99999.9999999999',
      '999999.9999999999',
      '-0.0',
      '0.0',
      '1e5',
      '1E5',
      '1e-7',
      '-1.5e+300',
      '1e999',
      '1e',
      '1x',
    ],
    ...[
      'true',
      'false',
      'null',
      'tru',
      'truee',
      'True',
      'nul',
      'undefined',
      'NaN',
      'Infinity',
      '-true',
      '',
      ' 1',
      '1 ',
    ],
    ...[
      '""',
      '"',
      '"a',
      'a"',
      '"a"b',
      '"\\n"',
      '"\\u0041"',
      '"\\ud800"',
      '"\\"',
      '"\\',
      '"\n"',
      '"\u0000"',
      '"\u007f"',
    ],
    ...[
      '"\ud800"',
      '"\udc00\ud800"',
      '"🦄"',
      '"é"',
      "'a'",
      '{}',
      '[]',
      '{"a":1}',
      '"a","v":"b"',
      '1}',
      '1,"w":2',
    ],
  ])('says of the value %j what JSON.parse says', (value) => {
    const parser = parserOf('{"v":1}', '{"u":"x","v":1,"w":true}');
    same(parser, `{"u":"${'long '.repeat(5)}","v":"${'long '.repeat(300)}","w":${value}}`);
    same(parser, `{"u":"${'long '.repeat(5)}","v":"${'other '.repeat(5)}","w":${value}}`);
    same(parser, `{"v":${value}}`);
    same(parser, `{"u":${value},"v":${value},"w":${value}}`);
  });

  it('says of any number what JSON.parse says', () => {
    const parser = parserOf('{"v":1}');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
          fc
            .tuple(fc.maxSafeInteger(), fc.nat({ max: 15 }))
            .map(([whole, places]) => (whole / 10 ** places).toFixed(places)),
          fc.tuple(fc.nat(), fc.nat()).map(([whole, fraction]) => `${whole}.${fraction}`),
        ),
        (number) => same(parser, `{"v":${number}}`),
      ),
      { numRuns: 2_000 },
    );
  });

  it('says of any event, however it was damaged, what JSON.parse says', () => {
    const scalar = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme-ascii', minLength: 10, maxLength: 20 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const event = fc.dictionary(
      fc.oneof(
        fc.constantFrom('id', 'at', '__proto__', 'constructor', '1', 'a b', 'é'),
        fc.string({ maxLength: 6 }),
      ),
      scalar,
      { maxKeys: 6 },
    );
    fc.assert(
      fc.property(
        event,
        event,
        fc.nat(),
        fc.integer({ min: 0, max: 0xffff }),
        (known, other, place, unit) => {
          const text = JSON.stringify(known);
          const parser = parserOf(text);
          same(parser, text);
          same(parser, JSON.stringify(other));
          const at = place % (text.length + 1);
          const [before, after] = [text.slice(0, at), text.slice(at)];
          const strange = String.fromCharCode(unit);
          for (const damaged of [
            before,
            after,
            before + strange + after,
            before + strange + after.slice(1),
            before + after.slice(1),
            before + after.slice(0, 1) + after,
            before + after + text.slice(at),
            text + text,
            text + ' ',
            ' ' + text,
          ])
            same(parser, damaged);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('entries read by a decoder that knows the fields of events', () => {
  const flights = streamOf(
    'flights',
    z.object({
      at: instant(),
      delay: z.int(),
      origin: z.string().min(1).max(12),
      share: z.number().nullable(),
      kind: z.enum(['in', 'out']).optional(),
    }),
    { eventTime: 'at' },
  );
  const airports = tableOf('airports', z.object({ iata: z.string(), open: z.boolean() }), ['iata']);

  it.each([
    [flights, '{"at":"2001-01-01T05:00:00.000Z","delay":-30,"origin":"ORD","share":0.5,"kind":"in"}'],
    [
      flights,
      '{"kind":"out","share":null,"extra":"São","origin":"GRU","delay":7,"at":"2001-02-29T05:00:00Z"}',
    ],
    [airports, '{"iata":"ORD","open":true}'],
  ])(
    'are the rows and errors that they are for one that does not, whatever is changed in a text: %#',
    (source, text) => {
      const decoded = (decoder: EntryDecoder, data: string): string => {
        const { rows, errors, weights } = decoder.decode([['978325200000-0', ['data', data]]]);
        return JSON.stringify({ rows, errors, weights });
      };
      const knows = new EntryDecoder(source, 0);
      for (let times = 0; times < MANY; times++) decoded(knows, text);
      const texts = [text];
      for (let at = 0; at < text.length; at++) {
        texts.push(text.slice(0, at), text.slice(0, at) + text.slice(at + 1));
        for (const unit of ['"', '\\', '0', '-', '.', 'e', '}', ',', ' ', '\u0000', '\ud800', 'é'])
          texts.push(
            text.slice(0, at) + unit + text.slice(at + 1),
            text.slice(0, at) + unit + text.slice(at),
          );
      }
      // One that never sees the same fields twice in a row.
      const knowsNot = new EntryDecoder(source, 0);
      let turn = 0;
      for (const each of texts) {
        const expected = decoded(knowsNot, each);
        decoded(knowsNot, `{"another${turn++}":1}`);
        expect(decoded(knows, each)).toBe(expected);
      }
    },
  );
});
