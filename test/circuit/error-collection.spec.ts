import { CircuitBuilder } from '../../src/circuit/circuit-builder.js';
import { MemoryStates } from '../../src/testing/memory-states.js';

function collection() {
  const builder = new CircuitBuilder({ entriesMax: 1 });
  const store = new MemoryStates();
  const circuit = builder.build();
  const errors = builder.errorCollection;
  return {
    store,
    circuit,
    errors,
    tick(...added: [row: unknown, weight: number, reason: string][]): number {
      for (const [row, weight, reason] of added) errors.sink('1.where').add(row, weight, new Error(reason));
      store.step(circuit, new Map());
      store.commit(circuit);
      return errors.takeResult().errors;
    },
    get kept(): any[] {
      return [...(store.keyed.get('errors')?.values() ?? [])].map((text) => JSON.parse(text));
    },
  };
}

describe('errors', () => {
  it('are kept with their weight, operator, row and reason', () => {
    const errors = collection();
    expect(errors.tick([{ a: 1 }, 2, 'bad'])).toBe(2);
    expect(errors.kept).toEqual([{ weight: 2, operator: '1.where', row: '{"a":1}', reason: 'bad', seen: 1 }]);
  });

  it('go when their row is retracted, whatever the reason then says', () => {
    const errors = collection();
    errors.tick([{ a: 1 }, 1, 'bad']);
    expect(errors.tick([{ a: 1 }, -1, 'worse'])).toBe(-1);
    expect(errors.store.toString()).toBe(collection().store.toString());
  });

  it('that come and go within a tick leave nothing', () => {
    const errors = collection();
    expect(errors.tick([{ a: 1 }, -1, 'bad'], [{ a: 1 }, 1, 'bad'])).toBe(0);
    expect(errors.kept).toEqual([]);
  });

  it('say which is the newest', () => {
    const errors = collection();
    errors.tick(['x', 1, '1']);
    errors.tick(['y', 1, '2']);
    expect(errors.kept.map(({ row, seen }) => [row, seen])).toEqual([
      ['"x"', 1],
      ['"y"', 2],
    ]);
  });

  it('are cut where a row is long, and known by the whole row', () => {
    const errors = collection();
    errors.tick(['x'.repeat(5_000) + '1', 1, 'r'], ['x'.repeat(5_000) + '2', 1, 'r']);
    expect(errors.kept).toHaveLength(2);
    expect(errors.kept[0].row).toHaveLength(2_001);
  });

  it('beyond ten thousand are counted and not kept', () => {
    const errors = collection();
    expect(
      errors.tick(...Array.from({ length: 10_005 }, (_, n) => [n, 1, 'bad'] as [number, number, string])),
    ).toBe(10_005);
    expect(errors.kept).toHaveLength(10_000);
    expect(errors.tick([10_004, -1, 'bad'])).toBe(-1);
    expect(errors.kept).toHaveLength(10_000);
    expect(errors.tick([3, -1, 'bad'])).toBe(-1);
    expect(errors.kept).toHaveLength(9_999);
  });

  it('of a tick that was given up are forgotten', () => {
    const errors = collection();
    errors.errors.sink('entry').add('x', 1, 'bad');
    errors.circuit.discard();
    expect(errors.tick()).toBe(0);
    expect(errors.kept).toEqual([]);
  });
});
