import { type Begun, begunIn, isBefore, withBeginning } from '../../src/runtime/begun.js';
import { NO_TICK } from '../../src/runtime/tick.js';

describe('where owners began', () => {
  it('is known of the last of them', () => {
    let record = NO_TICK;
    for (let tick = 0; tick < 20; tick++) record = { ...withBeginning(record, `b${tick}`), tick: tick + 1 };
    expect(begunIn(record)).toHaveLength(16);
    expect(begunIn(record).at(-1)).toEqual([19, 'b19']);
  });

  const at7 = (...begun: Begun) => ({ tick: 7, begun });
  it.each<[string, boolean, ReturnType<typeof at7>, Begun]>([
    ['both say the same', true, at7([0, 'a'], [4, 'b']), [[0, 'a'], [4, 'b']]], // prettier-ignore
    ['others began behind it', true, at7([0, 'a']), [[0, 'a'], [7, 'b'], [9, 'c']]], // prettier-ignore
    ['the later one has forgotten the first', true, at7([0, 'a'], [4, 'b']), [[4, 'b'], [9, 'c']]], // prettier-ignore
    ['nobody had begun yet', true, at7(), [[7, 'b']]],
    ['another had begun before it', false, at7([0, 'a']), [[0, 'a'], [6, 'b']]], // prettier-ignore
    ['it was begun anew', false, at7([0, 'a'], [6, 'c']), [[0, 'a']]],
    ['two began at one place', false, at7([0, 'a'], [6, 'c']), [[0, 'a'], [6, 'b']]], // prettier-ignore
    ['nothing is known of its time any more', false, at7([0, 'a']), [[8, 'b'], [9, 'c']]], // prettier-ignore
  ])('tells whether a commit is of a history: %s', (_, expected, commit, later) => {
    expect(isBefore(commit, later)).toBe(expected);
  });
});
