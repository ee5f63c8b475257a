import { count, declarationOf, stream, view } from 'stillwater';
import { z } from 'zod';
import { SystemClock } from '../../src/runtime/clock.js';
import type { RecordSource } from '../../src/runtime/placement.js';
import { Turns } from '../../src/runtime/turns.js';
import type { ViewDeclaration } from '../../src/view/declarations.js';
import { eventually } from '../support/system.js';
import { TaskRuns } from '../support/task-runs.js';

const BUSY = 5;
const PIECES = 4;

/** How many pieces of busy tasks come between two answers, at the most, while answers come as fast as they can. */
async function piecesBetweenAnswers(rows: number): Promise<number> {
  const clock = new SystemClock();
  const turns = new Turns(() => clock.breathe());
  let pieces = 0;
  let most = 0;
  let busy = true;
  const answers = (async () => {
    while (busy) {
      pieces = 0;
      await clock.breathe();
      most = Math.max(most, pieces);
    }
  })();
  const work = async (): Promise<void> => {
    for (let piece = 0; piece < PIECES; piece++) {
      await clock.breathe();
      await turns.next(rows);
      pieces++;
    }
  };
  await Promise.all(Array.from({ length: BUSY }, work));
  busy = false;
  await answers;
  return most;
}

describe('tasks of a process', () => {
  it('take turns where they have much to do: an answer waits for one piece of one of them', async () => {
    expect(await piecesBetweenAnswers(1_000)).toBe(1);
  });

  it('work what is little off at once, whoever is busy', async () => {
    expect(await piecesBetweenAnswers(1)).toBe(BUSY);
  });

  it('ask for their turn with the rows that a tick takes in: before they step, and before they send the commit', async () => {
    const sales = stream('sales', { schema: z.object({ shop: z.string() }) });
    const shops = view('shops', { from: sales.groupBy('shop').aggregate({ sales: count() }) });
    const runs = new TaskRuns(declarationOf(sales) as RecordSource, declarationOf(shops) as ViewDeclaration);
    const asked: number[] = [];
    const turns = { next: async (rows: number) => void asked.push(rows) } as unknown as Turns;
    runs.append(Array.from({ length: 300 }, (_, index) => ({ shop: `shop ${index}` })));
    const { task, ended } = await runs.start(runs.id(0, 'shops'), { turns });
    await eventually(() => task.record.rows === 300);
    task.stop();
    await ended;
    const largest = Math.max(...asked);
    expect(largest).toBeGreaterThan(100);
    expect(asked.filter((rows) => rows === largest).length).toBeGreaterThanOrEqual(2);
  });
});
