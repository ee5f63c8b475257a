import fc from 'fast-check';
import {
  compareText,
  descendingText,
  escapeText,
  orderText,
  unescapeText,
} from '../../src/zset/text-order.js';
import { compareValues, type Value } from '../../src/zset/value.js';

/** Units on both sides of the surrogates, pairs of these, and what separates texts. */
const text = fc
  .array(
    fc.constantFrom('', 'a', 'b', '\0', '\u0001', '0', '1', 'ÿ', '\ud7ff', '\ue000', '\uffff', '😀', '𝄞'),
    {
      maxLength: 8,
    },
  )
  .map((parts) => parts.join(''));
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
  fc.constantFrom(0, 1, -1, 1e300, -1e300, 5e-324, -5e-324, 255, 256),
  text,
);
const byBytes = (left: string, right: string): number =>
  Math.sign(Buffer.compare(Buffer.from(left, 'utf8'), Buffer.from(right, 'utf8')));

describe('the order of texts', () => {
  it('is that of their bytes', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        expect(Math.sign(compareText(left, right))).toBe(byBytes(left, right));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is that of the values they stand for, and turned round the other way', () => {
    fc.assert(
      fc.property(value, value, (left, right) => {
        const order = Math.sign(compareValues(left, right)) + 0;
        expect(byBytes(orderText(left), orderText(right)) + 0).toBe(order);
        const turned = byBytes(descendingText(orderText(left)), descendingText(orderText(right)));
        expect(turned + order + 0).toBe(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is written in digits that stay the same', () => {
    expect([orderText(0), orderText(-1.5), orderText(2)]).toEqual([
      '38000000000000000',
      '34007ffffffffffff',
      '3c000000000000000',
    ]);
    expect(descendingText('4ü\0')).toBe('cb3c43ff~');
    expect(descendingText('x'.repeat(1_000))).toBe('87'.repeat(1_000) + '~');
  });

  it('holds for texts without NUL, which say the same', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        const [one, other] = [escapeText(left), escapeText(right)];
        expect(one.includes('\0')).toBe(false);
        expect(unescapeText(one)).toBe(left);
        expect(byBytes(one, other)).toBe(byBytes(left, right));
      }),
      { numRuns: 2_000 },
    );
  });
});
