import { CircuitBuilder } from '../../src/circuit/circuit-builder.js';
import { DUE_MAX, DueTimes } from '../../src/circuit/due-times.js';
import type { Ordered } from '../../src/circuit/operator.js';
import { NO_TIME, type Time } from '../../src/circuit/time.js';
import { MemoryStates } from '../../src/testing/memory-states.js';
import { Delta } from '../../src/zset/delta.js';
import { at } from '../support/timed.js';

const DUE = 5_000;
const NOW: Time = new Map([['stream:in', { clock: 0, watermark: 0 }]]);
const groupIn = (key: string): string => key.split(' ')[0]!;

/** Keys of so many groups, one due every second, and what each tick takes of them until `bound`. */
function taken(groups: number, bound: number): { perTick: string[][]; read: number } {
  const store = new MemoryStates();
  let read = 0;
  const counting = (state: Ordered): Ordered =>
    new Proxy(state, {
      get: (of, name) => {
        const value = Reflect.get(of, name);
        if (name === 'end')
          return (group: string, end: 'least', count: number) => {
            read = Math.max(read, count);
            return of.end(group, end, count);
          };
        return typeof value === 'function' ? value.bind(of) : value;
      },
    });
  const compiled = () => {
    const builder = new CircuitBuilder({ entriesMax: 100_000 });
    const source = builder.source('in');
    const perTick: string[][] = [];
    const due = new DueTimes(counting(builder.ordered('due')), groupIn);
    const operator = {
      timed: true,
      unfinished: false,
      reads: () => void due.wantDue(at(bound * 1_000)),
      step([rows]: readonly [Delta<any>]) {
        for (const { second, key } of rows.rows) due.addTo(0, at(second * 1_000), key, 1);
        const { due: found, more } = due.due(at(bound * 1_000));
        this.unfinished = more;
        if (rows.size > 0) return new Delta<any>();
        perTick.push(found.map(({ key }) => key));
        for (const one of found) due.add(one.at, one.key, -1);
        return new Delta<any>();
      },
      discard: () => {},
    };
    builder.vertex('operator', operator as never, [source]);
    return { circuit: builder.build(), perTick };
  };
  const rows = Array.from({ length: DUE }, (_, second) => ({ second, key: `${second % groups} ${second}` }));
  const first = compiled();
  store.step(first.circuit, new Map([['in', Delta.of(...rows.map((row) => [row, 1] as const))]]));
  store.commit(first.circuit);
  const { circuit, perTick } = compiled();
  read = 0;
  do {
    store.step(circuit, new Map(), NOW, NO_TIME);
    store.commit(circuit);
  } while (circuit.unfinished);
  return { perTick, read };
}

describe('what is due', () => {
  it('is taken about as much in a tick of one group as of many', () => {
    for (const groups of [1, 3, 1_000]) {
      const { perTick } = taken(groups, DUE);
      expect(perTick.flat()).toHaveLength(DUE);
      expect(new Set(perTick.flat()).size).toBe(DUE);
      expect(perTick.length).toBeLessThanOrEqual(DUE / DUE_MAX + 3);
      for (const keys of perTick) expect(keys.length).toBeLessThan(1.1 * DUE_MAX);
    }
  });

  it('comes in the order of time within a group', () => {
    const { perTick } = taken(3, DUE);
    for (const group of ['0', '1', '2']) {
      const seconds = perTick
        .flat()
        .flatMap((key) => (groupIn(key) === group ? [Number(key.split(' ')[1])] : []));
      expect(seconds).toEqual([...seconds].sort((l, r) => l - r));
    }
  });

  it('does not make a tick read what is not, where little is', () => {
    const { perTick, read } = taken(1, 20);
    expect(perTick).toEqual([Array.from({ length: 20 }, (_, second) => `0 ${second}`)]);
    expect(read).toBeLessThan(50);
  });
});
