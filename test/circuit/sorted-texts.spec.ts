import fc from 'fast-check';
import { SortedTexts } from '../../src/circuit/sorted-texts.js';
import { compareText } from '../../src/zset/text-order.js';
import { Random } from '../support/random.js';

describe('sorted texts', () => {
  const text = fc.constantFrom('', 'a', 'aa', 'ab', 'b', '\u{1f600}', '\ufffd', 'z');

  it('give any range, from either end, whatever was added and deleted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), text), { maxLength: 30 }),
        text,
        fc.option(text),
        fc.integer({ min: 0, max: 9 }),
        (steps, from, to, most) => {
          const texts = new SortedTexts();
          const held = new Set<string>();
          for (const [add, one] of steps) {
            if (add === held.has(one)) continue;
            if (add) texts.add(one);
            else texts.delete(one);
            if (add) held.add(one);
            else held.delete(one);
          }
          if (to !== null && compareText(from, to) > 0) return;
          const range = [...held]
            .filter((one) => compareText(one, from) >= 0 && (to === null || compareText(one, to) < 0))
            .sort(compareText);
          expect(texts.up(from, to, most)).toEqual(range.slice(0, most));
          expect(texts.down(from, to, most)).toEqual(range.reverse().slice(0, most));
          expect(texts.count(from, to, Infinity)).toBe(range.length);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('stay in order over many chunks', () => {
    const random = new Random(7);
    const texts = new SortedTexts();
    const held = new Set<string>();
    for (let step = 0; step < 20_000; step++) {
      const one = String(random.below(9_000));
      if (held.has(one) && random.chance(0.4)) {
        texts.delete(one);
        held.delete(one);
      } else if (!held.has(one)) {
        texts.add(one);
        held.add(one);
      }
    }
    const sorted = [...held].sort(compareText);
    expect(texts.up('', null, Infinity)).toEqual(sorted);
    expect(texts.down('', null, Infinity)).toEqual([...sorted].reverse());
    const inside = sorted.filter((one) => one >= '3' && one < '7');
    expect(texts.up('3', '7', Infinity)).toEqual(inside);
    expect(texts.count('3', '7', Infinity)).toBe(inside.length);
    expect(texts.count('3', null, 100)).toBeGreaterThanOrEqual(100);
    for (const one of sorted) texts.delete(one);
    expect(texts.up('', null, Infinity)).toEqual([]);
  });
});
