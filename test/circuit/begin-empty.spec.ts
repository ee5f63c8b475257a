import { KeyedState } from '../../src/circuit/keyed-state.js';
import { OrderedState } from '../../src/circuit/ordered-state.js';

const text = { encode: (value: string) => value, decode: (stored: string) => stored };

const committed = (state: KeyedState<string> | OrderedState): void => {
  state.seal();
  state.acknowledge();
};

describe('a keyed state that began while nothing was stored', () => {
  const begun = (entriesMax = 1_000): KeyedState<string> => {
    const state = new KeyedState('s', text, { entriesMax });
    state.beginEmpty();
    return state;
  };

  test('knows without asking which keys hold nothing, and what it has stored', () => {
    const state = begun();
    expect([state.want('a'), state.get('a')]).toEqual([true, undefined]);
    state.set('a', '1');
    committed(state);
    expect([state.want('a'), state.get('a'), state.get('b')]).toEqual([true, '1', undefined]);
    state.edit('a');
    state.delete('a');
    committed(state);
    expect([state.want('a'), state.get('a')]).toEqual([true, undefined]);
    expect(state.takeMissing()).toEqual([]);
  });

  test('asks for what a tick changed that was given up, and for nothing else', () => {
    const state = begun();
    state.set('a', '1');
    state.set('b', '1');
    committed(state);
    state.edit('a');
    state.set('a', '2');
    state.set('c', '2');
    state.discard();
    expect([state.want('a'), state.want('b'), state.want('c')]).toEqual([false, true, true]);
    expect(state.get('c')).toBe(undefined);
    expect(state.takeMissing()).toEqual(['a']);
    state.load('a', '1');
    expect([state.want('a'), state.get('a')]).toEqual([true, '1']);
  });

  test('asks for every key it does not hold once its cache has forgotten any', () => {
    const state = begun(10);
    for (let key = 0; key < 40; key++) {
      state.set(`k${key}`, '1');
      committed(state);
    }
    expect([state.want('k0'), state.want('never stored')]).toEqual([false, false]);
  });

  test('knows nothing of the store any more when everything was dropped', () => {
    const state = begun();
    state.drop();
    expect(state.want('a')).toBe(false);
  });
});

describe('an ordered state that began while nothing was stored', () => {
  const begun = (entriesMax = 100_000): OrderedState => {
    const state = new OrderedState('s', { entriesMax });
    state.beginEmpty();
    return state;
  };

  test('knows whole groups without asking, whatever is added and taken away', () => {
    const state = begun();
    state.wantMember('g', 'a');
    state.add('g', 'a', 2);
    state.add('g', 'b', 1);
    committed(state);
    state.add('g', 'a', -2);
    committed(state);
    expect([state.wantAll('g'), state.wantEnd('h', 'least', 3, 2)]).toEqual([true, true]);
    expect([[...state.all('g')], state.end('h', 'least', 3)]).toEqual([[['b', 1]], []]);
    expect(state.takeMissing()).toEqual([]);
  });

  test('a tick that is given up leaves what it knew before', () => {
    const state = begun();
    state.add('g', 'a', 1);
    committed(state);
    state.add('g', 'a', -1);
    state.add('g', 'b', 1);
    state.add('h', 'c', 1);
    state.discard();
    expect([state.wantAll('g'), state.wantAll('h')]).toEqual([true, true]);
    expect([[...state.all('g')], [...state.all('h')]]).toEqual([[['a', 1]], []]);
  });

  test('asks for a group that grew too great to be remembered, and for no other', () => {
    const state = begun();
    for (let member = 0; member < 10_001; member++) state.add('great', `m${member}`, 1);
    state.add('small', 'a', 1);
    committed(state);
    expect([state.wantAll('great'), state.wantAll('small'), state.wantAll('none')]).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('asks for every group it does not hold once its cache has forgotten any', () => {
    const state = begun(10);
    for (let group = 0; group < 40; group++) {
      state.addTo(0, `g${group}`, 'a', 1);
      committed(state);
    }
    expect([state.wantAll('g0'), state.wantAll('none')]).toEqual([false, false]);
  });

  test('knows nothing of the store any more when everything was dropped', () => {
    const state = begun();
    state.drop();
    expect(state.wantAll('g')).toBe(false);
  });
});
