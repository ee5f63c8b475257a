import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stream, view } from 'stillwater';
import { z } from 'zod';
import { mutations } from '../../src/testing/simulation/mutations.js';
import { play, type Run } from '../../src/testing/simulation/run.js';
import { memoryPorts } from '../../src/testing/memory/memory-ports.js';
import { type Outcome, Simulation } from '../../src/testing/simulation/simulation.js';
import { archivedSubject } from '../../src/testing/simulation/subjects.js';
import { SimulationThreads } from '../../src/testing/simulation/threads.js';
import { BUILD_MS_MAX, packageBuilt } from '../support/built.js';

/** Soaks are longer: `npm run simulate`. */
const SEEDS = 60;
const SEEDS_OF_EACH = 25;
const SEEDS_FOR_A_MUTATION = 300;
const MS_MAX = 10 * 60_000;

/** What is counted in all of some runs. */
type Counted =
  'kills' | 'pauses' | 'rollbacks' | 'rebuilt' | 'brokenOff' | 'givenAgain' | 'trimmed' | 'inEntries';
const total = (outcomes: readonly Outcome[], of: Counted): number =>
  outcomes.reduce((sum, each) => sum + each[of], 0);

const seeds = (count: number, of: Omit<Run, 'seed'> = {}): Run[] =>
  Array.from({ length: count }, (_, index) => ({ seed: index + 1, ...of }));

describe('views kept by several processes through crashes, pauses, lost calls and rollbacks', () => {
  let threads: SimulationThreads;
  beforeAll(async () => {
    // As it is built: what a test runs itself runs at a third of the speed.
    const file = join(await packageBuilt(), 'dist/src/testing/simulation/thread.js');
    threads = new SimulationThreads(file, 2);
  }, BUILD_MS_MAX);
  afterAll(() => threads.close());

  async function played(runs: readonly Run[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    await threads.play(runs, (outcome) => void outcomes.push(outcome));
    return outcomes.sort((left, right) => left.seed - right.seed);
  }
  const failuresOf = (outcomes: readonly Outcome[], subject?: Run['subject']): string[] =>
    outcomes
      .filter(({ failure }) => failure !== null)
      .map(
        ({ seed, failure }) =>
          `npm run simulate -- --from ${seed} --seeds 1${subject ? ` --subject ${subject}` : ''}\n${failure}`,
      );

  it('end with an error that says so where time does not pass', async () => {
    const time = pathToFileURL(join(await packageBuilt(), 'dist/src/testing/simulation/virtual-time.js'));
    const spinning = `
      import { parentPort } from 'node:worker_threads';
      import { VirtualTime } from '${time.href}';
      const time = new VirtualTime(0);
      parentPort.on('message', async () => { for (;;) { time.after(1, () => {}); await null; } });`;
    const threads = new SimulationThreads(new URL(`data:text/javascript,${encodeURIComponent(spinning)}`), 1);
    await expect(threads.play(seeds(1), () => {})).rejects.toThrow(
      /^Seed 1: Time does not pass: at 1970-01-01T00:00:00/,
    );
    await threads.close();
  });

  it(
    'show in the end what the log says, whatever happened, and break no rule on the way',
    async () => {
      const outcomes = await played(seeds(SEEDS));
      expect(failuresOf(outcomes)).toEqual([]);
      for (const trouble of ['kills', 'pauses', 'rollbacks', 'rebuilt'] as const)
        expect(total(outcomes, trouble)).toBeGreaterThan(SEEDS / 4);
      expect(total(outcomes, 'brokenOff')).toBeGreaterThan(0);
      expect(total(outcomes, 'inEntries')).toBeGreaterThan(SEEDS);
    },
    MS_MAX,
  );

  it(
    'do so where rows move between partitions and slots go back one at a time',
    async () => {
      const subject = 'moved';
      expect(failuresOf(await played(seeds(SEEDS_OF_EACH, { subject })), subject)).toEqual([]);
    },
    MS_MAX,
  );

  it.each([
    ['slots', 'are not rebuilt where a task of the first stage alone goes back: it makes again what it lost'],
    ['rounds', 'make again what a task lost that stops at rounds, where rows move more than once'],
    ['overViews', 'make again what a task lost that it made of the rows of a view'],
  ] as const)(
    'of the subject "%s" %s',
    async (subject, _) => {
      const outcomes = await played(seeds(SEEDS_OF_EACH, { subject }));
      expect(failuresOf(outcomes, subject)).toEqual([]);
      expect(total(outcomes, 'rollbacks')).toBeGreaterThan(SEEDS_OF_EACH / 2);
    },
    MS_MAX,
  );

  it(
    'of the subject "giver" are given again the rounds that 1.0 lost',
    async () => {
      const subject = 'giver';
      const outcomes = await played(seeds(SEEDS_OF_EACH, { subject }));
      expect(failuresOf(outcomes, subject)).toEqual([]);
      expect(total(outcomes, 'givenAgain')).toBeGreaterThan(SEEDS_OF_EACH / 2);
    },
    MS_MAX,
  );

  it(
    'do so of windows that overlap, also of rows that move before they are put into them, of sessions, and of events near each other',
    async () => {
      const subject = 'windows';
      expect(failuresOf(await played(seeds(SEEDS_OF_EACH, { subject })), subject)).toEqual([]);
    },
    MS_MAX,
  );

  it(
    'do so where tasks go from worker to worker all the time, by what they cost',
    async () => {
      const subject = 'balanced';
      expect(failuresOf(await played(seeds(SEEDS_OF_EACH, { subject })), subject)).toEqual([]);
    },
    MS_MAX,
  );

  it(
    'say what their logs said where these are archived and trimmed, and when they are rebuilt from the beginning',
    async () => {
      const subject = 'archived';
      const outcomes = await played(seeds(SEEDS_OF_EACH, { subject }));
      expect(failuresOf(outcomes, subject)).toEqual([]);
      expect(total(outcomes, 'trimmed')).toBeGreaterThan(50 * SEEDS_OF_EACH);
    },
    MS_MAX,
  );

  it(
    'park where a slot lost everything and nothing has what its logs lost since, and are right where it has not',
    async () => {
      const subject = 'trimmed';
      const outcomes = await played(seeds(SEEDS_OF_EACH, { subject }));
      expect(failuresOf(outcomes, subject)).toEqual([]);
      expect(total(outcomes, 'trimmed')).toBeGreaterThan(50 * SEEDS_OF_EACH);
      expect(total(outcomes, 'rollbacks')).toBeGreaterThan(SEEDS_OF_EACH / 3);
    },
    MS_MAX,
  );

  it(
    'show what the same plan shows over one partition with nothing going wrong, whatever the plan',
    async () => {
      const subject = 'random';
      expect(failuresOf(await played(seeds(SEEDS_OF_EACH, { subject })), subject)).toEqual([]);
    },
    MS_MAX,
  );

  it(
    'have the same course whenever a seed is run, on a thread or not',
    async () => {
      const runs: Run[] = [
        { seed: 24 },
        { seed: 28, subject: 'archived' },
        { seed: 41, subject: 'random' },
        { seed: 42, subject: 'moved' },
      ];
      const outcomes = await played(runs);
      expect(await played(runs)).toEqual(outcomes);
      expect(await play(runs[0]!)).toEqual(outcomes[0]);
    },
    MS_MAX,
  );

  it.each(mutations.map(({ breaks }) => breaks))(
    'are noticed to be wrong if it no longer holds that %s',
    async (breaks) => {
      let noticed = false;
      await threads.play(seeds(SEEDS_FOR_A_MUTATION, { breaks }), ({ failure }) => {
        noticed ||= failure !== null;
        return noticed ? 'enough' : undefined;
      });
      expect(noticed).toBe(true);
    },
    MS_MAX,
  );
});

describe('a run', () => {
  it('is of views that a service would start', () => {
    const events = stream('events', { schema: z.object({ id: z.int() }) });
    const { declaration } = (view as any)('v', { from: (events as any).groupBy('none').aggregate({}) });
    const subject = () => ({ name: 'wrong', views: [declaration], sources: [], expected: () => new Map() });
    expect(() => new Simulation(1, { subject })).toThrow('View "v" was not started.');
  });

  it('says of a rebuild that fails why it does, as the failure of its seed', async () => {
    const { failure } = await new Simulation(1, {
      subject: archivedSubject,
      ports: (redis) => {
        const ports = memoryPorts(redis);
        const change = ports.registry.change.bind(ports.registry);
        ports.registry.change = async (revision, puts, ...rest) => {
          if (puts.some(({ rebuild }) => rebuild !== null)) throw new Error('no rebuild is begun');
          return change(revision, puts, ...rest);
        };
        return ports;
      },
    }).run();
    expect(failure).toContain('no rebuild is begun');
  });
});

describe('npm run simulate', () => {
  beforeAll(packageBuilt, BUILD_MS_MAX);

  it.each([
    [['--seeds', 'many'], '--seeds is "many"'],
    [['--threads', '0'], '--threads is "0"'],
    [['--subject', 'nobody'], 'There is no subject "nobody"'],
  ])('plays nothing where it is asked for %j, and does not say that all held', async (options, said) => {
    const file = join(await packageBuilt(), 'dist/src/testing/simulation/simulate.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...options], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(said);
  });
});
