import { leastClocks, raised } from '../../src/runtime/clocks.js';

describe('clocks of source partitions', () => {
  const clocks = { 'stream:a': { 'a:0': 5, 'a:1': null }, 'view:v': { 'a:0': null, b: 7 } };

  it('only rise, and stay the same object where none does', () => {
    expect(raised(clocks, 'stream:a', { 'a:0': 6, 'a:1': 2 })['stream:a']).toEqual({ 'a:0': 6, 'a:1': 2 });
    expect(raised(clocks, 'stream:a', { 'a:0': 5, 'a:1': null })).toBe(clocks);
    expect(raised(clocks, 'stream:a', { 'a:0': -Infinity, 'a:1': -Infinity })).toBe(clocks);
    expect(raised(clocks, 'stream:a', undefined)).toBe(clocks);
  });

  it('are of no interest where they were not asked for', () => {
    expect(raised(clocks, 'stream:a', { 'a:2': 9 })).toBe(clocks);
    expect(raised(clocks, 'stream:other', { other: 9 })).toBe(clocks);
  });

  it('of a partition that comes in two ways are the least, and none while one has not told', () => {
    expect(leastClocks(clocks)).toEqual({ 'a:0': null, 'a:1': null, b: 7 });
    expect(leastClocks(raised(clocks, 'view:v', { 'a:0': 3 }))).toMatchObject({ 'a:0': 3 });
  });
});
