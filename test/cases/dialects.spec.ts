import type { CaseTable, CaseView, Cells, Change, Check, SqlCase, Step, Verdict } from './case-file.js';
import { runSqlCase } from './sql-case.js';

// What dialects of SQL mean otherwise than PostgreSQL, which knows nothing of what is asked here.

interface Told {
  readonly dialect: string;
  readonly table: Partial<CaseTable> & Pick<CaseTable, 'columns'>;
  readonly view: Omit<CaseView, 'name'>;
  /** The rows that each step inserts. */
  readonly steps: readonly (readonly (readonly unknown[])[])[];
  /** What the view holds after steps: by their numbers, from one. */
  readonly shows: Readonly<Record<number, readonly Cells[]>>;
}

function verdict({ dialect, table, view, steps, shows }: Told): Verdict {
  const one: SqlCase = {
    id: 'own',
    kind: 'sql-view',
    dialect,
    tables: [{ name: 'e', primary_key: [], ...table }],
    views: [{ name: 'v', ...view }],
    main_view: 'v',
    steps: [
      { op: 'create_view', view: 'v' },
      ...steps.map((rows): Step => ({
        op: 'dml',
        changes: rows.map((row): Change => ({ table: 'e', op: 'insert', row })),
      })),
    ],
    checks: Object.entries(shows).map(([step, rows]): Check => ({
      after_step: Number(step),
      whole_view: true,
      rows,
    })),
  };
  return runSqlCase(one, '');
}

const passed = { verdict: 'passed' };
const columns = (types: Readonly<Record<string, string>>): CaseTable['columns'] =>
  Object.entries(types).map(([name, type]) => ({ name, type }));

describe('dialects of Calcite', () => {
  const table = { columns: columns({ i: 'integer', n: 'numeric(10,2)', at: 'timestamp' }) };
  const rows = [
    [1, '2.90', '2020-01-05 00:00:01.5'],
    [2, '-2.90', '2020-01-05 00:00:01.5'],
  ];
  const asked = (dialect: string, sql: string, shown: readonly Cells[]): Verdict =>
    verdict({ dialect, table, view: { sql }, steps: [rows], shows: { 1: shown } });

  test('average whole numbers to whole numbers, and cut what a cast to one leaves over', () => {
    const sql = 'SELECT AVG(i), SUM(CAST(n AS INT)), MAX(CAST(n AS INT)) FROM e';
    for (const dialect of ['feldera', 'flink-sql-1.10'])
      expect(asked(dialect, sql, [['1', '0', '2']])).toEqual(passed);
    expect(asked('postgres', sql, [['1.5', '0', '3']])).toEqual(passed);
  });

  test('count the days of a week from Sunday, and have whole seconds', () => {
    const sql = 'SELECT DISTINCT EXTRACT(DOW FROM at), EXTRACT(SECOND FROM at) FROM e';
    expect(asked('feldera', sql, [['1', '1']])).toEqual(passed);
    expect(asked('postgres', sql, [['0', '1.5']])).toEqual(passed);
  });

  test('make of deviations of whole numbers what is not told here', () => {
    expect(asked('feldera', 'SELECT STDDEV(i) FROM e', [['1']])).toMatchObject({ verdict: 'unsupported' });
  });

  test('count rows of which no value is null, and leave out and replace columns of a star', () => {
    expect(
      asked('feldera', 'SELECT COUNT(i, n), COUNT(DISTINCT at, n <=> NULL) FROM e', [['2', '1']]),
    ).toEqual(passed);
    const shown = [
      ['2', '2.9'],
      ['3', '-2.9'],
    ];
    expect(asked('feldera', 'SELECT * REPLACE(i + 1 AS i) FROM (SELECT i, n FROM e)', shown)).toEqual(passed);
    expect(asked('feldera', 'SELECT i + 1, q.* EXCLUDE(i) FROM (SELECT i, n FROM e) q', shown)).toEqual(
      passed,
    );
  });

  test('take for null what a safe cast cannot make', () => {
    const sql =
      "SELECT SAFE_CAST('x' || i AS INT), SAFE_CAST('4' AS INT), SAFE_CAST('x' AS UUID) FROM e WHERE i = 1";
    expect(asked('feldera', sql, [[null, '4', null]])).toEqual(passed);
  });

  test('choose by rows', () => {
    expect(asked('feldera', 'SELECT ARG_MAX(i, (at, n)), ARG_MIN(i, (at, n)) FROM e', [['1', '2']])).toEqual(
      passed,
    );
  });
});

describe('views that wait', () => {
  test('for a column that makes rows final show those behind what may still come', () => {
    const told = (shows: Told['shows']): Verdict =>
      verdict({
        dialect: 'feldera',
        table: { columns: columns({ ts: 'integer' }), lateness: [{ column: 'ts', value: '2' }] },
        view: { sql: 'SELECT ts, COUNT(*) FROM e GROUP BY ts', with: "'emit_final' = 'ts'" },
        steps: [[[10], [11]], [[11], [12]], [[14]]],
        shows,
      });
    expect(
      told({
        1: [],
        2: [],
        3: [
          ['10', '1'],
          ['11', '2'],
        ],
      }),
    ).toEqual(passed);
    expect(
      told({
        3: [
          ['10', '1'],
          ['11', '2'],
          ['12', '1'],
        ],
      }),
    ).toMatchObject({ verdict: 'wrong' });
  });

  test('for windows show rows whose frames are whole, of rows that are over', () => {
    const ats = ['10:00', '10:01', '10:02', '10:09'].map((time) => `2020-01-01 ${time}:00`);
    const table = {
      columns: columns({ at: 'timestamp', n: 'integer' }),
      append_only: true,
      watermark: { column: 'at', expr: "at - interval '5 minutes'" },
    };
    const told = (sql: string, rows: readonly Cells[]): Verdict =>
      verdict({
        dialect: 'risingwave',
        table,
        view: { sql: `${sql} EMIT ON WINDOW CLOSE`, emit_on_window_close: true },
        steps: [ats.slice(0, 3).map((at, n) => [at, n]), [[ats[3], 3]]],
        shows: { 1: [], 2: rows },
      });
    expect(
      told('SELECT n, LEAD(n) OVER (ORDER BY at), LAG(n) OVER (ORDER BY at) FROM e', [
        ['0', '1', null],
        ['1', '2', '0'],
      ]),
    ).toEqual(passed);
    expect(
      told('SELECT n, SUM(n) OVER (ORDER BY at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM e', [
        ['0', '0'],
        ['1', '1'],
        ['2', '3'],
      ]),
    ).toEqual(passed);
  });
});

describe('what RisingWave adds', () => {
  const at = (minute: number): string => `2020-01-01 10:0${minute}:00`;
  const told = (
    table: Told['table'],
    sql: string,
    steps: Told['steps'],
    shows: Told['shows'],
    isFinal = false,
  ): Verdict =>
    verdict({
      dialect: 'risingwave',
      table,
      view: { sql, ...(isFinal && { emit_on_window_close: true }) },
      steps,
      shows,
    });

  test('a sketch of percentiles is as near as it says', () => {
    const table = { columns: columns({ n: 'double precision', g: 'text' }) };
    const rows = [...Array.from({ length: 99 }, (_, n) => [(n - 49) ** 3, 'a']), [null, 'a'], [null, 'b']];
    // The ranks that are asked for hold -64,000, 0 and 64,000.
    const within = (p: number, value: number): string =>
      `ABS(approx_percentile(${p}, 0.02) WITHIN GROUP (ORDER BY n) - ${value}) <= 0.02 * ${Math.abs(value)}`;
    const sql = `SELECT g, ${within(0.092, -64_000)}, ${within(0.5, 0)}, ${within(0.91, 64_000)} FROM e GROUP BY g`;
    expect(
      told(table, sql, [rows], {
        1: [
          ['a', 't', 't', 't'],
          ['b', null, null, null],
        ],
      }),
    ).toEqual(passed);
  });

  test('gaps are filled with what is said of each column, and again when a row comes into them', () => {
    const table = {
      columns: columns({ k: 'integer', at: 'timestamp', n: 'integer', m: 'integer', s: 'text' }),
    };
    const sql = `SELECT k, at, n, m, s FROM
      GAP_FILL(e, at, INTERVAL '1' MINUTE, INTERPOLATE(n), LOCF(m), KEEPNULL(s), PARTITION_BY(k))`;
    const first = [
      ['1', at(0), '10', '5', 'x'],
      ['1', at(1), '15', '5', null],
      ['1', at(2), '20', '7', 'y'],
      ['2', at(1), '0', '0', 'z'],
      ['2', null, '9', '9', 'n'],
    ];
    expect(
      told(
        table,
        sql,
        [
          [
            [1, at(0), 10, 5, 'x'],
            [1, at(2), 20, 7, 'y'],
            [2, at(1), 0, 0, 'z'],
            [2, null, 9, 9, 'n'],
          ],
          [[1, at(1), 0, 0, 'w']],
        ],
        {
          1: first,
          2: [...first.filter(([k, time]) => k !== '1' || time !== at(1)), ['1', at(1), '0', '0', 'w']],
        },
      ),
    ).toEqual(passed);
  });

  test('the changes of a table are rows', () => {
    const sql = 'WITH c AS CHANGELOG FROM e SELECT n, changelog_op, COUNT(*) FROM c GROUP BY n, changelog_op';
    expect(
      told({ columns: columns({ n: 'integer' }) }, sql, [[[1], [1]], [[2]]], {
        1: [['1', '1', '2']],
        2: [
          ['1', '1', '2'],
          ['2', '1', '1'],
        ],
      }),
    ).toEqual(passed);
  });

  test.each([
    [
      "e a LEFT JOIN e b ON a.k = b.k AND b.at >= a.at + INTERVAL '1 minute' AND b.at < a.at + INTERVAL '3 minutes'",
      true,
    ],
    [
      "e a LEFT JOIN e b ON a.k = b.k AND a.at BETWEEN b.at - INTERVAL '2 minutes 59 seconds' AND b.at - INTERVAL '1 minute'",
      true,
    ],
    ["e a, e b WHERE a.k = b.k AND b.at > a.at AND a.at + INTERVAL '2 minutes' >= b.at", false],
  ])('rows near each other are final when nothing can come between any more: %s', (from, isOuter) => {
    const table = {
      columns: columns({ k: 'integer', at: 'timestamp' }),
      append_only: true,
      watermark: { column: 'at', expr: "at - interval '1 minute'" },
    };
    const steps = [
      [
        [1, at(0)],
        [2, at(1)],
        [1, at(2)],
      ],
      [[3, at(5)]],
      [[3, at(9)]],
    ];
    const pair = ['1', at(0), at(2)];
    const alone = [
      ['1', at(2), null],
      ['2', at(1), null],
    ];
    const last = ['3', at(5), null];
    expect(
      told(
        table,
        `SELECT a.k, a.at, b.at b_at FROM ${from} EMIT ON WINDOW CLOSE`,
        steps,
        {
          1: [],
          3: [pair, ...(isOuter ? [...alone, last] : [])],
        },
        true,
      ),
    ).toEqual(passed);
  });
});

test('frames of sessions are those of rows no further apart than the gap', () => {
  const ats = ['10:00', '10:10', '10:21', '10:40'].map((time) => `2020-01-01 ${time}:00`);
  const over = "OVER (PARTITION BY who ORDER BY at SESSION WITH GAP '10 minutes')";
  expect(
    verdict({
      dialect: 'risingwave',
      table: { columns: columns({ at: 'timestamp', who: 'text' }) },
      view: { sql: `SELECT at, FIRST_VALUE(at) ${over}, LAST_VALUE(at) ${over}, COUNT(*) ${over} FROM e` },
      steps: [
        ats.slice(0, 2).map((at) => [at, 'ada']),
        [
          [ats[2], 'ada'],
          [ats[3], 'ada'],
          [ats[2], 'bob'],
        ],
      ],
      shows: {
        1: [
          [ats[0]!, ats[0]!, ats[1]!, '2'],
          [ats[1]!, ats[0]!, ats[1]!, '2'],
        ],
        2: [
          [ats[0]!, ats[0]!, ats[1]!, '2'],
          [ats[1]!, ats[0]!, ats[1]!, '2'],
          [ats[2]!, ats[2]!, ats[2]!, '1'],
          [ats[3]!, ats[3]!, ats[3]!, '1'],
          [ats[2]!, ats[2]!, ats[2]!, '1'],
        ],
      },
    }),
  ).toEqual(passed);
});
