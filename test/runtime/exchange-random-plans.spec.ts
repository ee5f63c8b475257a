import { z } from 'zod';
import {
  computed,
  count,
  countDistinct,
  hopping,
  instant,
  lag,
  max,
  min,
  rank,
  rolling,
  rowNumber,
  session,
  sliding,
  stream,
  sum,
  table,
  tumbling,
  view,
} from '../../src/index.js';
import { Random } from '../../src/testing/random.js';
import { declarationErrors } from '../../src/view/declaration-errors.js';
import { stageOf } from '../../src/view/exchange.js';
import { cuttingLimits, rowsBehind, type SimulatedRun } from '../support/simulated-run.js';

/**
 * Random plans over sources of several partitions, whose rows have to move, show the rows of the same plans over one
 * partition, however their logs are read.
 *
 *   EXCHANGE_PLANS=500 EXCHANGE_SEED=7 npm run jest -- test/runtime/exchange-random
 */
const PLANS = Number(process.env.EXCHANGE_PLANS ?? 30);
const SEED = Number(process.env.EXCHANGE_SEED ?? 41_000);

function sources(partitions: number) {
  const several = partitions === 1 ? 1 : partitions - 1;
  const sales = stream('sales', {
    schema: z.object({ id: z.int(), at: instant(), shop: z.string(), buyer: z.string(), amount: z.int() }),
    partitions,
    partitionBy: 'shop',
    eventTime: 'at',
  });
  const returns = stream('returns', {
    schema: z.object({ id: z.int(), at: instant(), shop: z.string(), buyer: z.string().nullable() }),
    partitions: several,
    partitionBy: 'shop',
    eventTime: 'at',
  });
  const buyers = table('buyers', {
    schema: z.object({ name: z.string(), city: z.string(), age: z.int() }),
    key: 'name',
    partitions: several,
  });
  return { sales, returns, buyers };
}
type Sources = ReturnType<typeof sources>;

interface Columns {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'time';
}
/** A collection whose columns are only known at run time. */
interface Rows {
  readonly rows: any;
  readonly columns: readonly Columns[];
}

const text = (name: string): Columns => ({ name, kind: 'text' });
const number = (name: string): Columns => ({ name, kind: 'number' });
const time = (name: string): Columns => ({ name, kind: 'time' });
const names = (columns: readonly Columns[]): string[] => columns.map(({ name }) => name);
const kept = (columns: readonly Columns[]): Record<string, unknown> =>
  Object.fromEntries(names(columns).map((name) => [name, name]));

/** The same plan for the same seed, whatever the partitions. */
class Plan {
  #names = 0;

  constructor(
    readonly random: Random,
    readonly of: Sources,
  ) {}

  make(): Rows {
    let made = this.#source();
    for (let left = 1 + this.random.below(3); left > 0; left--) made = this.#next(made);
    return made;
  }

  #fresh(): string {
    return `c${++this.#names}`;
  }

  #source(): Rows {
    const { sales, returns, buyers } = this.of;
    return this.random.of<Rows>([
      { rows: sales, columns: [number('id'), time('at'), text('shop'), text('buyer'), number('amount')] },
      { rows: sales, columns: [number('id'), time('at'), text('shop'), text('buyer'), number('amount')] },
      { rows: returns, columns: [number('id'), time('at'), text('shop'), text('buyer')] },
      { rows: buyers, columns: [text('name'), text('city'), number('age')] },
    ]);
  }

  #column(of: Rows, kind: Columns['kind']): string | null {
    const found = of.columns.filter((column) => column.kind === kind);
    return found.length === 0 ? null : this.random.of(found).name;
  }

  #next(of: Rows): Rows {
    const steps = [
      () => this.#narrowed(of),
      () => this.#grouped(of),
      () => this.#grouped(of),
      () => this.#top(of),
      () => this.#over(of),
      () => this.#distinct(of),
      () => this.#joined(of),
      () => this.#joined(of),
      () => this.#matched(of),
      () => this.#united(of),
      () => this.#compared(of),
      () => this.#windowed(of),
      () => this.#windowed(of),
      () => this.#deduped(of),
      () => this.#near(of),
    ];
    return this.random.of(steps)();
  }

  #narrowed(of: Rows): Rows {
    const column = this.#column(of, 'number');
    if (column === null) return of;
    const bound = this.random.below(30);
    return { ...of, rows: of.rows.where((row: any) => row[column] === null || row[column] <= bound) };
  }

  #results(of: Rows): { made: Record<string, unknown>; columns: Columns[] } {
    const column = this.#column(of, 'number');
    const word = this.#column(of, 'text');
    const made: Record<string, unknown> = { [this.#fresh()]: count() };
    if (column !== null) {
      made[this.#fresh()] = sum(column as never);
      made[this.#fresh()] = this.random.chance(0.5) ? min(column as never) : max(column as never);
    }
    if (word !== null) made[this.#fresh()] = countDistinct(word as never);
    return { made, columns: Object.keys(made).map(number) };
  }

  #grouped(of: Rows): Rows {
    const by = this.random.some(of.columns, this.random.chance(0.1) ? 0 : 1, 2);
    const { made, columns } = this.#results(of);
    return { rows: of.rows.groupBy(...names(by)).aggregate(made), columns: [...by, ...columns] };
  }

  #order(of: Rows): string[] {
    return this.random
      .some(of.columns, of.columns.length)
      .map(({ name }) => (this.random.chance(0.5) ? name : `${name}.desc`));
  }

  #top(of: Rows): Rows {
    const per = names(this.random.some(of.columns, this.random.chance(0.2) ? 0 : 1, 2));
    return { ...of, rows: of.rows.top(1 + this.random.below(3), { per, order: this.#order(of) }) };
  }

  #over(of: Rows): Rows {
    const per = names(this.random.some(of.columns, 1, 1));
    const value = this.#column(of, 'number');
    const column = this.#fresh();
    const made =
      value === null
        ? this.random.of([rowNumber(), rank()])
        : this.random.of([
            rowNumber(),
            lag(value as never),
            rolling(sum(value as never), { rows: { before: 2, after: 1 } }),
            rolling(sum(value as never), { rows: 'all' }),
          ]);
    return {
      rows: of.rows.over({ per, order: this.#order(of) }, { [column]: made }),
      columns: [...of.columns, number(column)],
    };
  }

  #distinct(of: Rows): Rows {
    const columns = this.random.some(of.columns, 1, 3);
    return { rows: of.rows.select(kept(columns)).distinct(), columns };
  }

  #joined(of: Rows): Rows {
    const other = this.#source();
    const [own, theirs] = [this.#column(of, 'text'), this.#column(other, 'text')];
    if (own === null || theirs === null) return of;
    const [side, name] = [this.#fresh(), this.#fresh()];
    const taken = this.random.of(other.columns);
    const how = this.random.of(['join', 'leftJoin', 'rightJoin', 'fullJoin'] as const);
    return {
      rows: of.rows[how]({ [side]: other.rows }, { on: { [own]: theirs } }).select({
        ...kept(of.columns),
        [name]: `${side}.${taken.name}`,
      }),
      columns: [...of.columns, { ...taken, name }],
    };
  }

  #matched(of: Rows): Rows {
    const other = this.#source();
    const [own, theirs] = [this.#column(of, 'text'), this.#column(other, 'text')];
    if (own === null || theirs === null) return of;
    const how = this.random.of(['semiJoin', 'antiJoin'] as const);
    return { ...of, rows: of.rows[how](other.rows, { on: { [own]: theirs } }) };
  }

  #united(of: Rows): Rows {
    return { ...of, rows: of.rows.union(this.#narrowed(of).rows) };
  }

  #compared(of: Rows): Rows {
    const how = this.random.of(['except', 'intersect'] as const);
    return { ...of, rows: of.rows[how](this.#narrowed(of).rows, { all: this.random.chance(0.5) }) };
  }

  #windowed(of: Rows): Rows {
    const on = of.columns.find(({ name }) => name === 'at')?.name;
    if (on === undefined) return this.#grouped(of);
    const shape = this.random.of([
      tumbling('1m'),
      hopping('2m', { every: '1m' }),
      session('20s'),
      sliding('30s'),
    ]);
    const by = names(
      this.random.some(
        of.columns.filter(({ kind }) => kind === 'text'),
        0,
        1,
      ),
    );
    const { made, columns } = this.#results(of);
    return {
      // A join may leave a row without its time.
      rows: of.rows
        .where((row: any) => row[on] !== null)
        .window(shape, { on })
        .groupBy(...by)
        .aggregate(made),
      columns: [...by.map(text), time('windowStart'), time('windowEnd'), ...columns],
    };
  }

  #deduped(of: Rows): Rows {
    if (of.rows !== this.of.sales) return this.#distinct(of);
    return { ...of, rows: of.rows.dedupe({ by: 'buyer', within: '1m', on: 'at' }) };
  }

  #near(of: Rows): Rows {
    if (of.rows !== this.of.sales) return this.#joined(of);
    const name = this.#fresh();
    const rows = of.rows.join(
      { back: this.of.returns },
      { on: { buyer: 'buyer' }, within: { before: '30s', after: '1m' } },
    );
    return {
      rows: rows.select({
        ...kept(of.columns),
        [name]: computed(z.int(), ((row: any) => row.back.id) as never),
      }),
      columns: [...of.columns, number(name)],
    };
  }
}

const SHOPS = ['a', 'b', 'c', 'd', 'e'];
const BUYERS = ['w', 'x', 'y', 'z', '', 'ü'];

async function play(run: SimulatedRun, { sales, returns, buyers }: Sources, seed: number): Promise<void> {
  const random = new Random(seed);
  for (let step = 0, id = 0; step < 25; step++) {
    const around = Date.UTC(2029, 0, 1) + random.below(600) * 1_000;
    // No two of a time: those of one stream follow one another as they were appended, and others as their texts do.
    const next = (): { id: number; at: string } => ({ id, at: new Date(around + id++).toISOString() });
    const [shop, buyer] = [random.of(SHOPS), random.of(BUYERS)];
    const roll = random.below(10);
    if (roll < 5)
      for (let more = random.below(3); more >= 0; more--)
        run.append(sales, { ...next(), shop, buyer: random.of(BUYERS), amount: random.below(12) });
    else if (roll < 7) run.append(returns, { ...next(), shop, buyer: random.chance(0.2) ? null : buyer });
    else run.append(buyers, { name: buyer, city: random.of(['here', 'there']), age: random.below(50) });
    if (random.chance(0.3)) await run.pass(random.below(300));
  }
}

/** A view of rows that may be equal: each with how often it is there. Null where rows cannot move. */
function declared(seed: number, of: Sources): any {
  const { rows, columns } = new Plan(new Random(seed), of).make();
  const made = view('v', { from: rows.groupBy(...names(columns)).aggregate({ copies: count() }) } as never);
  const errors = declarationErrors([made.declaration]);
  if (errors.some(({ code }) => code === 'needs-exchange')) return null;
  expect(errors).toEqual([]);
  return made;
}

const rowsOf = (shown: any, of: Sources, seed: number): Promise<string[]> =>
  rowsBehind(shown, cuttingLimits(new Random(seed)), (run) => play(run, of, seed));

/** The first plan from a seed on whose rows move so often at least. */
function moving(
  from: number,
  times: number,
): { seed: number; one: any; many: any; alone: Sources; several: Sources } {
  for (let seed = from; ; seed++) {
    const [alone, several] = [sources(1), sources(3)];
    const [one, many] = [declared(seed, alone), declared(seed, several)];
    if (one !== null && many !== null && stageOf(many.declaration.plan) >= times)
      return { seed, one, many, alone, several };
  }
}

describe('a random plan shows over several partitions what it shows over one', () => {
  let told = 0;
  for (let first = 0; first < PLANS; first += 10)
    it(`for the plans ${first} to ${Math.min(first + 10, PLANS) - 1}`, async () => {
      for (let plan = first; plan < Math.min(first + 10, PLANS); plan++) {
        const { seed, one, many, alone, several } = moving(SEED + 1_000 * plan, 1 + (plan % 2));
        try {
          const expected = await rowsOf(one, alone, seed);
          expect(await rowsOf(many, several, seed)).toEqual(expected);
          if (expected.length > 0) told++;
        } catch (failure) {
          throw new Error(`EXCHANGE_SEED=${seed} EXCHANGE_PLANS=1\n${(failure as Error).message}`, {
            cause: failure,
          });
        }
      }
    }, 120_000);

  it('and most of them have rows', () => {
    if (PLANS >= 30) expect(told).toBeGreaterThan(PLANS / 2);
  });
});
