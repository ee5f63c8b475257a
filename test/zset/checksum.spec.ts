import fc from 'fast-check';
import { Checksum } from '../../src/zset/checksum.js';
import { TextBytes } from '../../src/zset/text-bytes.js';

const of = (text: string, weight = 1): string => {
  const checksum = new Checksum();
  checksum.add(text, weight);
  return checksum.toString();
};

describe('a checksum', () => {
  it.each([
    ['', '756ad7167dda213c'],
    ['a', '399249afb96ef81b'],
    ['ab', '8a279e7eebf8ddaf'],
    ['abc', 'abbb3f014a47bfca'],
    ['{"n":1}', 'dfbe10c1da4ac675'],
    ['{"n":12}', 'ef2acee211cf9a94'],
    ['{"city":"Zürich \u{1f6eb}"}', '316a01364d3d0369'],
    ['x'.repeat(1_000), 'e765c45860dd0de1'],
  ])('of %j is what it always was: views that are stored have theirs', (text, expected) => {
    expect(of(text)).toBe(expected);
  });

  it('is that of a text wherever its bytes lie', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: 'binary', maxLength: 9 }),
        (text, before) => {
          const bytes = new TextBytes();
          bytes.write(before);
          const from = bytes.length;
          bytes.write(text);
          const checksum = new Checksum();
          checksum.addWritten(bytes, from);
          expect(checksum.toString()).toBe(of(text));
        },
      ),
    );
  });

  it('loses with a retraction what came with an insertion', () => {
    const checksum = Checksum.parse(of('one'));
    checksum.add('two', 3);
    checksum.add('two', -3);
    expect(checksum.toString()).toBe(of('one'));
    expect(of('two', -1)).not.toBe(of('two'));
  });
});
