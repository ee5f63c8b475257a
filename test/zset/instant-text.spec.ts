import { instantMs, instantText } from '../../src/zset/instant-text.js';

describe('the text of an instant', () => {
  const times = [
    0, 999, 1_000, 1_024_000, 1_024_999, 2_048_000, 1_436_918_400_123, 1_436_919_424_123, 253_402_300_799_999,
  ];

  it.each(times)('%i is that of the calendar, whatever was asked for before', (ms) => {
    for (const other of [0, ms, ms + 1_024_000, ms, 1]) {
      if (other > 253_402_300_799_999) continue;
      expect(instantText(other)).toBe(new Date(other).toISOString());
      expect(instantMs(instantText(other))).toBe(other);
    }
  });
});
