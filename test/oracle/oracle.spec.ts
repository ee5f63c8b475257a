import { Random } from '../support/random.js';
import { closeDatabase, Comparison, openDatabase } from './comparison.js';
import { randomPlan } from './random-plan.js';

/**
 * What is maintained equals what an independent database computes from scratch, after every tick: random plans, random
 * histories, random cuts, caches that forget, restarts, ticks given up and commits under way.
 *
 *   ORACLE_PLANS=2000 ORACLE_SEED=7 npm run jest -- test/oracle
 */
const PLANS = Number(process.env.ORACLE_PLANS ?? 100);
const SEED = Number(process.env.ORACLE_SEED ?? 20_260_101);
const PLANS_PER_TEST = 20;

beforeAll(openDatabase);
afterAll(closeDatabase);

describe('a maintained view equals the same query in DuckDB after every tick', () => {
  for (let first = 0; first < PLANS; first += PLANS_PER_TEST) {
    const last = Math.min(first + PLANS_PER_TEST, PLANS);
    it(`for the random plans ${first} to ${last - 1}`, async () => {
      for (let number = first; number < last; number++) {
        const seed = SEED + number;
        const random = new Random(seed);
        const twin = randomPlan(random, 1 + random.below(4));
        try {
          await new Comparison(random, twin).run();
        } catch (failure) {
          throw new Error(`ORACLE_SEED=${seed} ORACLE_PLANS=1\n${twin.sql}\n${(failure as Error).message}`, {
            cause: failure,
          });
        }
      }
    }, 120_000);
  }
});
