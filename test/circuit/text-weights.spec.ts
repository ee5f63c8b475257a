import fc from 'fast-check';
import { TextWeights } from '../../src/circuit/text-weights.js';

describe('weights by text', () => {
  it('are those that were set last, of few texts and of many', () => {
    // Now and then a text more than a chain takes, now and then all of them away.
    const text = fc.integer({ min: 0, max: 11 }).map(String);
    const step = fc.tuple(text, fc.integer({ min: -1, max: 2 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const weights = new TextWeights();
        const held = new Map<string, number>();
        for (const [text, weight] of steps) {
          if (weight < 0) expect(weights.delete(text)).toBe(held.delete(text));
          else {
            weights.set(text, weight);
            held.set(text, weight);
          }
          expect(weights.size).toBe(held.size);
        }
        for (let text = 0; text <= 11; text++) {
          expect(weights.get(String(text))).toBe(held.get(String(text)));
          expect(weights.has(String(text))).toBe(held.has(String(text)));
        }
        const inOrder = [...held].sort();
        expect([...weights].sort()).toEqual(inOrder);
        expect(weights.present().sort()).toEqual(
          inOrder.flatMap(([text, weight]) => (weight > 0 ? [text] : [])),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
