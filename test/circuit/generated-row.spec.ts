import { generatedText } from '../../src/circuit/generated-row.js';
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
      { name: 'more', kind: 'other' },
    ]);
    for (const origin of strings)
      for (const name of strings) {
        const row: Row = { origin, delay: -1.5, 'a "name"': name, late: null, more: { of: [origin] } };
        expect(textOf(row)).toBe(JSON.stringify(row));
      }
  });

  it('needs no strings, and no columns', () => {
    expect(generatedText([{ name: 'n', kind: 'number' }])({ n: 0 })).toBe('{"n":0}');
    expect(generatedText([])({})).toBe('{}');
  });
});
