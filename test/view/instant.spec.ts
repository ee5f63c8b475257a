import { instant } from 'stillwater';
import { z } from 'zod';

const read = (value: unknown) => {
  const result = instant().safeParse(value);
  return result.success ? result.data : null;
};

describe('an instant', () => {
  it.each([
    ['2001-01-01T05:00:00.000Z', '2001-01-01T05:00:00.000Z'],
    ['2001-01-01T05:00Z', '2001-01-01T05:00:00.000Z'],
    ['2001-01-01 05:00:00.5z', '2001-01-01T05:00:00.500Z'],
    ['2001-01-01T00:00:00-05:00', '2001-01-01T05:00:00.000Z'],
    ['2001-01-01T00:30:00.123456+0530', '2000-12-31T19:00:00.123Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
    [978325200000, '2001-01-01T05:00:00.000Z'],
    [-1, '1969-12-31T23:59:59.999Z'],
    [new Date(978325200000), '2001-01-01T05:00:00.000Z'],
  ])('reads %s as UTC text of one width', (given, instant) => {
    expect(read(given)).toBe(instant);
  });

  it.each([
    '2001-01-01',
    '2001-01-01T05:00:00',
    '2001-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2001-04-31T00:00:00Z',
    '2001-13-01T00:00:00Z',
    '2001-01-01T24:00:00Z',
    '2001-01-01T00:00:60Z',
    '2001-01-01T00:00:00+25:00',
    '0000-01-01T00:00:00+01:00',
    '978325200000',
    'now',
    1.5,
    NaN,
    Infinity,
    1e15,
    null,
    true,
    {},
    new Date(NaN),
  ])('refuses %p', (given) => {
    expect(read(given)).toBeNull();
  });

  it('orders in time as texts do', () => {
    const times = [978325200000, 0, -5, 253402300799999, -62167219200000];
    const texts = times.map((time) => read(time)!);
    expect([...texts].sort()).toEqual([...times].sort((a, b) => a - b).map((time) => read(time)));
  });

  it('says in JSON Schema that it is a date-time', () => {
    expect(z.toJSONSchema(instant())).toMatchObject({ type: 'string', format: 'date-time' });
  });
});
