import { z } from 'zod';
import { assert } from '../../assert.js';
import { count, countDistinct, sum } from '../../view/aggregates.js';
import { approxCountDistinct, approxPercentile } from '../../view/approximate-aggregates.js';
import { computed } from '../../view/computed.js';
import { declarationErrors } from '../../view/declaration-errors.js';
import { stageOf } from '../../view/exchange.js';
import { instant } from '../../view/instant.js';
import { max, min } from '../../view/ordered-aggregates.js';
import { lag, rank, rolling, rowNumber } from '../../view/row-functions.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { stream } from '../../view/stream.js';
import { table } from '../../view/table.js';
import { view } from '../../view/view.js';
import { hopping, session, sliding, tumbling } from '../../view/window.js';
import { Random } from '../random.js';

/** The streams and the table that a plan reads, each over so many partitions or one fewer. */
function randomSources(partitions: number) {
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
export type RandomSources = ReturnType<typeof randomSources>;

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

class RandomPlan {
  #names = 0;

  constructor(
    readonly random: Random,
    readonly of: RandomSources,
  ) {}

  make(): Rows {
    let made = this.#source();
    if (this.random.chance(0.2)) made = this.#paned(made);
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

  /** Windows that are kept by panes: wide ones of sketches, also of rows that move to be grouped. */
  #paned(of: Rows): Rows {
    if (of.rows === this.of.buyers) return of;
    const by = this.random.of(['shop', 'buyer']);
    const [rows, percentile, buyers] = [this.#fresh(), this.#fresh(), this.#fresh()];
    return {
      rows: of.rows
        .window(hopping('6m', { every: '1m' }))
        .groupBy(by)
        .aggregate({
          [rows]: count(),
          [percentile]: approxPercentile('id', this.random.of([0.1, 0.5, 1])),
          [buyers]: approxCountDistinct('buyer'),
        }),
      columns: [text(by), time('windowStart'), time('windowEnd'), ...[rows, percentile, buyers].map(number)],
    };
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
    // Of events near them; what has none for certain is not known here, for nothing is ever over.
    const isNear = how === 'semiJoin' && of.rows === this.of.sales && other.rows !== this.of.buyers;
    const within = isNear ? { within: { before: '1m', after: '30s' } } : {};
    return { ...of, rows: of.rows[how](other.rows, { on: { [own]: theirs }, ...within }) };
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

/**
 * A view of a random plan: the same for the same seed, whatever the partitions. Its rows may be equal, and each says how often
 * it is there. Null where they would have to move and cannot.
 */
function randomView(seed: number, of: RandomSources): { readonly declaration: ViewDeclaration } | null {
  const { rows, columns } = new RandomPlan(new Random(seed), of).make();
  const made = view('v', { from: rows.groupBy(...names(columns)).aggregate({ copies: count() }) } as never);
  const errors = declarationErrors([made.declaration]);
  if (errors.some(({ code }) => code === 'needs-exchange')) return null;
  assert(errors.length === 0, errors.map(({ message }) => message).join('\n'));
  return made;
}

/** The first plan of these seeds whose rows move so often at least: over sources of one partition, and of several. */
export function movingView(nextSeed: () => number, times: number) {
  const [alone, several] = [randomSources(1), randomSources(3)];
  for (;;) {
    const seed = nextSeed();
    const [one, many] = [randomView(seed, alone), randomView(seed, several)];
    if (one && many && stageOf(many.declaration.plan) >= times) return { seed, alone, several, one, many };
  }
}
