import { type Change, SideChanges } from '../../src/circuit/pair-work.js';
import { Delta } from '../../src/zset/delta.js';

describe('what a tick changes on one side of a join', () => {
  const changesOf = (entries: [row: any, weight: number][]): SideChanges =>
    new SideChanges(Delta.of(...entries), {
      keyOf: (row: any) => row.k,
      textOf: (row) => JSON.stringify(row),
    });
  const nets = (changes: readonly Change[] | undefined): [number, number][] =>
    (changes ?? []).map(({ row, weight }) => [(row as any).v, weight]);

  it.each([3, 30])('is one change for each row of a key, of %i rows that come three times', (rows) => {
    const all = Array.from({ length: rows }, (_, v): [any, number] => [{ k: 'a', v }, 1]);
    const { byKey } = changesOf([...all, ...all, ...all]);
    expect(nets(byKey.get('a'))).toEqual(all.map(([{ v }]) => [v, 3]));
  });

  it.each([3, 30])('leaves out what cancels, of %i rows of which all but one go again', (rows) => {
    const all = Array.from({ length: rows }, (_, v): [any, number] => [{ k: 'a', v }, 1]);
    const gone = all.slice(1).map(([row]): [any, number] => [row, -1]);
    const other: [any, number][] = [
      [{ k: 'b', v: 0 }, 1],
      [{ k: 'b', v: 0 }, -1],
    ];
    const { byKey } = changesOf([...all, ...other, ...gone]);
    expect([...byKey.keys()]).toEqual(['a']);
    expect(nets(byKey.get('a'))).toEqual([[0, 1]]);
  });

  it('keeps rows without a key apart', () => {
    const { byKey, withoutKey } = changesOf([
      [{ k: null, v: 1 }, 1],
      [{ k: 'a', v: 2 }, 1],
    ]);
    expect(withoutKey).toEqual([{ row: { k: null, v: 1 }, weight: 1 }]);
    expect([...byKey.keys()]).toEqual(['a']);
  });
});
