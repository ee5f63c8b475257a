import { ExchangeOutput, readSent } from '../../src/circuit/exchange-output.js';
import { Delta } from '../../src/zset/delta.js';

const rows = (...entries: readonly (readonly [string, number, number?])[]): Delta => {
  const delta = new Delta<any>([], [], undefined, []);
  for (const [id, weight, late] of entries) delta.push({ id }, weight, undefined, late);
  return delta;
};
const output = (): ExchangeOutput =>
  new ExchangeOutput([
    { partitionOf: ({ id }) => String(id).length, textOf: (row) => JSON.stringify(row) },
    { partitionOf: () => 1, textOf: (row) => JSON.stringify(row) },
  ]);
const read = (text: string): [string, number, number][] => {
  const delta = new Delta<any>([], [], undefined, []);
  readSent(text, delta);
  return delta.rows.map(({ id }, index) => [id, delta.weights[index]!, delta.lates![index]!]);
};

describe('what a tick sends', () => {
  it('lies with its receiver and its exchange', () => {
    const sends = output();
    sends.step([rows(['a', 1], ['bb', 1]), rows(['c', -1])]);
    const sent = sends.takeResult();
    expect([...sent.keys()].sort()).toEqual([1, 2]);
    expect(sent.get(1)!.map(read)).toEqual([[['a', 1, -Infinity]], [['c', -1, -Infinity]]]);
    expect(sent.get(2)!.map(read)).toEqual([[['bb', 1, -Infinity]], []]);
    expect(sends.takeResult().size).toBe(0);
  });

  it('is the sum of weights, and nothing where they add up to none', () => {
    const sends = output();
    sends.step([rows(['a', 1], ['b', 2], ['a', 3], ['b', -2], ['cc', 1], ['cc', -1]), rows()]);
    expect(sends.changed).toBe(1);
    const sent = sends.takeResult();
    expect([...sent].map(([receiver, texts]) => [receiver, texts.map(read)])).toEqual([
      [1, [[['a', 4, -Infinity]], []]],
    ]);
  });

  it('says of late rows that they are, and adds them to no others', () => {
    const sends = output();
    sends.step([rows(['a', 1], ['a', 1, 5], ['a', 1, 5], ['a', 1, 7]), rows()]);
    expect(read(sends.takeResult().get(1)![0]!)).toEqual([
      ['a', 1, -Infinity],
      ['a', 2, 5],
      ['a', 1, 7],
    ]);
  });

  it('is nothing where the tick was given up', () => {
    const sends = output();
    sends.step([rows(['a', 1]), rows()]);
    sends.discard();
    expect(sends.takeResult().size).toBe(0);
    expect(sends.changed).toBe(0);
  });
});
