import { declarationOf, instant, stream } from 'stillwater';
import { z } from 'zod';
import type { Clocks } from '../../src/runtime/clocks.js';
import type { Generation } from '../../src/runtime/ports/registry.js';
import type { TaskStore } from '../../src/runtime/ports/task-store.js';
import type { SiblingClocks } from '../../src/runtime/sibling-clocks.js';
import type { StreamDeclaration } from '../../src/view/declarations.js';
import { partitionOf } from '../../src/runtime/placement.js';
import { closing } from '../support/closing.js';
import { source, viewOf } from '../support/plans.js';
import { Random } from '../support/random.js';
import { eventually } from '../support/system.js';
import { TaskRuns } from '../support/task-runs.js';

const schema = z.object({ at: instant() });
const streamOf = (partitions = 1): StreamDeclaration =>
  declarationOf(
    stream('flights', {
      schema,
      eventTime: 'at',
      lateness: '30m',
      ...(partitions > 1 ? { partitions, partitionBy: 'at' } : {}),
    } as never),
  ) as StreamDeclaration;
const flights = streamOf();
const closedHours = (of: StreamDeclaration) => viewOf('hours', closing(source(of), 'hour'), ['hour']);
const at = (time: string): { at: string } => ({ at: `2001-01-01T${time}:00Z` });
const hour = (text: string, n: number) => ({ hour: `2001-01-01T${text}:00:00.000Z`, n });
const ms = (time: string): number => Date.parse(`2001-01-01T${time}:00Z`);

describe('a task whose view acts on time', () => {
  const runsOf = (limits = {}) => new TaskRuns(flights, closedHours(flights), { limits });

  it('closes what the watermark has passed, and keeps the clock with its position', async () => {
    const runs = runsOf();
    runs.append([at('10:10'), at('10:50'), at('11:20')]);
    expect((await runs.runToEnd()).clocks).toEqual({ 'stream:flights': { flights: ms('11:20') } });
    expect(runs.rows()).toEqual([]);
    runs.append([at('11:30')]);
    await runs.runToEnd();
    expect(runs.rows()).toEqual([hour('10', 2)]);
  });

  it('leaves out what is late by the watermark before its entry, and no more', async () => {
    const runs = runsOf();
    runs.append([at('10:10'), at('11:00'), at('10:20'), at('11:30'), at('10:59'), at('11:01')]);
    runs.append([at('12:30')]);
    await runs.runToEnd();
    expect(runs.rows()).toEqual([hour('10', 2), hour('11', 3)]);
  });

  it('comes to all that is due in ticks of its own, which move no position', async () => {
    const runs = runsOf();
    const hours = Array.from({ length: 9 }, (_, index) => String(index + 10));
    runs.append([{ at: '2001-01-01T00:00:00Z' }, ...hours.map((text) => at(`${text}:00`))]);
    runs.append([{ at: '2001-01-02T00:00:00Z' }]);
    const record = await runs.runToEnd();
    expect(runs.rows()).toHaveLength(10);
    expect(record.tick).toBeGreaterThan(4);
    expect(record.positions['stream:flights']!.entries).toBe(11);
  });

  it('goes on with what is due where an owner ended in the middle', async () => {
    const runs = runsOf();
    const hours = Array.from({ length: 9 }, (_, index) => at(`${index + 10}:00`));
    runs.append([...hours, { at: '2001-01-02T00:00:00Z' }]);
    const seen: (boolean | null)[] = [];
    // Every owner ends after its first commit.
    for (let owner = 0; owner < 10 && runs.rows().length < 9; owner++) {
      const store: TaskStore = Object.create(runs.ports.tasks);
      store.commit = (request) => {
        running.task.stop();
        return runs.ports.tasks.commit(request);
      };
      const running = await runs.start(runs.id(), { store });
      await running.ended;
      seen.push(runs.record()!.applied !== null);
    }
    expect(seen).toContain(true);
    expect(runs.record()!.applied).toBeNull();
    expect(runs.rows()).toEqual(hours.map((_, index) => hour(String(index + 10), 1)));
  });

  it('gives the same rows however its entries are cut, with restarts in between', async () => {
    const random = new Random(7);
    const events = Array.from({ length: 300 }, (_, index) => ({
      at: new Date(ms('00:00') + index * 400_000 - Math.floor(random.next() ** 3 * 9_000_000)).toISOString(),
    }));
    const outcomes = new Set<string>();
    for (const commitWritesMax of [1, 3, 4_000]) {
      const runs = runsOf({ commitWritesMax });
      for (let from = 0; from < events.length;) {
        const to = from + 1 + random.below(120);
        runs.append(events.slice(from, to));
        from = to;
        await runs.runToEnd();
      }
      const { checksum, clocks } = runs.record()!;
      outcomes.add(
        JSON.stringify([
          runs.rows(),
          checksum,
          clocks,
          runs.redis.tasks.get('hours#1/0.0')!.keyed.get('1.open')!.get(''),
        ]),
      );
    }
    expect(outcomes.size).toBe(1);
    expect([...outcomes][0]).toContain('late');
  });

  it('has no time before every partition of the source has told its own', async () => {
    const two = streamOf(2);
    const runs = new TaskRuns(two, closedHours(two));
    // Placement by `at` decides the partition; here both are written to as it falls.
    runs.append(
      [at('10:10'), at('11:10'), at('12:10'), at('13:10'), at('14:10')].filter(placedIn(two, 0)),
      0,
    );
    await runs.runToEnd(runs.id(0));
    expect(runs.rows(runs.id(0))).toEqual([]);
    expect(runs.record(runs.id(0))!.clocks['stream:flights']).toMatchObject({ 'flights:1': null });
  });

  it.each<[string, Generation['stopAt'], string, number]>([
    ['stores, once, where it is to be compared', { 'flights:0': '99999999999999-0' }, '12:00', 1],
    ['does not store where it is not', null, '11:00', 0],
  ])('%s, what it learns of time that changes no row', async (_, stopAt, known, ticks) => {
    const two = streamOf(2);
    const runs = new TaskRuns(two, closedHours(two), { limits: { clocksMs: 1, waitMs: 1 } });
    const minutes = Array.from({ length: 10 }, (_, minute) => at(`10:1${minute}`));
    runs.append(minutes.filter(placedIn(two, 0)), 0);
    let other = '11:00';
    let asked = 0;
    const latest = async (): Promise<Clocks[]> => {
      asked++;
      return [{ 'stream:flights': { 'flights:0': null, 'flights:1': ms(other) } }];
    };
    const { task, ended } = await runs.start(runs.id(0), {
      siblings: { latest } as unknown as SiblingClocks,
      generation: () => ({ paused: false, buckets: 1, stopAt }) as Generation,
    });
    const stored = (): number | null | undefined => runs.record()?.clocks['stream:flights']?.['flights:1'];
    await eventually(() => stored() === ms('11:00'));
    const { tick } = runs.record()!;
    other = '12:00';
    const from = asked;
    await eventually(() => asked > from + 20);
    task.stop();
    await ended;
    expect(stored()).toBe(ms(known));
    expect(runs.record()!.tick - tick).toBe(ticks);
  });
});

const placedIn = (source: StreamDeclaration, partition: number) => (row: object) =>
  partitionOf(source)!({ at: instant().parse((row as { at: string }).at) } as never) === partition;
