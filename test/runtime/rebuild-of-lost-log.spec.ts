import { z } from 'zod';
import { count, instant, stream, tumbling, view } from '../../src/index.js';
import { NOTHING, rollBackStream } from '../../src/testing/simulation/rollback.js';
import { SimulatedRun } from '../support/simulated-run.js';

const flights = stream('flights', {
  schema: z.object({ at: instant(), origin: z.string() }),
  eventTime: 'at',
  lateness: '1s',
});
const perMinute = view('per-minute', {
  from: flights.window(tumbling('1m')).groupBy('origin').aggregate({ departures: count() }).final(),
});

describe('a rebuild of a view whose log was lost', () => {
  it('ends, though what is left of the log never comes as far in time', async () => {
    const run = new SimulatedRun([perMinute]);
    const worker = run.start();
    run.append(
      flights,
      { at: '2001-01-01T00:00:10.000Z', origin: 'ORD' },
      { at: '2001-01-01T00:05:00.000Z', origin: 'ORD' },
    );
    await run.settled('per-minute');
    expect(run.rows('per-minute')).toHaveLength(1);
    rollBackStream(run.redis, NOTHING, 'flights');
    await run.pass(10_000);
    expect(run.parked('per-minute').map(({ code }) => code)).toEqual(['ahead-of-its-log']);
    const { rebuilder } = worker.parts;
    let state = '';
    void (async () => {
      await rebuilder.begin('again', ['per-minute'], 'building', false);
      while ((state = (await rebuilder.advance('again')).state) !== 'promoted')
        await worker.process.clock.sleep(200);
    })();
    await run.pass(10_000);
    expect(state).toBe('promoted');
    expect(run.rows('per-minute')).toEqual([]);
    run.end();
  });
});
