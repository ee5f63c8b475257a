import { Rate } from '../../src/jobs/rate.js';

describe('the rate of a rebuild', () => {
  it('is not told before a second has been seen', () => {
    const rate = new Rate();
    expect(rate.perSecond).toBeNull();
    rate.note(0, 0);
    rate.note(999, 500);
    expect(rate.perSecond).toBeNull();
    expect(rate.remainingMs(100)).toBeNull();
    rate.note(1_000, 500);
    expect(rate.perSecond).toBe(500);
    expect(rate.remainingMs(1_000)).toBe(2_000);
  });

  it('is that of the last seconds, not of the whole', () => {
    const rate = new Rate();
    for (let second = 0; second <= 60; second++)
      rate.note(second * 1_000, second < 30 ? second * 10_000 : 300_000 + (second - 30) * 100);
    expect(rate.perSecond).toBe(100);
  });

  it('leaves open how long something takes that does not move', () => {
    const rate = new Rate();
    rate.note(0, 5);
    rate.note(2_000, 5);
    expect(rate.perSecond).toBe(0);
    expect(rate.remainingMs(1)).toBeNull();
    expect(rate.remainingMs(0)).toBe(0);
  });

  it('begins anew where what was done went down', () => {
    const rate = new Rate();
    rate.note(0, 1_000);
    rate.note(2_000, 0);
    rate.note(3_000, 10);
    expect(rate.perSecond).toBe(10);
  });
});
