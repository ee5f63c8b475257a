import { z } from 'zod';
import { count, instant, stream, sum, tumbling, view } from '../../src/index.js';
import { SimulatedRun } from '../support/simulated-run.js';

function salesByBuyer(partitions: number) {
  const sales = stream('sales', {
    schema: z.object({ id: z.int(), at: instant(), shop: z.string(), buyer: z.string(), amount: z.number() }),
    partitions,
    partitionBy: 'shop',
    eventTime: 'at',
    lateness: '10s',
  });
  const shown = view('v', {
    from: sales
      .window(tumbling('1m'))
      .groupBy('buyer')
      .aggregate({ n: count(), amount: sum('amount') }),
  });
  return { sales, shown };
}
const at = (second: number): string => new Date(Date.UTC(2029, 0, 1) + second * 1_000).toISOString();
const sale = (id: number, second: number, shop: string) =>
  ({ id, at: at(second), shop, buyer: `buyer ${id % 2}`, amount: 0.1 * id }) as const;

const SHOPS = ['a', 'b', 'c', 'd', 'e', 'f'];

describe('rows that are folded before they are moved', () => {
  it('are moved as one row for each group of a tick', async () => {
    const { sales, shown } = salesByBuyer(3);
    const run = new SimulatedRun([shown]);
    let commits = 0;
    let moved = 0;
    run.onCommit = ({ task, sent = [] }) => {
      if (task.stage !== 0) return;
      commits++;
      moved += sent.flatMap(({ text }) => text.match(/"buyer \d"/g) ?? []).length;
    };
    run.append(sales, ...Array.from({ length: 200 }, (_, id) => sale(id, 1, SHOPS[id % 6]!)));
    run.start();
    await run.settled('v');
    expect(run.rows('v').map(({ n }) => n)).toEqual([100, 100]);
    run.end();
    expect(moved).toBeGreaterThan(0);
    // Of a tick no more than there are buyers.
    expect(moved).toBeLessThanOrEqual(2 * commits);
  });

  it('are left out before that where they are late, and counted', async () => {
    const rowsOf = async (partitions: number, late: boolean): Promise<[unknown[], number]> => {
      const { sales, shown } = salesByBuyer(partitions);
      const run = new SimulatedRun([shown]);
      run.start();
      run.append(sales, ...SHOPS.map((shop, id) => sale(id, 100 + id, shop)));
      await run.settled('v');
      // The first is late: its minute is over. The second is out of order only.
      if (late) run.append(sales, sale(10, 10, 'a'));
      run.append(sales, sale(11, 95, 'a'), sale(12, 130, 'b'));
      await run.settled('v');
      const counted = [...run.redis.tasks.values()].reduce((sum, { record }) => sum + (record?.late ?? 0), 0);
      const rows = run.rows('v').map((row) => JSON.stringify(row));
      run.end();
      return [rows.sort(), counted];
    };
    for (const partitions of [1, 3]) {
      const [rows, counted] = await rowsOf(partitions, true);
      expect(counted).toBe(1);
      expect([rows, 0]).toEqual(await rowsOf(partitions, false));
    }
    expect((await rowsOf(3, true))[0]).toEqual((await rowsOf(1, true))[0]);
  });
});
