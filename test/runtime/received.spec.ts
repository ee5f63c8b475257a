import { EntriesAsked } from '../../src/runtime/received.js';

const answersOf = (bytes: number) => [
  { record: null, entries: [['1-0', ['c', 'x'.repeat(bytes)]]] as [string, string[]][] },
];

describe('how many entries are asked for', () => {
  it.each([
    ['twice as many as before', 1, 100, [20, 40, 80]],
    ['no more than fit into half a read, of all senders together', 10, 5_000, [10, 10]],
    ['one where no more fit', 1_000, 10_000, [1, 1]],
    ['few of each of many senders', 1_000, 1, [8, 8]],
  ])('%s', (_, senders, bytes, expected) => {
    const asked = new EntriesAsked(1_000_000, senders);
    for (const most of expected) {
      asked.saw(answersOf(bytes) as never);
      expect(asked.max).toBe(most);
    }
  });

  it('no more than may be', () => {
    const asked = new EntriesAsked(1_000_000, 1, 4);
    expect(asked.max).toBe(4);
    asked.saw(answersOf(1) as never);
    expect(asked.max).toBe(4);
  });
});
