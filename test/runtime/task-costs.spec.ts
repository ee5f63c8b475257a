import { TaskCosts } from '../../src/runtime/task-costs.js';
import { TimeSpent } from '../../src/runtime/time-spent.js';
import { HandClock } from '../support/hand-clock.js';

describe('what tasks cost', () => {
  let clock: HandClock;
  let costs: TaskCosts;
  let spent: Record<string, number>;
  beforeEach(() => {
    clock = new HandClock();
    costs = new TaskCosts(clock, 10_000);
    spent = {};
  });

  /** Time passes, of which each task works so many milliseconds in a second. */
  const pass = (seconds: number, share: Readonly<Record<string, number>>): void => {
    for (let second = 0; second < seconds; second++) {
      clock.ms += 1_000;
      for (const [name, ms] of Object.entries(share)) spent[name] = (spent[name] ?? 0) + ms;
      costs.measure(Object.entries(spent));
    }
  };

  it('is the part of a second for which they work', () => {
    costs.measure([
      ['a', 0],
      ['b', 0],
    ]);
    pass(2, { a: 300, b: 20 });
    expect(costs.told).toEqual({ a: 300, b: 20 });
  });

  it('follows a load that lasts, and not a burst', () => {
    spent = { a: 0, b: 0 };
    costs.measure(Object.entries(spent));
    pass(30, { a: 100, b: 100 });
    pass(1, { a: 900, b: 100 });
    expect(costs.told.a).toBeLessThan(200);
    pass(60, { a: 500, b: 100 });
    expect(costs.told.a).toBeGreaterThanOrEqual(400);
    expect(costs.told.b).toBe(100);
    pass(120, { a: 0, b: 0 });
    expect(Object.values(costs.told).every((cost) => cost <= 5)).toBe(true);
  });

  it('is told anew only where it is another', () => {
    spent = { a: 0 };
    costs.measure(Object.entries(spent));
    pass(1, { a: 200 });
    const told = new Set<number>();
    for (let second = 0; second < 100; second++) {
      pass(1, { a: second % 2 === 0 ? 160 : 240 });
      told.add(costs.told.a!);
    }
    expect([...told]).toEqual([200]);
  });

  it('is not told of tasks that do next to nothing, nor of such that are gone', () => {
    spent = { a: 0, idle: 0 };
    costs.measure(Object.entries(spent));
    pass(5, { a: 100, idle: 2 });
    expect(costs.told).toEqual({ a: 100 });
    costs.measure([]);
    expect(costs.told).toEqual({});
  });

  it('begins anew with a task that was let go and taken again', () => {
    spent = { a: 0 };
    costs.measure(Object.entries(spent));
    pass(5, { a: 100 });
    spent.a = 0;
    costs.measure(Object.entries(spent));
    expect(costs.told).toEqual({});
    pass(1, { a: 30 });
    expect(costs.told).toEqual({ a: 30 });
  });

  it('is told of the dearest, where they are many', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `t${index}`);
    costs.measure(many.map((name) => [name, 0]));
    clock.ms += 1_000;
    costs.measure(many.map((name, index) => [name, index]));
    expect(Object.keys(costs.told)).toHaveLength(300);
    expect(costs.told.t999).toBe(999);
    expect(costs.told.t600).toBeUndefined();
  });

  it('counts what works, not what waits, also where it throws', async () => {
    const work = new TimeSpent(clock);
    const answer = work.on(async () => {
      clock.ms += 5;
      await null;
      clock.ms += 1_000;
      return 'done';
    });
    await answer;
    expect(() =>
      work.on(() => {
        clock.ms += 2;
        throw new Error('broken');
      }),
    ).toThrow('broken');
    expect(work.ms).toBe(7);
  });
});
