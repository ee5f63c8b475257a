import type { RecordSource } from '../../runtime/placement.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import { comparePositions } from '../../runtime/position.js';
import { declarationOf } from '../../view/declaration-of.js';
import { stageOf } from '../../view/exchange.js';
import type { AppendedEntry } from '../history.js';
import type { Random } from '../random.js';
import { ViewRun } from '../view-run.js';
import { movingView } from './random-plan.js';
import { appended, type Shown, type Subject } from './subject.js';

const SHOPS = ['a', 'b', 'c', 'd', 'e'];
const BUYERS = ['w', 'x', 'y', 'z', 'ü'];
const FIRST = Date.UTC(2029, 0, 1);
/** No two events have one time: seconds are drawn, and the milliseconds count. */
const SECONDS = 600;
/** Under which ids the log is read again: none lies before its event. */
const READ_AGAIN = Date.UTC(2031, 0, 1);

/**
 * A view of a random plan whose rows move between partitions, once or more often. It must show what the same plan shows over
 * sources of one partition, maintained in one go with nothing going wrong.
 */
export function randomized(random: Random): Subject {
  const times = random.of([1, 1, 2]);
  const { alone, several, ...views } = movingView(() => random.below(2 ** 31), times);
  const [one, many] = [views.one.declaration, views.many.declaration];
  const sourcesOf = (of: object): RecordSource[] =>
    Object.values(of).map((source) => declarationOf(source as never) as RecordSource);
  const [sales, returns, buyers] = sourcesOf(several) as [RecordSource, RecordSource, RecordSource];
  const sourcesAlone = sourcesOf(alone);
  let number = 0;
  const event = (random: Random): { id: number; at: string; shop: string; buyer: string } => {
    const at = new Date(FIRST + random.below(SECONDS) * 1_000 + (++number % 1_000)).toISOString();
    return { id: number, at, shop: random.of(SHOPS), buyer: random.of(BUYERS) };
  };
  const salesEntries = appended(sales, (random) => ({ ...event(random), amount: random.below(12) }));
  return {
    name: `a random plan whose rows move ${stageOf(many.plan) === 1 ? 'once' : 'more than once'}`,
    views: [many],
    sources: [
      salesEntries,
      salesEntries,
      appended(returns, (random) => ({ ...event(random), ...(random.chance(0.2) && { buyer: null }) })),
      appended(buyers, (random) => ({
        name: random.of(BUYERS),
        city: random.of(['here', 'there']),
        age: random.below(50),
      })),
    ],
    expected(log) {
      const run = new ViewRun(one);
      run.tick(sourcesAlone.flatMap((source) => readAgain(source, log)));
      const shown: Shown = new Map();
      for (const row of run.rows.values()) shown.set(many.key.map((column) => row[column]).join(' '), row);
      return new Map([[many.name, shown]]);
    },
  };
}

/** What the partitions of a source hold, as the log of one partition. */
function readAgain(source: RecordSource, log: ReadonlyMap<string, readonly RawEntry[]>): AppendedEntry[] {
  const entries = [...log]
    .filter(([key]) => key.split(':')[0] === source.name)
    .flatMap(([, entries]) => entries)
    .sort(([left], [right]) => comparePositions(left, right));
  return entries.map(([, fields], index) => ({
    source,
    partition: 0,
    entry: [`${READ_AGAIN + index}-0`, fields],
  }));
}
