import { PGlite } from '@electric-sql/pglite';
import { decimal } from 'stillwater';
import { z } from 'zod';
import { matches } from '../../src/runtime/reading/matches.js';
import { parseOrder } from '../../src/runtime/reading/order-words.js';
import { orderTextOf, orderValues } from '../../src/runtime/reading/row-order.js';
import { describeView } from '../../src/runtime/reading/view-description.js';
import { FilterParser } from '../../src/serving/parse-filters.js';
import { textOfUnscaled } from '../../src/zset/decimal.js';
import { compareText } from '../../src/zset/text-order.js';
import type { Row } from '../../src/zset/value.js';
import { Maintained } from '../support/maintained.js';
import { tableOf } from '../support/declared.js';
import { aggregate, distinct, join, source, viewOf, type WrittenAggregate } from '../support/plans.js';
import { Random } from '../support/random.js';

// Decimals are what numeric(…, scale) is in PostgreSQL: the same sums, orders, joins and comparisons.

const SCALE = 2;
const amounts = tableOf(
  'amounts',
  z.object({ id: z.string(), g: z.string().nullable(), x: decimal(SCALE).nullable(), y: decimal(SCALE) }),
  ['id'],
);

/** Texts of numeric values; lists are compared element by element. */
const TWINS: Record<string, readonly [written: WrittenAggregate, sql: string]> = {
  values: [{ kind: 'count', value: 'x' }, 'count(x)::float8'],
  different: [{ kind: 'countDistinct', value: 'x' }, 'count(DISTINCT x)::float8'],
  total: [{ kind: 'sum', value: 'x' }, 'sum(x)::text'],
  part: [
    { kind: 'sumIf', value: 'y', test: (row) => row.g === 'a' },
    `(sum(y) FILTER (WHERE g = 'a'))::text`,
  ],
  mean: [{ kind: 'avg', value: 'x' }, `round(sum(x)::numeric(200, 40) / count(x), ${SCALE + 6})::text`],
  least: [{ kind: 'min', value: 'x' }, 'min(x)::text'],
  greatest: [{ kind: 'max', value: 'y' }, 'max(y)::text'],
  leastsId: [{ kind: 'minBy', by: 'y', value: 'id' }, '(array_agg(id ORDER BY y, id))[1]'],
  greatestsId: [{ kind: 'maxBy', by: 'y', value: 'id' }, '(array_agg(id ORDER BY y DESC, id))[1]'],
  third: [
    { kind: 'percentile', value: 'x', options: { p: 0.3, discrete: true } },
    '(percentile_disc(0.3) WITHIN GROUP (ORDER BY x))::text',
  ],
  top: [
    { kind: 'topK', value: 'x', options: { k: 3, order: 'desc' } },
    `coalesce(((array_agg(x ORDER BY x DESC) FILTER (WHERE x IS NOT NULL))[1:3])::text[], '{}')`,
  ],
  all: [
    { kind: 'collect', value: 'x' },
    `coalesce((array_agg(x ORDER BY x) FILTER (WHERE x IS NOT NULL))::text[], '{}')`,
  ],
};
const written = Object.fromEntries(Object.entries(TWINS).map(([name, [aggregated]]) => [name, aggregated]));
const columns = Object.entries(TWINS).map(([name, [, sql]]) => `${sql} AS "${name}"`);

let database: PGlite;
beforeAll(async () => {
  database = await PGlite.create();
  await database.exec(
    `CREATE TABLE amounts (id text PRIMARY KEY, g text, x numeric(60, ${SCALE}), y numeric(60, ${SCALE}))`,
  );
});
afterAll(async () => database.close());

const query = async (sql: string): Promise<Row[]> => (await database.query(sql)).rows as Row[];
const put = ({ id, g, x, y }: Row): Promise<unknown> =>
  database.query(
    'INSERT INTO amounts VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET g = excluded.g, x = excluded.x, y = excluded.y',
    [id, g, x, y],
  );
const sorted = (rows: readonly object[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

const valueOf = (random: Random): string =>
  textOfUnscaled(
    random.chance(0.2)
      ? BigInt(random.below(1_000_000)) ** 6n * (random.chance(0.5) ? 1n : -1n)
      : BigInt(random.below(2_000) - 1_000),
    SCALE,
  );
const rowOf = (random: Random): Row => ({
  id: `r${random.below(12)}`,
  g: random.of(['a', 'b', null]),
  x: random.chance(0.2) ? null : valueOf(random),
  y: random.chance(0.3) ? '0.00' : valueOf(random),
});

describe('decimals, as PostgreSQL has them', () => {
  it.each([1, 2, 3])('are summed, averaged and ordered in groups that change (seed %i)', async (seed) => {
    await database.exec('DELETE FROM amounts');
    const random = new Random(seed);
    const perGroup = new Maintained(viewOf('v', aggregate(source(amounts), { g: 'g' }, written), ['g']), 5);
    const unlike = new Maintained(
      viewOf('w', distinct(aggregate(source(amounts), { x: 'x' }, { n: { kind: 'count' } })), ['x']),
      5,
    );
    for (let tick = 0; tick < 25; tick++) {
      const changes: [Row, number][] = [];
      for (let change = random.below(4); change >= 0; change--) {
        const row = rowOf(random);
        if (random.chance(0.25)) {
          changes.push([{ id: row.id!, g: null, x: null, y: null } as never, -1]);
          await database.query('DELETE FROM amounts WHERE id = $1', [row.id]);
        } else {
          changes.push([row, 1]);
          await put(row);
        }
      }
      perGroup.tick({ 'table:amounts': changes });
      unlike.tick({ 'table:amounts': changes });
      if (random.chance(0.3)) perGroup.restart();
      expect(sorted(perGroup.rows)).toEqual(
        sorted(await query(`SELECT g, ${columns.join(', ')} FROM amounts GROUP BY g`)),
      );
      expect(sorted(unlike.rows)).toEqual(
        sorted(await query('SELECT DISTINCT x::text AS x, count(*)::float8 AS n FROM amounts GROUP BY x')),
      );
    }
    // Adding and taking away leaves the state before.
    const ids = await query('SELECT id FROM amounts');
    perGroup.tick({
      'table:amounts': ids.map(({ id }) => [{ id: id!, g: null, x: null, y: null } as never, -1] as const),
    });
    expect(perGroup.store.toString()).toBe(
      new Maintained(viewOf('v', aggregate(source(amounts), { g: 'g' }, written), ['g'])).store.toString(),
    );
  });

  it('are joined by what they are', async () => {
    await database.exec('DELETE FROM amounts');
    const random = new Random(7);
    const rows = Array.from({ length: 20 }, (_, index) => ({
      ...rowOf(random),
      id: `r${index}`,
      x: random.chance(0.2) ? null : random.of(['1.00', '1.50', '-1.00', '0.00']),
      y: random.of(['1.00', '1.50', '0.00']),
    }));
    for (const row of rows) await put(row);
    const others = tableOf('others', amounts.schema as never, ['id']);
    const view = new Maintained(
      viewOf('v', join(source(amounts), source(others), 'o', { x: 'y' }), ['id', 'o']),
    );
    view.tick({
      'table:amounts': rows.map((row) => [row, 1] as const),
      'table:others': rows.map((row) => [row, 1] as const),
    });
    const pairs = view.rows.map(({ id, o }) => ({ id, other: (o as Row).id }));
    expect(sorted(pairs)).toEqual(
      sorted(await query('SELECT l.id, r.id AS other FROM amounts l JOIN amounts r ON l.x = r.y')),
    );
  });

  it('are found and ordered over REST by what they are', async () => {
    await database.exec('DELETE FROM amounts');
    const random = new Random(11);
    const rows = Array.from({ length: 40 }, (_, index): Row => ({ ...rowOf(random), id: `r${index}` }));
    for (const row of rows) await put(row);
    const description = describeView(viewOf('v', source(amounts), ['id']));
    const found = (filter: string): unknown[] => {
      const where = new FilterParser(description, { inValuesMax: 10, conditionsMax: 10 }).column('x', filter);
      return rows.filter(matches(where)).map(({ id }) => id);
    };
    const [some, more] = [rows.find(({ x }) => x !== null)!.x!, '-3.5'];
    const conditions: [filter: string, sql: string][] = [
      [`eq.${some}`, `x = ${some as string}`],
      [`eq.${some}00`, `x = ${some as string}`],
      [`neq.${some}`, `x <> ${some as string}`],
      ['gt.0', 'x > 0'],
      ['gte.0.005', 'x >= 0.005'],
      [`lt.${more}`, `x < ${more}`],
      ['lte.1e3', 'x <= 1000'],
      ['not.gt.0', 'NOT x > 0'],
      [`in.(0,${some},12.505)`, `x IN (0, ${some as string}, 12.505)`],
      [`not.in.(0,${some})`, `x NOT IN (0, ${some as string})`],
      ['is.null', 'x IS NULL'],
      [`isdistinct.${some}`, `x IS DISTINCT FROM ${some as string}`],
    ];
    for (const [filter, sql] of conditions)
      expect([filter, sorted([found(filter)])]).toEqual([
        filter,
        sorted([
          (await query(`SELECT id FROM amounts WHERE ${sql} ORDER BY substr(id, 2)::int`)).map(
            ({ id }) => id,
          ),
        ]),
      ]);
    for (const [order, sql] of [
      ['x,id', 'x, id'],
      ['x.desc,id.desc', 'x DESC, id DESC'],
      ['y.desc.nullslast,x.nullsfirst,id', 'y DESC NULLS LAST, x NULLS FIRST, id'],
    ] as const) {
      const terms = parseOrder(order, description);
      const [valuesOf, textOf] = [orderValues(terms), orderTextOf(terms)];
      const ids = [...rows]
        .sort((left, right) => compareText(textOf(valuesOf(left)), textOf(valuesOf(right))))
        .map(({ id }) => id);
      const collated = sql.replace(/\bid\b/, 'id COLLATE "C"');
      expect(ids).toEqual((await query(`SELECT id FROM amounts ORDER BY ${collated}`)).map(({ id }) => id));
    }
  });
});
