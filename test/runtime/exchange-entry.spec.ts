import { decodeEntry, encodeEntry } from '../../src/runtime/exchange-entry.js';
import { NO_FACTS } from '../../src/runtime/followed.js';
import { decodeRound, encodeCut } from '../../src/runtime/rounds.js';

const said = { ...NO_FACTS, previous: 'c6', commit: 'c7', round: 3, rows: ['[]'] };
const read = { 'view:of shops': { tick: 44, commit: 'n7' } };

describe('what a task says of what it sends', () => {
  it('is what is read', () => {
    expect(decodeEntry(['7-0', ['c', encodeEntry(said)]])).toEqual({ ...said, tick: 7 });
  });

  it('says of views that it reads up to which commit that is, whatever their names', () => {
    expect(decodeEntry(['7-0', ['c', encodeEntry({ ...said, read })]])).toEqual({ ...said, tick: 7, read });
  });
});

describe('a round', () => {
  it('says of each task of the first stage where it was, and of views what it had read', () => {
    const heard = { ...NO_FACTS, tick: 2, commit: 'c2', entries: 1, upTo: 2, frontier: { log: '5-0' } };
    const [plain, over] = [
      { ...heard, clocks: { log: 9 } },
      { ...heard, clocks: { log: 4 }, read },
    ];
    const rows = [encodeCut([plain, over], { log: 4 })];
    expect(decodeRound({ ...said, clocks: { log: 4 }, rows, tick: 8 }).cut).toEqual([
      { tick: 2, commit: 'c2', frontier: { log: '5-0' }, clocks: { log: 9 } },
      { tick: 2, commit: 'c2', frontier: { log: '5-0' }, clocks: { log: 4 }, read },
    ]);
  });
});
