import fc from 'fast-check';
import { AsciiText, TextBytes } from '../../src/zset/text-bytes.js';
import type { Value } from '../../src/zset/value.js';

/** What `write` adds to bytes that hold something already. */
function written(write: (bytes: TextBytes) => void): string {
  const bytes = new TextBytes();
  bytes.write('before');
  const from = bytes.length;
  write(bytes);
  return bytes.text(from);
}

const strings = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ maxLength: 100 }),
  fc.constantFrom(
    '',
    '"',
    '\\',
    '\n',
    '\u007f',
    'é',
    '日付',
    '🦄',
    '\u2028',
    'x'.repeat(64),
    'x'.repeat(65),
    'é'.repeat(64),
  ),
);
const numbers = fc.oneof(
  fc.nat(2_000_000_000),
  fc.integer(),
  fc.tuple(fc.nat(2_000_000_000_000), fc.constantFrom(10, 100, 1_000, 10_000)).map(([of, by]) => of / by),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
  ...Array.from({ length: 16 }, (_, digits) => fc.constantFrom(10 ** digits - 1, 10 ** digits)),
);

describe('texts written as bytes', () => {
  it('are the JSON of strings, numbers, booleans and null', () => {
    const same = (write: 'writeString' | 'writeNumber', value: Value): void =>
      expect(written((bytes) => bytes[write](value))).toBe(JSON.stringify(value));
    fc.assert(
      fc.property(strings, (value) => same('writeString', value)),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(numbers, (value) => same('writeNumber', value)),
      { numRuns: 3_000 },
    );
    for (const value of [null, true, false]) same('writeNumber', value);
    for (const value of [null, 7, true]) same('writeString', value);
  });

  it('are read back one by one, as UTF-8 says them', () => {
    fc.assert(
      fc.property(fc.array(strings, { maxLength: 8 }), (texts) => {
        const bytes = new TextBytes();
        const ends = texts.map((text) => {
          bytes.write(text);
          return bytes.length;
        });
        texts.forEach((text, index) => expect(bytes.text(ends[index - 1] ?? 0, ends[index])).toBe(text));
        const whole = Buffer.from(texts.join(''));
        expect(Buffer.from(bytes.view.buffer as ArrayBuffer, 0, bytes.length)).toEqual(whole);
      }),
    );
  });

  it('have room for whatever is written, and do not keep too much of it', () => {
    const bytes = new TextBytes();
    const plain = new AsciiText('x'.repeat(10_000));
    for (let times = 0; times < 1_000; times++) {
      bytes.writeAscii(plain);
      bytes.writeString('short');
      bytes.writeNumber(123_456_789);
    }
    expect(bytes.text(0, 10_016)).toBe(`${'x'.repeat(10_000)}"short"123456789`);
    expect(bytes.length).toBe(10_016_000);
    bytes.clear();
    expect(bytes.view.byteLength).toBeLessThan(1 << 20);
    bytes.write('é'.repeat(100_000));
    expect(bytes.text()).toBe('é'.repeat(100_000));
  });

  it('are those that were encoded before, of any length', () => {
    for (let length = 0; length < 10; length++) {
      const text = '{"at":0123'.slice(0, length);
      const bytes = new TextBytes();
      for (const part of ['é', text, text, '!']) {
        if (part === text) bytes.writeAscii(new AsciiText(part));
        else bytes.write(part);
      }
      expect(bytes.text()).toBe(`é${text}${text}!`);
    }
  });

  it('are a key and then, as JSON, the columns that may be the same', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(strings, strings), { maxLength: 4 }), (rows) => {
        const bytes = new TextBytes();
        for (const [key, other] of rows) {
          const from = bytes.length;
          bytes.writeKey(key);
          for (const value of [key, other, key]) bytes.writeString(value);
          const [same, another] = [JSON.stringify(key), JSON.stringify(other)];
          expect(bytes.text(from)).toBe(`${key}${same}${another}${same}`);
        }
      }),
    );
  });

  it('are not taken for a key that was taken away', () => {
    // Long enough that nothing is left of the key where it was.
    const others = 'x'.repeat(40);
    const bytes = new TextBytes();
    bytes.write('first');
    bytes.writeKey('key');
    bytes.dropFirst(6);
    bytes.write(others);
    bytes.writeString('key');
    expect(bytes.text()).toBe(`ey${others}"key"`);
    bytes.clear();
    bytes.writeKey('key');
    bytes.clear();
    bytes.write(others);
    bytes.writeString('key');
    expect(bytes.text()).toBe(`${others}"key"`);
  });

  it('are overwritten in their place', () => {
    const bytes = new TextBytes();
    bytes.write('one two');
    bytes.overwrite(1, 'NE');
    expect(bytes.text()).toBe('oNE two');
  });

  it('begin later where the first are taken away', () => {
    const bytes = new TextBytes();
    bytes.write('one');
    bytes.write('zwölf');
    bytes.dropFirst(3);
    bytes.write('!');
    expect(bytes.text()).toBe('zwölf!');
  });
});
