import { EntriesOfRounds } from '../../src/runtime/entries-of-rounds.js';

describe('the last entries of rounds', () => {
  let entries: EntriesOfRounds;
  beforeEach(() => {
    entries = new EntriesOfRounds();
    entries.known(0, 5, 12);
    for (const [round, tick] of [
      [5, 13],
      [8, 15],
      [8, 16],
      [9, 18],
    ] as const)
      entries.sent(0, round, tick);
  });

  it('are those that a receiver has which stands there', () => {
    expect([4, 5, 7, 8, 9, 20].map((round) => entries.lastUpTo(0, round))).toEqual([0, 13, 13, 16, 18, 18]);
  });

  it('are not known of what lies before those that were asked for', () => {
    entries.lastUpTo(0, 8);
    expect(entries.lastUpTo(0, 5)).toBe(0);
    expect(entries.lastUpTo(0, 8)).toBe(16);
  });

  it('are not known of a receiver of whom nothing is', () => {
    entries.sent(1, 5, 13);
    expect(entries.lastUpTo(1, 9)).toBe(0);
    entries.known(0, 9, 99);
    expect(entries.lastUpTo(0, 9)).toBe(18);
  });
});
