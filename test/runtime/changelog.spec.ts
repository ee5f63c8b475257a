import { decodeChangelog, encodeChangelog } from '../../src/runtime/changelog.js';

it('a changelog entry says what its commit changed and contained', () => {
  const changes = [
    { key: 'a', before: null, after: { id: 'a', text: 'two\nlines' } },
    { key: 'b', before: { id: 'b', text: '' }, after: null },
  ];
  const text = encodeChangelog(changes, { 'flights:0': '7-1' });
  expect(decodeChangelog(['12-0', ['c', text]])).toEqual({
    tick: 12,
    changes,
    frontier: { 'flights:0': '7-1' },
  });
});
