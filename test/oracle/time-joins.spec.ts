import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { instant, stream, table, view } from 'stillwater';
import { z } from 'zod';
import { Random } from '../support/random.js';
import { at, type Ticked, Timed } from '../support/timed.js';

/** Joins within an interval and as of a time give what DuckDB gives over all that has come, in whatever order it came. */

const MINUTE = 60_000;
const schema = z.object({ id: z.int(), at: instant(), k: z.string().nullable(), v: z.int() });
const options = { schema, eventTime: 'at', lateness: '30m' } as const;
const one = stream('one', options);
const two = stream('two', options);
const facts = table('facts', {
  schema: z.object({ k: z.string(), since: instant(), v: z.int() }),
  key: 'k',
  eventTime: 'since',
  lateness: '30m',
});
const within = { before: '4m', after: '2m' } as const;
const on = { k: 'k' } as const;
const where = (row: { v: number; r: { v: number } }): boolean => row.v <= row.r.v;

let database: DuckDBConnection;
beforeAll(async () => {
  database = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  for (const name of ['one', 'two'])
    await database.run(`CREATE TABLE ${name} (id INT, "at" TIMESTAMP, k VARCHAR, v INT)`);
  await database.run('CREATE TABLE facts (k VARCHAR, since TIMESTAMP, v INT)');
});
afterAll(() => database.closeSync());

const text = (value: unknown): string =>
  value === null ? 'NULL' : `'${String(value).replace('T', ' ').replace('Z', '')}'`;

/** Random events, at most twenty minutes behind the newest: none of them is late. */
class Events {
  #minute = 30;
  #id = 0;

  constructor(readonly random: Random) {}

  async of(name: 'one' | 'two'): Promise<any[]> {
    const { random } = this;
    const rows: any[] = [];
    for (let count = random.below(6); count > 0; count--) {
      this.#minute += random.below(3);
      const row = {
        id: this.#id++,
        at: at((this.#minute - random.below(20)) * MINUTE),
        k: random.chance(0.1) ? null : random.of(['a', 'b']),
        v: random.below(3),
      };
      rows.push(row);
      await database.run(`INSERT INTO ${name} VALUES (${row.id}, ${text(row.at)}, ${text(row.k)}, ${row.v})`);
    }
    return rows;
  }

  /** Records; those without a value delete the key. */
  async facts(): Promise<any[]> {
    const { random } = this;
    const records: any[] = [];
    for (let count = random.below(4); count > 0; count--) {
      const k = random.of(['a', 'b']);
      const since = at((this.#minute - random.below(20)) * MINUTE);
      const v = random.chance(0.2) ? null : random.below(100);
      records.push(v === null ? [{ k, since }, -1] : { k, since, v });
      await database.run(`DELETE FROM facts WHERE k = '${k}' AND since = ${text(since)}`);
      await database.run(`INSERT INTO facts VALUES ('${k}', ${text(since)}, ${v ?? 'NULL'})`);
    }
    return records;
  }
}

async function expectEqual(view: Timed, sql: string): Promise<void> {
  const expected = (await database.runAndReadAll(sql)).getRowsJS().map((row) => JSON.stringify(row));
  const actual = view.rows.map(({ l, r, v }) => JSON.stringify([l, r, v]));
  expect(actual.sort()).toEqual(expected.sort());
}

async function run(
  seed: number,
  make: () => Timed,
  sql: string,
  sources: readonly ('one' | 'two' | 'facts')[],
): Promise<void> {
  const random = new Random(seed);
  for (const name of ['one', 'two', 'facts']) await database.run(`DELETE FROM ${name}`);
  const events = new Events(random);
  const maintained = make();
  for (let tick = 0; tick < 12; tick++) {
    const ticked: Record<string, any> = {};
    for (const name of sources)
      if (random.chance(0.8))
        if (name === 'facts') ticked['table:facts'] = await events.facts();
        else ticked[`stream:${name}`] = await events.of(name);
    if (random.chance(0.2)) maintained.tick(ticked as Ticked, true);
    maintained.tick(ticked as Ticked);
    if (random.chance(0.2)) maintained.restart();
  }
  for (const name of sources)
    maintained.clock(name === 'facts' ? 'table:facts' : `stream:${name}`, at('20:00'));
  await expectEqual(maintained, sql);
}

const made = (from: any, columns: object, key: readonly string[]) => () =>
  new Timed((view as any)('v', { from: from.select(columns), key }).declaration, 100);

describe('equal to DuckDB', () => {
  const interval = `r."at" BETWEEN l."at" - INTERVAL 4 MINUTE AND l."at" + INTERVAL 2 MINUTE`;
  for (const [kind, method] of [
    ['INNER', 'join'],
    ['LEFT', 'leftJoin'],
    ['RIGHT', 'rightJoin'],
    ['FULL', 'fullJoin'],
  ] as const)
    it(`is a ${kind.toLowerCase()} join within an interval`, async () => {
      for (let seed = 0; seed < 8; seed++) {
        const conditioned = seed % 2 === 1;
        const from = (one as any)[method]({ r: two }, { on, within, ...(conditioned ? { where } : {}) });
        await run(
          seed,
          made(from, { l: 'id', r: 'r.id', v: 'r.v' }, ['l', 'r']),
          `SELECT l.id, r.id, r.v FROM one l ${kind} JOIN two r ON l.k = r.k AND ${interval}${conditioned ? ' AND l.v <= r.v' : ''}`,
          ['one', 'two'],
        );
      }
    });

  for (const [not, method] of [
    ['', 'semiJoin'],
    ['NOT ', 'antiJoin'],
  ] as const)
    it(`is ${not === '' ? 'a semi' : 'an anti'} join within an interval`, async () => {
      for (let seed = 0; seed < 8; seed++) {
        const conditioned = seed % 2 === 1;
        const less = (l: { v: number }, r: { v: number }): boolean => l.v <= r.v;
        const from = (one as any)[method](two, { on, within, ...(conditioned && { where: less }) });
        await run(
          seed,
          made(from, { l: 'id', r: 'k', v: 'v' }, ['l']),
          `SELECT l.id, l.k, l.v FROM one l WHERE ${not}EXISTS (SELECT 1 FROM two r WHERE l.k = r.k AND ${interval}${conditioned ? ' AND l.v <= r.v' : ''})`,
          ['one', 'two'],
        );
      }
    });

  it('is a join as of a time', async () => {
    for (let seed = 0; seed < 12; seed++)
      await run(
        seed,
        made(one.leftJoinAsOf({ r: facts }, { on: { k: 'k' } as never }), { l: 'id', r: 'k', v: 'r.v' }, [
          'l',
        ]),
        'SELECT l.id, l.k, r.v FROM one l ASOF LEFT JOIN facts r ON l.k = r.k AND l."at" >= r.since',
        ['one', 'facts'],
      );
  });
});
