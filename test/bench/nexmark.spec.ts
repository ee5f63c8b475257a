import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CanonicalAnswer } from '../../bench/nexmark/canonical.js';
import { DataSet } from '../../bench/nexmark/data-set.js';
import { difference, ExpectedAnswers } from '../../bench/nexmark/expected.js';
import { queries, type Query } from '../../bench/nexmark/queries.js';
import { LogWriter } from '../../src/testing/history.js';
import { ViewRun } from '../../src/testing/view-run.js';
import { sourcesOf } from '../../src/view/plan-nodes.js';

/** The suite's generator and answers, on machines that have them. */
const PLACES = [
  process.env.STILLWATER_NEXMARK,
  join('..', 'shared', 'nexmark'),
  join('..', '..', 'shared', 'nexmark'),
];
const FOLDER = PLACES.find((place) => place !== undefined && existsSync(join(place, 'gen.mjs')));
const EVENTS = 5_000;
const EVENTS_A_TICK = 1_500;
/** So many rows, and so wide, that they are left to `npm run bench:nexmark`. */
const LARGE = ['q23'];

/** The answer of a view maintained in memory over the events, some of each stream in every tick. */
function answerOf({ view: { declaration }, cells }: Query, dataSet: DataSet): CanonicalAnswer {
  const log = new LogWriter();
  const run = new ViewRun(declaration);
  const left = sourcesOf(declaration.plan).map((source) => ({
    source: source as Parameters<LogWriter['records']>[0],
    records: Array.from(dataSet.textsOf(source.name as 'bids'), (text) => JSON.parse(text) as unknown),
  }));
  while (left.some(({ records }) => records.length > 0))
    run.tick(left.flatMap(({ source, records }) => log.records(source, records.splice(0, EVENTS_A_TICK))));
  expect(run.errors).toEqual([]);
  return new CanonicalAnswer(Array.from(run.rows.values(), cells));
}

const describeWithData = FOLDER === undefined ? describe.skip : describe;

describeWithData(
  `Nexmark${FOLDER === undefined ? ' (its generator and answers are not here; STILLWATER_NEXMARK names their folder)' : ''}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'stillwater-nexmark-'));
    const file = join(directory, 'events.jsonl');
    let dataSet: DataSet;
    let expected: ExpectedAnswers;
    beforeAll(() => {
      const options = [
        '--events',
        String(EVENTS),
        '--seed',
        '6',
        '--rate',
        '200',
        '--base',
        '2015-07-15T07:58:00Z',
      ];
      execFileSync(process.execPath, [join(FOLDER!, 'gen.mjs'), ...options, '--out', file]);
      dataSet = DataSet.fromFile(file);
      expected = new ExpectedAnswers(join(FOLDER!, 'expected'));
    });
    afterAll(() => rmSync(directory, { recursive: true, force: true }));

    test.each(
      queries.filter(({ name }) => !LARGE.includes(name)).map((query) => [query.name, query] as const),
    )('the view of %s has the rows that are expected after 5,000 events', (name, query) => {
      expect(difference(answerOf(query, dataSet), expected.of(name, EVENTS)!)).toBeNull();
    });
  },
);

describe('made events of Nexmark', () => {
  test('are the same at every run, and every query takes them', () => {
    const [some, again] = [DataSet.made(100), DataSet.made(100)];
    expect(some.events).toEqual(again.events);
    for (const query of queries) answerOf(query, some);
  });
});
