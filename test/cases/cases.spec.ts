import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseEntry, Cells, Change, Step } from './case-file.js';
import { runFlinkCase } from './flink-case.js';
import { runKafkaCase } from './kafka/kafka-run.js';
import type { Topology } from './kafka/topology.js';
import { runCase } from './run-case.js';
import { runSqlCase } from './sql-case.js';

/** Where cases are, on machines that have them. */
const PLACES = [
  process.env.STILLWATER_CASES ?? join('..', 'shared', 'cases'),
  join('..', '..', 'shared', 'cases'),
];
const isFolder = (place: string): boolean => existsSync(join(place, 'index.jsonl'));
const FOLDER = PLACES.find(isFolder) ?? PLACES[0]!;
const found = isFolder(FOLDER);
const entries = found
  ? readFileSync(join(FOLDER, 'index.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as CaseEntry)
  : [];

/** One history of each template; the others are for `npm run cases`. */
const some = entries.filter(
  ({ id, set, oracle }) =>
    (oracle === 'postgres-agrees' && /own:fuzz\/11#|own:orderbook\/31#|own:temporal\/21#/.test(id)) ||
    ['pg_ivm', 'kafka-streams', 'flink-sql'].includes(set),
);

const describeWithCases = found ? describe : describe.skip;

describeWithCases(
  `cases of ${FOLDER}${found ? '' : ' (there are none; STILLWATER_CASES names a folder)'}`,
  () => {
    test.each(some.map((entry) => [entry.id, entry] as const))('%s is not wrong', (_, entry) => {
      expect(runCase(entry, FOLDER)).not.toMatchObject({ verdict: 'wrong' });
    });
  },
);

describe('windows in SQL', () => {
  const clicks = {
    name: 'clicks',
    columns: [{ name: 'who' }, { name: 'at', time_attribute: 'rowtime' as const }],
    rows: [
      ['ada', 1_000],
      ['ada', 3_000],
      ['bob', 4_000],
      ['ada', 9_000],
    ],
  };
  const answers = (sql: string, expected: readonly string[]): unknown =>
    runFlinkCase(
      { id: 'own', dialect: 'flink-sql-1.10', sql, tables: [clicks], expected_rows: expected },
      '',
    );

  test('that hop have each row in several', () => {
    const sql = `SELECT who, HOP_START(at, INTERVAL '2' SECOND, INTERVAL '4' SECOND), COUNT(*) FROM clicks
      WHERE who = 'ada' GROUP BY who, HOP(at, INTERVAL '2' SECOND, INTERVAL '4' SECOND)`;
    expect(
      answers(sql, [
        'ada,1969-12-31T23:59:58,1',
        'ada,1970-01-01T00:00,2',
        'ada,1970-01-01T00:00:02,1',
        'ada,1970-01-01T00:00:06,1',
        'ada,1970-01-01T00:00:08,1',
      ]),
    ).toEqual({ verdict: 'passed' });
  });

  test('that are sessions end so long after the last row', () => {
    const sql = `SELECT who, COUNT(*), SESSION_START(at, INTERVAL '2' SECOND), SESSION_END(at, INTERVAL '2' SECOND)
      FROM clicks GROUP BY who, SESSION(at, INTERVAL '2' SECOND)`;
    expect(
      answers(sql, [
        'ada,2,1970-01-01T00:00:01,1970-01-01T00:00:05',
        'bob,1,1970-01-01T00:00:04,1970-01-01T00:00:06',
        'ada,1,1970-01-01T00:00:09,1970-01-01T00:00:11',
      ]),
    ).toEqual({ verdict: 'passed' });
  });

  test('are wrong where one row is missing', () => {
    const sql = `SELECT who, COUNT(*) FROM clicks GROUP BY who, TUMBLE(at, INTERVAL '2' SECOND)`;
    expect(answers(sql, ['ada,1', 'ada,1', 'bob,1', 'ada,1'])).toEqual({ verdict: 'passed' });
    expect(answers(sql, ['ada,1', 'ada,1', 'bob,1'])).toMatchObject({ verdict: 'wrong' });
  });
});

describe('time in SQL', () => {
  const at = { name: 'at', type: 'timestamp' };
  const who = { name: 'who', type: 'text' };
  const insert = (time: string, name = 'ada'): Change => ({
    table: 'e',
    op: 'insert',
    row: [`2020-01-01 ${time}`, name],
  });
  const now = (time: string): Change => ({ table: 'now', op: 'set_clock', value: `2020-01-01 ${time}` });
  const answers = (
    sql: string,
    steps: readonly (readonly Change[])[],
    rows: readonly Cells[],
    lateness?: readonly object[],
  ): unknown =>
    runSqlCase(
      {
        id: 'own',
        kind: 'sql-view',
        dialect: 'feldera',
        tables: [{ name: 'e', columns: [at, who], primary_key: [], ...(lateness && { lateness }) }],
        views: [{ name: 'v', sql }],
        main_view: 'v',
        steps: [{ op: 'create_view', view: 'v' }, ...steps.map((changes): Step => ({ op: 'dml', changes }))],
        checks: [{ after_step: steps.length, whole_view: true, rows }],
      },
      '',
    );

  test('that comparisons with the clock turn with it, wherever they stand', () => {
    const sql = `SELECT who, COUNT(*), COUNT(CASE WHEN at >= NOW() - INTERVAL 1 HOUR THEN 1 END) FROM e
      WHERE at BETWEEN NOW() - INTERVAL 2 HOURS AND NOW() OR who = 'bob' GROUP BY who`;
    const rows = [now('10:00:00'), insert('08:30:00'), insert('09:30:00'), insert('05:00:00', 'bob')];
    expect(
      answers(
        sql,
        [rows],
        [
          ['ada', '2', '1'],
          ['bob', '1', '0'],
        ],
      ),
    ).toEqual({ verdict: 'passed' });
    expect(
      answers(
        sql,
        [rows, [now('10:31:00')]],
        [
          ['ada', '1', '0'],
          ['bob', '1', '0'],
        ],
      ),
    ).toEqual({ verdict: 'passed' });
  });

  test('that sessions are told of what they are told apart by', () => {
    const sessions = (keys: string): string =>
      `SELECT who, COUNT(*), window_end FROM TABLE(SESSION(TABLE e, DESCRIPTOR(at), ${keys} INTERVAL 10 MINUTES))
        GROUP BY who, window_start, window_end`;
    const rows = [insert('10:00:00'), insert('10:05:00'), insert('10:30:00'), insert('10:01:00', 'bob')];
    const told = [
      ['ada', '2', '2020-01-01 10:15:00'],
      ['ada', '1', '2020-01-01 10:40:00'],
      ['bob', '1', '2020-01-01 10:11:00'],
    ];
    expect(answers(sessions('DESCRIPTOR(who),'), [rows], told)).toEqual({ verdict: 'passed' });
    expect(answers(sessions(''), [rows], told)).toMatchObject({ verdict: 'unsupported' });
    expect(
      answers(
        'SELECT window_start FROM TABLE(SESSION(TABLE e, DESCRIPTOR(at), INTERVAL 1 HOUR))',
        [rows],
        [],
      ),
    ).toMatchObject({ verdict: 'unsupported' });
  });

  test('that what is emitted when windows close waits for the watermark, and leaves out what comes later', () => {
    const verdict = (rows: readonly Cells[]): unknown =>
      runSqlCase(
        {
          id: 'own',
          kind: 'sql-view',
          dialect: 'risingwave',
          tables: [
            {
              name: 'e',
              columns: [at, who],
              primary_key: [],
              append_only: true,
              watermark: { column: 'at', expr: "at - interval '5 minutes'" },
            },
          ],
          views: [
            {
              name: 'v',
              sql: `SELECT window_start, COUNT(*) FROM TUMBLE(e, at, INTERVAL '10 minutes') GROUP BY window_start EMIT ON WINDOW CLOSE`,
              emit_on_window_close: true,
            },
          ],
          main_view: 'v',
          steps: [
            { op: 'create_view', view: 'v' },
            { op: 'dml', changes: [insert('10:01:00'), insert('10:14:00'), insert('10:09:00')] },
            { op: 'dml', changes: [insert('10:16:00')] },
            { op: 'dml', changes: [insert('10:02:00')] },
          ],
          checks: [
            { after_step: 1, whole_view: true, rows: [] },
            { after_step: 3, whole_view: true, rows },
          ],
        },
        '',
      );
    expect(verdict([['2020-01-01 10:00:00', '2']])).toEqual({ verdict: 'passed' });
    expect(verdict([['2020-01-01 10:00:00', '3']])).toMatchObject({ verdict: 'wrong' });
  });

  test('that a table with a lateness drops what is late for the steps before', () => {
    const steps = [[insert('10:00:00'), insert('08:00:00')], [insert('08:59:00')], [insert('09:00:00')]];
    const lateness = [{ column: 'at', value: 'INTERVAL 1 HOUR' }];
    expect(answers('SELECT COUNT(*) FROM e', steps, [['3']], lateness)).toEqual({ verdict: 'passed' });
  });
});

describe('topologies', () => {
  const within: Topology = {
    left: 'stream',
    right: 'stream',
    joins: [{ op: 'leftJoin', with: 'rightStream' }],
    windows: [{ kind: 'JoinWindows', before_ms: 5, after_ms: 10, grace_ms: 0 }],
    value_joiner: 'left + "-" + right, SQL null printed as "null"',
  };
  const steps = [
    { input: { side: 'left' as const, key: 1, value: 'A', ts: 100 }, expect: [] },
    {
      input: { side: 'right' as const, key: 1, value: 'a', ts: 111 },
      expect: [{ key: 1, value: 'A-null', ts: 100 }],
    },
  ];

  test('are told record by record', () => {
    expect(runKafkaCase({ id: 'own', topology: within, steps })).toEqual({ verdict: 'passed' });
  });

  test('are wrong where a record is emitted that is not expected', () => {
    const fewer = steps.map((step) => ({ ...step, expect: [] }));
    expect(runKafkaCase({ id: 'own', topology: within, steps: fewer })).toMatchObject({ verdict: 'wrong' });
  });

  test('that wait for each other by late records are not told', () => {
    const late = [...steps, { input: { side: 'left' as const, key: 1, value: 'B', ts: 105 }, expect: [] }];
    expect(runKafkaCase({ id: 'own', topology: within, steps: late })).toMatchObject({
      verdict: 'unsupported',
    });
  });
});
