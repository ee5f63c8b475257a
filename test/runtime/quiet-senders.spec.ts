import { QuietSenders } from '../../src/runtime/quiet-senders.js';

describe('of whom a receiver asks', () => {
  const senders = new QuietSenders(['a', 'b', 'c']);

  it('is of all, where it has just taken something', () => {
    expect(senders.ask()).toEqual([0, 1, 2]);
    expect(senders.isSilent).toBe(false);
  });

  it('is of those that have news, and of one after the other besides', () => {
    const quiet = new QuietSenders(['a', 'b', 'c']);
    const asked: number[][] = [];
    for (const news of [['c'], [], [], []]) {
      quiet.heard(news);
      expect(quiet.isSilent).toBe(news.length === 0);
      asked.push(quiet.ask());
    }
    expect(asked).toEqual([[0, 2], [1], [2], [0]]);
    // What was heard counts once.
    expect(quiet.ask()).toEqual([0, 1, 2]);
  });

  it('is of all, where what was heard is not of now', () => {
    senders.heard([]);
    senders.forget();
    expect(senders.ask()).toEqual([0, 1, 2]);
  });
});
