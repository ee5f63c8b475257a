import { stream, table, view } from 'stillwater';
import { z } from 'zod';
import { Maintained } from '../support/maintained.js';

/** What joins of tables and streams mean, step by step. */

const side = (name: string) =>
  table(name, { schema: z.object({ id: z.int(), k: z.string().nullable(), v: z.string() }), key: 'id' });
const left = side('left');
const right = side('right');
const on = { id: 'id' } as const;
const text = (row: any): string => `${row.v ?? '-'}${row.r?.v ?? '-'}`;

const kinds = {
  inner: left.join({ r: right }, { on }),
  left: left.leftJoin({ r: right }, { on }),
  right: left.rightJoin({ r: right }, { on }),
  full: left.fullJoin({ r: right }, { on }),
  semi: left.semiJoin(right, { on }),
  anti: left.antiJoin(right, { on }),
};
type Kind = keyof typeof kinds;

const maintained = (from: any): Maintained =>
  new Maintained(
    (view as any)('v', { from, key: from.plan.relation.columns.map(({ name }: any) => name) }).declaration,
  );

const put = (row: object): [any, number][] => [[row, 1]];
const gone = (row: object): [any, number][] => [[row, -1]];

describe('a join of two tables by their key', () => {
  // What is done, and the rows of each kind after it: `Ab` is a pair, `A-` a left row alone, `-b` a right one.
  const steps: [side: 'left' | 'right', value: string | null, rows: Record<Kind, string>][] = [
    ['left', null, { inner: '', left: '', right: '', full: '', semi: '', anti: '' }],
    ['left', 'A', { inner: '', left: 'A-', right: '', full: 'A-', semi: '', anti: 'A-' }],
    ['right', 'a', { inner: 'Aa', left: 'Aa', right: 'Aa', full: 'Aa', semi: 'A-', anti: '' }],
    ['left', 'B', { inner: 'Ba', left: 'Ba', right: 'Ba', full: 'Ba', semi: 'B-', anti: '' }],
    ['right', 'b', { inner: 'Bb', left: 'Bb', right: 'Bb', full: 'Bb', semi: 'B-', anti: '' }],
    ['left', null, { inner: '', left: '', right: '-b', full: '-b', semi: '', anti: '' }],
    ['right', null, { inner: '', left: '', right: '', full: '', semi: '', anti: '' }],
    ['right', 'c', { inner: '', left: '', right: '-c', full: '-c', semi: '', anti: '' }],
    ['left', 'C', { inner: 'Cc', left: 'Cc', right: 'Cc', full: 'Cc', semi: 'C-', anti: '' }],
    ['right', null, { inner: '', left: 'C-', right: '', full: 'C-', semi: '', anti: 'C-' }],
    ['left', null, { inner: '', left: '', right: '', full: '', semi: '', anti: '' }],
  ];

  it.each(Object.keys(kinds) as Kind[])('shows what a join of kind %s is to', (kind) => {
    const rows = maintained(kinds[kind]);
    for (const [name, value, expected] of steps) {
      const row = { id: 1, k: null, v: value };
      rows.tick({ [`table:${name}`]: value === null ? gone(row) : put(row) });
      expect(rows.rows.map(text)).toEqual(expected[kind] === '' ? [] : [expected[kind]]);
    }
    expect(rows.store.toString()).toBe(maintained(kinds[kind]).store.toString());
  });
});

describe('a condition of an outer join', () => {
  const odd = { on: { k: 'k' }, where: (row: any): boolean => row.v < row.r.v } as const;
  const l = (id: number, k: string | null, v: string) => ({ id, k, v });

  it('leaves a row alone where no match fulfils it, as a condition in ON does', () => {
    const rows = maintained(left.fullJoin({ r: right }, odd));
    rows.tick({ 'table:left': put(l(1, 'x', 'm')), 'table:right': put(l(1, 'x', 'a')) });
    expect(rows.rows.map(text).sort()).toEqual(['-a', 'm-']);
    rows.tick({ 'table:right': put(l(2, 'x', 'z')) });
    expect(rows.rows.map(text).sort()).toEqual(['-a', 'mz']);
    rows.tick({ 'table:right': put(l(1, 'x', 'n')) });
    expect(rows.rows.map(text).sort()).toEqual(['mn', 'mz']);
    rows.tick({ 'table:right': gone(l(2, 'x', 'z')) });
    expect(rows.rows.map(text).sort()).toEqual(['mn']);
    rows.tick({ 'table:left': put(l(1, 'x', 'p')) });
    expect(rows.rows.map(text).sort()).toEqual(['-n', 'p-']);
  });

  it('is not asked of rows whose columns are null: null equals nothing', () => {
    const asked: object[] = [];
    const rows = maintained(
      left.fullJoin({ r: right }, { on: { k: 'k' }, where: (row) => asked.push(row) > 0 }),
    );
    rows.tick({ 'table:left': put(l(1, null, 'm')), 'table:right': put(l(1, null, 'a')) });
    expect(rows.rows.map(text).sort()).toEqual(['-a', 'm-']);
    expect(asked).toEqual([]);
  });

  it('that throws makes an error of the pair, which goes with it', () => {
    const rows = maintained(
      left.leftJoin(
        { r: right },
        {
          on: { k: 'k' },
          where: () => {
            throw new Error('no');
          },
        },
      ),
    );
    rows.tick({ 'table:left': put(l(1, 'x', 'm')), 'table:right': put(l(1, 'x', 'a')) });
    expect(rows.rows.map(text)).toEqual(['m-']);
    expect(rows.keptErrors).toMatchObject([
      { weight: 1, operator: expect.stringMatching(/\.join$/), reason: 'no' },
    ]);
    rows.tick({ 'table:right': gone(l(1, 'x', 'a')) });
    expect(rows.rows.map(text)).toEqual(['m-']);
    expect(rows.keptErrors).toEqual([]);
  });
});

describe('joins of joins', () => {
  it('show what is alone on several sides, and pairs of a collection with itself', () => {
    const third = side('third');
    const chain = left
      .fullJoin({ r: right }, { on: { k: 'k' } })
      .fullJoin({ t: third }, { on: { 'r.k': 'k' } });
    const rows = maintained(chain);
    const all = () => rows.rows.map((row: any) => text(row) + (row.t?.v ?? '-')).sort();
    const l = (id: number, k: string | null, v: string) => ({ id, k, v });
    rows.tick({
      'table:left': [...put(l(1, 'x', 'a')), ...put(l(2, 'y', 'b')), ...put(l(3, null, 'c'))],
      'table:right': [...put(l(1, 'x', 'p')), ...put(l(2, 'z', 'q')), ...put(l(3, null, 'n'))],
      'table:third': [
        ...put(l(1, 'x', 's')),
        ...put(l(2, 'z', 't')),
        ...put(l(3, 'w', 'u')),
        ...put(l(4, 'x', 'v')),
      ],
    });
    expect(all()).toEqual(['--u', '-n-', '-qt', 'aps', 'apv', 'b--', 'c--']);
    rows.tick({ 'table:right': gone(l(1, 'x', 'p')) });
    expect(all()).toEqual(['--s', '--u', '--v', '-n-', '-qt', 'a--', 'b--', 'c--']);

    const self = maintained(left.join({ r: left }, { on: { k: 'k' }, where: (row) => row.id < row.r.id }));
    self.tick({ 'table:left': [...put(l(1, 'x', 'a')), ...put(l(2, 'x', 'b')), ...put(l(3, 'x', 'c'))] });
    expect(self.rows.map(text).sort()).toEqual(['ab', 'ac', 'bc']);
    self.tick({ 'table:left': [...gone(l(2, 'x', 'b')), ...put(l(4, 'x', 'd'))] });
    expect(self.rows.map(text).sort()).toEqual(['ac', 'ad', 'cd']);
  });

  it('count the same events as often as they came', () => {
    const events = stream('events', { schema: z.object({ k: z.string() }) });
    const bought = maintained(
      events
        .groupBy('k')
        .aggregate({})
        .antiJoin(right, { on: { k: 'k' } }),
    );
    bought.tick({
      'stream:events': [
        [{ k: 'a' }, 2],
        [{ k: 'b' }, 1],
      ],
    });
    bought.tick({ 'table:right': [...put({ id: 1, k: 'a', v: '' }), ...put({ id: 2, k: 'a', v: '' })] });
    expect(bought.rows).toEqual([{ k: 'b' }]);
    bought.tick({ 'table:right': gone({ id: 1, k: 'a', v: '' }) });
    expect(bought.rows).toEqual([{ k: 'b' }]);
    bought.tick({ 'table:right': gone({ id: 2, k: 'a', v: '' }) });
    expect(bought.rows).toEqual([{ k: 'a' }, { k: 'b' }]);
  });
});
