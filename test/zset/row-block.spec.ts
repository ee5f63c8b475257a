import fc from 'fast-check';
import { bucketOf } from '../../src/zset/bucket-of.js';
import { RowBlock, shownRows } from '../../src/zset/row-block.js';

const place = (ms: number, entry: number, index = 0): string =>
  `${String(ms).padStart(14, '0')}-${String(entry).padStart(12, '0')}.${String(index).padStart(6, '0')}`;

describe('a block of rows', () => {
  it('of one row is stored as the row is', () => {
    expect(new RowBlock('ORD', '{"n":1}').stored).toBe('{"n":1}');
    expect(shownRows('ORD', '{"n":1}')).toEqual([{ key: 'ORD', text: '{"n":1}' }]);
  });

  it('gives back what it took, in its order', () => {
    const block = new RowBlock(place(1, 2), '{"n":1}');
    expect(block.take(place(1, 2, 1), '{"n":2}')).toBe(true);
    expect(block.take(place(99, 0), '{"n":"\\n"}')).toBe(true);
    expect(block.rows).toBe(3);
    expect(shownRows(block.key, block.stored)).toEqual([
      { key: place(1, 2), text: '{"n":1}' },
      { key: place(1, 2, 1), text: '{"n":2}' },
      { key: place(99, 0), text: '{"n":"\\n"}' },
    ]);
  });

  it.each([
    ['a key that does not rise', place(1, 2), place(1, 2)],
    ['a key that falls', place(1, 2), place(1, 1)],
    ['another tenth of a second', place(99, 2), place(100, 2)],
    ['another thousand of entries', place(1, 999), place(1, 1_000)],
    ['a key that is no place', place(1, 2), 'ORD'],
    ['a place after a key that is none', 'ORD', place(1, 2)],
    ['keys that are no places', 'JFK', 'ORD'],
  ])('does not take %s', (_, first, second) => {
    const block = new RowBlock(first, '1');
    expect(block.take(second, '2')).toBe(false);
    expect(block.stored).toBe('1');
  });

  it('is bounded in rows and in characters', () => {
    const filled = (text: string): RowBlock => {
      const block = new RowBlock(place(1, 0), text);
      for (let entry = 1; block.take(place(1, entry), text);) entry += 1;
      return block;
    };
    expect(filled('{}').rows).toBe(64);
    expect(filled('x'.repeat(1_000)).rows).toBe(15);
    expect(filled('x'.repeat(20_000)).rows).toBe(1);
  });

  it('takes only rows of its bucket', () => {
    const placeIn = fc
      .tuple(fc.nat(10_000), fc.nat(5_000), fc.nat(3))
      .map(([ms, entry, index]) => place(1_700_000_000_000 + ms, entry, index));
    fc.assert(
      fc.property(placeIn, placeIn, fc.integer({ min: 1, max: 64 }), (first, second, buckets) => {
        if (new RowBlock(first, '1').take(second, '2'))
          expect(bucketOf(second, buckets)).toBe(bucketOf(first, buckets));
      }),
    );
  });

  it('shows no row of a record that shows none, and one of any other', () => {
    expect(shownRows('ORD', '\n[7]')).toEqual([]);
    expect(shownRows('ORD', '{"n":1}\n[7]\n[["{}",2]]')).toEqual([{ key: 'ORD', text: '{"n":1}' }]);
  });
});

describe('buckets', () => {
  it('are filled alike by the places of a log, also of one that was written at once', () => {
    const filled = (places: Iterable<string>): number => {
      const counts = new Array<number>(64).fill(0);
      for (const each of places) counts[bucketOf(each, 64)]! += 1;
      return Math.max(...counts) / (counts.reduce((sum, count) => sum + count, 0) / 64);
    };
    function* places(perMs: number, ofMs: (ms: number) => number): Generator<string> {
      for (let ms = 0; ms < 400_000 / perMs; ms++)
        for (let entry = 0; entry < perMs; entry++) yield place(ofMs(ms), entry);
    }
    expect(filled(places(1, (ms) => 1_700_000_000_000 + ms))).toBeLessThan(1.5);
    expect(filled(places(400_000, () => 0))).toBeLessThan(2.5);
  });
});
