import { ImpureCall, pure } from '../../src/circuit/pure.js';
import { freezeRow, RowCalls } from '../../src/circuit/row-function.js';

describe('while a circuit steps', () => {
  const impure: [string, () => unknown][] = [
    ['Date.now()', () => Date.now()],
    ['new Date()', () => new Date()],
    ['Date()', () => Date()],
    ['Math.random()', () => Math.random()],
    ['performance.now()', () => performance.now()],
    ['crypto.randomUUID()', () => crypto.randomUUID()],
    ['crypto.getRandomValues()', () => crypto.getRandomValues(new Uint8Array(1))],
  ];

  for (const [name, call] of impure)
    it(`${name} throws an error that names it, and answers as ever afterwards`, () => {
      expect(() => pure(call)).toThrow(ImpureCall);
      expect(() => pure(call)).toThrow(name.replace(/\(.*/, ''));
      expect(call()).toBeDefined();
    });

  it('dates can still be read and calculated with', () => {
    const date = pure(() => new Date('2001-01-01T00:00:00Z'));
    expect(date instanceof Date).toBe(true);
    expect(
      pure(() => date instanceof Date && Date.parse('1970-01-01T00:00:01Z') + Date.UTC(1970, 0, 1, 0, 0, 1)),
    ).toBe(2000);
    expect(pure(() => new Date(5).getTime())).toBe(5);
  });

  it('the clock comes back although the step failed, or steps are nested', () => {
    const real = Date;
    expect(() =>
      pure(() =>
        pure(() => {
          throw new Error('no');
        }),
      ),
    ).toThrow('no');
    pure(() => {
      pure(() => 1);
      expect(() => Date.now()).toThrow(ImpureCall);
    });
    expect(Date).toBe(real);
    expect(Object.getOwnPropertyNames(performance)).not.toContain('now');
  });
});

describe('a function of a view', () => {
  const asIs = (given: unknown) => given;

  it('that gives two answers for one row is found out', () => {
    let calls = 0;
    expect(() => new RowCalls({ call: () => ++calls, check: asIs }).of({})).toThrow(
      'the same row gave 1 and then 2',
    );
  });

  it('is asked twice once in a thousand calls', () => {
    let calls = 0;
    const counted = new RowCalls({ call: () => (calls++, 'same'), check: asIs });
    for (let call = 0; call < 2_000; call++) counted.of({});
    expect(calls).toBe(2_002);
  });

  it('may give equal objects that are not the same', () => {
    expect(new RowCalls({ call: () => ({ a: [1] }), check: asIs }).of({})).toEqual({ a: [1] });
  });

  it('cannot give a promise', () => {
    expect(() => new RowCalls({ call: async () => 1, check: asIs }).of({})).toThrow('promise');
    expect(() =>
      new RowCalls({ call: () => Promise.reject(new Error('later')), check: asIs }).of({}),
    ).toThrow('promise');
  });

  it('gets rows that are frozen through and through', () => {
    const row = freezeRow({ list: [{ deep: { er: 1 } }], text: 'a', nothing: null });
    expect(Object.isFrozen(row.list[0]!.deep)).toBe(true);
    expect(Object.isFrozen(row)).toBe(true);
  });
});
