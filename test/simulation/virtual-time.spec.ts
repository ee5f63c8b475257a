import { VirtualTime } from '../../src/testing/simulation/virtual-time.js';

describe('virtual time', () => {
  const begun: Record<string, (run: () => void) => unknown> = {
    promise: (run) => Promise.resolve().then(run),
    timer: (run) => setTimeout(run),
    'callback of its own': (run) => process.nextTick(run),
  };

  it.each(Object.keys(begun))('passes only when nothing is left to do, begun in a %s', async (where) => {
    const time = new VirtualTime(0);
    const seen: number[] = [];
    const work = async (): Promise<void> => {
      for (let step = 0; step < 10; step++) await null;
      seen.push(time.now());
    };
    await new Promise<void>((over) =>
      begun[where]!(() => {
        void work();
        time.after(5, () => void work());
        void time.pass(100).then(() => over());
      }),
    );
    expect(seen).toEqual([0, 5]);
  });
});
