import { PackedTexts } from '../../src/circuit/packed-texts.js';
import { Random } from '../support/random.js';

/** What texts are made of: one byte, two, three and four of them for a character. */
const CHARACTERS = ['a', '"', '\n', 'é', '€', '𝄞'];

const textOf = (random: Random, length: number, characters = CHARACTERS): string =>
  Array.from({ length: Math.min(length, 8) }, () => random.of(characters))
    .join('')
    .repeat(Math.ceil(length / 8));

/** Mostly short, now and then far too long for the place of the one before. */
const lengthOf = (random: Random): number =>
  random.of([0, 1, 5, 20, 60, 200, 1_000, random.chance(0.02) ? 200_000 : 30]);

describe('packed texts', () => {
  test.each([1, 2, 3])('hold what a map would hold (seed %p)', (seed) => {
    const random = new Random(seed);
    const packed = new PackedTexts();
    const expected = new Map<string, string | null>();
    const keys = Array.from({ length: 400 }, (_, index) => `${textOf(random, random.below(12))}${index}`);
    for (let step = 0; step < 4_000; step++) {
      const key = random.of(keys);
      if (random.chance(0.2)) expect(packed.delete(key)).toBe(expected.delete(key));
      else {
        const text = random.chance(0.1)
          ? null
          : textOf(random, lengthOf(random), random.chance(0.5) ? ['a', 'b'] : CHARACTERS);
        packed.set(key, text);
        expected.set(key, text);
      }
      const asked = random.of(keys);
      if (random.chance(0.3)) packed.touch([...keys, 'unknown'], random.below(keys.length));
      expect(packed.get(asked)).toBe(expected.get(asked));
      expect(packed.size).toBe(expected.size);
    }
    for (const key of keys) expect(packed.get(key)).toBe(expected.get(key));
    packed.clear();
    expect([packed.size, packed.get(keys[0]!)]).toEqual([0, undefined]);
    packed.set('a', 'b');
    expect(packed.get('a')).toBe('b');
  });

  test('keep a key and a text of any length', () => {
    const packed = new PackedTexts();
    const long = 'k'.repeat(300_000);
    packed.set(long, 'a');
    packed.set('', '');
    packed.set('b', 'x'.repeat(5_000_000));
    expect([packed.get(long), packed.get(''), packed.get('b')?.length]).toEqual(['a', '', 5_000_000]);
    packed.set('b', 'short');
    packed.set(long, null);
    expect([packed.get(long), packed.get('b'), packed.size]).toEqual([null, 'short', 3]);
  });

  test('take no more memory as keys come and go', () => {
    const packed = new PackedTexts();
    const turnOver = (from: number, to: number): void => {
      for (let key = from; key < to; key++) {
        packed.set(`key ${key}`, `${key}`.padStart(100 + (key % 50), '.'));
        packed.delete(`key ${key - 1_000}`);
      }
    };
    turnOver(0, 5_000);
    const before = packed.bytes;
    turnOver(5_000, 100_000);
    expect([packed.size, packed.bytes]).toEqual([1_000, before]);
  });

  test('take little memory while there is little to hold', () => {
    const packed = new PackedTexts();
    packed.set('a', 'b');
    expect(packed.bytes).toBeLessThan(10_000);
    for (let key = 0; key < 1_000; key++) packed.set(`key ${key}`, 'x'.repeat(key));
    expect(packed.bytes).toBeLessThan(1_200_000);
    for (let key = 0; key < 1_000; key++) expect(packed.get(`key ${key}`)?.length).toBe(key);
  });

  test('say how much is held of long texts too', () => {
    const packed = new PackedTexts();
    packed.set('a', 'x'.repeat(1e6));
    packed.set('a', 'x'.repeat(2e6));
    expect(packed.bytes).toBe(2e6 + 1);
    packed.delete('a');
    expect(packed.bytes).toBe(0);
  });
});
