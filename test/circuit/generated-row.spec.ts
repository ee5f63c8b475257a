import { generatedKey, generatedText } from '../../src/circuit/generated-row.js';
import { keyTextOfValues } from '../../src/zset/row-key.js';
import type { Row, Value } from '../../src/zset/value.js';

const strings: Value[] = [
  '',
  'ORD',
  'a"b',
  'back\\slash',
  'line\nfeed',
  'Zürich \u{1f6eb}',
  'x'.repeat(300),
  null,
];

describe('the text of a row', () => {
  it('is what JSON.stringify gives, whichever of its strings need an escape', () => {
    const textOf = generatedText([
      { name: 'origin', kind: 'string' },
      { name: 'delay', kind: 'number' },
      { name: 'a "name"', kind: 'string' },
      { name: 'late', kind: 'boolean' },
      { name: 'größe', kind: 'number' },
      { name: 'more', kind: 'other' },
    ]);
    for (const origin of strings)
      for (const name of strings) {
        const row: Row = {
          origin,
          delay: -1.5,
          'a "name"': name,
          late: null,
          größe: 7,
          more: { of: [origin] },
        };
        expect(textOf(row)).toBe(JSON.stringify(row));
      }
  });

  it('needs no strings, and no columns', () => {
    expect(generatedText([{ name: 'n', kind: 'number' }])({ n: 0 })).toBe('{"n":0}');
    expect(generatedText([])({})).toBe('{}');
  });
});

describe('the text of a key', () => {
  const values: Value[] = [...strings, 0, -1.5, 1e21, 5e-324, true, false, [1, 'a'], { of: null }];
  const column = (path: string) => ({ path, onlyStrings: false });

  it('is that of its values given one by one, whatever they are and however many', () => {
    const one = generatedKey([column('a')]);
    const two = generatedKey([column('a'), column('b.c')]);
    for (const a of values) {
      expect(one({ a })).toBe(keyTextOfValues([a], [column('a')]));
      for (const c of values)
        expect(two({ a, b: { c } })).toBe(keyTextOfValues([a, c], [column('a'), column('b.c')]));
    }
    expect(generatedKey([])({})).toBe(keyTextOfValues([], []));
  });

  it('is the string itself of a column of nothing else', () => {
    expect(generatedKey([{ path: 'a', onlyStrings: true }])({ a: 'a"b' })).toBe('a"b');
  });

  it('is null where a part is null or nowhere, if nulls are refused', () => {
    const keyOf = generatedKey([column('a'), column('b.c')], 'refused');
    expect(keyOf({ a: 1, b: { c: 0 } })).toBe('[1,0]');
    for (const row of [{ a: null, b: { c: 0 } }, { a: 1, b: null }, { b: { c: 0 } }])
      expect(keyOf(row)).toBeNull();
    expect(keyOf({ a: 1, b: { c: '' } })).toBe('[1,""]');
  });
});
