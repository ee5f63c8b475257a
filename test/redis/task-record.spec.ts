import { decodeExtra, encodeExtra } from '../../src/redis/task-record.js';

const PARTITIONS = 64;
/** What a task notes of its senders: of each, how far time is in each partition. Each has seen a little more of some. */
const heard = Array.from({ length: PARTITIONS }, (_, sender) => ({
  tick: 1_000 + sender,
  commit: `5c1a9b1e-0000-4000-8000-${String(sender * 7_919).padStart(12, '0')}`,
  clocks: Object.fromEntries(
    Array.from({ length: PARTITIONS }, (_, log) => [
      `sales:${log}`,
      1_893_456_000_000 + log * 997 + ((sender * 31 + log * 17) % 3) * 250,
    ]),
  ),
}));

describe('what a task keeps beside its positions', () => {
  it('is stored as JSON while it is short', () => {
    expect(encodeExtra({ exchange: heard.slice(0, 1) })).toBe(
      JSON.stringify({ exchange: heard.slice(0, 1) }),
    );
  });

  it('is stored packed where it is long, and comes back as it was', () => {
    const extra = { exchange: heard, 'ström:ä': '€'.repeat(5_000), none: null };
    const stored = encodeExtra(extra);
    expect(decodeExtra(stored)).toEqual(extra);
    expect(stored.length).toBeLessThan(JSON.stringify(extra).length / 5);
  });

  it('is read as JSON however long it is', () => {
    expect(decodeExtra(JSON.stringify({ exchange: heard }))).toEqual({ exchange: heard });
  });
});
