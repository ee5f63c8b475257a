import { connectedSets } from '../../src/jobs/connected-sets.js';

describe('connected sets of views', () => {
  it('stay apart where they have nothing in common', () => {
    expect(connectedSets([['a'], ['b', 'c']])).toEqual([['a'], ['b', 'c']]);
  });

  it('are joined by what they share, also by what comes later', () => {
    expect(
      connectedSets([
        ['a', 'x'],
        ['b', 'y'],
        ['x', 'c'],
        ['x', 'y'],
      ]),
    ).toEqual([['a', 'x', 'c', 'b', 'y']]);
  });
});
