import { TickSize } from '../../src/runtime/tick-size.js';

describe('the size of a tick', () => {
  test('follows what an entry writes', () => {
    const size = new TickSize(1_000, 0);
    size.saw(500, 1_000);
    expect(size.next(0, 5_000)).toBe(500);
    for (let index = 0; index < 30; index++) size.saw(1_000, 100);
    expect(size.next(0, 5_000)).toBe(5_000);
  });

  test('a run is cut into equal parts', () => {
    const size = new TickSize(1_000, 0);
    size.saw(1_000, 1_000);
    expect(size.next(0, 1_100)).toBe(550);
    expect(size.next(550, 1_100)).toBe(1_100);
  });

  test('where owners keep dying it shrinks to one entry', () => {
    expect(new TickSize(1_000, 3).next(0, 5_000)).toBe(64);
    expect(new TickSize(1_000, 4).next(0, 5_000)).toBe(8);
    expect(new TickSize(1_000, 5).next(0, 5_000)).toBe(1);
    expect(new TickSize(1_000, 20).next(0, 5_000)).toBe(1);
  });
});
