import { TickSize } from '../../src/runtime/tick-size.js';

describe('the size of a tick', () => {
  test('follows what an entry writes', () => {
    const size = new TickSize(1_000);
    size.saw(500, 1_000);
    expect(size.next(0, 5_000)).toBe(500);
    for (let index = 0; index < 30; index++) size.saw(1_000, 100);
    expect(size.next(0, 5_000)).toBe(5_000);
  });

  test('a run is cut into equal parts', () => {
    const size = new TickSize(1_000);
    size.saw(1_000, 1_000);
    expect(size.next(0, 1_600)).toBe(800);
    expect(size.next(800, 1_600)).toBe(1_600);
    // A little more than planned is taken at once.
    expect(size.next(0, 1_300)).toBe(1_300);
  });
});
