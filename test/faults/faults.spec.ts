import { describeWithRedis } from '../support/redis-server.js';
import { breakEverything, type Place, PLACES } from './faults.js';

const seed = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000);
/** `npm run faults` does it for as long as you like. */
const MS = 9_000;

describeWithRedis(`workers, servers and connections broken at once, under load (FAULT_SEED=${seed})`, () => {
  it.each(Object.keys(PLACES) as Place[])(
    'on %s: nothing is lost, and nothing counts twice',
    async (on) => {
      const figures = await breakEverything({ on, ms: MS, seed });
      expect(figures).toMatchObject({ duplicates: 0, losses: 0, wrongRows: 0, workersEnded: 0 });
      expect(figures.eventsCounted).toBeGreaterThanOrEqual(figures.eventsSent);
      expect(figures.eventsSent).toBeGreaterThan(0);
      expect(Object.keys(figures.faults).length).toBeGreaterThan(5);
    },
    150_000,
  );
});
