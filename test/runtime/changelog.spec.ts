import { decodeChangelog, encodeChangelog } from '../../src/runtime/changelog.js';

it('a changelog entry says what its commit changed and contained', () => {
  const changes = [
    { key: 'a', before: null, after: { id: 'a', text: 'two\nlines' } },
    { key: 'b', before: { id: 'b', text: '' }, after: null },
  ];
  const none: Record<string, number | null> = {};
  for (const clocks of [none, { 'flights:0': 986_000, 'flights:1': null }])
    for (const more of [false, true]) {
      const facts = {
        frontier: { 'flights:0': '7-1' },
        clocks,
        more,
        previous: more ? 'n1' : '',
        commit: 'n2',
      };
      const text = encodeChangelog(changes, facts);
      expect(decodeChangelog(['12-0', ['c', text]])).toEqual({ tick: 12, changes, ...facts });
    }
});
