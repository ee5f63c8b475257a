import { PositionOrders } from '../../src/runtime/position.js';

describe('the order text of a place in the log', () => {
  it('has one width, and the order of places', () => {
    const orders = new PositionOrders();
    const places: [string, number][] = [
      ['9-0', 0],
      ['9-7', 0],
      ['9-7', 1],
      ['9-42', 0],
      ['9-999', 0],
      ['9-1000', 0],
      ['9-1000', 12],
      ['90-1', 0],
      ['91-0', 0],
      ['1700000000000-0', 0],
      ['1700000000000-123456', 3],
    ];
    const texts = places.map(([position, index]) => orders.of(position, index));
    expect(texts[3]).toBe('00000000000009-000000000042.000000');
    expect(new Set(texts.map((text) => text.length)).size).toBe(1);
    expect([...texts].sort()).toEqual(texts);
  });
});
