import { aggregated, type Fact, type Over, type Written } from '../../support/aggregated.js';

const fact = (v: Fact['v'], b: Fact['b'] = null): Fact => ({ g: 'x', v, b, t: true });

const shown = (written: Written, facts: readonly Fact[], over: Over = {}): unknown =>
  Object.values(aggregated([written], over).step(facts.map((one) => [one, 1] as const))[0]![0])[1];

describe('collect', () => {
  it('is sorted by its values, or the other way round', () => {
    const facts = [1, 3, 2, 3].map((v) => fact(v));
    expect(shown('collect', facts)).toEqual([1, 2, 3, 3]);
    expect(shown(['collect', { order: 'desc' }], facts)).toEqual([3, 3, 2, 1]);
  });

  it('can be sorted by another column: equal ones by the value, nulls last as in SQL', () => {
    const facts = [
      fact('c', 1),
      fact(10, 1),
      fact(9, 1),
      fact('a', 2),
      fact('z', null),
      fact(null, 0),
      fact({ k: 'ä\0' }, 'x'),
    ];
    expect(shown('collect', facts, { listsBy: true })).toEqual([9, 10, 'c', 'a', { k: 'ä\0' }, 'z']);
    expect(shown(['collect', { order: 'desc' }], facts, { listsBy: true })).toEqual([
      'z',
      { k: 'ä\0' },
      'a',
      'c',
      10,
      9,
    ]);
  });
});

describe('collectDistinct', () => {
  it('shows each value once, and keeps it while any row has it', () => {
    const group = aggregated(['collectDistinct']);
    group.step([
      [fact('b'), 2],
      [fact('a'), 1],
      [fact(null), 1],
    ]);
    expect(group.step([[fact('b'), -1]])).toEqual([]);
    expect(group.step([[fact('b'), -1]])).toEqual([
      [{ g: 'x', collectDistinct: ['a', 'b'] }, -1],
      [{ g: 'x', collectDistinct: ['a'] }, 1],
    ]);
  });
});

describe('joinText', () => {
  it('puts a separator between texts in their order, and keeps empty ones', () => {
    const facts = ['b', '', 'a', null, 'b'].map((v) => fact(v));
    expect(shown(['joinText', { separator: '; ' }], facts)).toBe('; a; b; b');
    expect(shown(['joinText', { separator: '', order: 'desc' }], facts)).toBe('bba');
    const ranked = [fact('late', 2), fact('early', 1)];
    expect(shown(['joinText', { separator: ' → ' }], ranked, { listsBy: true })).toBe('early → late');
  });

  it('of no texts is null, of an empty one is empty', () => {
    expect(shown(['joinText', { separator: ',' }], [fact(null)])).toBeNull();
    expect(shown(['joinText', { separator: ',' }], [fact('')])).toBe('');
  });
});

describe('topK', () => {
  it('shows equal values as often as they occur, and all where there are fewer', () => {
    const facts = [5, 5, 5, 7].map((v) => fact(v));
    expect(shown(['topK', { k: 3, order: 'desc' }], facts)).toEqual([7, 5, 5]);
    expect(shown(['topK', { k: 9, order: 'asc' }], facts)).toEqual([5, 5, 5, 7]);
  });

  it('moves up what was hidden when a value goes', () => {
    const group = aggregated([['topK', { k: 2, order: 'desc' }]]);
    group.step(['a', 'c', 'b'].map((v) => [fact(v), 1] as const));
    expect(group.step([[fact('c'), -1]]).at(-1)).toEqual([{ g: 'x', 'topK.0': ['b', 'a'] }, 1]);
  });
});
