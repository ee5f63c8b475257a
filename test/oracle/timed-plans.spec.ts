import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { checkDeclarations, count, declarationOf, view } from 'stillwater';
import { type Append, LogWriter } from '../../src/testing/history.js';
import { ViewRun } from '../../src/testing/view-run.js';
import type { RecordSource } from '../../src/runtime/placement.js';
import { at } from '../support/timed.js';
import { Random } from '../support/random.js';
import {
  facts,
  LATENESS_MS,
  MINUTE,
  NEVER,
  one,
  places,
  randomTimedPlan,
  TABLES,
  type TimedTwin,
  two,
} from './random-timed-plan.js';

/**
 * What acts on time, and what stands behind it, equals what DuckDB makes of the events and the clocks, after every tick; and it is
 * the same, to the checksum, in whatever order the inputs are read and wherever they are cut.
 *
 *   ORACLE_PLANS=2000 ORACLE_SEED=7 npm run jest -- test/oracle/timed
 */
const PLANS = Number(process.env.ORACLE_PLANS ?? 60);
const SEED = Number(process.env.ORACLE_SEED ?? 20_260_501);
const PLANS_PER_TEST = 20;
const TICKS = 8;

let database: DuckDBConnection;
beforeAll(async () => {
  database = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  for (const sql of TABLES) await database.run(sql);
});
afterAll(() => database.closeSync());

type Named = 'one' | 'two' | 'facts' | 'places';
const SOURCES = Object.fromEntries(
  Object.entries({ one, two, facts, places }).map(([name, of]) => [name, declarationOf(of as never)]),
) as Record<Named, RecordSource>;

/** A random log of all sources: each's in its order, and as tables of DuckDB. */
class History {
  readonly logs: Record<Named, Append[]> = { one: [], two: [], facts: [], places: [] };
  readonly #writer = new LogWriter();
  readonly #clocks: Record<string, number> = { one: NEVER, two: NEVER, facts: NEVER };
  readonly #seen = new Set<Named>();
  #now = 600 * MINUTE;
  readonly #keys: readonly string[];
  #id = 0;

  constructor(
    readonly random: Random,
    /** Sources of which nothing is late. */
    readonly onTime: ReadonlySet<string>,
  ) {
    // Where there is but one, rows see more of one another.
    this.#keys = random.of([['a', 'b', ''], ['a', 'b', ''], ['a']]);
  }

  static async begin(random: Random, onTime: ReadonlySet<string>): Promise<History> {
    for (const name of ['one', 'two', 'facts', 'places', 'times']) await database.run(`DELETE FROM ${name}`);
    for (const name of ['one', 'two', 'facts'])
      await database.run(`INSERT INTO times VALUES ('${name}', ${NEVER})`);
    return new History(random, onTime);
  }

  /** What comes of a source next. */
  async next(name: Named): Promise<Append> {
    const append: Append[number][] = [];
    // Now and then nothing comes for longer than anything is kept.
    if (this.random.chance(0.12)) this.#now += this.random.below(this.random.of([90, 300])) * MINUTE;
    for (let left = this.random.below(6); left > 0; left--) {
      this.#now += this.random.below(4 * MINUTE);
      if (name !== 'places' && this.#seen.has(name) && this.random.chance(0.1))
        append.push(...(await this.#heartbeat(name)));
      else append.push(...(await this.#record(name)));
    }
    this.logs[name].push(append);
    return append;
  }

  /** All that is open is over. */
  async end(): Promise<Append> {
    this.#now += 10_000 * MINUTE;
    const all: Append[number][] = [];
    for (const name of ['one', 'two', 'facts'] as const) {
      const append = await this.#heartbeat(name);
      this.logs[name].push(append);
      all.push(...append);
    }
    return all;
  }

  async #heartbeat(name: Named): Promise<Append> {
    await this.#passed(name, this.#now);
    return this.#writer.heartbeats(SOURCES[name], at(this.#now));
  }

  async #passed(name: Named, ms: number): Promise<void> {
    this.#seen.add(name);
    this.#clocks[name] = Math.max(this.#clocks[name]!, instantOf(ms));
    await database.run(`UPDATE times SET clock = ${this.#clocks[name]} WHERE source = '${name}'`);
  }

  async #record(name: Named): Promise<Append> {
    const { random } = this;
    const k = random.of(this.#keys);
    if (name === 'places') {
      await database.run(`DELETE FROM places WHERE k = '${k}'`);
      if (random.chance(0.3)) return this.#writer.tombstones(SOURCES.places, [k]);
      const p = random.below(4);
      await database.run(`INSERT INTO places VALUES ('${k}', ${p})`);
      return this.#writer.records(SOURCES.places, [{ k, p }]);
    }
    // Some behind the others, and some of those behind the watermark.
    const reach = this.onTime.has(name) ? LATENESS_MS : 50 * MINUTE;
    let ms = random.chance(0.4) ? this.#now - random.below(reach) : this.#now;
    const watermark = this.#clocks[name] === NEVER ? NEVER : this.#clocks[name]! - LATENESS_MS;
    if (this.onTime.has(name) && watermark > instantOf(ms)) ms += watermark - instantOf(ms);
    const late = instantOf(ms) < watermark ? watermark : NEVER;
    await this.#passed(name, ms);
    if (name === 'facts') {
      const f = random.below(100);
      await database.run(`DELETE FROM facts WHERE k = '${k}' AND since = ${instantOf(ms)}`);
      await database.run(`INSERT INTO facts VALUES ('${k}', ${instantOf(ms)}, ${f})`);
      return this.#writer.records(SOURCES.facts, [{ k, since: at(ms), f }]);
    }
    const event = { id: ++this.#id, at: at(ms), k: random.chance(0.15) ? null : k, v: random.below(5) };
    const key = event.k === null ? 'NULL' : `'${event.k}'`;
    await database.run(
      `INSERT INTO ${name} VALUES (${event.id}, ${instantOf(ms)}, ${key}, ${event.v}, ${late})`,
    );
    return this.#writer.records(SOURCES[name], [event]);
  }
}

const instantOf = (ms: number): number => Date.parse(at(ms));

/** A view of rows that may be equal: each with how often it is there. */
function counted({ rows, columns }: TimedTwin): any {
  const made: any = view('counted', {
    from: rows.groupBy(...columns.map(({ name }) => name)).aggregate({ copies: count() }),
  } as any);
  checkDeclarations([made.declaration]);
  return made.declaration;
}

async function expectEqual(
  run: ViewRun,
  { sql, columns, tables }: ReturnType<typeof randomTimedPlan>,
): Promise<void> {
  for (const [name, made] of tables) await database.run(`CREATE OR REPLACE TEMP TABLE ${name} AS ${made}`);
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  const reader = await database.runAndReadAll(`SELECT ${names} FROM (${sql})`);
  const expected = reader
    .getRowsJS()
    .map((row) => JSON.stringify(row.map((value) => (typeof value === 'bigint' ? Number(value) : value))));
  const shown = [...run.rows.values()].flatMap((row: any) => {
    const cells = columns.map(({ name, kind }) =>
      kind === 'time' && row[name] !== null ? Date.parse(row[name]) : row[name],
    );
    return Array<string>(row.copies).fill(JSON.stringify(cells));
  });
  expect(shown.sort()).toEqual(expected.sort());
  expect(run.errorsByView.flatMap(({ errors }) => errors)).toEqual([]);
}

const ORDERS = {
  'all of one after all of another': (logs: readonly Append[][]) => logs.flat(),
  'in turns': (logs: readonly Append[][]) =>
    Array.from({ length: Math.max(...logs.map((log) => log.length)) }, (_, place) =>
      logs.flatMap((log) => (place < log.length ? [log[place]!] : [])),
    ).flat(),
  'at random': (logs: readonly Append[][], random: Random) => {
    const left = logs.map((log) => [...log]);
    const read: Append[] = [];
    for (;;) {
      const some = left.filter((log) => log.length > 0);
      if (some.length === 0) return read;
      read.push(random.of(some).shift()!);
    }
  },
} as const;

/** What was appended, cut elsewhere. */
function cutElsewhere(appends: readonly Append[], random: Random): Append[] {
  const items = appends.flat();
  const cuts: Append[] = [];
  for (let from = 0; from < items.length;) {
    const size = random.of([1, 3, 40]);
    cuts.push(items.slice(from, from + size));
    from += size;
  }
  return cuts;
}

/** How many rows the view had, and how many came too late for it. */
async function compare(seed: number): Promise<{ rows: number; late: number }> {
  const random = new Random(seed);
  const twin = randomTimedPlan(random, random.below(4));
  const declared = counted(twin);
  // Where SQL knows no late rows, some histories have none, and the others are compared with themselves.
  const told = twin.onTime.size === 0 || random.chance(0.5);
  const history = await History.begin(random, told ? twin.onTime : new Set());
  const live = new ViewRun(declared, { cacheEntriesMax: random.of([1, 10, 10_000]) });
  let rows = 0;
  try {
    for (let tick = 0; tick <= TICKS; tick++) {
      const append: Append[number][] = [];
      if (tick === TICKS) append.push(...(await history.end()));
      else
        for (const name of ['one', 'two', 'facts', 'places'] as const)
          if (random.chance(0.8)) append.push(...(await history.next(name)));
      if (random.chance(0.2)) live.tickInVain(append);
      live.tick(append);
      if (random.chance(0.3)) live.takeOver();
      if (told) await expectEqual(live, twin);
      rows = Math.max(rows, live.rows.size);
    }
    for (const order of Object.values(ORDERS)) {
      const logs = random.some(Object.values(history.logs), 4);
      const again = new ViewRun(declared, { cacheEntriesMax: random.of([1, 10_000]) });
      for (const append of cutElsewhere(order(logs, random), random)) {
        again.tick(append);
        if (random.chance(0.1)) again.takeOver();
      }
      expect([...again.rows.values()].map((row) => JSON.stringify(row)).sort()).toEqual(
        [...live.rows.values()].map((row) => JSON.stringify(row)).sort(),
      );
      expect(again.checksum).toBe(live.checksum);
      expect(again.late).toBe(live.late);
    }
    return { rows, late: live.late };
  } catch (failure) {
    throw new Error(`ORACLE_SEED=${seed} ORACLE_PLANS=1\n${twin.sql}\n${(failure as Error).message}`, {
      cause: failure,
    });
  }
}

describe('a view that acts on time equals the same query in DuckDB, in whatever order its inputs are read', () => {
  for (let first = 0; first < PLANS; first += PLANS_PER_TEST) {
    const last = Math.min(first + PLANS_PER_TEST, PLANS);
    it(`for the random plans ${first} to ${last - 1}`, async () => {
      const found: Awaited<ReturnType<typeof compare>>[] = [];
      for (let number = first; number < last; number++) found.push(await compare(SEED + number));
      if (PLANS < PLANS_PER_TEST) return;
      // That they are alike says something: there were rows, and some that were late.
      expect(found.filter(({ rows }) => rows > 1).length).toBeGreaterThan(found.length / 3);
      expect(found.some(({ late }) => late > 0)).toBe(true);
    }, 120_000);
  }
});
