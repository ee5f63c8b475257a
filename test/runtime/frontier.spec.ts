import fc from 'fast-check';
import {
  covers,
  decodeToken,
  encodeToken,
  maxFrontier,
  minFrontier,
  restrictTo,
  shortfalls,
} from '../../src/runtime/frontier.js';

describe('a position token', () => {
  it('reads as the positions of partitions, sorted', () => {
    expect(encodeToken({ 'flights:0': '1732184000000-3', airports: '17-0' })).toBe(
      'airports@17-0,flights:0@1732184000000-3',
    );
    expect(decodeToken('airports@17-0,flights:0@1732184000000-3')).toEqual({
      'flights:0': '1732184000000-3',
      airports: '17-0',
    });
    expect(decodeToken('')).toEqual({});
  });

  it('carries any Redis key in characters that a query and a header leave alone', () => {
    const positions = fc.tuple(fc.nat(), fc.nat()).map(([ms, sequence]) => `${ms}-${sequence}`);
    const keys = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('a,b@1-0', '~41', 'a%2Cb', '{slot}:x', 'ä/ö', ''),
    );
    fc.assert(
      fc.property(fc.dictionary(keys, positions), (frontier) => {
        const token = encodeToken(frontier);
        expect(token).toMatch(/^[A-Za-z0-9\-_.:/~@,]*$/);
        expect(new URLSearchParams(`atLeast=${token}`).get('atLeast')).toBe(token);
        expect(decodeToken(token)).toEqual(frontier);
      }),
    );
  });

  it.each([
    'flights',
    'flights@',
    'flights@1',
    'flights@x-0',
    'flights@1-0,',
    'fli ghts@1-0',
    'a@1-0,a@2-0',
    '~4@1-0',
    '~41@1-0',
    '~FF@1-0',
    'x'.repeat(70_000),
  ])('is refused when malformed: %#', (text) => {
    expect(() => decodeToken(text)).toThrow(expect.objectContaining({ code: 'malformed-token' }));
  });
});

describe('a frontier', () => {
  it('covers a token when no position of the token is later, by number and not by text', () => {
    expect(covers({ flights: '10-0', airports: '3-1' }, { flights: '9-5' })).toBe(true);
    expect(covers({ flights: '10-0' }, { flights: '10-0' })).toBe(true);
    expect(covers({ flights: '9-0' }, { flights: '10-0' })).toBe(false);
    expect(covers({}, { flights: '0-0' })).toBe(true);
    expect(shortfalls({ flights: '9-0' }, { flights: '9-0', airports: '1-0' })).toEqual([
      { redisKey: 'airports', has: '0-0', wants: '1-0' },
    ]);
  });

  it('does not owe positions in streams that are not read', () => {
    expect(restrictTo({ flights: '1-0', orders: '5-0' }, ['flights', 'airports'])).toEqual({
      flights: '1-0',
    });
  });

  it('is the earlier of what several contain, and the later of what several ask for', () => {
    expect(minFrontier({ a: '9-0', b: '1-0' }, { a: '10-0', c: '2-0' })).toEqual({
      a: '9-0',
      b: '1-0',
      c: '2-0',
    });
    expect(maxFrontier({ a: '9-0', b: '1-0' }, { a: '10-0', c: '2-0' })).toEqual({
      a: '10-0',
      b: '1-0',
      c: '2-0',
    });
  });
});
