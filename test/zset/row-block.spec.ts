import fc from 'fast-check';
import { bucketOf } from '../../src/zset/bucket-of.js';
import { RowBlocks, shownRows } from '../../src/zset/row-block.js';

const place = (ms: number, entry: number, index = 0): string =>
  `${String(ms).padStart(14, '0')}-${String(entry).padStart(12, '0')}.${String(index).padStart(6, '0')}`;

interface Block {
  readonly key: string;
  readonly stored: string;
  readonly rows: number;
}

/** The blocks in which these rows are stored, each a key and a text. */
function blocksOf(rows: readonly (readonly [key: string, text: string])[]): Block[] {
  const stored: Block[] = [];
  const blocks = new RowBlocks<string>(
    (text, bytes) => bytes.write(text),
    (key, text, count) => stored.push({ key, stored: text, rows: count }),
  );
  for (const [key, text] of rows) {
    const from = blocks.add(key, text);
    expect(blocks.bytes.text(from)).toBe(text);
  }
  blocks.end();
  return stored;
}

describe('a block of rows', () => {
  it('of one row is stored as the row is', () => {
    expect(blocksOf([['Zürich', '{"n":"ü"}']])).toEqual([{ key: 'Zürich', stored: '{"n":"ü"}', rows: 1 }]);
    expect(shownRows('Zürich', '{"n":"ü"}')).toEqual([{ key: 'Zürich', text: '{"n":"ü"}' }]);
  });

  it('gives back what it took, in its order', () => {
    const [block, ...others] = blocksOf([
      [place(1, 2), '{"n":1}'],
      [place(1, 2, 1), '{"n":"é"}'],
      [place(99, 0), '{"n":"\\n"}'],
    ]);
    expect(others).toEqual([]);
    expect(block).toMatchObject({ key: place(1, 2), rows: 3 });
    expect(shownRows(block!.key, block!.stored)).toEqual([
      { key: place(1, 2), text: '{"n":1}' },
      { key: place(1, 2, 1), text: '{"n":"é"}' },
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
    expect(
      blocksOf([
        [first, '1'],
        [second, '2'],
      ]),
    ).toEqual([
      { key: first, stored: '1', rows: 1 },
      { key: second, stored: '2', rows: 1 },
    ]);
  });

  it('is bounded in rows and in bytes', () => {
    const counts = (text: string): number[] =>
      blocksOf(Array.from({ length: 100 }, (_, entry) => [place(1, entry), text] as const)).map(
        ({ rows }) => rows,
      );
    expect(counts('{}')).toEqual([64, 36]);
    expect(counts('x'.repeat(1_000))).toEqual([15, 15, 15, 15, 15, 15, 10]);
    expect(counts('é'.repeat(500))).toEqual([15, 15, 15, 15, 15, 15, 10]);
    expect(counts('x'.repeat(20_000))).toEqual(new Array(100).fill(1));
  });

  it('that was full before a row leaves it to the next, as it is', () => {
    const texts = ['x'.repeat(16_000), 'é'.repeat(300), 'z'];
    const blocks = blocksOf(texts.map((text, entry) => [place(1, entry), text] as const));
    expect(blocks.map(({ key, rows }) => [key, rows])).toEqual([
      [place(1, 0), 1],
      [place(1, 1), 2],
    ]);
    expect(blocks.flatMap(({ key, stored }) => shownRows(key, stored))).toEqual(
      texts.map((text, entry) => ({ key: place(1, entry), text })),
    );
  });

  it('takes only rows of its bucket', () => {
    const placeIn = fc
      .tuple(fc.nat(10_000), fc.nat(5_000), fc.nat(3))
      .map(([ms, entry, index]) => place(1_700_000_000_000 + ms, entry, index));
    fc.assert(
      fc.property(placeIn, placeIn, fc.integer({ min: 1, max: 64 }), (first, second, buckets) => {
        const blocks = blocksOf([
          [first, '1'],
          [second, '2'],
        ]);
        if (blocks.length === 1) expect(bucketOf(second, buckets)).toBe(bucketOf(first, buckets));
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
