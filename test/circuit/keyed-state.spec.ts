import { KeyedState } from '../../src/circuit/keyed-state.js';
import type { CacheBudget } from '../../src/circuit/two-generations.js';
import { Random } from '../support/random.js';

/** Values that are changed in place, as those of operators are. */
interface Counter {
  count: number;
}

const codec = {
  encode: ({ count }: Counter) => String(count),
  decode: (text: string): Counter => ({ count: Number(text) }),
};

/** A state over a store that its commits go to, some of which the store refuses. */
class Stored {
  readonly state: KeyedState<Counter>;
  readonly store = new Map<string, string>();
  #sealed: ReadonlyMap<string, string | null> | null = null;
  fetched = 0;

  constructor(budget: CacheBudget, begun: boolean) {
    this.state = new KeyedState('s', codec, budget);
    if (begun) this.state.beginEmpty();
  }

  get(key: string): number | undefined {
    this.#load([key]);
    return this.state.get(key)?.count;
  }

  change(keys: readonly string[], by: (key: string) => number | null): void {
    this.#load(keys);
    for (const key of keys) {
      const change = by(key);
      const value = this.state.edit(key);
      if (change === null) {
        if (value !== undefined) this.state.delete(key);
      } else if (value === undefined) this.state.set(key, { count: change });
      else value.count += change;
    }
  }

  seal(): void {
    const writes = new Map(this.state.writes());
    this.state.seal();
    this.#sealed = writes;
  }

  answer(): void {
    if (this.#sealed === null) return;
    for (const [key, text] of this.#sealed)
      if (text === null) this.store.delete(key);
      else this.store.set(key, text);
    this.#sealed = null;
    this.state.acknowledge();
  }

  refuse(): void {
    this.#sealed = null;
    this.state.drop();
  }

  #load(keys: readonly string[]): void {
    const loaded = this.state.wantEach(keys);
    const missing = this.state.takeMissing();
    expect(loaded).toBe(missing.length === 0);
    for (const key of missing) {
      this.fetched++;
      this.state.load(key, this.store.get(key));
    }
  }
}

const KEYS = Array.from({ length: 120 }, (_, index) => `key ${index}`);

const budgets: Record<string, CacheBudget> = {
  'all objects': { entriesMax: 10_000 },
  'some objects, the others packed': { entriesMax: 10_000, objectsMax: 20 },
  'few objects, some packed, the others forgotten': { entriesMax: 80, objectsMax: 6 },
  'a cache that forgets at once': { entriesMax: 1, objectsMax: 1 },
};

describe.each(Object.keys(budgets))('a keyed state with %s', (kind) => {
  test.each([
    [1, true],
    [2, true],
    [3, false],
    [4, false],
  ])(
    'holds what was committed, through ticks that are given up and commits that are refused (seed %p, begun with nothing: %p)',
    (seed, begun) => {
      const random = new Random(seed);
      const stored = new Stored(budgets[kind]!, begun);
      let committed = new Map<string, number>();
      let pending: Map<string, number> | null = null;
      for (let tick = 0; tick < 150; tick++) {
        const before: Map<string, number> = pending ?? committed;
        const after = new Map(before);
        const keys = KEYS.filter(() => random.chance(0.08));
        const changes = new Map(keys.map((key) => [key, random.chance(0.2) ? null : random.below(5)]));
        for (const [key, change] of changes)
          if (change === null) after.delete(key);
          else after.set(key, (after.get(key) ?? 0) + change);
        stored.change(keys, (key) => changes.get(key)!);
        for (const key of keys) expect(stored.get(key)).toBe(after.get(key));
        const turn = random.next();
        if (turn < 0.2) stored.state.discard();
        else {
          stored.answer();
          if (pending !== null) committed = pending;
          stored.seal();
          pending = after;
          if (turn < 0.3) {
            stored.refuse();
            pending = null;
          }
        }
        for (const key of KEYS.filter(() => random.chance(0.05)))
          expect(stored.get(key)).toBe((pending ?? committed).get(key));
      }
    },
  );
});

describe('a keyed state with more values than may be objects', () => {
  test('reads none of them from its store as long as they are not more than it may hold', () => {
    const stored = new Stored({ entriesMax: 10_000, objectsMax: 10 }, true);
    for (let round = 1; round <= 3; round++)
      for (const key of KEYS) {
        stored.change([key], () => 1);
        stored.seal();
        stored.answer();
        expect(stored.get(key)).toBe(round);
      }
    expect(stored.fetched).toBe(0);
    expect(stored.state.cached).toBe(KEYS.length);
  });

  test('holds fewer of them where they are long', () => {
    const long = { encode: (value: string) => value, decode: (text: string) => text };
    const state = new KeyedState('s', long, { entriesMax: 1_000, objectsMax: 4 });
    state.beginEmpty();
    for (let key = 0; key < 200; key++) {
      state.set(`key ${key}`, 'x'.repeat(100_000));
      state.seal();
      state.acknowledge();
    }
    // As objects they were forgotten, and of what is packed the older half too: 20 MB would be twenty times the budget.
    expect([state.want('key 199'), state.want('key 0')]).toEqual([true, false]);
  });

  test('keeps no objects while few of them are found again, and keeps them once they would be', () => {
    let decoded = 0;
    const counting = { ...codec, decode: (text: string) => (decoded++, codec.decode(text)) };
    const state = new KeyedState('s', counting, { entriesMax: 10_000, objectsMax: 20 });
    const decodedFor = (keys: readonly string[]): number => {
      const before = decoded;
      for (const key of keys) {
        state.get(key);
        state.settle();
      }
      return decoded - before;
    };
    for (const key of KEYS) {
      state.load(key, '1');
      state.settle();
    }
    for (let round = 0; round < 3; round++) decodedFor(KEYS);
    const hot = Array.from({ length: 100 }, () => KEYS[0]!);
    expect(decodedFor(hot)).toBe(hot.length);
    for (let round = 0; round < 4; round++) decodedFor(hot);
    expect(decodedFor(hot)).toBeLessThanOrEqual(1);
    expect(decodedFor(KEYS)).toBeGreaterThan(KEYS.length / 2);
  });

  test('takes back what a tick that is given up has changed, where the tick before it is not answered', () => {
    const { state } = new Stored({ entriesMax: 10_000 }, true);
    state.set('a', { count: 1 });
    state.seal();
    state.edit('a')!.count = 2;
    state.discard();
    state.acknowledge();
    expect(state.get('a')).toEqual({ count: 1 });
  });

  test('asks for each of many keys that it does not hold', () => {
    const { state } = new Stored({ entriesMax: 10_000, objectsMax: 10 }, false);
    const keys = Array.from({ length: 1_000 }, (_, index) => `key ${index}`);
    for (const key of keys.filter((_, index) => index % 3 === 0)) state.load(key, '1');
    state.settle();
    expect(state.wantEach(keys)).toBe(false);
    expect(state.takeMissing()).toEqual(keys.filter((_, index) => index % 3 !== 0));
    for (const key of keys) state.load(key, '2');
    expect(state.wantEach(keys)).toBe(true);
    expect(keys.slice(0, 4).map((key) => state.get(key)!.count)).toEqual([2, 2, 2, 2]);
  });
});
