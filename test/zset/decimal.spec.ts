import fc from 'fast-check';
import {
  decimalOfOrder,
  decimalOrder,
  decimalText,
  isDecimalText,
  plainDecimalText,
  roundedQuotient,
  textOfUnscaled,
  unscaledOf,
} from '../../src/zset/decimal.js';
import { compareText } from '../../src/zset/text-order.js';

const unscaled = fc.oneof(
  fc.bigInt({ min: -2000n, max: 2000n }),
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }),
);
const scale = fc.integer({ min: 0, max: 12 });

describe('the text of a decimal', () => {
  it.each([
    ['12.5', 2, '12.50'],
    ['12.500', 2, '12.50'],
    ['-3', 0, '-3'],
    ['+0.5', 1, '0.5'],
    ['.5', 1, '0.5'],
    ['7.', 1, '7.0'],
    ['007', 0, '7'],
    ['-0', 2, '0.00'],
    ['-0.000', 0, '0'],
    ['1.25e2', 0, '125'],
    ['1.25e+2', 2, '125.00'],
    ['125e-2', 2, '1.25'],
    ['0e9', 0, '0'],
    ['9007199254740993', 0, '9007199254740993'],
    ['1e99', 0, `1${'0'.repeat(99)}`],
  ])('%s at scale %i is %s', (given, at, text) => {
    expect(decimalText(given, at)).toBe(text);
    expect(isDecimalText(text, at)).toBe(true);
  });

  it.each([
    ['12.505', 2],
    ['0.1', 0],
    ['1e-3', 2],
    ['1e100', 0],
    ['', 2],
    ['.', 2],
    ['e5', 2],
    ['1,5', 2],
    [' 1', 2],
    ['0x10', 2],
    ['1e1000', 2],
    ['NaN', 2],
    ['Infinity', 2],
    ['--1', 2],
  ])('there is none of %p at scale %i', (given, at) => {
    expect(decimalText(given, at)).toBeNull();
  });

  it('is as short as it can be where no scale is asked for', () => {
    expect(['12.500', '-0.0', '1e3', '0.010', 'x'].map(plainDecimalText)).toEqual([
      '12.5',
      '0',
      '1000',
      '0.01',
      null,
    ]);
  });

  it('is known for one by its look', () => {
    for (const [text, at] of [
      ['-0.00', 2],
      ['12.5', 2],
      ['12.505', 2],
      ['01.50', 2],
      ['1250', 2],
      ['.50', 2],
      ['-.50', 2],
      ['1.a0', 2],
      ['', 0],
      ['-', 0],
      ['00', 0],
      ['1.', 0],
      ['+1', 0],
      ['1'.repeat(101), 0],
    ] as const)
      expect([text, isDecimalText(text, at)]).toEqual([text, false]);
  });

  it('and the whole number behind it give one another', () => {
    fc.assert(
      fc.property(unscaled, scale, (value, at) => {
        const text = textOfUnscaled(value, at);
        expect(isDecimalText(text, at)).toBe(true);
        expect(unscaledOf(text)).toBe(value);
        expect(decimalText(text, at)).toBe(text);
        expect(decimalText(text, at + 3)).toBe(textOfUnscaled(value * 1000n, at + 3));
      }),
    );
  });
});

describe('the order of decimals', () => {
  it('is that of the numbers, whatever their scales, and equal for equal ones only', () => {
    fc.assert(
      fc.property(unscaled, scale, unscaled, scale, (left, leftScale, right, rightScale) => {
        const difference = left * 10n ** BigInt(rightScale) - right * 10n ** BigInt(leftScale);
        const order = compareText(
          decimalOrder(textOfUnscaled(left, leftScale)),
          decimalOrder(textOfUnscaled(right, rightScale)),
        );
        expect(Math.sign(order)).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0);
      }),
      { numRuns: 2_000 },
    );
    expect(decimalOrder('0.00')).toBe(decimalOrder('0'));
  });

  it('gives the decimal back, at a scale', () => {
    fc.assert(
      fc.property(unscaled, scale, (value, at) => {
        const text = textOfUnscaled(value, at);
        expect(decimalOfOrder(decimalOrder(text), at)).toBe(text);
      }),
    );
  });
});

it('a quotient is rounded with halves away from zero', () => {
  const pairs = [
    [5n, 2n, 3n],
    [-5n, 2n, -3n],
    [5n, -2n, -3n],
    [4n, 3n, 1n],
    [-4n, 3n, -1n],
    [1n, 3n, 0n],
    [0n, 3n, 0n],
  ] as const;
  for (const [dividend, divisor, quotient] of pairs)
    expect(roundedQuotient(dividend, divisor)).toBe(quotient);
});
