import { count, declarationOf, stream, sum, tumbling, view } from 'stillwater';
import { z } from 'zod';
import { EntryDecoder } from '../../src/runtime/decode-entry.js';
import type { DecodedBatch } from '../../src/runtime/decoded-batch.js';
import { EntryParts, type EntryTaken, type PartsOptions } from '../../src/runtime/entry-parts.js';
import { isBetween } from '../../src/runtime/followed.js';
import { covers } from '../../src/runtime/frontier.js';
import { defaultLimits } from '../../src/runtime/limits.js';
import type { CommitRequest, TaskRecord } from '../../src/runtime/ports/task-store.js';
import type { RecordSource } from '../../src/runtime/placement.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { eventually } from '../support/system.js';
import { TaskRuns } from '../support/task-runs.js';

/** An entry of many events, in `batch`, is taken in parts; it counts when all of it is there. */

const EVENTS = 6_000;
const { partRowsMax } = defaultLimits;
const sales = stream('sales', {
  schema: z.object({ at: z.iso.datetime(), id: z.int(), amount: z.int() }),
  eventTime: 'at',
  lateness: '1m',
});
const source = declarationOf(sales) as RecordSource;
const perId = view('hours', {
  from: sales.groupBy('id').aggregate({ sales: count(), amount: sum('amount') }),
});
const declared = (of: Parameters<typeof declarationOf>[0]): ViewDeclaration =>
  declarationOf(of) as ViewDeclaration;
const total = declared(
  view('total', { from: perId.groupBy().aggregate({ ids: count(), sales: sum('sales') }) }),
);
const perHour = declared(
  view('hours', {
    from: sales.window(tumbling('1h')).groupBy('id').aggregate({ sales: count() }).final(),
  }),
);
const NOON = Date.parse('2001-01-02T12:00:00Z');
/** The first events of a batch are the latest: what is late is decided for all of it at once. */
const event = (id: number) => ({
  at: new Date(NOON + ((EVENTS - id) % EVENTS) * 3_000).toISOString(),
  id,
  amount: id % 7,
});
const batch = (from = 0, count = EVENTS) => Array.from({ length: count }, (_, index) => event(from + index));

describe('an entry of many events', () => {
  let runs: TaskRuns;
  const begin = (of = declared(perId)): void => {
    runs = new TaskRuns(source, of, { limits: { commitWritesMax: 500 } });
  };
  beforeEach(() => begin());
  const log = () => runs.redis.stream('sales');
  const add = (events: readonly unknown[]): string => {
    log().add(log().nextId(NOON), ['batch', JSON.stringify(events)]);
    runs.redis.wake();
    return log().last;
  };
  /** Runs until so many commits were made. */
  const stoppedAfter = async (commits: number): Promise<TaskRecord> => {
    let made = 0;
    const { task, ended } = await runs.start(runs.id(), {
      nonce: () => {
        if (++made === commits) task.stop();
        return runs.redis.nonce();
      },
    });
    await ended;
    return runs.record()!;
  };

  it('is taken in commits of a bounded size; until the last the task stands before it, and whoever takes over goes on', async () => {
    const first = add(batch(0, 3));
    const before = await runs.runToEnd();
    const writes: number[] = [];
    const whole = add(batch());
    add([event(EVENTS)]);
    const between = await stoppedAfter(3);
    expect(between.rows).toBeGreaterThan(0);
    expect(between.rows).toBeLessThan(EVENTS);
    expect(isBetween(between)).toBe(true);
    expect(between).toMatchObject({
      frontier: before.frontier,
      reaching: { sales: whole },
      positions: { 'stream:sales': { position: first, entries: 1 } },
    });
    const again = await stoppedAfter(2);
    expect(again.rows).toBeGreaterThan(between.rows);
    const { commit } = runs.ports.tasks;
    runs.ports.tasks.commit = (request) => {
      writes.push(request.keyed.reduce((sum, { writes }) => sum + [...writes].length, 0));
      return commit.call(runs.ports.tasks, request);
    };
    const after = await runs.runToEnd();
    expect(after).toMatchObject({
      rows: EVENTS + 1,
      reaching: null,
      frontier: { sales: log().last },
      positions: { 'stream:sales': { position: log().last, entries: 3 } },
    });
    expect(isBetween(after)).toBe(false);
    expect(Math.max(...writes)).toBeLessThanOrEqual(partRowsMax * 3);
    const rows = runs.rows() as { id: number; sales: number; amount: number }[];
    expect(rows.map(({ id }) => id).sort((one, other) => one - other)).toEqual(
      Array.from({ length: EVENTS + 1 }, (_, id) => id),
    );
    for (const { id, sales: sold, amount } of rows)
      expect([id, sold, amount]).toEqual([id, id < 3 ? 2 : 1, (id % 7) * (id < 3 ? 2 : 1)]);
    // However it was cut: the same as a replay that nobody interrupts.
    const kept = runs.redis;
    begin();
    for (const [id, fields] of kept.stream('sales').entries) log().add(id, fields);
    const replayed = await runs.runToEnd();
    expect(replayed.checksum).toBe(after.checksum);
  });

  it('is seen whole by a view that reads this one', async () => {
    add(batch(0, 1));
    await runs.runToEnd();
    const commits: CommitRequest[] = [];
    const { commit } = runs.ports.tasks;
    runs.ports.tasks.commit = (request) => {
      commits.push(request);
      return commit.call(runs.ports.tasks, request);
    };
    const running = [await runs.start(), await runs.startOver(total)];
    const dependent = runs.id(0, 'total');
    await eventually(() => runs.record(dependent) !== null);
    const whole = { sales: add(batch()) };
    await eventually(() => covers(runs.record(dependent)?.frontier ?? {}, whole), 30_000);
    for (const { task } of running) task.stop();
    for (const { ended } of running) await ended;
    const ofView = commits.filter(({ task }) => task.view === 'hours');
    expect(ofView.length).toBeGreaterThan(3);
    for (const { task, record, keyed } of commits) {
      if (!covers(record.frontier, whole)) continue;
      expect(isBetween(record)).toBe(false);
      if (task.view === 'hours') expect(record.rows).toBe(EVENTS);
      for (const [, text] of keyed.find(({ state }) => state === 'rows')?.writes ?? [])
        if (task.view === 'total')
          expect(JSON.parse(text!.split('\n')[0]!)).toEqual({ ids: EVENTS, sales: EVENTS + 1 });
    }
  });

  it('is judged late by what was before it, in all its parts, and moves time with the last', async () => {
    begin(perHour);
    add([{ ...event(0), at: new Date(NOON).toISOString() }]);
    await runs.runToEnd();
    add(batch());
    const between = await stoppedAfter(2);
    expect(between.clocks['stream:sales']).toEqual({ sales: NOON });
    const after = await runs.runToEnd();
    expect(after.late).toBe(0);
    expect(after.clocks['stream:sales']!['sales']).toBe(Math.max(...batch().map(({ at }) => Date.parse(at))));
  });

  it('of which the rest ends workers parks the view, which says so; a replay leaves out all of it', async () => {
    add(batch(0, 3));
    const whole = add(batch());
    const { tick, extra } = await stoppedAfter(3);
    const attempt = { tick: tick + 1, input: 'stream:sales', entry: whole, entries: 1, ended: 1 };
    const { rows } = extra['stream:sales'] as EntryTaken;
    const parked = {
      how: 'parked',
      reason: {
        code: 'ends-workers',
        message: expect.stringContaining(`after ${rows} of its ${EVENTS} events`),
      },
    };
    expect(await (await runs.start(runs.id(), { attempt })).ended).toMatchObject(parked);
    // So it does when it is tried again, and what is stored stays as it is.
    await runs.ports.tasks.unpark(runs.id());
    expect(await (await runs.start()).ended).toMatchObject(parked);
    expect(runs.record()!.tick).toBe(tick);
    const replayed = runs.id(0, 'hours', 2);
    expect(await runs.runToEnd(replayed)).toMatchObject({ rows: 3, errors: 1 });
  });

  it('of which the rest is gone is not gone on with', async () => {
    add(batch(0, 3));
    const whole = add(batch());
    const { extra } = await stoppedAfter(3);
    const { rows } = extra['stream:sales'] as EntryTaken;
    log().entries.splice(1, 1);
    log().add(log().nextId(NOON), ['batch', JSON.stringify([event(1)])]);
    const { ended } = await runs.start();
    expect(await ended).toMatchObject({
      how: 'parked',
      reason: { code: 'entry-deleted', message: expect.stringContaining(`${rows} of ${EVENTS} events`) },
    });
    expect(isBetween(runs.record()!)).toBe(true);
    expect(whole).not.toBe(log().last);
  });
});

describe('the parts of entries', () => {
  const decoded = (...sizes: number[]) =>
    new EntryDecoder(source, 0).decode(
      sizes.map((size, index) => [`${NOON + index}-0`, ['batch', JSON.stringify(batch(0, size))]]),
    );
  const partsOf = (batch: DecodedBatch, options: Partial<PartsOptions> = {}): EntryParts =>
    new EntryParts(batch, { first: 0, taken: 0, leftOut: new Set(), rowsMax: 500, ...options });

  it('are the entries themselves where none has many events', () => {
    const parts = partsOf(decoded(3, 500, 1), { first: 1 });
    expect([parts.size, parts.isWithin(1), parts.wholeAt(0, 1, 2)]).toEqual([2, false, 1]);
  });

  it('end a tick behind a whole entry where they can, before a large one where that does not fit', () => {
    const parts = partsOf(decoded(1, 1_200, 1, 20_000, 1));
    expect(parts.size).toBe(1 + 3 + 1 + 40 + 1);
    expect([0, 1, 2, 3, 4, 5, 6].map((to) => parts.wholeEntries(to))).toEqual([0, 1, 1, 1, 2, 3, 3]);
    expect(parts.wholeAt(0, 2, 4)).toBe(4);
    expect(parts.wholeAt(0, 2, 3)).toBe(1);
    expect(parts.wholeAt(0, 30, 46)).toBe(5);
    expect(parts.wholeAt(5, 45, 46)).toBe(5 + 16);
  });

  it('are one of an entry that is left out, and begin behind what was taken', () => {
    const batchOf = decoded(1_200, 1_200);
    expect(partsOf(batchOf, { leftOut: new Set([batchOf.ids[0]!]) }).size).toBe(1 + 3);
    const parts = partsOf(batchOf, { taken: 1_000 });
    expect([parts.size, parts.rowAt(0), parts.rowAt(1), parts.rowAt(4)]).toEqual([4, 1_000, 1_200, 2_400]);
  });
});
