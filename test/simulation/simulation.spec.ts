import { mutations } from '../../src/testing/simulation/mutations.js';
import { archivedSubject, movedOnly, movedSubject } from '../../src/testing/simulation/subjects.js';
import { Simulation } from '../../src/testing/simulation/simulation.js';

/** Soaks are longer: `npm run simulate`. */
const SEEDS = 100;
const SEEDS_OF_EXCHANGES = 40;
const SEEDS_OF_SLOTS = 20;
const SEEDS_OF_ARCHIVES = 20;
const SEEDS_FOR_A_MUTATION = 300;

describe('views kept by several processes through crashes, pauses, lost calls and rollbacks', () => {
  it(
    'show in the end what the log says, whatever happened, and break no rule on the way',
    async () => {
      const failures: string[] = [];
      for (let seed = 1; seed <= SEEDS && failures.length < 3; seed++) {
        const { subject, failure } = await new Simulation(seed).run();
        if (failure) failures.push(`npm run simulate -- --from ${seed} --seeds 1\n${subject}: ${failure}`);
      }
      expect(failures).toEqual([]);
    },
    10 * 60_000,
  );

  it(
    'do so where rows move between partitions and slots go back one at a time',
    async () => {
      const failures: string[] = [];
      for (let seed = 1; seed <= SEEDS_OF_EXCHANGES && failures.length < 3; seed++) {
        const { failure } = await new Simulation(seed, { subject: movedSubject }).run();
        if (failure) failures.push(`${seed}: ${failure}`);
      }
      expect(failures).toEqual([]);
    },
    10 * 60_000,
  );

  it(
    'are not rebuilt where a task of the first stage alone goes back: it makes again what it lost',
    async () => {
      const failures: string[] = [];
      let rollbacks = 0;
      for (let seed = 1; seed <= SEEDS_OF_SLOTS && failures.length < 3; seed++) {
        const outcome = await new Simulation(seed, { subject: movedOnly, slotsGoBack: true }).run();
        rollbacks += outcome.rollbacks;
        if (outcome.failure) failures.push(`${seed}: ${outcome.failure}`);
      }
      expect(failures).toEqual([]);
      expect(rollbacks).toBeGreaterThan(SEEDS_OF_SLOTS);
    },
    10 * 60_000,
  );

  it(
    'say what their logs said where these are archived and trimmed, and when they are rebuilt from the beginning',
    async () => {
      const failures: string[] = [];
      let trimmed = 0;
      for (let seed = 1; seed <= SEEDS_OF_ARCHIVES && failures.length < 3; seed++) {
        const outcome = await new Simulation(seed, { subject: archivedSubject }).run();
        trimmed += outcome.trimmed;
        if (outcome.failure) failures.push(`${seed}: ${outcome.failure}`);
      }
      expect(failures).toEqual([]);
      expect(trimmed).toBeGreaterThan(50 * SEEDS_OF_ARCHIVES);
    },
    10 * 60_000,
  );

  it('have the same course whenever a seed is run', async () => {
    for (const seed of [7, 28, 41])
      expect(await new Simulation(seed).run()).toEqual(await new Simulation(seed).run());
  });

  it.each(mutations)(
    'are noticed to be wrong if it no longer holds that $breaks',
    async ({ breaks: _, ...options }) => {
      for (let seed = 1; seed <= SEEDS_FOR_A_MUTATION; seed++)
        if ((await new Simulation(seed, options).run()).failure !== null) return;
      throw new Error('No run noticed.');
    },
    240_000,
  );
});
