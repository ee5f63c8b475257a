import { indexOrderText } from '../../src/view/index-order.js';
import { compareText } from '../../src/zset/text-order.js';
import { compareValues, type Value } from '../../src/zset/value.js';

describe('indexOrderText', () => {
  const values: Value[] = [
    null,
    true,
    false,
    -1,
    0,
    1.5,
    1e300,
    'a',
    'ab',
    'a\0',
    'é',
    '\u{10000}',
    '\uffff',
    '',
  ];

  it.each([false, true])(
    'orders rows as their columns’ values, the second column deciding ties (descending: %s)',
    (descending) => {
      const text = indexOrderText({
        columns: [
          { path: 'x', descending },
          { path: 'y.z', descending: !descending },
        ],
      });
      const rows = values.flatMap((x) => [1, 2].map((z) => ({ x, y: { z } })));
      const sorted = [...rows].sort((left, right) => compareText(text(left), text(right)));
      const sign = descending ? -1 : 1;
      const expected = [...rows].sort(
        (left, right) => sign * (compareValues(left.x, right.x) || right.y.z - left.y.z),
      );
      expect(sorted).toEqual(expected);
    },
  );
});
